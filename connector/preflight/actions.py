"""Checks of the account that runs actions at a PBX."""

import asyncio
from collections.abc import Sequence
from typing import Final

from connector.ami.action import AmiAction
from connector.ami.catalogue import ActionCatalogue
from connector.edges.pbx import AsteriskPbx
from connector.errors import LinkLost, LoginRefused
from connector.preflight import Finding, State
from connector.preflight.granted import Listed
from connector.preflight.pbx import leave, listed, privileges
from connector.settings.account import LATER, Later, with_own_questions

_ANSWER_S: Final = 5.0


async def check(
    target: AsteriskPbx, possible: Sequence[str], catalogue: ActionCatalogue, listen_s: float = 2.0
) -> list[Finding]:
    """Log in as the road back would, and see which of the actions the account may run.

    Args:
        target: the PBX, with the account for actions.
        possible: the actions that the policy may let through.
        catalogue: the rights that actions need.
        listen_s: how long to wait for events that prove the read classes of what tells how actions ended,
            in seconds.
    """
    later = [LATER[name] for name in LATER if name in possible]
    heard: dict[str, asyncio.Event] = {each.event_class: asyncio.Event() for each in later}

    def take(frames: list[bytes], _: int) -> None:
        for event_class in {each for frame in frames for each in privileges(frame)} & heard.keys():
            heard[event_class].set()

    what = f"{target.name} actions' login"
    try:
        connection = await target.hearing(",".join(heard) or "off").login(lambda *_: None, take)
    except (LinkLost, LoginRefused) as error:
        return [Finding(what, State.FAILED, line) for line in str(error).splitlines()]
    try:
        answer = await connection.ask(AmiAction("ListCommands"), _ANSWER_S)
        several = await _several(target)
        outcomes = await asyncio.gather(
            *(_outcome(target.name, each, heard[each.event_class], listen_s) for each in later)
        )
    except LinkLost as error:
        return [Finding(what, State.FAILED, str(error))]
    finally:
        await leave(connection)
    found = listed(answer.response)
    return [*several, *allowed(target.name, possible, found, catalogue), *outcomes]


async def _several(target: AsteriskPbx) -> list[Finding]:
    """Log in beside the session that there is, as the sessions for actions do."""
    what = f"{target.name} actions' sessions"
    try:
        connection = await target.hearing("off").login(lambda *_: None, lambda *_: None)
    except (LinkLost, LoginRefused) as error:
        remedy = "set allowmultiplelogin = yes in manager.conf: there are several sessions for actions"
        return [Finding(what, State.FAILED, line, remedy) for line in str(error).splitlines()]
    await leave(connection)
    return [Finding(what, State.OK, "a second session may be opened")]


async def _outcome(name: str, later: Later, heard: asyncio.Event, listen_s: float) -> Finding:
    what = f"{name} {later.event}"
    try:
        async with asyncio.timeout(listen_s):
            await heard.wait()
    except TimeoutError:
        remedy = (
            f"the actions' account needs read = {later.event_class} in manager.conf, "
            "else what tells how such an action ended never comes"
        )
        return Finding(what, State.UNPROVEN, f"no event of the class {later.event_class} yet", remedy)
    return Finding(what, State.OK, f"events of the class {later.event_class} come")


def allowed(name: str, possible: Sequence[str], found: Listed, catalogue: ActionCatalogue) -> list[Finding]:
    """Say of each action that the policy may let through whether the account may run it.

    And whether what became of a call whose outcome is UNKNOWN can be found out.
    """
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
    own = set(with_own_questions(possible)) - set(possible)
    findings += [_unasked(name, each, catalogue) for each in sorted(own) if each.lower() not in found.names]
    return findings


def _unasked(name: str, question: str, catalogue: ActionCatalogue) -> Finding:
    facts = catalogue.get(question)
    needs = f"{question} needs {' or '.join(facts.rights)}" if facts else question
    return Finding(
        f"{name} unknown calls",
        State.WARNING,
        f"what becomes of calls whose outcome is UNKNOWN cannot be asked: {needs}",
        "see `ami-kafka manager-conf`",
    )
