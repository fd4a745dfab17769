"""The dialogue of a login, from the greeting to readiness, as it is read from top to bottom."""

import hashlib
import re
from collections.abc import Generator, Iterable
from typing import Final, NamedTuple

from connector.ami.action import AmiAction
from connector.ami.completion import Answer
from connector.ami.message import parse
from connector.ami.steps import Account, Start, Welcome
from connector.errors import LinkLost, LoginRefused

_SECONDS: Final = re.compile(r"[0-9]{1,18}")

_FOR_NOW: Final = {
    "already in use": "the PBX still holds an earlier session; see allowmultiplelogin in manager.conf",
    "shutting down": "the PBX is about to stop",
}
"""Refusals that pass by themselves, by words of their text: nothing else tells them from a wrong secret."""


class Ask(NamedTuple):
    """What to send next; `optional` where the login can do without an answer."""

    action: AmiAction
    optional: bool = False


class Told(NamedTuple):
    """What the PBX said of itself; None where it was not asked, or not answered in time."""

    settings: Answer | None
    status: Answer | None = None


Dialogue = Generator[Ask, Answer | None, Told]
"""Yields what to ask, is sent the answer (None: not in time), and returns what was said at the end."""


def log_in(account: Account) -> Dialogue:
    """Log in, restrict the session's events, and ask who the PBX is and, if wished, since when it runs.

    Raises:
        LoginRefused: the PBX said no to the login or to a filter.
        LinkLost: it did not answer in time, or refuses for now only.
        ActionError: the account's name, secret, mask or filter must not go on the wire.
    """
    who = ("Username", account.username), ("Events", account.events)
    if account.md5:
        challenge = yield from _demand(AmiAction("Challenge", (("AuthType", "MD5"),)))
        text = challenge.response.get("Challenge") + account.secret
        key = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
        yield from _demand(AmiAction("Login", (("AuthType", "MD5"), ("Key", key), *who)))
    else:
        yield from _demand(AmiAction("Login", (("Secret", account.secret), *who)))
    for criteria in account.filters:
        yield from _demand(AmiAction("Filter", (("Operation", "Add"), ("Filter", criteria))))
    status = (yield Ask(AmiAction("CoreStatus"), optional=True)) if account.asks_start else None
    return Told((yield Ask(AmiAction("CoreSettings"), optional=True)), status)


def welcome(greeting: str, told: Told, held: Iterable[bytes] = ()) -> Welcome:
    """Read the greeting line, the answers that the account may be allowed to have, and the first events."""
    ami_version = greeting.partition("/")[2].strip()
    uptimes = (uptime for uptime in map(_uptime, held) if uptime is not None)
    start = Start(_startup(told.status), next(uptimes, None))
    if told.settings is None or not told.settings.success:
        return Welcome(ami_version, start=start)
    settings = told.settings.response
    return Welcome(
        ami_version, settings.get("AsteriskVersion") or None, settings.get("SystemName") or None, start
    )


def _startup(status: Answer | None) -> str | None:
    if status is None or not status.success:
        return None
    date, time = (status.response.get(f"CoreStartup{part}") for part in ("Date", "Time"))
    return f"{date} {time}" if date and time else None


def _uptime(frame: bytes) -> int | None:
    """Return what a FullyBooted says; it comes first of all, straight behind the answer to the login."""
    if not frame.startswith(b"Event: FullyBooted\r\n"):
        return None
    uptime = parse(frame).get("Uptime")
    return int(uptime) if _SECONDS.fullmatch(uptime) else None


def _demand(action: AmiAction) -> Generator[Ask, Answer | None, Answer]:
    answer = yield Ask(action)
    if answer is None:
        raise LinkLost(f"no answer to {action.name} in time")
    if not answer.success:
        said = answer.response.get("Message")
        for words, hint in _FOR_NOW.items():
            if words in said.lower():
                raise LinkLost(f"login refused for now ({said}): {hint}")
        raise LoginRefused(_refusal(action.name, said))
    return answer


def _refusal(action: str, said: str) -> str:
    if action == "Filter":
        return f"Filter refused ({said}): it needs write=system; or set eventfilter in manager.conf instead"
    return f"login refused ({said}): see the account's secret, permit and deny in manager.conf"
