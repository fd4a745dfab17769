"""What the settings ask of the AMI account in manager.conf: classes and filters."""

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

ORDER: Final[tuple[str, ...]] = get_args(EventClass)
"""Every class, as manager.conf lists them."""

_DIALPLAN: Final = "dialplan"
_USER: Final = "user"
_SYSTEM: Final = "system"
_AFTER_LOGIN: Final = ("CoreSettings", "CoreStatus")
_NAMED: Final = re.compile(r"\bname\(([^)]*)\)")
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

    `beyond` has by class what is left out with it, since it would open far more; `sole` what runs by no other
    class than this one.
    """

    classes: tuple[str, ...]
    beyond: Mapping[str, tuple[str, ...]]
    later: tuple[Later, ...] = ()
    sole: Mapping[str, tuple[str, ...]] = {}

    @property
    def reads(self) -> set[str]:
        """Classes for `read=`."""
        return {each.event_class for each in self.later}


def read_classes(pbx: Pbx, schemas: Iterable[EventSchema]) -> list[str]:
    """Return the least `read=` of the account: the classes of what is selected, as far as the login asks for them.

    And that of canaries, where they are sent.
    """
    wanted = {name for schema in schemas for name in schema.classes} | ({_USER} if pbx.canary_s else set())
    asked = set(ORDER) if "all" in pbx.event_classes else set(pbx.event_classes)
    return [name for name in ORDER if name in wanted & asked]


def own_rights(pbx: Pbx, lists: Iterable[str], catalogue: ActionCatalogue) -> Rights:
    """Return the least rights for events: what is asked after a login, the lists, and Filter actions where set.

    Args:
        pbx: its settings.
        lists: the list actions of its snapshots.
        catalogue: the rights that actions need.
    """
    asked = [] if pbx.snapshot == "off" else [*lists]
    rights = action_rights([*_AFTER_LOGIN, *asked], catalogue)
    if not pbx.filters:
        return rights
    beyond = {name: actions for name, actions in rights.beyond.items() if name != _SYSTEM}
    return Rights((_SYSTEM, *rights.classes), beyond, sole=rights.sole)


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
        classes = "|".join(name for name in ORDER if name not in (_DIALPLAN, "all"))
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
    sole: dict[str, tuple[str, ...]] = {}
    # Those that leave no choice come first: their class may do for others.
    for facts, classes in sorted(harmless, key=lambda each: len(each[1])):
        if not classes:
            beyond.setdefault(facts.rights[0], []).append(facts.name)
            continue
        if len(classes) == 1:
            sole[classes[0]] = (*sole.get(classes[0], ()), facts.name)
        if not set(classes) & set(chosen):
            chosen.append(classes[0])
    told = {name: tuple(sorted(actions)) for name, actions in sorted(beyond.items())}
    later = tuple(LATER[name] for name in LATER if name in names)
    return Rights(tuple(name for name in ORDER if name in chosen), told, later, sole)


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
