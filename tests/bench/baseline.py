"""What people write today: panoramisk's parser, confluent-kafka's AvroSerializer and Producer.

Written as its users write it, not slowed down: one callback, a table of the schema's headers, casts.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from panoramisk.manager import Manager

from connector.avro.schema import EventSchema, SchemaSet
from connector.events.records.outcome import Publish

CASTS: dict[str, Callable[[str], Any]] = {
    "int": lambda text: int(text) if len(text) < 19 else None, "duration_s": lambda text: int(text) if len(text) < 19 else None, "duration_ms": int, "duration_us": int, "float": float, "duration_s_float": float,
    "epoch_s": lambda text: int(text) * 1000, "datetime_iso8601": datetime.fromisoformat, "datetime_local": lambda _: None,
    "duration_hms": lambda text: sum(int(part) * 60**at for at, part in enumerate(reversed(text.split(":")))),
    "boolean": lambda text: text.lower() in ("yes", "1", "true", "on", "enabled"),
}  # fmt: skip


def producer(options: dict[str, Any]) -> Producer:
    return Producer(options)


def hand_over(producer: Producer, records: Sequence[Publish]) -> int:
    """Produce records with a callback each, wait for all, and return how many were acknowledged."""
    acknowledged = 0

    def delivered(error: Any, message: Any) -> None:
        nonlocal acknowledged
        del message
        acknowledged += error is None

    for record in records:
        while True:
            try:
                producer.produce(
                    record.topic,
                    record.value,
                    record.key,
                    on_delivery=delivered,
                    timestamp=record.timestamp_ms,
                    headers=list(record.headers),
                )
                break
            except BufferError:
                producer.poll(0.01)
        producer.poll(0)
    producer.flush()
    return acknowledged


def convert(schema: EventSchema, message: Any, sequence: int) -> dict[str, Any]:
    """Build the record that the schema wants of panoramisk's message."""
    now = int(time.time() * 1e6)
    timestamp = message.get("Timestamp")
    event_us = int(float(timestamp) * 1e6) if isinstance(timestamp, str) else now
    record: dict[str, Any] = {
        "event_id": f"pbx/1/{sequence}", "event_time": event_us // 1000, "event_time_us": event_us, "event_time_source": "pbx",
        "received_time": now // 1000, "received_time_us": now, "call_id": message.get("Linkedid") or None,
        "source": {"pbx": "pbx", "epoch": 1, "sequence": sequence, "origin": "ami"},
        "privilege": str(message.get("Privilege", "")).split(","), "extra": [],
    }  # fmt: skip
    for field in schema.fields:
        value = message.get(field.header)
        if field.wire == "map":
            pairs = value if isinstance(value, list) else [value] if value else []
            record[field.name] = dict(pair.split("=", 1) for pair in pairs)
        elif field.wire == "strings":
            record[field.name] = value if isinstance(value, list) else [value] if value else []
        elif isinstance(value, str) and value:
            try:
                record[field.name] = CASTS.get(field.wire, str)(value)
            except ValueError:
                record[field.name] = None
    return record


async def bridge(
    port: int, expected: int, options: dict[str, Any], schemas: SchemaSet
) -> tuple[float, float, int]:
    """Run the bridge until `expected` events are acknowledged; return when it began, and how many."""
    registry = SchemaRegistryClient.new_client({"url": "mock://bench"})
    out = Producer(options)
    serializers: dict[str, tuple[str, EventSchema, Any, SerializationContext]] = {}
    acknowledged, sequence, done = 0, 0, asyncio.Event()
    loop = asyncio.get_running_loop()

    def delivered(error: Any, message: Any) -> None:
        nonlocal acknowledged
        del error, message
        acknowledged += 1

    def prepare(event: str) -> tuple[str, EventSchema, Any, SerializationContext]:
        schema = schemas.lookup(event)
        topic = f"asterisk.events.{schema.topic}"
        serializer = AvroSerializer(registry, schema.text, conf={"subject.name.strategy.type": "TOPIC"})
        return topic, schema, serializer, SerializationContext(topic, MessageField.VALUE)

    def on_event(manager: Manager, message: Any) -> None:
        nonlocal sequence
        del manager
        sequence += 1
        event = message["Event"]
        ready = serializers.get(event)
        if ready is None:
            ready = serializers[event] = prepare(event)
        topic, schema, serializer, context = ready
        value = serializer(convert(schema, message, sequence), context)
        while True:
            try:
                out.produce(topic, value, key=str(message.get("Linkedid") or ""), on_delivery=delivered)
                break
            except BufferError:
                out.poll(0.01)
        out.poll(0)
        if sequence >= expected:
            done.set()

    manager = Manager(  # type: ignore[no-untyped-call]  # panoramisk has no types
        loop=loop, host="127.0.0.1", port=port, username="u", secret="s", ping_delay=3600, ping_interval=3600
    )
    manager.register_event("*", on_event)  # type: ignore[no-untyped-call]
    begun, cpu = time.perf_counter(), time.process_time()
    manager.connect()  # type: ignore[no-untyped-call]
    await done.wait()
    out.flush()
    manager.close()  # type: ignore[no-untyped-call]
    return begun, cpu, acknowledged
