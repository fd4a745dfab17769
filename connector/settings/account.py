"""What the settings ask of the AMI account in manager.conf: classes, filters, text to paste."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple, get_args

from connector.ami.catalogue import ActionCatalogue
from connector.avro.schema import EventSchema, SchemaSet
from connector.settings.fields import near
from connector.settings.sections import EventClass, Pbx

USEFUL_VARIABLES: Final = ("QUEUESTATUS", "DIALSTATUS", "MIXMONITOR_FILENAME")
"""The few channel variables that tell what no event does: how a queue and a dial ended, where a recording is."""

_HARMLESS_FIRST: Final = ("reporting", "user", "agent", "call", "originate", "message", "aoc", "agi")
# `system`, `command` and `config` are not among them: who has one of these has the PBX.

_ORDER: Final[tuple[str, ...]] = get_args(EventClass)
_DIALPLAN: Final = "dialplan"
_USER: Final = "user"
_NAMED: Final = re.compile(r"\bname\(([^)]*)\)")
# The sessions for actions are several; [general] may forbid that.
_SEVERAL: Final = "allowmultiplelogin = yes"
_EVENT_LINE: Final = re.compile(r"^!?\^?Event: ?\(?([\w|]+)")


class Later(NamedTuple):
    """An event that tells how an action ended, and the class in `read` without which it never comes."""

    event: str
    event_class: EventClass


LATER: Final[Mapping[str, Later]] = {
    "Originate": Later("OriginateResponse", "call"),
    "AGI": Later("AsyncAGIExec", "agi"),
}
"""Actions that are answered at once and done later."""


class Rights(NamedTuple):
    """What actions need: classes for `write=`, and the events that must be heard.

    `beyond` has by class what is left out with it, since it would open far more.
    """

    classes: tuple[str, ...]
    beyond: Mapping[str, tuple[str, ...]]
    later: tuple[Later, ...] = ()

    @property
    def reads(self) -> set[str]:
        """Classes for `read=`."""
        return {each.event_class for each in self.later}


def read_classes(pbx: Pbx, schemas: Iterable[EventSchema]) -> list[str]:
    """Return the least `read=` of the account: the classes of what is selected, as far as the login asks for them.

    And that of canaries, where they are sent.
    """
    wanted = {name for schema in schemas for name in schema.classes} | ({_USER} if pbx.canary_s else set())
    asked = set(_ORDER) if "all" in pbx.event_classes else set(pbx.event_classes)
    return [name for name in _ORDER if name in wanted & asked]


def write_classes(pbx: Pbx) -> list[str]:
    """Return the least `write=` for events: reporting for CoreSettings, system where Filter actions are set."""
    return [*(["system"] if pbx.filters else []), "reporting"]


def unheard(pbx: Pbx, schemas: Iterable[EventSchema]) -> dict[str, list[str]]:
    """Return the selected events that never come, since the login does not ask for their classes.

    By event, the classes that `event_classes` lacks; a PBX sends an event to a session that has all.
    """
    if "all" in pbx.event_classes:
        return {}
    lacking = {
        schema.event: [name for name in schema.classes if name not in pbx.event_classes]
        for schema in schemas
        if "unsolicited" in schema.kinds
    }
    return {event: classes for event, classes in sorted(lacking.items()) if classes}


def event_filters(pbx: Pbx, *, advanced: bool = True) -> list[str]:
    """Return the `eventfilter` lines that keep the useful variables and no other dialplan step.

    Only an account that reads the class dialplan needs them. `advanced` filters are known from
    Asterisk 18.26, 20.11, 21.6 and 22.1 on; before, an expression searches the whole message.
    """
    if not {_DIALPLAN, "all"} & set(pbx.event_classes):
        return []
    variables = "|".join(USEFUL_VARIABLES)
    classes = "|".join(name for name in pbx.event_classes if name not in (_DIALPLAN, "all"))
    if "all" in pbx.event_classes:
        classes = "|".join(name for name in _ORDER if name not in (_DIALPLAN, "all"))
    if advanced:
        variable = (
            f"eventfilter(action(include),name(VarSet),header(Variable),method(regex)) = ^({variables})$"
        )
        rest = f"eventfilter(action(include),header(Privilege),method(regex)) = ^({classes})"
    else:
        variable = f"eventfilter = Variable: ({variables})"
        rest = f"eventfilter = Privilege: ({classes})"
    return [rest, variable] if classes else [variable]


def with_own_questions(possible: Iterable[str], pbx: Pbx | None = None) -> tuple[str, ...]:
    """Return the actions that an account must be able to run: what may pass, and what the connector does itself.

    Whether a call was made whose outcome is UNKNOWN is found out by Status; a canary of `pbx` is a UserEvent.
    """
    names = tuple(possible)
    own = ["Status"] if "Originate" in names else []
    own += ["UserEvent"] if pbx is not None and pbx.canary_s else []
    return (*names, *(each for each in own if each not in names))


def action_rights(names: Collection[str], catalogue: ActionCatalogue) -> Rights:
    """Return the least rights for actions: for each one class that lets it run, the harmless first."""
    known = [facts for name in names if (facts := catalogue.get(name)) and facts.rights]
    harmless = [(facts, [name for name in _HARMLESS_FIRST if name in facts.rights]) for facts in known]
    chosen: list[str] = []
    beyond: dict[str, list[str]] = {}
    # Those that leave no choice come first: their class may do for others.
    for facts, classes in sorted(harmless, key=lambda each: len(each[1])):
        if not classes:
            beyond.setdefault(facts.rights[0], []).append(facts.name)
        elif not set(classes) & set(chosen):
            chosen.append(classes[0])
    told = {name: tuple(sorted(actions)) for name, actions in sorted(beyond.items())}
    later = tuple(LATER[name] for name in LATER if name in names)
    return Rights(tuple(name for name in _ORDER if name in chosen), told, later)


def manager_conf(
    pbx: Pbx, schemas: Iterable[EventSchema], *, advanced: bool = True, actions: Rights | None = None
) -> str:
    """Return the account's section for manager.conf, with a placeholder for the secret.

    `actions` are the rights of what this account runs too, where it does.
    """
    read, write = set(read_classes(pbx, schemas)), set(write_classes(pbx))
    filters = event_filters(pbx, advanced=advanced)
    if actions is None:
        return _section(pbx.username, read, write, filters)
    if filters and "all" not in pbx.event_classes:
        unheard_of = [each for each in actions.later if each.event_class not in pbx.event_classes]
        filters += _including(unheard_of, advanced=advanced)
    lines = [*_left_out(actions, write), _SEVERAL, *filters]
    return _section(pbx.username, read | actions.reads, write | set(actions.classes), lines)


def action_conf(username: str, rights: Rights, *, advanced: bool = True) -> str:
    """Return the section for manager.conf of an account that runs actions and hears no events.

    But those that tell how an action ended.
    """
    write = set(rights.classes)
    lines = [*_left_out(rights, write), _SEVERAL, *_including(rights.later, advanced=advanced)]
    return _section(username, rights.reads, write, lines)


def _including(events: Iterable[Later], *, advanced: bool) -> list[str]:
    """Return `eventfilter` lines that let these events through."""
    if advanced:
        return [f"eventfilter(action(include),name({each.event})) =" for each in events]
    return [f"eventfilter = ^Event: {each.event}" for each in events]


def _left_out(rights: Rights, write: set[str]) -> list[str]:
    return [
        f"; {name} in write opens much more; it is left out, and with it {', '.join(actions)}"
        for name, actions in rights.beyond.items()
        if name not in write
    ]


def _section(username: str, read: set[str], write: set[str], lines: Iterable[str]) -> str:
    every = [
        f"[{username}]",
        "secret = <the secret of the settings>",
        "deny = 0.0.0.0/0.0.0.0",
        "permit = <the connector's address>/255.255.255.255",
        f"read = {_joined(read)}",
        f"write = {_joined(write)}",
        # In milliseconds; by default the PBX cuts a reader that is slow for a tenth of a second.
        "writetimeout = 15000",
        *lines,
    ]
    return "\n".join(every) + "\n"


def _joined(classes: set[str]) -> str:
    return ",".join(name for name in _ORDER if name in classes)


def doubtful_filters(where: str, pbx: Pbx, schemas: SchemaSet) -> list[str]:
    """Return what is wrong with the names in `filters`: Asterisk takes any, and then sends nothing.

    Args:
        where: the PBX's key, as in `pbx.main`.
        pbx: its settings.
        schemas: every event that is known.
    """
    events = {schema.event for schema in schemas}
    return [
        f"{where}.filters[{place}]: {name!r} is no event{near(name, events)}"
        for place, line in enumerate(pbx.filters)
        for name in _named(line)
        if name not in events
    ]


def _named(criterion: str) -> list[str]:
    found = _NAMED.search(criterion) or _EVENT_LINE.search(criterion)
    return found[1].split("|") if found else []
