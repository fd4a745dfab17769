"""Rules as values: which headers of which messages they cover."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from connector.avro.schema import EventSchema
from connector.privacy.ways import Do

_IDENTITY: Final = re.compile(r".*(?:unique|linked)id", re.IGNORECASE)
_NEEDED: Final = frozenset(
    (
        "event", "privilege", "timestamp", "sequencenumber", "systemname", "userevent", "actionid",
        "channelstate", "eventlist", "listitems",
    )
)  # fmt: skip


def is_needed(header: str) -> bool:
    """Say whether the road itself goes by a header: what a message is, its time, whose call it is of.

    No rule covers one: without it records would lose their order, their schema or their answer.
    """
    name = header.strip().lower()
    return name in _NEEDED or _IDENTITY.fullmatch(name) is not None


def pattern(words: Iterable[str], *, any_case: bool) -> re.Pattern[str] | None:
    """Return what matches any of these names, in which `*` stands for anything; None where there is none."""
    every = "|".join(re.escape(word).replace(r"\*", ".*") for word in words)
    flags = re.DOTALL | (re.IGNORECASE if any_case else 0)
    return re.compile(f"(?:{every})", flags) if every else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The messages that a rule is about: events by their schemas, and the Responses to actions."""

    schemas: frozenset[EventSchema]
    answers: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is done to headers of some messages.

    Args:
        name: what the operator calls it.
        scope: which messages.
        headers: AMI names in any case, `*` for anything.
        variables: names of channel variables, likewise, but in their own case.
        do: what is done.
        keep: so many characters stay.
        whole: a caller cannot write line ends into these values, so none of them is ever torn.
    """

    name: str
    scope: Scope
    headers: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    do: Do = Do.MASK
    keep: int = 0
    whole: bool = False
