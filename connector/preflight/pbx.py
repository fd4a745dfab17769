"""Checks of a PBX: the login, what the account may do, what arrives."""

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Final

from connector.ami.action import AmiAction
from connector.ami.completion import Answer
from connector.ami.message import AmiMessage, Kind, event_name, kind_of
from connector.ami.steps import Welcome
from connector.edges.pbx import AsteriskPbx, Connection
from connector.errors import LinkLost, LoginRefused
from connector.preflight import Finding, State, granted
from connector.preflight.granted import Listed, Needs
from connector.settings.sections import Pbx

_ANSWER_S: Final = 5.0
_LISTEN_S: Final = 2.0
_PRIVILEGES: Final = re.compile(r"\(Priv: ([^)]*)\)\s*\Z")
_TIMESTAMP: Final = b"\r\nTimestamp: "


Meet = Callable[[str, Welcome], None]
"""Told what a PBX, by its name in the settings, says of itself."""


async def check(
    target: AsteriskPbx, settings: Pbx, needs: Needs, meet: Meet = lambda *_: None
) -> list[Finding]:
    """Log in as the road would, and see what the account gives."""
    welcomes: list[tuple[Welcome, str]] = []
    frames: list[bytes] = []
    heard = asyncio.Event()

    def take(new: list[bytes], _: int) -> None:
        frames.extend(frame for frame in new if kind_of(frame) is Kind.EVENT)
        if any(map(_telling, frames)):
            heard.set()

    try:
        connection = await target.login(lambda welcome, address, _: welcomes.append((welcome, address)), take)
    except (LinkLost, LoginRefused) as error:
        return [Finding(f"{target.name} login", State.FAILED, line) for line in str(error).splitlines()]
    meet(target.name, welcomes[0][0])
    findings = [_login(target.name, *welcomes[0])]
    try:
        found = await _rights(target.name, connection, findings)
        await _listen(heard)
        findings += await _granted(connection, found, settings, needs, frames)
    except LinkLost as error:
        findings.append(Finding(f"{target.name} actions", State.FAILED, str(error)))
    finally:
        await leave(connection)
    return [
        *findings,
        _classes(target.name, frames, settings.event_classes),
        _timestamps(target.name, frames),
    ]


async def _granted(
    connection: Connection, found: Listed, settings: Pbx, needs: Needs, frames: Sequence[bytes]
) -> list[Finding]:
    async def ask(action: AmiAction) -> Answer:
        return await connection.ask(action, _ANSWER_S)

    return [
        *granted.write(needs, found),
        *await granted.silent(needs, found, map(event_name, frames), ask),
        *await granted.configured(needs.pbx, settings.username, found, ask),
    ]


async def leave(connection: Connection) -> None:
    """Log off and close."""
    connection.leave()
    await connection.ended()
    connection.close()


async def _listen(heard: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_LISTEN_S):
            await heard.wait()
    except TimeoutError:
        return


def _login(name: str, welcome: Welcome, address: str) -> Finding:
    what = f"{name} login"
    if welcome.asterisk_version is None:
        remedy = "give the account read or write=reporting, so that records can name the version"
        return Finding(what, State.WARNING, f"at {address}; it may not ask CoreSettings", remedy)
    named = f", system name {welcome.system_name}" if welcome.system_name else ""
    return Finding(what, State.OK, f"at {address}: Asterisk {welcome.asterisk_version}{named}")


async def _rights(name: str, connection: Connection, findings: list[Finding]) -> Listed:
    """Return what the account may run, and say what is proved by it."""
    ping = await connection.ask(AmiAction("Ping"), _ANSWER_S)
    found = listed((await connection.ask(AmiAction("ListCommands"), _ANSWER_S)).response)
    alive = "answers Ping" if ping.success else "may not Ping"
    rights = ", ".join(sorted(found.classes)) or "none, which is all that events need"
    findings.append(Finding(f"{name} actions", State.OK, f"{alive}; write classes: {rights}"))
    return found


def listed(commands: AmiMessage) -> Listed:
    """Read an answer to ListCommands: it lists what the account may run, each with its classes."""
    names, classes = set(), set()
    for name, text in commands.headers:
        privileges = _PRIVILEGES.search(text)
        if not privileges:
            continue
        names.add(name.lower())
        own = {each for each in privileges[1].split(",") if each not in ("all", "<none>")}
        # An action of several classes is listed for each of them: it proves none.
        classes |= own if len(own) == 1 else set()
    return Listed(frozenset(names), frozenset(classes))


def _classes(name: str, frames: Sequence[bytes], asked: Sequence[str]) -> Finding:
    seen = sorted({each for frame in frames for each in privileges(frame) if each != "all"})
    unseen = [each for each in asked if each not in seen]
    what = f"{name} event classes"
    if not unseen or "all" in asked:
        return Finding(what, State.OK, f"seen: {', '.join(seen)}")
    remedy = "Asterisk does not tell read rights: see `read` of the account in manager.conf"
    told = f"asked for {', '.join(asked)}; so far seen: {', '.join(seen) or 'none'}"
    return Finding(what, State.UNPROVEN, told, remedy)


def privileges(frame: bytes) -> list[str]:
    """Return the classes of an event."""
    line = frame.partition(b"\r\nPrivilege: ")[2].partition(b"\r\n")[0]
    return line.decode("ascii", "replace").split(",") if line else []


def _telling(frame: bytes) -> bool:
    """Say whether an event shows what the session gives; FullyBooted is made by hand, without Timestamp."""
    return event_name(frame) != "FullyBooted"


def _timestamps(name: str, frames: Sequence[bytes]) -> Finding:
    what = f"{name} timestamps"
    telling = list(filter(_telling, frames))
    if not telling:
        remedy = "see timestampevents in manager.conf; it must be yes"
        return Finding(what, State.UNPROVEN, f"no event within {_LISTEN_S:g} s", remedy)
    if any(_TIMESTAMP in frame for frame in telling):
        return Finding(what, State.OK, "seen")
    return Finding(
        what, State.WARNING, "events come without Timestamp", "set timestampevents = yes in manager.conf"
    )
