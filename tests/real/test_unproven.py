"""Records that librdkafka takes for delivered, because later ones were, are not taken for delivered."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, NamedTuple

import pytest
from confluent_kafka import Producer

from connector.actions.record import Outgoing
from connector.edges.kafka.admin import KafkaAdmin
from connector.edges.kafka.batch import UNPROVEN
from connector.edges.kafka.client import (
    admin_config,
    consumer_config,
    producer_config,
    transactional_config,
)
from connector.edges.kafka.handover import Handover
from connector.edges.kafka.producer import KafkaSink
from connector.edges.kafka.reader import KafkaReader, Wanted
from connector.errors import BrokerError
from connector.settings.sections import Kafka as Settings
from connector.settings.topics import Topic
from tests.edges.kafka_ends import DEADLINE_S, nobody, record
from tests.parts.kafka import Kafka
from tests.parts.processes import LOOPBACK, free_port
from tests.real.refusing import Refusing

TEXTS = [str(number) for number in range(20)]
EACH_ALONE = {"batch.num.messages": 1, "linger.ms": 0}


TOPIC = Topic("new", 1, 1, {})


class Ends(NamedTuple):
    """The settings for the way through, and the way."""

    settings: Settings
    refusing: Refusing


@pytest.fixture
def ends(start_kafka: Callable[..., Kafka]) -> Iterator[Ends]:
    door = free_port()
    kafka = start_kafka(properties={"advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{door}"})
    with Refusing(door, kafka.nodes[0].port) as refusing:
        yield Ends(Settings(bootstrap_servers=(f"{LOOPBACK}:{door}",)), refusing)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, 120))


async def make(settings: Settings) -> None:
    await KafkaAdmin(admin_config(settings, "test"), DEADLINE_S, nobody).create([TOPIC])


async def texts(settings: Settings) -> list[str]:
    wanted = Wanted(topics=[TOPIC.name], start="beginning", to_end=True)
    config = consumer_config(settings, "test", "test") | {"isolation.level": "read_committed"}
    async with KafkaReader(config, wanted, DEADLINE_S, nobody) as reader:
        return [(each.value or b"").decode() async for records in reader for each in records]


def test_what_a_broker_refused_and_later_records_have_overtaken_is_sent_again(ends: Ends) -> None:
    async def scenario() -> None:
        await make(ends.settings)
        sink = KafkaSink({**producer_config(ends.settings, "test"), **EACH_ALONE}, nobody)
        records = [record(text, TOPIC.name) for text in TEXTS]
        with pytest.raises(BrokerError, match="sent again"):
            await (await sink.lane().put(records))
        assert ends.refusing.refused == [TOPIC.name]
        assert not await (await sink.lane().put(records))
        await sink.close(DEADLINE_S)
        found = await texts(ends.settings)
        assert found[-len(TEXTS) :] == TEXTS

    run(scenario())


def test_a_transaction_is_committed_with_all_its_records_or_not_at_all(ends: Ends) -> None:
    async def scenario() -> None:
        await make(ends.settings)
        producer = Producer({**transactional_config(ends.settings, "test", "id", 10_000), **EACH_ALONE})
        producer.init_transactions(DEADLINE_S)
        records = [Outgoing(TOPIC.name, None, None, text.encode(), ()) for text in TEXTS]
        producer.begin_transaction()
        handover = Handover(producer, records, DEADLINE_S)
        assert not handover.send(range(len(TEXTS)))
        assert handover.verdict().reason == UNPROVEN
        assert ends.refusing.refused == [TOPIC.name]
        producer.abort_transaction()
        producer.begin_transaction()
        assert Handover(producer, records, DEADLINE_S).send(range(len(TEXTS)))
        producer.commit_transaction()
        assert await texts(ends.settings) == TEXTS

    run(scenario())
