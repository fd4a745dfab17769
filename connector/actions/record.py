"""What comes from Kafka and goes to it on the road back, as values."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

Headers = Sequence[tuple[str, bytes | None]]


class Place(NamedTuple):
    """A partition of a request topic."""

    topic: str
    partition: int


class Incoming(NamedTuple):
    """A record as consumed; `timestamp_ms` is Kafka's, in milliseconds since 1970."""

    place: Place
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Outgoing(NamedTuple):
    """A record to be produced; the partitioner chooses where `partition` is None."""

    topic: str
    partition: int | None
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


_NO_NOTES: Final[Mapping[Place, str]] = MappingProxyType({})


class Commit(NamedTuple):
    """What becomes visible together: records, and per partition the offset of the first request not final.

    `notes` are the metadata to be committed with an offset, "" where a partition has none: they tell
    the next owner which requests beyond the offset are final too (`actions/dispatch/offsets.py`).
    """

    records: Sequence[Outgoing]
    offsets: Mapping[Place, int]
    notes: Mapping[Place, str] = _NO_NOTES


class Assigned(NamedTuple):
    """A partition is ours; these are the records of its claims, oldest first, and its offset's metadata."""

    place: Place
    claims: Sequence[Incoming]
    note: str = ""


class Revoking(NamedTuple):
    """These partitions go to another owner once what is in flight is final, or the grace is over."""

    places: frozenset[Place]


class Lost(NamedTuple):
    """These partitions are another's already: nothing about them can be committed any more."""

    places: frozenset[Place]


Notice = Incoming | Assigned | Revoking | Lost


class Committed(NamedTuple):
    """The transaction is in."""


class Aborted(NamedTuple):
    """The transaction is not in, and may be tried again without what is refused.

    `refused` names by index in `Commit.records` what Kafka will never take, and why; empty: try the
    same again.
    """

    refused: Mapping[int, str]
    reason: str


class Fenced(NamedTuple):
    """The transaction is not in and never will be: a partition in it is another's, or ours only anew.

    `Lost` follows for those that are lost; what concerns the others is committed by another transaction.
    """

    reason: str


Settled = Committed | Aborted | Fenced
