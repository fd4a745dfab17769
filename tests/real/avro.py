"""Requests and responses in Avro, written and read by confluent-kafka's own serialisers."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext


class Avro:
    """Writes to a topic with the newest schema of its subject, and reads any."""

    def __init__(self, registry: SchemaRegistryClient, topic: str) -> None:
        options = {"auto.register.schemas": False, "use.latest.version": True}
        self._encode = AvroSerializer(registry, conf=options)
        self._decode = AvroDeserializer(registry)
        self._place = SerializationContext(topic, MessageField.VALUE)

    def encode(self, record: Mapping[str, Any]) -> bytes:
        value = self._encode(dict(record), self._place)
        assert isinstance(value, bytes)
        return value

    def decode(self, value: bytes) -> Any:
        return self._decode(value, self._place)


@contextmanager
def avro(url: str, topic: str) -> Iterator[Avro]:
    registry = SchemaRegistryClient({"url": url, "timeout": 10})
    try:
        yield Avro(registry, topic)
    finally:
        registry.close()
