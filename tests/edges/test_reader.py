"""Following topics: from where, to where, which; what cannot be read is said."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from connector.demo.broker import EmbeddedBroker
from connector.edges.kafka.producer import KafkaSink
from connector.edges.kafka.reader import KafkaReader, Record, Wanted
from connector.errors import BrokerError
from connector.facts import BrokerTrouble, Fact
from tests.edges.kafka_ends import DEADLINE_S, consumer_of, nobody, producer_of, record, texts


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), 60))


async def fill(broker: EmbeddedBroker, topic: str, *values: str) -> None:
    sink = KafkaSink(producer_of(broker), nobody)
    assert await (await sink.lane().put([record(value, topic) for value in values])) == []
    await sink.close(DEADLINE_S)


async def read(broker: EmbeddedBroker, count: int, wanted: Wanted, **options: Any) -> list[Record]:
    """Read until so many records have come."""
    found: list[Record] = []
    reader = KafkaReader(consumer_of(broker) | options, wanted, DEADLINE_S, nobody)
    async with reader:
        async for records in reader:
            found.extend(records)
            if len(found) >= count:
                break
    return found


def values(found: list[Record]) -> list[str]:
    return [(each.value or b"").decode() for each in found]


def test_from_the_beginning_to_the_end(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        await fill(broker, "calls", *map(str, range(1_500)))
        assert await texts(broker, "calls") == [str(number) for number in range(1_500)]

    run(scenario)


def test_an_empty_topic_is_at_its_end(broker: EmbeddedBroker) -> None:
    broker.create_topic("calls", 3)

    async def scenario() -> None:
        assert await texts(broker, "calls") == []

    run(scenario)


def test_from_now_on(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        await fill(broker, "calls", "before")
        reader = KafkaReader(consumer_of(broker), Wanted(topics=["calls"]), DEADLINE_S, nobody)
        async with reader:
            await fill(broker, "calls", "after")
            async for records in reader:
                assert values(list(records)) == ["after"]
                break

    run(scenario)


@pytest.mark.parametrize(("start", "expected"), [(2, ["2", "3"]), (-1, ["3"]), (-9, ["0", "1", "2", "3"])])
def test_from_an_offset_or_so_many_before_the_end(
    broker: EmbeddedBroker, start: int, expected: list[str]
) -> None:
    broker.create_topic("calls", 1)

    async def scenario() -> None:
        await fill(broker, "calls", "0", "1", "2", "3")
        assert values(await read(broker, len(expected), Wanted(topics=["calls"], start=start))) == expected

    run(scenario)


def test_topics_by_a_pattern(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        for topic in ("asterisk.events.hangup", "asterisk.events.cdr", "other"):
            await fill(broker, topic, topic)
        assert sorted(await texts(broker, "^asterisk[.]events")) == [
            "asterisk.events.cdr",
            "asterisk.events.hangup",
        ]

    run(scenario)


def test_a_topic_that_comes_later_is_followed_too(
    broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.edges.kafka.reader._LOOK_AGAIN_S", 0.0)

    async def scenario() -> None:
        await fill(broker, "asterisk.first", "1")
        reader = KafkaReader(
            consumer_of(broker),
            Wanted(topics=["^asterisk", "asterisk.second"], start="beginning"),
            DEADLINE_S,
            nobody,
        )
        with pytest.raises(BrokerError, match="there is no topic asterisk"):
            await reader.__aenter__()
        reader = KafkaReader(
            consumer_of(broker), Wanted(topics=["^asterisk"], start="beginning"), DEADLINE_S, nobody
        )
        async with reader:
            found: list[str] = []
            async for records in reader:
                found += values(list(records))
                if found == ["1"]:
                    await fill(broker, "asterisk.second", "2")
                if len(found) == 2:
                    break
            assert found == ["1", "2"]

    run(scenario)


def test_brokers_that_do_not_answer_are_named_once_with_the_reason() -> None:
    said: list[Fact] = []

    async def scenario() -> None:
        config = {"bootstrap.servers": "127.0.0.1:1", "group.id": "g"}
        reader = KafkaReader(config, Wanted(topics=["calls"]), 0.3, said.append)
        with pytest.raises(BrokerError) as failed:
            await reader.__aenter__()
        text = str(failed.value)
        assert text.startswith("Kafka at 127.0.0.1:1: Connect to ")
        assert "Connection refused" in text
        assert "is kafka.bootstrap_servers right" in text

    run(scenario)
    assert said == []


def test_brokers_that_are_mute_are_named_too() -> None:
    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0)) as mute:
            config = {"bootstrap.servers": f"127.0.0.1:{mute.getsockname()[1]}", "group.id": "g"}
            reader = KafkaReader(config, Wanted(topics=["calls"]), 0.3, nobody)
            with pytest.raises(BrokerError, match=r"Kafka at 127\.0\.0\.1:.*kafka\.bootstrap_servers"):
                await reader.__aenter__()

    run(scenario)


def test_brokers_that_go_away_are_reported_and_waited_for_where_nothing_later_is_wanted(
    broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.edges.kafka.reader._LOOK_AGAIN_S", 0.0)

    async def scenario() -> None:
        lost = asyncio.Event()

        def report(fact: Fact) -> None:
            if isinstance(fact, BrokerTrouble):
                lost.set()

        async def following(reader: KafkaReader) -> list[str]:
            async for records in reader:
                return values(list(records))
            return []

        await fill(broker, "calls", "1")
        wanted = Wanted(topics=["calls"], start="beginning", later=False)
        async with KafkaReader(consumer_of(broker), wanted, 0.1, report) as reader:
            assert await following(reader) == ["1"]
            assert reader.trouble == ""
            broker.down()
            task = asyncio.create_task(following(reader))
            await lost.wait()
            assert reader.trouble
            broker.up()
            await fill(broker, "calls", "2")
            assert await task == ["2"]
            assert reader.trouble == ""

    run(scenario)


def test_brokers_that_go_away_end_a_reading_that_looks_for_more(
    broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.edges.kafka.reader._LOOK_AGAIN_S", 0.0)

    async def scenario() -> None:
        await fill(broker, "calls", "1")
        async with KafkaReader(consumer_of(broker), Wanted(topics=["calls"]), 0.3, nobody) as reader:
            broker.down()
            with pytest.raises(BrokerError, match="Kafka at "):
                await anext(aiter(reader))

    run(scenario)


def test_the_end_is_where_it_was_at_the_beginning(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        await fill(broker, "calls", "a", "b")
        broker.create_topic("empty", 1)
        wanted = Wanted(topics=["calls", "empty"], start="beginning", to_end=True)
        async with KafkaReader(consumer_of(broker), wanted, DEADLINE_S, nobody) as reader:
            await fill(broker, "calls", "c")
            await fill(broker, "empty", "d")
            found = [each async for records in reader for each in records]
        assert values(found) == ["a", "b"]

    run(scenario)
