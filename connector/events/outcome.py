"""What translating an entry can come to."""

from typing import NamedTuple

from connector.avro.schema import EventSchema


class Publish(NamedTuple):
    """One Kafka record, ready to be produced; `timestamp_ms` is the time of receipt."""

    topic: str
    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]
    timestamp_ms: int


class Drop(NamedTuple):
    """Nothing is to be published, by the settings; `event` is the AMI name."""

    reason: str
    event: str


class Quarantine(NamedTuple):
    """The frame cannot be normalised or is not genuine: `publish` carries it to the dead-letter topic."""

    reason: str
    event: str
    publish: Publish


class NeedsSchema(NamedTuple):
    """The registry's id of `schema` under `subject` is not known yet; ask for it and translate again."""

    subject: str
    schema: EventSchema


Outcome = Publish | Drop | Quarantine | NeedsSchema
