"""What a PBX grants beyond the login, and what it keeps silent, as far as this account may ask."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final, NamedTuple

from connector.ami.action import AmiAction
from connector.ami.catalogue import ActionCatalogue
from connector.ami.completion import Answer
from connector.preflight import Finding, State
from connector.settings.manager_conf import WRITE_TIMEOUT_MS

Ask = Callable[[AmiAction], Awaitable[Answer]]
"""Asks the PBX; LinkLost where no answer comes."""

_PRINTS: Final = "`ami-kafka manager-conf` prints the account as it should be"
_SYSTEM: Final = "system"
_SHORT_MS: Final = 10_000
_USUAL_MS: Final = 100
_TRUE: Final = frozenset({"yes", "true", "y", "t", "1", "on"})


class Listed(NamedTuple):
    """What an account may run at a PBX: names in small letters, and the write classes that this proves."""

    names: frozenset[str]
    classes: frozenset[str]

    def may(self, action: str) -> bool:
        """Tell whether the account may run an action."""
        return action.lower() in self.names


class Needs(NamedTuple):
    """What the settings ask of a PBX's account for events: its list actions, write classes, published events."""

    pbx: str
    lists: tuple[str, ...]
    classes: frozenset[str]
    events: frozenset[str]
    catalogue: ActionCatalogue


class _Backend(NamedTuple):
    """What sends an event that is silent where it is not set up."""

    event: str
    command: str
    lines: frozenset[str]
    module: str
    remedy: str


_BACKENDS: Final = (
    _Backend(
        "Cdr",
        "cdr show status",
        # Where it is not enabled it is listed too, as suspended.
        frozenset({"cdr_manager"}),
        "cdr_manager",
        "enable = yes in cdr.conf, enabled = yes in cdr_manager.conf, then `module reload cdr_manager.so`",
    ),
    _Backend(
        "CEL",
        "cel show status",
        frozenset({"CEL Logging: Enabled", "CEL Event Subscriber: Manager Event Logging"}),
        "cel_manager",
        "in cel.conf enable = yes in [general], events = ALL, and enabled = yes in [manager]; then `module reload cel`",
    ),
)


def write(needs: Needs, found: Listed) -> list[Finding]:
    """Compare what an account may do with what events need."""
    findings = [*_lists(needs, found)]
    more = sorted(found.classes - needs.classes)
    if more:
        seen = f"may do more than is needed: {', '.join(more)} in write"
        remedy = f"whoever learns its secret may do it too; {_PRINTS}"
        findings.append(Finding(f"{needs.pbx} account", State.WARNING, seen, remedy))
    return findings


def _lists(needs: Needs, found: Listed) -> Iterable[Finding]:
    what = f"{needs.pbx} snapshot"
    absent: list[str] = []
    beyond: list[str] = []
    forbidden: list[str] = []
    for action in needs.lists:
        facts = needs.catalogue.get(action)
        if found.may(action) or facts is None:
            continue
        if not facts.rights or set(facts.rights) & found.classes:
            absent.append(action)
        elif facts.rights == (_SYSTEM,):
            beyond.append(action)
        else:
            forbidden.append(f"{action} needs {' or '.join(facts.rights)}")
    if forbidden:
        seen = f"lists that the account may not ask, or the PBX has not: {'; '.join(forbidden)}"
        yield Finding(what, State.WARNING, seen, f"without them what is there is not told; {_PRINTS}")
    if beyond:
        yield Finding(what, State.OK, f"left out, since they need {_SYSTEM} in write: {', '.join(beyond)}")
    if absent:
        yield Finding(
            what, State.OK, f"not at this PBX, though the account has the right: {', '.join(absent)}"
        )


async def silent(needs: Needs, found: Listed, seen: Iterable[str], ask: Ask) -> list[Finding]:
    """Say of the published events that a PBX may never send whether it does.

    Args:
        needs: what is published.
        found: what may be asked.
        seen: the events that came.
        ask: asks the PBX.

    Raises:
        LinkLost: no answer.
    """
    came = set(seen)
    return [
        Finding(f"{needs.pbx} {each.event}", State.OK, "seen")
        if each.event in came
        else await _backend(f"{needs.pbx} {each.event}", each, found, ask)
        for each in _BACKENDS
        if each.event in needs.events
    ]


