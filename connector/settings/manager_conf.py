"""Text for manager.conf: the accounts with the least rights, and what `[general]` must have."""

from collections.abc import Iterable
from typing import Final

from connector.avro.schema import EventSchema
from connector.settings.account import ORDER, Later, Rights, event_filters, read_classes
from connector.settings.sections import Pbx

# The sessions for actions are several; [general] may forbid that.
_SEVERAL: Final = "allowmultiplelogin = yes"
WRITE_TIMEOUT_MS: Final = 15_000
"""By default the PBX cuts a reader that is slow for a tenth of a second."""

_CHANGES: Final = ("call", "agent")
"""Classes that a list needs, and that let their owner change something too."""


def general_conf(pbx: Pbx) -> str:
    """Return what is added to `[general]`, which must stand before it in the file, or in the one that includes it."""
    numbers = ["; for sequence_audit", "debug = on"] if pbx.sequence_audit else []
    return "\n".join(["[general](+)", "timestampevents = yes", *numbers]) + "\n"


def manager_conf(
    pbx: Pbx,
    schemas: Iterable[EventSchema],
    own: Rights,
    *,
    advanced: bool = True,
    actions: Rights | None = None,
) -> str:
    """Return the section of the account for events, with a placeholder for the secret.

    Args:
        pbx: its settings.
        schemas: what is published.
        own: the rights that events need (`own_rights`).
        advanced: whether the PBX knows advanced filters.
        actions: the rights of what this account runs too, where it does.
    """
    read, write = set(read_classes(pbx, schemas)), set(own.classes)
    filters = event_filters(pbx, advanced=advanced)
    if actions is None:
        return _section(pbx.username, read, write, [*_opening(own), *_left_out(own, write), *filters])
    if filters and "all" not in pbx.event_classes:
        unheard_of = [each for each in actions.later if each.event_class not in pbx.event_classes]
        filters += _including(unheard_of, advanced=advanced)
    lines = [*_left_out(_together(own, actions), write), _SEVERAL, *filters]
    return _section(pbx.username, read | actions.reads, write | set(actions.classes), lines)


def action_conf(username: str, rights: Rights, *, advanced: bool = True) -> str:
    """Return the section of an account that runs actions and hears no events.

    But those that tell how an action ended.
    """
    write = set(rights.classes)
    lines = [*_left_out(rights, write), _SEVERAL, *_including(rights.later, advanced=advanced)]
    return _section(username, rights.reads, write, lines)


def _together(own: Rights, actions: Rights) -> Rights:
    """Return what is left out for either."""
    names = sorted({*own.beyond, *actions.beyond})
    beyond = {
        name: tuple(sorted({*own.beyond.get(name, ()), *actions.beyond.get(name, ())})) for name in names
    }
    return actions._replace(beyond=beyond)


def _including(events: Iterable[Later], *, advanced: bool) -> list[str]:
    """Return `eventfilter` lines that let these events through."""
    if advanced:
        return [f"eventfilter(action(include),name({each.event})) =" for each in events]
    return [f"eventfilter = ^Event: {each.event}" for each in events]


def _opening(own: Rights) -> list[str]:
    """Say what for the account has classes that open more than events need, and how to do without."""
    return [
        f"; {name} in write opens more than the lists of snapshots that need it; without it these are left out: {', '.join(own.sole[name])}"
        for name in _CHANGES
        if name in own.sole
    ]


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
        f"writetimeout = {WRITE_TIMEOUT_MS}",
        *lines,
    ]
    return "\n".join(every) + "\n"


def _joined(classes: set[str]) -> str:
    return ",".join(name for name in ORDER if name in classes)
