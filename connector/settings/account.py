"""What the settings ask of the AMI account in manager.conf: classes, filters, text to paste."""

import re
from collections.abc import Iterable
from typing import Final, get_args

from connector.avro.schema import EventSchema, SchemaSet
from connector.settings.fields import near
from connector.settings.sections import EventClass, Pbx

USEFUL_VARIABLES: Final = ("QUEUESTATUS", "DIALSTATUS", "MIXMONITOR_FILENAME")
"""The few channel variables that tell what no event does: how a queue and a dial ended, where a recording is."""

_ORDER: Final[tuple[str, ...]] = get_args(EventClass)
_DIALPLAN: Final = "dialplan"
_NAMED: Final = re.compile(r"\bname\(([^)]*)\)")
_EVENT_LINE: Final = re.compile(r"^!?\^?Event: ?\(?([\w|]+)")


def read_classes(pbx: Pbx, schemas: Iterable[EventSchema]) -> list[str]:
    """Return the least `read=` of the account: the classes of what is selected, as far as the login asks for them."""
    wanted = {name for schema in schemas for name in schema.classes}
    asked = set(_ORDER) if "all" in pbx.event_classes else set(pbx.event_classes)
    return [name for name in _ORDER if name in wanted & asked]


def write_classes(pbx: Pbx) -> list[str]:
    """Return the least `write=`: reporting for CoreSettings and lists, system where Filter actions are set."""
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


def manager_conf(pbx: Pbx, schemas: Iterable[EventSchema], *, advanced: bool = True) -> str:
    """Return the account's section for manager.conf, with a placeholder for the secret."""
    lines = [
        f"[{pbx.username}]",
        "secret = <the secret of the settings>",
        "deny = 0.0.0.0/0.0.0.0",
        "permit = <the connector's address>/255.255.255.255",
        f"read = {','.join(read_classes(pbx, schemas))}",
        f"write = {','.join(write_classes(pbx))}",
        # In milliseconds; by default the PBX cuts a reader that is slow for a tenth of a second.
        "writetimeout = 15000",
        *event_filters(pbx, advanced=advanced),
    ]
    return "\n".join(lines) + "\n"


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
