"""Requests to the road back and their answers, as any client would write and read them."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from tests.parts.processes import wait_until

CORRELATION = "kafka_correlationId"
Answers = dict[str, list[dict[str, Any]]]
"""Response records by correlation id, in the order in which they were read."""


def to_json(request: Mapping[str, Any]) -> bytes:
    return json.dumps(request).encode()


def ask(
    bootstrap: str,
    topic: str,
    requests: Mapping[str, Mapping[str, Any]],
    encode: Callable[[Mapping[str, Any]], bytes] = to_json,
    **headers: str,
) -> None:
    """Write requests by correlation id, each with that as its key, and with more headers."""
    more = [(name, value.encode()) for name, value in headers.items()]
    producer = Producer({"bootstrap.servers": bootstrap})
    for correlation, request in requests.items():
        producer.produce(
            topic,
            encode(request),
            correlation.encode(),
            headers=[(CORRELATION, correlation.encode()), *more],
        )
    assert producer.flush(30) == 0


class Inbox:
    """Reads all that is committed of a topic of responses, from its beginning."""

    def __init__(
        self, bootstrap: str, topic: str, partitions: int, decode: Callable[[bytes], Any] = json.loads
    ) -> None:
        self._decode = decode
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "inbox",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "fetch.message.max.bytes": 8 << 20,
            }
        )
        self._consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions)])
        self.answers: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)

    def close(self) -> None:
        self._consumer.close()

    def expect(self, correlations: Iterable[str]) -> Answers:
        """Wait until each of these is answered, in all its parts; return all that came by then."""
        wanted = [*correlations]

        def there() -> bool:
            self.read(0.2)
            return all(map(self._is_whole, wanted))

        wait_until(there, f"answers to {wanted[:3]} ...", within=90)
        return self.answers

    def read(self, wait_s: float) -> None:
        """Take what comes."""
        for message in self._consumer.consume(500, wait_s):
            error = message.error()
            if error is not None:
                raise KafkaException(error)
            headers: Any = message.headers()
            self.answers[dict(headers)[CORRELATION].decode()].append(self._decode(message.value() or b""))

    def _is_whole(self, correlation: str) -> bool:
        came = self.answers[correlation]
        return bool(came) and len(came) >= came[0]["parts"]


def left(bootstrap: str, group: str, topic: str, partitions: int) -> int:
    """Return how many requests lie behind a group's offsets."""
    watcher = Consumer({"bootstrap.servers": bootstrap, "group.id": group})
    try:
        places = [TopicPartition(topic, number) for number in range(partitions)]
        committed = {each.partition: max(each.offset, 0) for each in watcher.committed(places, timeout=10)}
        ends = {each.partition: watcher.get_watermark_offsets(each, timeout=10)[1] for each in places}
    finally:
        watcher.close()
    return sum(end - committed[partition] for partition, end in ends.items())
