"""Producing: order, room, refusals, a producer that fails for good, and the way out."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest

from connector.demo.broker import EmbeddedBroker
from connector.edges.kafka.producer import KafkaSink
from connector.errors import BrokerError, SettingsError
from connector.events.records.outcome import Publish, Refused
from connector.facts import BrokerTrouble, Fact, ProducerMeasured
from tests.edges.kafka_ends import everything, nobody, producer_of, record, texts

GRACE_S = 10.0
INIT_PRODUCER_ID = 22
MESSAGE_TOO_LARGE, INVALID_RECORD, NO_RIGHT_ON_CLUSTER = 10, 87, 31

JAVA_MURMUR2 = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}
"""Apache Kafka's own vectors for Utils.murmur2."""


async def delivered(sink: KafkaSink, records: Sequence[Publish]) -> Sequence[Refused]:
    return await (await sink.lane().put(records))


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), 60))


def test_a_record_arrives_as_it_was_given(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        sink = KafkaSink(producer_of(broker), nobody)
        assert await delivered(sink, [record("one"), record("two", key=None)]) == []
        assert await sink.close(GRACE_S) == 0
        one, two = sorted(await everything(broker, "calls"), key=lambda each: each.value or b"")
        assert (one.key, one.value, one.headers) == (b"main|1", b"one", [("ce_id", b"one")])
        assert one.timestamp_ms == 1_700_000_000_000
        assert two.key is None

    run(scenario)


def test_an_empty_batch_is_acknowledged_at_once(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        sink = KafkaSink(producer_of(broker), nobody)
        assert await delivered(sink, []) == []
        await sink.close(GRACE_S)

    run(scenario)


def test_keys_land_where_java_puts_them(broker: EmbeddedBroker) -> None:
    partitions = 97
    broker.create_topic("calls", partitions)

    async def scenario() -> None:
        sink = KafkaSink(producer_of(broker), nobody)
        await delivered(sink, [record(key.decode(), key=key.decode()) for key in JAVA_MURMUR2])
        await sink.close(GRACE_S)
        found = {each.key: each.partition for each in await everything(broker, "calls")}
        assert found == {key: (code & 0x7FFFFFFF) % partitions for key, code in JAVA_MURMUR2.items()}

    run(scenario)


def test_a_full_queue_is_waited_for_and_the_order_kept(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        sink = KafkaSink(producer_of(broker, queue_buffering_max_messages=7, linger_ms=0), nobody)
        sent = [str(number) for number in range(2_000)]
        acknowledged = [
            await sink.lane().put([record(text) for text in sent[start : start + 100]])
            for start in range(0, len(sent), 100)
        ]
        assert [list(await each) for each in acknowledged] == [[]] * 20
        await sink.close(GRACE_S)
        assert await texts(broker, "calls") == sent

    run(scenario)


def test_the_event_loop_runs_while_a_full_queue_is_waited_for(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        sink = KafkaSink(producer_of(broker, queue_buffering_max_messages=1), nobody)
        broker.down()
        waiting = asyncio.create_task(sink.lane().put([record("one"), record("two")]))
        done, _ = await asyncio.wait([waiting], timeout=0.3)
        assert not done
        broker.up()
        assert await (await waiting) == []
        await sink.close(GRACE_S)
        assert await texts(broker, "calls") == ["one", "two"]

    run(scenario)


@pytest.mark.parametrize("code", [MESSAGE_TOO_LARGE, INVALID_RECORD])
def test_what_the_broker_will_never_take_is_named_by_its_place(broker: EmbeddedBroker, code: int) -> None:
    async def scenario() -> None:
        sink = KafkaSink(producer_of(broker), nobody)
        assert await delivered(sink, [record("before")]) == []
        broker.fail_requests([code])
        ((place, reason),) = await delivered(sink, [record("refused")])
        assert place == 0
        assert reason.startswith("calls: ")
        assert await delivered(sink, [record("after")]) == []
        await sink.close(GRACE_S)
        assert await texts(broker, "calls") == ["before", "after"]

    run(scenario)


def test_what_librdkafka_refuses_itself_is_named_too_and_the_rest_goes_on(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        sink = KafkaSink(producer_of(broker, message_max_bytes=2_000), nobody)
        large = record("x" * 3_000)
        ((place, reason),) = await delivered(sink, [record("one"), large, record("two")])
        assert place == 1
        assert "too large" in reason
        assert "events.max_record_bytes" in reason
        await sink.close(GRACE_S)
        assert await texts(broker, "calls") == ["one", "two"]

    run(scenario)


def test_of_equal_records_as_many_are_named_as_were_refused(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        sink = KafkaSink(producer_of(broker), nobody)
        await delivered(sink, [record("first")])
        # They may go out in one request or in three.
        broker.fail_requests([INVALID_RECORD] * 3)
        refused = await delivered(sink, [record("same"), record("same"), record("", key=None)])
        assert [each.place for each in refused] == [0, 1, 2]
        await sink.close(GRACE_S)

    run(scenario)


def test_a_topic_that_must_take_sends_the_road_back(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        sink = KafkaSink(producer_of(broker), nobody, must_take={"dlq"})
        await delivered(sink, [record("first", "dlq")])
        broker.fail_requests([INVALID_RECORD])
        with pytest.raises(BrokerError, match="dlq: "):
            await delivered(sink, [record("letter", "dlq")])
        assert await delivered(sink, [record("letter", "dlq")]) == []
        await sink.close(GRACE_S)

    run(scenario)


def test_a_producer_that_fails_for_good_is_replaced_and_nothing_is_lost(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        broker.fail_requests([NO_RIGHT_ON_CLUSTER], INIT_PRODUCER_ID)
        sink = KafkaSink(producer_of(broker), nobody)
        sent = [record(str(number)) for number in range(10)]
        first, second = await sink.lane().put(sent[:5]), await sink.lane().put(sent[5:])
        for acknowledged in (first, second):
            with pytest.raises(BrokerError):
                await acknowledged
        assert await delivered(sink, sent) == []
        await sink.close(GRACE_S)
        assert await texts(broker, "calls") == [str(number) for number in range(10)]

    run(scenario)


def test_who_waits_for_room_hears_of_a_failure_too(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        broker.fail_requests([NO_RIGHT_ON_CLUSTER], INIT_PRODUCER_ID)
        sink = KafkaSink(producer_of(broker, queue_buffering_max_messages=1), nobody)
        with pytest.raises(BrokerError):
            # A failure that comes before the second record is told by the inner one.
            await (await sink.lane().put([record("one"), record("two")]))
        await sink.close(GRACE_S)

    run(scenario)


def test_a_producer_tells_how_it_fares_where_it_is_asked_to(broker: EmbeddedBroker) -> None:
    heard: list[ProducerMeasured] = []

    async def scenario() -> None:
        idle = asyncio.Event()

        def report(fact: Fact) -> None:
            if isinstance(fact, ProducerMeasured):
                heard.append(fact)
                if not fact.queued:
                    idle.set()

        sink = KafkaSink(producer_of(broker, statistics_interval_ms=50), report)
        while not any(fact.round_trip_us for fact in heard):
            await delivered(sink, [record("one"), record("two")])
        idle.clear()
        await idle.wait()
        await sink.close(GRACE_S)

    run(scenario)
    assert any(fact.queued == 2 for fact in heard)
    assert heard[-1].brokers_up == 1


def test_kafka_away_is_reported_once_and_all_arrives_when_it_is_back(broker: EmbeddedBroker) -> None:
    facts: list[Fact] = []

    async def scenario() -> None:
        heard = asyncio.Event()

        def report(fact: Fact) -> None:
            if isinstance(fact, BrokerTrouble):
                facts.append(fact)
                heard.set()

        sink = KafkaSink(producer_of(broker), report)
        await delivered(sink, [record("before")])
        broker.down()
        acknowledged = await sink.lane().put([record("meanwhile")])
        await heard.wait()
        assert "kafka.bootstrap_servers" in str(facts[0])
        broker.up()
        assert await acknowledged == []
        await sink.close(GRACE_S)
        assert await texts(broker, "calls") == ["before", "meanwhile"]

    run(scenario)


def test_closing_counts_what_stays_behind(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        sink = KafkaSink(producer_of(broker), nobody)
        broker.down()
        acknowledged = await sink.lane().put([record("one"), record("two")])
        assert await sink.close(0.2) == 2
        with pytest.raises(BrokerError):
            await acknowledged
        with pytest.raises(BrokerError):
            await sink.lane().put([record("three")])

    run(scenario)


def test_a_waiter_that_is_cancelled_disturbs_nobody(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        sink = KafkaSink(producer_of(broker), nobody)
        waiting = asyncio.ensure_future(await sink.lane().put([record("one")]))
        waiting.cancel()
        assert await delivered(sink, [record("two")]) == []
        await sink.close(GRACE_S)
        assert await texts(broker, "calls") == ["one", "two"]

    run(scenario)


@pytest.mark.parametrize("options", [{"no_such_thing": 1}, {"linger_ms": "soon"}, {"on_delivery": "x"}])
def test_an_option_that_librdkafka_does_not_take_is_a_wrong_setting(
    broker: EmbeddedBroker, options: dict[str, Any]
) -> None:
    async def scenario() -> None:
        with pytest.raises(SettingsError, match=r"^kafka: "):
            KafkaSink(
                producer_of(broker) | {name.replace("_", "."): each for name, each in options.items()}, nobody
            )

    run(scenario)
