"""Dead letters: records that are no request, as they came, with Kafka Connect's error headers."""

from hashlib import sha256
from typing import Final

from connector.actions.record import Outgoing
from connector.actions.request import Undecodable
from connector.dead_letters import error_headers

MAX_KEPT: Final = 524_288
"""Bytes of a value that are kept: the dead-letter topic must take it with the headers added."""

_STAGE: Final = "VALUE_CONVERTER"
_REASON: Final = "undecodable"


def dead_letter(undecodable: Undecodable, topic: str, connector: str) -> Outgoing:
    """Return a record for the dead-letter topic: key, value and headers as they came, and why."""
    record = undecodable.record
    value = record.value
    headers = [
        *record.headers,
        *error_headers(
            topic=record.place.topic,
            connector=connector,
            stage=_STAGE,
            where="connector.actions.reading.reader",
            reason=_REASON,
            detail=undecodable.reason,
        ),
        ("__connect.errors.partition", str(record.place.partition).encode()),
        ("__connect.errors.offset", str(record.offset).encode()),
    ]
    if value is not None and len(value) > MAX_KEPT:
        headers.append(("ami_kafka_size", str(len(value)).encode()))
        headers.append(("ami_kafka_sha256", sha256(value).hexdigest().encode()))
        value = value[:MAX_KEPT]
    return Outgoing(topic, None, record.key, value, headers)
