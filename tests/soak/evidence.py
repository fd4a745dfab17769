"""What a soak leaves behind, as plain values: nothing here knows the connector.

All times are microseconds since 1970, by the one clock of the machine.
"""

from collections.abc import Sequence
from typing import NamedTuple

Place = tuple[str, int]
"""A topic and a partition."""


class Sent(NamedTuple):
    """An event as the witness read it: SequenceNumber, name, Timestamp."""

    number: int
    name: str
    at_us: int


class Gap(NamedTuple):
    """A published interruption of reading."""

    reason: str
    from_us: int
    to_us: int


class Lost(NamedTuple):
    """Numbers of an epoch that are told to be gone: `events` of `first` to `last`; `name` None: of any event."""

    epoch: int
    first: int
    last: int
    events: int
    name: str | None = None


class Kept(NamedTuple):
    """A record in Kafka; those of a place are in the order of their offsets.

    `content` stands for all of it but whether it was recovered. `number` and `at_us` are the PBX's SequenceNumber
    and Timestamp, None for what has none. `letter`: it is a dead letter, which has no time of receipt (0).
    """

    place: Place
    key: bytes
    event_id: str
    epoch: int
    sequence: int
    received_us: int
    content: str
    number: int | None = None
    at_us: int | None = None
    gap: Gap | None = None
    lost: Lost | None = None
    letter: bool = False


class Fault(NamedTuple):
    """What was done, and from when until events were read again as if nothing had been."""

    kind: str
    from_us: int
    to_us: int


class Evidence(NamedTuple):
    """Everything that the judge looks at.

    `sent` is in the order in which the witness read it. Judged are the events from the number `first` to `last`.
    """

    sent: Sequence[Sent]
    kept: Sequence[Kept]
    faults: Sequence[Fault]
    first: int
    last: int
