"""Everything worth a log line or a counter, as values.

Whoever finds a fact hands it to a `Report`; what becomes of it (log level, metric) is telemetry's
business alone. No fact carries a secret.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fact:
    """Base of all facts."""


@dataclass(frozen=True, slots=True)
class LinkUp(Fact):
    """A login at a PBX succeeded."""

    pbx: str
    address: str
    ami_version: str
    asterisk_version: str | None


@dataclass(frozen=True, slots=True)
class LinkDown(Fact):
    """A session ended or could not be made; the next try comes after `retry_s` seconds, None: never."""

    pbx: str
    address: str
    reason: str
    retry_s: float | None


@dataclass(frozen=True, slots=True)
class LoginWasRefused(Fact):
    """The PBX refused the login; the next try comes after `retry_s` seconds."""

    pbx: str
    address: str
    reason: str
    retry_s: float


@dataclass(frozen=True, slots=True)
class EventsPublished(Fact):
    """Kafka acknowledged a batch: how many records per topic."""

    counts: Mapping[str, int]


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
class EventsLost(Fact):
    """Entries were given up: numbers `first` to `last` of the PBX, `count` of them."""

    pbx: str
    first: int
    last: int
    count: int
    reason: str


@dataclass(frozen=True, slots=True)
class BrokerTrouble(Fact):
    """The Kafka client reported an error; librdkafka goes on trying unless `fatal`."""

    reason: str
    fatal: bool


@dataclass(frozen=True, slots=True)
class KafkaLog(Fact):
    """The Kafka client's own log line; `level` is that of Python's logging."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class RegistryTrouble(Fact):
    """The registry did not give a schema id; asked again after `retry_s` seconds."""

    subject: str
    reason: str
    retry_s: float


@dataclass(frozen=True, slots=True)
class TopicMade(Fact):
    """A topic was created."""

    topic: str
    partitions: int


Report = Callable[[Fact], None]
