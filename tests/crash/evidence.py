"""What a crash run leaves behind, as plain values: nothing here knows the connector."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

Place = tuple[str, int]
"""A topic and a partition."""


class Asked(NamedTuple):
    """A request record as it lies in its topic.

    `kind` is what its writer meant by it, `number` what it dials ("" where it dials nothing).
    """

    place: Place
    offset: int
    at_ms: int
    key: bytes | None
    correlation: str
    request_id: str
    kind: str
    number: str = ""


class Told(NamedTuple):
    """A response record, seen by a consumer that reads what is committed."""

    correlation: str
    status: str
    executed: str
    replayed: bool
    at_ms: int
    part: int = 1
    parts: int = 1
    message: str = ""


class Begun(NamedTuple):
    """A claim that a request is begun; `pid` is the process that begun it."""

    request_id: str
    pid: int
    at_ms: int


class Fault(NamedTuple):
    """What was done to whom, and from when to when; `pid` is the process that was hit, 0 for none of ours."""

    kind: str
    step: str
    pid: int
    from_ms: int
    to_ms: int


class Evidence(NamedTuple):
    """Everything that the judge looks at.

    `effects` are the numbers that the PBX has seen dialled, in that order; `left` how many requests of
    each partition lie behind the group's offset; `sent` how many requests the writer knows of.
    """

    asked: Sequence[Asked]
    told: Sequence[Told]
    begun: Sequence[Begun]
    effects: Sequence[str]
    faults: Sequence[Fault]
    left: Mapping[Place, int]
    sent: int
