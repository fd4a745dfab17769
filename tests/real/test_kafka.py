"""Producing to and reading from a real Kafka."""

import asyncio
import subprocess
from collections.abc import Callable, Coroutine
from itertools import count
from pathlib import Path
from typing import Any

from connector.edges.kafka.admin import KafkaAdmin
from connector.edges.kafka.client import admin_config, consumer_config, producer_config
from connector.edges.kafka.producer import KafkaSink
from connector.edges.kafka.reader import KafkaReader, Record, Wanted
from connector.settings.sections import Kafka
from connector.settings.topics import Topic
from tests.edges.kafka_ends import DEADLINE_S, nobody, record
from tests.parts import broker, java
from tests.parts import kafka as parts

NUMBERS = count()
PROGRAM = Path(__file__).with_name("java") / "Produce.java"
KEYS = [f"main|17000{number}.{number % 7}" for number in range(200)] + ["fä|ü", "21", "x" * 300]


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), 120))


async def made(cluster: parts.Kafka, partitions: int = 1, **config: str) -> str:
    name = f"calls.{next(NUMBERS)}"
    options = {each.replace("_", "."): value for each, value in config.items()}
    client = KafkaAdmin(admin_config(_settings(cluster), "test"), DEADLINE_S, nobody)
    await client.create([Topic(name, partitions, None, options)])
    return name


def _settings(cluster: parts.Kafka) -> Kafka:
    return Kafka(bootstrap_servers=tuple(cluster.bootstrap.split(",")))


def sink_of(cluster: parts.Kafka, **options: Any) -> KafkaSink:
    own = {name.replace("_", "."): option for name, option in options.items()}
    return KafkaSink(producer_config(_settings(cluster), "test") | own, nobody)


async def everything(cluster: parts.Kafka, topic: str) -> list[Record]:
    wanted = Wanted(topics=[topic], start="beginning", to_end=True)
    config = consumer_config(_settings(cluster), "test", "test")
    async with KafkaReader(config, wanted, DEADLINE_S, nobody) as reader:
        return [each async for records in reader for each in records]


def test_order_headers_and_timestamps_are_kept(kafka: parts.Kafka) -> None:
    async def scenario() -> None:
        topic = await made(kafka)
        sink = sink_of(kafka, queue_buffering_max_messages=500)
        sent = [str(number) for number in range(5_000)]
        lane = sink.lane()
        waiting = [
            await lane.put([record(text, topic) for text in sent[start : start + 250]])
            for start in range(0, len(sent), 250)
        ]
        assert [list(await each) for each in waiting] == [[]] * 20
        assert await sink.close(DEADLINE_S) == 0
        found = await everything(kafka, topic)
        assert [(each.value or b"").decode() for each in found] == sent
        assert found[7].headers == [("ce_id", b"7")]
        assert found[7].timestamp_ms == 1_700_000_000_000

    run(scenario)


def test_what_is_too_large_for_its_topic_is_named_and_the_rest_arrives(kafka: parts.Kafka) -> None:
    async def scenario() -> None:
        topic = await made(kafka, max_message_bytes="5000")
        sink = sink_of(kafka, compression_type="none", batch_num_messages=1)
        records = [record(text, topic) for text in ("one", "x" * 20_000, "two")]
        ((place, reason),) = await (await sink.lane().put(records))
        assert place == 1
        assert "max.message.bytes" in reason
        await sink.close(DEADLINE_S)
        assert [each.value for each in await everything(kafka, topic)] == [b"one", b"two"]

    run(scenario)


def test_a_topic_that_is_not_there_is_named(kafka: parts.Kafka) -> None:
    async def scenario() -> None:
        topic = await made(kafka)
        sink = sink_of(kafka, topic_metadata_propagation_max_ms=500)
        ((place, reason),) = await (await sink.lane().put([record("no", "not.there"), record("yes", topic)]))
        assert place == 0
        assert reason.startswith("not.there: ")
        assert "ami-kafka topics apply" in reason
        await sink.close(DEADLINE_S)
        assert [each.value for each in await everything(kafka, topic)] == [b"yes"]

    run(scenario)


def test_keys_land_where_a_java_producer_puts_them(kafka: parts.Kafka) -> None:
    async def scenario() -> None:
        ours, javas = await made(kafka, 23), await made(kafka, 23)
        sink = sink_of(kafka)
        assert await (await sink.lane().put([record(key, ours, key) for key in KEYS])) == []
        await sink.close(DEADLINE_S)
        await asyncio.to_thread(produce_by_java, kafka.bootstrap, javas)
        by_us = {each.key: each.partition for each in await everything(kafka, ours)}
        by_java = {each.key: each.partition for each in await everything(kafka, javas)}
        assert len(by_java) == len(KEYS)
        assert by_us == by_java

    run(scenario)


def produce_by_java(bootstrap: str, topic: str) -> None:
    """Produce every key with Kafka's own client."""
    command = [*java.command(broker.JAVA, heap="128m"), "-cp", f"{broker.provided()}/jars/*", str(PROGRAM)]
    text = "".join(f"{key}\n" for key in KEYS)
    subprocess.run(
        [*command, bootstrap, topic], input=text.encode(), check=True, capture_output=True, timeout=60
    )


def test_a_broker_that_restarts_costs_nothing(kafka3: parts.Kafka) -> None:
    async def scenario() -> None:
        topic = await made(kafka3)
        sink = sink_of(kafka3)
        lane, waiting = sink.lane(), []
        sent = [str(number) for number in range(3_000)]
        for start in range(0, len(sent), 100):
            waiting.append(await lane.put([record(text, topic) for text in sent[start : start + 100]]))
            if start == 1_000:
                await asyncio.to_thread(kafka3.node(1).stop)
            if start == 2_000:
                await asyncio.to_thread(kafka3.node(1).start)
                await asyncio.to_thread(kafka3.node(2).kill)
        try:
            assert [list(await each) for each in waiting] == [[]] * 30
            assert await sink.close(DEADLINE_S) == 0
            assert [(each.value or b"").decode() for each in await everything(kafka3, topic)] == sent
        finally:
            await asyncio.to_thread(kafka3.node(2).start)

    run(scenario)
