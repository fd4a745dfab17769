"""What the tests of Kafka's edges share: settings for a broker, records, and reading topics to their end."""

from collections.abc import Sequence
from typing import Any

from connector.demo.broker import EmbeddedBroker
from connector.edges.kafka.client import Config, admin_config, consumer_config, producer_config
from connector.edges.kafka.reader import KafkaReader, Record, Wanted
from connector.events.records.outcome import Publish
from connector.facts import Fact
from connector.settings.sections import Kafka

DEADLINE_S = 10.0
PROMPT = {"fetch.wait.max.ms": 10}
"""A broker tells at once that a topic ends, and does not wait for more."""


def kafka(broker: EmbeddedBroker, **options: Any) -> Kafka:
    return Kafka(bootstrap_servers=(broker.bootstrap_servers,), **options)


def producer_of(broker: EmbeddedBroker, **options: Any) -> Config:
    config = producer_config(kafka(broker), "test")
    return config | {name.replace("_", "."): option for name, option in options.items()}


def admin_of(broker: EmbeddedBroker) -> Config:
    return admin_config(kafka(broker), "test")


def consumer_of(broker: EmbeddedBroker) -> Config:
    return consumer_config(kafka(broker, consumer=PROMPT), "test", "test")


def nobody(fact: Fact) -> None:
    """Take a fact that the test does not look at."""


def record(value: str, topic: str = "calls", key: str | None = "main|1") -> Publish:
    headers = [("ce_id", value.encode())]
    return Publish(
        topic, key.encode() if key is not None else None, value.encode(), headers, 1_700_000_000_000
    )


async def everything(broker: EmbeddedBroker, *topics: str) -> Sequence[Record]:
    """Read topics from beginning to end."""
    wanted = Wanted(topics=topics or ("^",), start="beginning", to_end=True)
    async with KafkaReader(consumer_of(broker), wanted, DEADLINE_S, nobody) as reader:
        return [each async for records in reader for each in records]


async def texts(broker: EmbeddedBroker, *topics: str) -> list[str]:
    return [(each.value or b"").decode() for each in await everything(broker, *topics)]