async def _backend(what: str, backend: _Backend, found: Listed, ask: Ask) -> Finding:
    if found.may("Command"):
        answer = await ask(AmiAction("Command", (("Command", backend.command),)))
        told = {value.strip() for header, value in answer.response.headers if header == "Output"}
        if backend.lines <= told:
            return Finding(what, State.OK, f"`{backend.command}` says that they are sent")
        return _never(what, f"`{backend.command}` says that they are not sent", backend)
    if found.may("ModuleCheck"):
        loaded = (await ask(AmiAction("ModuleCheck", (("Module", backend.module),)))).success
        if not loaded:
            return _never(what, f"the module {backend.module} is not loaded", backend)
    if backend.event == "Cdr" and found.may("CoreSettings"):
        settings = (await ask(AmiAction("CoreSettings"))).response
        if settings.get("CoreCDRenabled") == "No":
            return _never(what, "CDRs are off", backend)
    remedy = f"see on the PBX's console: {backend.command}; if need be {backend.remedy}"
    return Finding(
        what, State.UNPROVEN, "none came yet, and this account may not ask whether they will", remedy
    )


def _never(what: str, seen: str, backend: _Backend) -> Finding:
    return Finding(what, State.WARNING, f"published, but {seen}", backend.remedy)


async def configured(name: str, username: str, found: Listed, ask: Ask) -> list[Finding]:
    """Say whether the PBX is patient with a slow reader; Asterisk tells only who may read its files.

    Raises:
        LinkLost: no answer.
    """
    what = f"{name} writetimeout"
    remedy = f"set writetimeout = {WRITE_TIMEOUT_MS} for the account in manager.conf; {_PRINTS}"
    account = await _section(username, ask) if found.may("GetConfig") else None
    if account is None:
        return [Finding(what, State.UNPROVEN, "this account is not told", remedy)]
    value = account.get("writetimeout", str(_USUAL_MS))
    milliseconds = int(value) if value.isascii() and value.isdecimal() else _USUAL_MS
    findings = [
        Finding(what, State.OK, f"{milliseconds} ms")
        if milliseconds >= _SHORT_MS
        else Finding(
            what, State.WARNING, f"{milliseconds} ms: a reader that is slow for so long is cut", remedy
        )
    ]
    general = await _section("general", ask) or {}
    if general.get("timestampevents", "no").lower() not in _TRUE:
        todo = "set timestampevents = yes in [general] of manager.conf"
        findings.append(Finding(f"{name} timestampevents", State.WARNING, "not set", todo))
    return findings


async def _section(category: str, ask: Ask) -> Mapping[str, str] | None:
    """Return a section of manager.conf, the last of a key; what of it is secret goes no further."""
    answer = await ask(AmiAction("GetConfig", (("Filename", "manager.conf"), ("Category", category))))
    if not answer.success:
        return None
    lines = [value for header, value in answer.response.headers if header.startswith("Line-")]
    return {key.strip().lower(): value.strip() for key, _, value in (line.partition("=") for line in lines)}


def system_names(told: Mapping[str, str]) -> list[Finding]:
    """Say which PBXs have no system name of their own; `told` has those that could be asked."""
    by_name: dict[str, list[str]] = {}
    for pbx, system in sorted(told.items()):
        by_name.setdefault(system, []).append(pbx)
    findings = []
    for system, pbxs in by_name.items():
        if not system or len(pbxs) > 1:
            seen = f"{' and '.join(pbxs)} both call themselves {system}" if system else "not set"
            todo = (
                "set systemname in asterisk.conf, to another for each: Uniqueids of two PBXs may be the same "
                "without it, and nodes of a failover pair are not told apart"
            )
            findings.append(Finding(f"{', '.join(pbxs)} system name", State.WARNING, seen, todo))
    return findings
