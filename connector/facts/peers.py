"""Facts of Kafka, the registry and the collector of traces, as clients see them."""

from dataclasses import dataclass

from connector.facts.fact import Fact


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
class ProducerMeasured(Fact):
    """What the events' producer holds: records and bytes, the slowest broker's mean round trip, in microseconds.

    `brokers_up` are connections that stand; the round trip is 0 where nothing was sent lately.
    """

    queued: int
    queued_bytes: int
    round_trip_us: int
    brokers_up: int


@dataclass(frozen=True, slots=True)
class RegistryTrouble(Fact):
    """The registry did not give a schema id; asked again after `retry_s` seconds."""

    subject: str
    reason: str
    retry_s: float


@dataclass(frozen=True, slots=True)
class TracesUnsent(Fact):
    """Spans of traces could not be exported, by the exporter's own words."""

    reason: str


@dataclass(frozen=True, slots=True)
class TopicMade(Fact):
    """A topic was created."""

    topic: str
    partitions: int
