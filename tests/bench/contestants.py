"""The three that run beside one another, each in a process of its own.

`python -m tests.bench.contestants NAME EVENTS RATE` prints one line of JSON.
"""

import asyncio
import calendar
import json
import resource
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from functools import lru_cache, partial
from typing import Any

from connector.ami.framing import Framer
from connector.ami.steps import Account
from connector.app.collector import settle
from connector.app.local import EmbeddedTopics
from connector.avro.normalise import Normaliser
from connector.avro.schema import SchemaSet
from connector.demo.broker import EmbeddedBroker
from connector.edges.kafka.client import producer_config
from connector.edges.kafka.producer import KafkaSink
from connector.edges.pbx.asterisk import Address, AsteriskPbx
from connector.edges.schemas import load_schemas
from connector.events.discretion import Discretion
from connector.events.entry import Source
from connector.events.intake import Intake
from connector.events.records.outcome import NeedsSchema, Publish, Refused
from connector.events.records.routing import Routing
from connector.events.records.translate import Rules, Translator
from connector.events.selection import Selection
from connector.facts import EventsPublished, Fact
from connector.roads.delivery import Delivery, Ends
from connector.roads.link import Clock, Link
from connector.settings.kinds import Secret
from connector.settings.privacy import PrivacyRule, PrivacySection, privacy
from connector.settings.sections import Kafka
from tests.bench import baseline
from tests.bench.journals import opened
from tests.bench.traffic import count, stream


@contextmanager
def feeder(events: int, rate: int, until: str) -> Iterator[int]:
    """Run the PBX that feeds, in a process of its own; yield its port."""
    command = [sys.executable, "-m", "tests.bench.feeder", str(events), str(rate), until]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


def producer_options(broker: EmbeddedBroker) -> dict[str, Any]:
    return producer_config(Kafka(bootstrap_servers=(broker.bootstrap_servers,)), "bench")


async def open_topics(broker: EmbeddedBroker, schemas: SchemaSet) -> None:
    """Make every topic before the clock runs."""
    routing = Routing()
    topics = EmbeddedTopics(broker)
    for schema in (*schemas, schemas.unknown, schemas.connector):
        await topics.ensure(routing.topic_of(schema))
    await topics.ensure(routing.dead_letter_topic)


class Local:
    """A registry and topics that are at hand: neither is part of the road from event to event."""

    def __init__(self) -> None:
        self._next = 0

    async def schema_id(self, subject: str, schema_text: str) -> int:
        del subject, schema_text
        self._next += 1
        return self._next

    async def ensure(self, topic: str) -> None:
        """Do nothing: `open_topics` has made them all."""


class Timed:
    """A sink that notes, for each record of a steady stream, the time from socket to acknowledgement."""

    def __init__(self, sink: KafkaSink) -> None:
        self._sink = sink
        self.latencies_us: list[float] = []

    def lane(self) -> "Timed":
        return self

    async def put(self, batch: Sequence[Publish]) -> Awaitable[Sequence[Refused]]:
        acknowledged = await self._sink.lane().put(batch)
        return self._note(batch, acknowledged)

    async def _note(
        self, batch: Sequence[Publish], acknowledged: Awaitable[Sequence[Refused]]
    ) -> Sequence[Refused]:
        refused = await acknowledged
        now = time.time() * 1e6
        for record in batch:
            self.latencies_us.append(now - _micros(record.headers[4][1]))
        return refused


@lru_cache(maxsize=8)
def _second(text: bytes) -> int:
    return calendar.timegm(time.strptime(text.decode(), "%Y-%m-%dT%H:%M:%S"))


def _micros(stamp: bytes) -> int:
    return _second(stamp[:19]) * 1_000_000 + int(stamp[20:26])


BY_DEFAULT = PrivacySection()
NO_RULES = PrivacySection(defaults=False)
PSEUDONYMS = PrivacySection(
    key=Secret("a key for the bench"),
    rules=(PrivacyRule(name="who", headers=("*CallerID*", "*ConnectedLine*"), do="hmac"),),
)


