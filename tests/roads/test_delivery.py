"""From journal to sink: order, release, dead letters, and the way back after a failed producer."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from connector.edges.journal.memory import MemoryJournal
from connector.errors import BrokerError, RegistryError
from connector.events.entry import Entry
from connector.events.records.outcome import Outcome, Publish, Refused
from connector.events.records.translate import Translator
from connector.facts import (
    EventQuarantined,
    EventsLost,
    EventsPublished,
    Fact,
    RecordRefused,
    RegistryTrouble,
)
from connector.roads.delivery import Delivery, Ends
from tests.events.frames import NOW, event, intake, snapshot, translator


class Kafka:
    """A sink that keeps what it gets, refuses what it is told to, and fails when it is told to."""

    def __init__(self) -> None:
        self.records: list[Publish] = []
        self.refuse: Callable[[Publish], str] = lambda _: ""
        self.fail_acknowledgement = self.fail_put = False

    def lane(self) -> "Lane":
        return Lane(self)


class Lane:
    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._failed = False

    async def put(self, batch: Sequence[Publish]) -> Awaitable[Sequence[Refused]]:
        if self._failed or self._kafka.fail_put:
            self._failed, self._kafka.fail_put = True, False
            raise BrokerError("no producer")
        acknowledged = asyncio.ensure_future(self._acknowledge(batch))
        # Of several batches that fail together only the first is awaited.
        acknowledged.add_done_callback(lambda task: task.cancelled() or task.exception())
        return acknowledged

    async def _acknowledge(self, batch: Sequence[Publish]) -> Sequence[Refused]:
        kafka = self._kafka
        await asyncio.sleep(0)
        if self._failed or kafka.fail_acknowledgement:
            # A producer that fails takes all that is in flight with it.
            self._failed, kafka.fail_acknowledgement = True, False
            raise BrokerError("fenced")
        refused = [Refused(place, why) for place, record in enumerate(batch) if (why := kafka.refuse(record))]
        places = {place for place, _ in refused}
        kafka.records += [record for place, record in enumerate(batch) if place not in places]
        return refused


class Registry:
    def __init__(self, away: int = 0) -> None:
        self.away = away
        self.asked: list[str] = []

    async def schema_id(self, subject: str, schema_text: str) -> int:
        assert schema_text.startswith('{"type":"record"')
        if self.away:
            self.away -= 1
            raise RegistryError("away")
        self.asked.append(subject)
        return len(self.asked)


class Topics:
    def __init__(self) -> None:
        self.made: list[str] = []

    async def ensure(self, topic: str) -> None:
        self.made.append(topic)


class Bench:
    """A delivery between a journal in memory and an invented Kafka."""

    def __init__(self, away: int = 0) -> None:
        self.kafka, self.registry, self.topics = Kafka(), Registry(away), Topics()
        self.facts: list[Fact] = []
        self.slept: list[float] = []
        self.journal = MemoryJournal(1 << 24)
        self.taker = intake()
        made = translator()
        ends = Ends(self.kafka, self.registry, made._schema_ids, self.topics)
        self.delivery = Delivery(self.journal, made, ends, self.facts.append, self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    def read(self, *frames: bytes) -> list[Entry]:
        entries = self.taker.frames(frames, NOW)
        self.journal.append(entries)
        return entries

    async def drain(self) -> None:
        task = asyncio.create_task(self.delivery.run())
        async with asyncio.timeout(10):
            await self.journal.down_to(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def ids(self) -> list[str]:
        return [dict(record.headers)["ce_id"].decode() for record in self.kafka.records]

    def of(self, kind: type[Fact]) -> list[Any]:
        return [fact for fact in self.facts if isinstance(fact, kind)]


def calls(count: int, start: int = 0) -> list[bytes]:
    return [
        event("Newchannel", snapshot(f"1.{number}", f"1.{number}")) for number in range(start, start + count)
    ]


def test_everything_arrives_once_in_order_and_the_journal_is_empty() -> None:
    async def main() -> None:
        bench = Bench()
        entries = bench.read(*calls(1_000))
        await bench.drain()
        assert bench.ids() == [entry.event_id for entry in entries]
        assert sum(sum(fact.counts.values()) for fact in bench.of(EventsPublished)) == 1_000

    asyncio.run(main())


class Writing(MemoryJournal):
    """A journal that has written no more than it is let."""

    def __init__(self) -> None:
        super().__init__(1 << 24)
        self.written = 0
        self.asked: list[int] = []
        self.moved = asyncio.Event()

    async def kept(self, through: int) -> None:
        self.asked.append(through)
        while self.written < through:
            self.moved.clear()
            await self.moved.wait()


def test_nothing_goes_to_kafka_before_it_is_kept() -> None:
    async def main() -> None:
        bench = Bench()
        bench.journal = bench.delivery._journal = journal = Writing()
        entries = bench.read(*calls(3))
        task = asyncio.create_task(bench.delivery.run())
        async with asyncio.timeout(10):
            while not journal.asked:  # noqa: ASYNC110 (looked at on every turn)
                await asyncio.sleep(0)
            entries += bench.read(*calls(2, start=3))
            for _ in range(100):
                await asyncio.sleep(0)
            assert bench.ids() == []
            journal.written = len(entries)
            journal.moved.set()
            await journal.down_to(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert bench.ids() == [entry.event_id for entry in entries]

    asyncio.run(main())


def test_an_event_that_translating_fails_at_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        bench = Bench()
        entries = bench.read(*calls(3))
        whole = Translator.translate

        def translate(self: Translator, entry: Entry) -> Outcome:
            if entry is entries[1]:
                raise ValueError(f"invalid literal: {entry.frame!r}")
            return whole(self, entry)

        monkeypatch.setattr(Translator, "translate", translate)
        await bench.drain()
        assert bench.ids() == [entry.event_id for entry in entries]
        letter = bench.kafka.records[1]
        assert (letter.topic, letter.value) == ("asterisk.dlq", entries[1].frame)
        (fact,) = bench.of(EventQuarantined)
        assert (fact.reason, fact.detail) == ("unforeseen", "ValueError in translate")

    asyncio.run(main())


def test_schemas_and_topics_are_asked_for_once() -> None:
    async def main() -> None:
        bench = Bench(away=2)
        bench.read(*calls(300), event("PeerStatus", "Peer: a"))
        await bench.drain()
        assert bench.registry.asked == [
            "asterisk.events.new-channel-value",
            "asterisk.events.peer-status-value",
        ]
        assert bench.topics.made == ["asterisk.events.new-channel", "asterisk.events.peer-status"]
        assert [fact.subject for fact in bench.of(RegistryTrouble)] == [
            "asterisk.events.new-channel-value"
        ] * 2

    asyncio.run(main())


def test_after_a_failed_producer_all_since_the_release_comes_again_with_the_same_ids() -> None:
    async def main() -> None:
        bench = Bench()
        first = bench.read(*calls(300))
        await bench.drain()
        bench.kafka.fail_acknowledgement = bench.kafka.fail_put = True
        second = bench.read(*calls(700, start=300))
        await bench.drain()
        expected = [entry.event_id for entry in (*first, *second)]
        seen = list(dict.fromkeys(bench.ids()))
        assert seen == expected
        assert bench.slept

    asyncio.run(main())


def test_a_refused_record_becomes_a_dead_letter_and_the_road_goes_on() -> None:
    async def main() -> None:
        bench = Bench()
        bench.kafka.refuse = lambda record: (
            "too large" if record.key == b"pbx1|1.1" and record.topic != "asterisk.dlq" else ""
        )
        bench.read(*calls(3))
        await bench.drain()
        assert [record.topic for record in bench.kafka.records].count("asterisk.dlq") == 1
        letter = next(record for record in bench.kafka.records if record.topic == "asterisk.dlq")
        assert dict(letter.headers)["__connect.errors.stage"] == b"KAFKA_PRODUCE"
        assert letter.value == calls(3)[1]
        assert [(fact.topic, fact.reason) for fact in bench.of(RecordRefused)] == [
            ("asterisk.events.new-channel", "too large")
        ]
        assert bench.of(EventsPublished)[-1].counts["asterisk.events.new-channel"] == 2

    asyncio.run(main())


def test_a_dead_letter_that_is_refused_too_is_told_as_lost() -> None:
    async def main() -> None:
        bench = Bench()
        bench.kafka.refuse = lambda record: "no" if record.key in (b"pbx1|1.1", b"pbx1") else ""
        bench.read(*calls(3))
        await bench.drain()
        assert [(fact.first, fact.count) for fact in bench.of(EventsLost)] == [(2, 1)]

    asyncio.run(main())


def test_what_is_torn_goes_to_the_dead_letter_topic_and_is_told() -> None:
    async def main() -> None:
        bench = Bench()
        bench.read(calls(1)[0], b"rest\r\nExten: 1", calls(1)[0])
        await bench.drain()
        topics = [record.topic for record in bench.kafka.records]
        assert topics == ["asterisk.events.new-channel", "asterisk.dlq", "asterisk.events.new-channel"]
        assert [(fact.reason, fact.event) for fact in bench.of(EventQuarantined)] == [("orphan", "orphan")]

    asyncio.run(main())
