"""Topics read by confluent-kafka's own consumer and deserialiser, as a stranger would."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Self

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from tests.parts.processes import wait_until


class Got(NamedTuple):
    """One record as it lies in Kafka."""

    topic: str
    partition: int
    offset: int
    key: bytes
    headers: dict[str, str]
    value: bytes

    @property
    def number(self) -> int:
        """Its number within the session, which its id ends with."""
        return int(self.headers["ce_id"].rpartition("/")[2])

    @property
    def pbx(self) -> str:
        return self.headers["ce_id"].partition("/")[0]


def topics_of(bootstrap: str, prefix: str) -> dict[str, int]:
    """Return the topics with this prefix, and how many partitions each has."""
    told = AdminClient({"bootstrap.servers": bootstrap}).list_topics(timeout=10).topics
    return {name: len(topic.partitions) for name, topic in told.items() if name.startswith(f"{prefix}.")}


@contextmanager
def consuming(bootstrap: str, prefix: str) -> Iterator[tuple[Consumer, int]]:
    """Give a consumer of the topics with this prefix from their beginnings, and how many partitions it reads."""
    options = {"bootstrap.servers": bootstrap, "group.id": prefix, "enable.partition.eof": True}
    consumer = Consumer({**options, "auto.offset.reset": "earliest", "enable.auto.commit": False})
    places = [
        TopicPartition(topic, partition, 0)
        for topic, count in topics_of(bootstrap, prefix).items()
        for partition in range(count)
    ]
    consumer.assign(places)
    try:
        yield consumer, len(places)
    finally:
        consumer.close()


def read_all(bootstrap: str, prefix: str) -> list[Got]:
    """Return every record of every topic with this prefix, each partition's in order."""
    got: list[Got] = []
    with consuming(bootstrap, prefix) as (consumer, partitions):
        ended = set()

        def at_the_end() -> bool:
            for message in consumer.consume(1000, timeout=0.1):
                error = message.error()
                if error is None:
                    got.append(got_of(message))
                elif error.code() == KafkaError._PARTITION_EOF:
                    ended.add((message.topic(), message.partition()))
            return len(ended) == partitions

        wait_until(at_the_end, f"{partitions} partitions of {prefix} read to their ends", within=60)
    return got


def expect(bootstrap: str, prefix: str, text: bytes, *, times: int = 1) -> None:
    """Wait until so many records under this prefix hold these bytes."""
    with consuming(bootstrap, prefix) as (consumer, _):
        seen = 0

        def there() -> bool:
            nonlocal seen
            messages = consumer.consume(1000, timeout=0.1)
            seen += sum(text in (message.value() or b"") for message in messages if not message.error())
            return seen >= times

        wait_until(there, f"{times} x {text!r} in a topic of {prefix}", within=90)


def got_of(message: Message) -> Got:
    pairs = [(pair[0], pair[1]) for pair in message.headers() or []]
    headers = {
        str(name): value.decode(errors="backslashreplace")
        for name, value in pairs
        if isinstance(value, bytes)
    }
    return Got(
        message.topic() or "",
        message.partition() or 0,
        message.offset() or 0,
        message.key() or b"",
        headers,
        message.value() or b"",
    )


def remove(bootstrap: str, prefix: str) -> None:
    """Delete the topics again: the cluster is shared, and small."""
    names = list(topics_of(bootstrap, prefix))
    if names:
        admin = AdminClient({"bootstrap.servers": bootstrap})
        for done in admin.delete_topics(names).values():
            done.result()


class Decoder:
    """Decodes with the registry's schemas, which it still knows after the block."""

    def __init__(self, url: str) -> None:
        # Its answer may be lost on the way (Apicurio's are, once in some thousands): then it is asked again.
        self._registry = SchemaRegistryClient({"url": url, "timeout": 10})
        self._decode = AvroDeserializer(self._registry)
        self._schemas: dict[int, dict[str, Any]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._registry.close()

    def value(self, got: Got) -> dict[str, Any]:
        value = self._decode(got.value, SerializationContext(got.topic, MessageField.VALUE))
        assert isinstance(value, dict)
        number = number_of(got)
        if number not in self._schemas:
            self._schemas[number] = json.loads(self._registry.get_schema(number).schema_str or "")
        return value

    def schema_of(self, got: Got) -> dict[str, Any]:
        """Return the schema that a decoded record was written with, as JSON."""
        return self._schemas[number_of(got)]


def number_of(got: Got) -> int:
    """Return the id of a record's schema, from Confluent's framing."""
    return int.from_bytes(got.value[1:5], "big")
