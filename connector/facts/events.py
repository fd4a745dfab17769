"""Facts of what became of events."""

from collections.abc import Mapping
from dataclasses import dataclass

from connector.facts.fact import Fact


@dataclass(frozen=True, slots=True)
class EventsPublished(Fact):
    """Kafka acknowledged a batch: how many records per topic; `received_us` is when the oldest of them was read."""

    counts: Mapping[str, int]
    received_us: int | None = None


@dataclass(frozen=True, slots=True)
class EventDropped(Fact):
    """An event was left out by the settings, with the reason word."""

    pbx: str
    event: str
    reason: str


@dataclass(frozen=True, slots=True)
class EventQuarantined(Fact):
    """A frame went to the dead-letter topic, with the reason word and what was seen."""

    pbx: str
    event: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class RecordRefused(Fact):
    """The broker refused a record for good; it goes to the dead-letter topic."""

    topic: str
    reason: str


@dataclass(frozen=True, slots=True)
class GapTold(Fact):
    """A session follows an interruption of `lasted_s` seconds; `loss` is `possible` or `certain`."""

    pbx: str
    reason: str
    loss: str
    lasted_s: float


@dataclass(frozen=True, slots=True)
class EventsLost(Fact):
    """Entries were given up: numbers `first` to `last` of the PBX, `count` of them; None where nobody knows."""

    pbx: str
    first: int
    last: int | None
    count: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class EventsMissed(Fact):
    """The PBX's own numbers, SequenceNumber `first` to `last`, `count` of them, were not read."""

    pbx: str
    first: int
    last: int
    count: int