async def road(
    events: int, rate: int, kind: str = "memory", rules: PrivacySection = BY_DEFAULT
) -> dict[str, Any]:
    """The connector's whole road: socket, frames, intake, journal, record, Kafka, acknowledgement."""
    schemas = load_schemas()
    normaliser = Normaliser(schemas)
    selection = Selection(schemas, ["@all"])
    expected = events if rate else count(events)
    done, seen = asyncio.Event(), 0

    def report(fact: Fact) -> None:
        nonlocal seen
        if isinstance(fact, EventsPublished):
            seen += sum(fact.counts.values()) - fact.counts.get("asterisk.connector", 0)
            if seen >= expected:
                done.set()

    async with AsyncExitStack() as ends:
        port = ends.enter_context(feeder(events, rate, "CoreSettings"))
        broker = ends.enter_context(EmbeddedBroker())
        sink = KafkaSink(producer_options(broker), report)
        timed = Timed(sink) if rate else None
        local = Local()
        await open_topics(broker, schemas)
        journal = await ends.enter_async_context(opened(kind, report))
        ids: dict[str, int] = {}
        discretion = Discretion(privacy(rules, schemas), normaliser)
        translator = Translator({"pbx": normaliser}, Rules(routing=Routing()), ids, discretion)
        delivery = Delivery(journal, translator, Ends(timed or sink, local, ids, local), report)
        source = Source("pbx", 1)
        intake = Intake(source, normaliser, selection, lambda _: None, discretion=discretion)
        pbx = AsteriskPbx("pbx", [Address("127.0.0.1", port)], Account("u", "s"))
        link = Link(pbx, intake, journal, 1, report, clock=Clock(chance=lambda: 0.5))
        settle()
        begun, cpu = time.perf_counter(), time.process_time()
        tasks = [asyncio.create_task(delivery.run()), asyncio.create_task(link.run())]
        await done.wait()
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await sink.close(1.0)
    return result(expected, seconds, cpu, timed.latencies_us if timed else [])


def prepared(events: int) -> list[Publish]:
    """Return the records that the road would make of the stream."""
    schemas = load_schemas()
    normaliser = Normaliser(schemas)
    intake = Intake(Source("pbx", 1), normaliser, Selection(schemas, ["@all"]), lambda _: None)
    ids: dict[str, int] = {}
    translator = Translator({"pbx": normaliser}, Rules(routing=Routing()), ids)
    records: list[Publish] = []
    for entry in intake.frames(Framer().feed(stream(events)), 1_700_000_000_000_000):
        outcome = translator.translate(entry)
        while isinstance(outcome, NeedsSchema):
            ids[outcome.subject] = len(ids) + 1
            outcome = translator.translate(entry)
        records.append(outcome if isinstance(outcome, Publish) else outcome.publish)
    return records


async def limit(events: int, rate: int) -> dict[str, Any]:
    """The same records to the same producer, with no work at all."""
    del rate
    records = prepared(events)
    with EmbeddedBroker() as broker:
        await open_topics(broker, load_schemas())
        producer = baseline.producer(producer_options(broker))
        settle()
        begun, cpu = time.perf_counter(), time.process_time()
        acknowledged = baseline.hand_over(producer, records)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    assert acknowledged == len(records)
    return result(len(records), seconds, cpu, [])


async def today(events: int, rate: int) -> dict[str, Any]:
    """What people write today: panoramisk, AvroSerializer, Producer."""
    del rate
    expected = count(events)
    schemas = load_schemas()
    with feeder(events, 0, "Login") as port, EmbeddedBroker() as broker:
        await open_topics(broker, schemas)
        begun, cpu, done = await baseline.bridge(port, expected, producer_options(broker), schemas)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    return result(done, seconds, cpu, [])


def result(events: int, seconds: float, cpu: float, latencies_us: list[float]) -> dict[str, Any]:
    ordered = sorted(latencies_us)
    return {
        "events": events,
        "seconds": seconds,
        "rate": events / seconds,
        "cpu_us": cpu / events * 1e6,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "p50_ms": ordered[len(ordered) // 2] / 1e3 if ordered else None,
        "p99_ms": ordered[len(ordered) * 99 // 100] / 1e3 if ordered else None,
    }


CONTESTANTS: dict[str, Callable[[int, int], Any]] = {
    "road": road,
    "segments": partial(road, kind="segments"),
    "sqlite": partial(road, kind="sqlite"),
    "bare": partial(road, rules=NO_RULES),
    "pseudonyms": partial(road, rules=PSEUDONYMS),
    "limit": limit,
    "today": today,
}

if __name__ == "__main__":
    name, events, rate = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    print(json.dumps(asyncio.run(CONTESTANTS[name](events, rate))))
