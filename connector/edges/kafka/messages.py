"""A record as librdkafka gives it, as the road back takes it."""

from typing import Any

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Message

from connector.actions.record import Incoming, Place


def place_of(message: Message) -> Place:
    """Return the partition that a message, or the news of one, is from."""
    return Place(message.topic() or "", message.partition() or 0)


def incoming(message: Message) -> Incoming:
    """Return a record; its time is -1 where the broker gave none."""
    headers: Any = message.headers() or ()
    kind, time_ms = message.timestamp()
    return Incoming(
        place_of(message),
        message.offset() or 0,
        -1 if kind == TIMESTAMP_NOT_AVAILABLE else time_ms,
        message.key(),
        message.value(),
        tuple(headers),
    )
