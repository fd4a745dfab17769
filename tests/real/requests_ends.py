"""What the tests of requests share: topics, members of a group, and what is to be read afterwards."""

import asyncio
import itertools
import json
import signal
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import IsolationLevel, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined] # its public names

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
from connector.events.records.outcome import Publish
from connector.facts import Fact, Report
from connector.settings.sections import Kafka
from connector.settings.topics import Topic
from tests.parts.processes import wait_until

DEADLINE_S = 20.0
COMPACTED = {"cleanup.policy": "compact,delete"}
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
    session_ms: int = 2_000

    @property
    def claims(self) -> str:
        return f"{self.requests}.claims"

    @property
    def responses(self) -> str:
        return f"{self.requests}.responses"

    @property
    def small(self) -> str:
        """A topic that takes small batches only."""
        return f"{self.requests}.small"

    def kafka(self) -> Kafka:
        return Kafka(
            bootstrap_servers=tuple(self.bootstrap.split(",")),
            consumer={"session.timeout.ms": self.session_ms, "heartbeat.interval.ms": self.session_ms // 10},
            librdkafka=self.options,
        )

    def clients(self, transactional_id: str, timeout_ms: int) -> Clients:
        kafka, name = self.kafka(), transactional_id or uuid.uuid4().hex
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
            Topic(ends.responses, 1, None),
            Topic(ends.small, 1, None, {"max.message.bytes": "5000"}),
        ]
    )
    return ends


@asynccontextmanager
async def member(
    ends: Ends,
    transactional_id: str = "",
    *,
    grace_s: float = 10.0,
    timeout_ms: int = 10_000,
    report: Report = nobody,
) -> AsyncIterator[KafkaRequests]:
    """Join the group for as long as the block lasts."""
    clients = ends.clients(transactional_id, timeout_ms)
    requests = KafkaRequests(clients, {ends.requests: ends.claims}, grace_s, report)
    try:
        yield requests
    finally:
        await requests.close()


async def ask(ends: Ends, values: Iterable[str]) -> None:
    """Write requests."""
    sink = KafkaSink(producer_config(ends.kafka(), "test"), nobody)
    records = [
        Publish(ends.requests, value.encode(), value.encode(), [], 1_700_000_000_000) for value in values
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


async def reaches(ends: Ends, topic: str, *, committed: bool = True) -> int:
    """Return the offset behind the last record of partition 0, or behind the last that may be read."""
    admin = AdminClient({"bootstrap.servers": ends.bootstrap})
    partition = TopicPartition(topic, 0)
    isolation = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
    future = admin.list_offsets({partition: latest}, isolation_level=isolation)[partition]
    return int((await asyncio.wrap_future(future)).offset)


async def remove(ends: Ends, topic: str) -> None:
    """Delete a topic."""
    admin = AdminClient({"bootstrap.servers": ends.bootstrap})
    await asyncio.wrap_future(admin.delete_topics([topic])[topic])


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


class Process:
    """A member in a process of its own, which can be stopped, woken and killed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._heard: list[dict[str, Any]] = []

    @property
    def _input(self) -> asyncio.StreamWriter:
        assert self._process.stdin is not None
        return self._process.stdin

    async def told(self, key: str, value: object = None) -> dict[str, Any]:
        """Wait until it tells something of this key, and value if one is given."""
        assert self._process.stdout is not None
        async with asyncio.timeout(DEADLINE_S):
            while True:
                for words in self._heard:
                    if key in words and value in (None, words[key]):
                        self._heard.remove(words)
                        return words
                line = await self._process.stdout.readline()
                assert line, f"it ended before it told of {key}"
                self._heard.append(json.loads(line))

    def ask(self, **words: Any) -> None:
        """Tell it what to do; it does so when it can."""
        self._input.write(json.dumps(words).encode() + b"\n")

    def commit(self, records: Iterable[Outgoing], offset: int) -> None:
        """Have it commit records and an offset of partition 0."""
        texts = [(each.topic, (each.value or b"").decode()) for each in records]
        self.ask(do="commit", records=texts, offset=offset)

    async def stopped(self) -> None:
        """Wait until it has stopped itself."""
        stat = Path(f"/proc/{self._process.pid}/stat")
        await asyncio.to_thread(
            wait_until, lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", "stop"
        )

    def wake(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    async def ended(self) -> int:
        """Wait for its end, which must come by itself."""
        async with asyncio.timeout(DEADLINE_S):
            return await self._process.wait()

    async def go(self) -> None:
        """Have it leave in order."""
        self._input.close()
        assert await self.ended() == 0


@asynccontextmanager
async def process(
    ends: Ends,
    step: str = "",
    how: str = "SIGKILL",
    *,
    transactional_id: str = "",
    grace_s: float = 10.0,
    timeout_ms: int = 10_000,
) -> AsyncIterator[Process]:
    """Start a member that signals itself at a step of its first transaction; it is killed in the end."""
    plan = {
        "ends": asdict(ends),
        "step": step,
        "how": how,
        "transactional_id": transactional_id,
        "grace_s": grace_s,
        "timeout_ms": timeout_ms,
    }
    command = ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "tests.real.member", json.dumps(plan)]
    started = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield Process(started)
    finally:
        with suppress(ProcessLookupError):
            started.kill()
        await started.wait()


async def true(changed: asyncio.Condition, condition: Callable[[], bool]) -> None:
    """Wait until something is so of the workers that share `changed`."""
    async with asyncio.timeout(DEADLINE_S), changed:
        await changed.wait_for(condition)


class Worker:
    """Answers each request with its own value, and lets go what is revoked once all is answered.

    What is fenced it forgets: whoever has the partition then is given it again.
    """

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
            for record in taken:
                await self._answer(record)
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

    async def _answer(self, record: Incoming) -> None:
        text = (record.value or b"").decode()
        work = Commit([self._ends.response(text)], {record.place: record.offset + 1})
        if await insisted(self._requests, work) == Committed():
            async with self._changed:
                self.seen.append(text)
                self._changed.notify_all()
