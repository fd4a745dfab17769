"""Kafka as a soak sees it: by confluent-kafka's consumer and JSON alone."""

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from tests.parts.processes import wait_until
from tests.real.reading import Got, consuming, got_of
from tests.soak.evidence import Gap, Kept, Lost

_RECOVERED: Final = re.compile(rb'"recovered":\s*(true|false|null)')
_NUMBER: Final = re.compile(rb"\r\nSequenceNumber: (\d+)\r\n")
_BEYOND: Final = 1 << 62


def in_step(bootstrap: str) -> bool:
    """Say whether every replica of every partition is up to date."""
    try:
        topics = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0}).list_topics(timeout=5).topics
    except KafkaException:
        return False
    partitions = [each for topic in topics.values() for each in topic.partitions.values()]
    return all(len(each.isrs) == len(each.replicas) and each.leader >= 0 for each in partitions)


def kept(bootstrap: str, prefix: str) -> list[Kept]:
    """Return every record under a prefix, each partition's in order."""
    return [_kept(got) for got in _records(bootstrap, prefix)]


def _records(bootstrap: str, prefix: str) -> Iterator[Got]:
    with consuming(bootstrap, prefix) as (consumer, partitions):
        ended: set[tuple[str | None, int | None]] = set()
        while len(ended) < partitions:
            messages = wait_until(lambda: consumer.consume(1_000, 1.0), f"the ends of {prefix}", within=60)
            for message in messages:
                error = message.error()
                if error is None:
                    yield got_of(message)
                elif error.code() == KafkaError._PARTITION_EOF:
                    ended.add((message.topic(), message.partition()))


def _kept(got: Got) -> Kept:
    epoch, sequence = (int(word) for word in got.headers["ce_id"].split("/")[1:])
    digest = hashlib.blake2b(_RECOVERED.sub(b"", got.value), digest_size=12).hexdigest()
    place = got.topic, got.partition
    if got.topic.endswith(".dlq"):
        found = _NUMBER.search(got.value)
        number = int(found[1]) if found else None
        return Kept(place, got.key, got.headers["ce_id"], epoch, sequence, 0, digest, number, letter=True)
    value = json.loads(got.value)
    stamped = value["event_time_source"] == "pbx"
    return Kept(
        place,
        got.key,
        value["event_id"],
        epoch,
        sequence,
        value["received_time_us"],
        digest,
        value["source"]["ami_sequence"],
        value["event_time_us"] if stamped else None,
        _gap(value),
        _lost(value),
    )


def _gap(value: dict[str, Any]) -> Gap | None:
    """Return an interruption that a record tells; damage to the journal is told as numbers instead."""
    if value.get("type") != "gap" or value["reason"] == "journal-damaged":
        return None
    return Gap(value["reason"], value["from_time_us"], value["to_time_us"])


def _lost(value: dict[str, Any]) -> Lost | None:
    if value.get("type") not in ("gap", "overflow") or value["first_sequence"] is None:
        return None
    last = value["last_sequence"] or _BEYOND
    epoch = value["first_epoch"] or value["source"]["epoch"]
    return Lost(epoch, value["first_sequence"], last, value["count"] or _BEYOND, value["subject_event"])
