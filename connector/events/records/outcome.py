"""What translating an entry can come to, and what can become of it afterwards."""

from typing import NamedTuple

from connector.avro.schema import EventSchema


class Publish(NamedTuple):
    """One Kafka record, ready to be produced; `timestamp_ms` is the time of receipt."""

    topic: str
    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]
    timestamp_ms: int


class Quarantine(NamedTuple):
    """The frame cannot be normalised or is not genuine: `publish` carries it to the dead-letter topic.

    `reason` is a word of a small set, `event` the AMI name, `detail` what was seen.
    """

    reason: str
    event: str
    detail: str
    publish: Publish


class NeedsSchema(NamedTuple):
    """The registry's id of `schema` under `subject` is not known yet; ask for it and translate again."""

    subject: str
    schema: EventSchema


Outcome = Publish | Quarantine | NeedsSchema


class Refused(NamedTuple):
    """A record that the broker will never take: its place in the batch, and why."""

    place: int
    reason: str
