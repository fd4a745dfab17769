"""Checks of the account that runs actions at a PBX."""

import asyncio
from collections.abc import Sequence
from typing import Final

from connector.ami.action import AmiAction
from connector.ami.catalogue import ActionCatalogue
from connector.edges.pbx import AsteriskPbx
from connector.errors import LinkLost, LoginRefused
from connector.preflight import Finding, State
from connector.preflight.pbx import Listed, leave, listed, privileges

_ANSWER_S: Final = 5.0


async def check(
    target: AsteriskPbx, possible: Sequence[str], catalogue: ActionCatalogue, listen_s: float = 2.0
) -> list[Finding]:
    """Log in as the road back would, and see which of the actions the account may run.

    Args:
        target: the PBX, with the account for actions.
        possible: the actions that the policy may let through.
        catalogue: the rights that actions need.
        listen_s: how long to wait for an event that proves the read class of OriginateResponse, in seconds.
    """
    heard = asyncio.Event()

    def take(frames: list[bytes], _: int) -> None:
        if any(map(_of_call, frames)):
            heard.set()

    what = f"{target.name} actions' login"
    try:
        connection = await target.login(lambda *_: None, take)
    except (LinkLost, LoginRefused) as error:
        return [Finding(what, State.FAILED, line) for line in str(error).splitlines()]
    try:
        answer = await connection.ask(AmiAction("ListCommands"), _ANSWER_S)
        calls = "Originate" in possible
        outcome = [await _outcome(target.name, heard, listen_s)] if calls else []
    except LinkLost as error:
        return [Finding(what, State.FAILED, str(error))]
    finally:
        await leave(connection)
    return [*allowed(target.name, possible, listed(answer.response), catalogue), *outcome]


def _of_call(frame: bytes) -> bool:
    return "call" in privileges(frame)


async def _outcome(name: str, heard: asyncio.Event, listen_s: float) -> Finding:
    what = f"{name} OriginateResponse"
    try:
        async with asyncio.timeout(listen_s):
            await heard.wait()
    except TimeoutError:
        remedy = (
            "the actions' account needs read = call in manager.conf, else the outcome of calls never comes"
        )
        return Finding(what, State.UNPROVEN, "no event of the class call yet", remedy)
    return Finding(what, State.OK, "events of the class call come")


def allowed(name: str, possible: Sequence[str], found: Listed, catalogue: ActionCatalogue) -> list[Finding]:
    """Say of each action that the policy may let through whether the account may run it."""
    may = [each for each in possible if each.lower() in found.names]
    absent: list[str] = []
    forbidden: list[str] = []
    for each in possible:
        if each.lower() not in found.names:
            facts = catalogue.get(each)
            if facts and (not facts.rights or set(facts.rights) & found.classes):
                absent.append(each)
            else:
                needs = " or ".join(facts.rights) if facts else "a right that is not known"
                forbidden.append(f"{each} needs {needs}")
    what = f"{name} actions allowed"
    findings = [Finding(what, State.OK, f"the account may run {', '.join(may) or 'none of them'}")]
    if absent:
        seen = f"not at this PBX, though the account has the right: {', '.join(absent)}"
        findings.append(Finding(what, State.OK, seen))
    if forbidden:
        remedy = "see `ami-kafka manager-conf`, or take them out of the policy"
        findings.append(
            Finding(
                what,
                State.WARNING,
                f"the account may not run, or the PBX has not: {'; '.join(forbidden)}",
                remedy,
            )
        )
    return findings
