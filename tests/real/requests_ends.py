"""What the tests of requests share: topics, members of a group, and what is to be read afterwards."""

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from connector.actions.record import (
    Aborted,
    Assigned,
    Commit,
    Committed,
    Incoming,
    Lost,
    Notice,
    Outgoing,
    Place,
    Revoking,
    Settled,
)
from connector.edges.kafka.admin import KafkaAdmin
from connector.edges.kafka.client import (
    admin_config,
    consumer_config,
    member_config,
    producer_config,
    transactional_config,
)
from connector.edges.kafka.producer import KafkaSink
from connector.edges.kafka.reader import KafkaReader, Record, Wanted
from connector.edges.kafka.requests import Clients, KafkaRequests
from connector.events.outcome import Publish
from connector.facts import Fact, Report
from connector.settings.sections import Kafka
from connector.settings.topics import Topic

DEADLINE_S = 20.0
COMPACTED = {"cleanup.policy": "compact,delete"}
QUICK = {"session.timeout.ms": 2_000, "heartbeat.interval.ms": 200}
NUMBERS = itertools.count()


def nobody(fact: Fact) -> None:
    """Take a fact that the test does not look at."""


@dataclass(frozen=True)
class Ends:
    """A cluster, and topics of a test's own in it."""

    bootstrap: str
    requests: str
    group: str
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def claims(self) -> str:
        return f"{self.requests}.claims"

    @property
    def responses(self) -> str:
        return f"{self.requests}.responses"

    def kafka(self, **consumer: Any) -> Kafka:
        return Kafka(
            bootstrap_servers=tuple(self.bootstrap.split(",")),
            consumer={**QUICK, **consumer},
            librdkafka=self.options,
        )

    def clients(self, transactional_id: str = "", timeout_ms: int = 10_000, **consumer: Any) -> Clients:
        kafka, name = self.kafka(**consumer), transactional_id or uuid.uuid4().hex
        return Clients(
            member_config(kafka, "test", self.group),
            transactional_config(kafka, "test", name, timeout_ms),
            admin_config(kafka, "test"),
        )

    def place(self, partition: int = 0) -> Place:
        return Place(self.requests, partition)

    def claim(self, value: str, partition: int = 0) -> Outgoing:
        return Outgoing(self.claims, partition, value.encode(), value.encode())

    def response(self, value: str) -> Outgoing:
        return Outgoing(self.responses, None, value.encode(), value.encode())


async def prepared(bootstrap: str, partitions: int = 1, **options: Any) -> Ends:
    """Make a request topic with its claims, and a topic of responses."""
    name = f"actions.{next(NUMBERS)}.{uuid.uuid4().hex[:6]}"
    ends = Ends(bootstrap, name, f"group.{name}", options)
    admin = KafkaAdmin(admin_config(ends.kafka(), "test"), DEADLINE_S, nobody)
    await admin.create(
        [
            Topic(ends.requests, partitions, None),
            Topic(ends.claims, partitions, None, COMPACTED),
            Topic(ends.responses, partitions, None),
        ]
    )
    return ends


@asynccontextmanager
async def member(
    ends: Ends, *transactional_id: str, grace_s: float = 10.0, report: Report = nobody, **options: Any
) -> AsyncIterator[KafkaRequests]:
    """Join the group for as long as the block lasts."""
    clients = ends.clients(*transactional_id, **options)
    requests = KafkaRequests(clients, {ends.requests: ends.claims}, grace_s, report)
    try:
        yield requests
    finally:
        await requests.close()


async def ask(ends: Ends, values: Iterable[str], keyed: bool = True) -> None:
    """Write requests."""
    sink = KafkaSink(producer_config(ends.kafka(), "test"), nobody)
    records = [
        Publish(ends.requests, value.encode() if keyed else None, value.encode(), [], 1_700_000_000_000)
        for value in values
    ]
    assert await (await sink.lane().put(records)) == []
    await sink.close(DEADLINE_S)


async def written(ends: Ends, topic: str, isolation: str = "read_committed") -> list[Record]:
    """Read a topic to its end."""
    config = consumer_config(ends.kafka(), "test", "reader") | {"isolation.level": isolation}
    wanted = Wanted(topics=[topic], start="beginning", to_end=True)
    async with KafkaReader(config, wanted, DEADLINE_S, nobody) as reader:
        return [each async for records in reader for each in records]


async def values(ends: Ends, topic: str, isolation: str = "read_committed") -> list[str]:
    return [(each.value or b"").decode() for each in await written(ends, topic, isolation)]


async def until(requests: KafkaRequests, kind: type[Any], count: int = 1) -> list[Any]:
    """Take until so many notices of a kind have come; the others are dropped."""
    found: list[Notice] = []
    async with asyncio.timeout(DEADLINE_S):
        while len(found) < count:
            found += [each for each in await requests.take() if isinstance(each, kind)]
    return found


async def insisted(requests: KafkaRequests, work: Commit) -> Settled:
    """Commit as the road does: what came to nothing is done again."""
    while True:
        settled = await requests.commit(work)
        if not isinstance(settled, Aborted) or settled.refused:
            return settled
        await asyncio.sleep(0.05)


async def true(changed: asyncio.Condition, condition: Callable[[], bool]) -> None:
    """Wait until something is so of the workers that share `changed`."""
    async with asyncio.timeout(DEADLINE_S), changed:
        await changed.wait_for(condition)


class Worker:
    """Answers each request with its own value, and lets go what is revoked once all is answered."""

    def __init__(self, ends: Ends, requests: KafkaRequests, changed: asyncio.Condition) -> None:
        self.seen: list[str] = []
        self.owned: set[Place] = set()
        self.notices: list[Notice] = []
        self._ends = ends
        self._requests = requests
        self._changed = changed
        self._task = asyncio.create_task(self._run())

    async def end(self) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        while True:
            notices = await self._requests.take()
            taken = [each for each in notices if isinstance(each, Incoming)]
            if taken:
                await self._answer(taken)
            for notice in notices:
                match notice:
                    case Assigned(place):
                        self.owned.add(place)
                    case Revoking(places):
                        self._requests.released(places)
                        self.owned -= places
                    case Lost(places):
                        self.owned -= places
            async with self._changed:
                self.notices += notices
                self._changed.notify_all()

    async def _answer(self, taken: list[Incoming]) -> None:
        texts = [(each.value or b"").decode() for each in taken]
        work = Commit(
            [self._ends.response(text) for text in texts],
            {each.place: each.offset + 1 for each in taken},
        )
        assert await insisted(self._requests, work) == Committed()
        self.seen += texts
