"""The driver: notices to the dispatcher, work to Kafka, actions to PBXs; whenever it ends, nothing is done twice."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from connector.actions.dispatch.turns import Bounds
from connector.actions.record import Aborted, Incoming, Place
from connector.errors import BrokerError
from connector.facts import ClaimsRead, Fact, RegistryTrouble, RequestsFenced, TransactionAborted
from connector.roads.execution import RETRY_S, Clock, Execution, Ways
from connector.roads.ports import Executor as ExecutorPort
from connector.roads.ports import Requests as RequestsPort
from connector.roads.ports import WriterSchemas
from tests.actions.dispatchers import (
    AVRO,
    NOW,
    PBX,
    PLACE,
    SCHEMAS,
    TTL_MS,
    effect,
    incoming,
    make_dispatcher,
    ping,
)
from tests.roads.in_memory_requests import Executor, Requests, Schemas, World

STANDING = ("take", "commit")
"""The tasks that end only with the driver."""


class Call:
    """A call that a test lets come."""

    def __init__(self, at_ms: int, call: Callable[[], None]) -> None:
        self.at_ms = at_ms
        self.call = call
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Bench:
    """A driver in a world, whose clock stands still unless a test moves it."""

    def __init__(self, world: World, **options: Any) -> None:
        self.world = world
        self.facts: list[Fact] = []
        self.now_ms = NOW
        self.calls: list[Call] = []
        self.slept: list[float] = []
        self.requests, self.executor = Requests(world), Executor(world)
        self.schemas = Schemas(SCHEMAS.request.text)
        requests: RequestsPort = self.requests
        executor: ExecutorPort = self.executor
        schemas: WriterSchemas = self.schemas
        clock = Clock(lambda: self.now_ms, self.sleep, self.later)
        dispatcher = make_dispatcher(self.facts.append, served=(PBX,), **options)
        self.road = Execution(dispatcher, Ways(requests, {PBX: executor}, schemas), self.facts.append, clock)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    def later(self, seconds: float, call: Callable[[], None]) -> Call:
        self.calls.append(Call(self.now_ms + int(seconds * 1_000), call))
        return self.calls[-1]

    def pass_ms(self, step: int) -> None:
        self.now_ms += step
        due = [each for each in self.calls if each.at_ms <= self.now_ms]
        self.calls = [each for each in self.calls if each.at_ms > self.now_ms]
        for each in due:
            if not each.cancelled:
                each.call()

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():  # noqa: ASYNC110 (looked at on every turn of the loop)
            await asyncio.sleep(0)

    @property
    def answered(self) -> int:
        return self.world.kafka.answers.total()


def drive(scene: Callable[[Bench], Awaitable[None]], world: World, **options: Any) -> Bench:
    """Run a driver while a scene goes on, then stop it in order."""

    async def main() -> Bench:
        bench = Bench(world, **options)
        async with asyncio.timeout(10):
            road = asyncio.create_task(bench.road.run(5.0))
            await scene(bench)
            bench.road.stop()
            await road
        return bench

    return asyncio.run(main())


def world(*records: Incoming) -> World:
    made = World()
    made.ask(*records)
    return made


def test_requests_are_answered_and_the_offset_follows() -> None:
    async def scene(bench: Bench) -> None:
        await bench.until(lambda: bench.answered == 3)

    made = world(effect(0, "a"), ping(1, "b", key=b"other"), effect(2, "a"))
    bench = drive(scene, made)
    assert made.executed == {"a": 1, "read": 1}
    assert made.kafka.offsets == {PLACE: (3, "")}
    assert bench.executor.timeouts == [5.0, 5.0]
    assert [(fact.partition, fact.claims) for fact in bench.facts if isinstance(fact, ClaimsRead)] == [(0, 0)]


def test_the_wires_refusal_is_told_as_invalid() -> None:
    async def scene(bench: Bench) -> None:
        await bench.until(lambda: bench.answered == 1)

    value = b'{"action": "Spurned", "request_id": "s", "pbx": "pbx1"}'
    made = world(incoming(0, value))
    drive(scene, made)
    assert made.kafka.told[PLACE, 0]["status"] == "INVALID"


def test_an_aborted_transaction_is_tried_again_after_a_pause() -> None:
    async def scene(bench: Bench) -> None:
        bench.requests.aborts = [Aborted({}, "moved"), Aborted({0: "too large"}, "refused")]
        await bench.until(lambda: bench.answered == 1)
        assert bench.slept == [RETRY_S]
        assert [fact.reason for fact in bench.facts if isinstance(fact, TransactionAborted)] == ["moved"]

    drive(scene, world(ping(0)))


def test_who_is_fenced_tells_nobody_and_forgets_when_it_hears_of_its_loss() -> None:
    async def scene(bench: Bench) -> None:
        bench.world.kafka.epochs[PLACE] += 1
        await bench.until(lambda: any(isinstance(fact, RequestsFenced) for fact in bench.facts))
        bench.requests.lose()
        await bench.until(lambda: bench.road._dispatcher.idle)

    made = world(effect(0))
    drive(scene, made)
    assert not made.executed
    assert not made.kafka.answers


def test_an_effect_waits_while_nobody_can_tell_who_owns_the_partition() -> None:
    async def scene(bench: Bench) -> None:
        bench.requests.doubted = True
        await bench.until(lambda: len(bench.executor.timeouts) == 3)
        assert not made.executed
        assert {*bench.slept} == {RETRY_S}
        bench.requests.doubted = False
        await bench.until(lambda: bench.answered == 1)

    made = world(effect(0, "a"))
    drive(scene, made)
    assert made.executed == {"a": 1}
    assert made.kafka.told[PLACE, 0]["status"] == "SUCCESS"


def test_an_effect_in_doubt_is_never_sent_once_the_partition_is_lost() -> None:
    async def scene(bench: Bench) -> None:
        bench.requests.doubted = True
        await bench.until(lambda: bool(bench.slept))
        bench.requests.lose()
        await bench.until(lambda: bench.road._dispatcher.idle)
        bench.requests.doubted = False
        await bench.until(lambda: len(bench.road._tasks) == len(STANDING))

    made = world(effect(0, "a"))
    drive(scene, made)
    assert not made.executed
    assert not made.kafka.answers


def test_an_effect_in_doubt_ends_when_its_time_is_over() -> None:
    async def scene(bench: Bench) -> None:
        bench.requests.doubted = True
        await bench.until(lambda: bool(bench.slept))
        bench.pass_ms(TTL_MS + 1)
        await bench.until(lambda: bench.answered == 1)

    made = world(effect(0, "a"))
    drive(scene, made)
    assert not made.executed
    assert made.kafka.told[PLACE, 0]["status"] == "EXPIRED"


def test_a_read_asks_for_no_owner() -> None:
    async def scene(bench: Bench) -> None:
        bench.requests.doubted = True
        await bench.until(lambda: bench.answered == 1)

    made = world(ping(0))
    drive(scene, made)
    assert made.executed == {"read": 1}


def test_a_revoked_partition_is_released_when_its_last_answer_is_told() -> None:
    async def scene(bench: Bench) -> None:
        bench.executor.held = asyncio.Event()
        await bench.until(lambda: bool(made.executed))
        bench.requests.revoke()
        for _ in range(20):
            await asyncio.sleep(0)
        assert not bench.requests.let_go
        bench.executor.held.set()
        await bench.until(lambda: bench.requests.let_go == {PLACE})
        assert bench.answered == 1

    made = world(effect(0, "a"), effect(1, "b"))
    drive(scene, made)
    assert made.executed == {"a": 1}


def test_partitions_are_paused_and_resumed() -> None:
    async def scene(bench: Bench) -> None:
        bench.executor.held = asyncio.Event()
        await bench.until(lambda: bench.requests.paused == {PLACE})
        bench.executor.held.set()
        await bench.until(lambda: not bench.requests.paused)
        await bench.until(lambda: bench.answered == 4)

    drive(
        scene, world(*(ping(offset, f"r{offset}", key=None) for offset in range(4))), bounds=Bounds(4, 9_999)
    )


def test_what_waits_is_told_when_its_time_is_over() -> None:
    async def scene(bench: Bench) -> None:
        bench.road.link(PBX, up=False)
        await bench.until(lambda: bool(bench.calls))
        bench.pass_ms(TTL_MS)
        assert not bench.answered
        bench.pass_ms(1)
        await bench.until(lambda: bench.answered == 1)

    made = World()

    async def late(bench: Bench) -> None:
        bench.road.link(PBX, up=False)
        bench.requests.notices.put_nowait(ping(0))
        made.ask(ping(0))
        await scene(bench)

    drive(late, made)
    assert made.kafka.told[PLACE, 0]["status"] == "UNAVAILABLE"


def test_a_pbx_that_comes_back_gets_what_waited() -> None:
    async def scene(bench: Bench) -> None:
        bench.road.link(PBX, up=False)
        await bench.until(bench.requests.notices.empty)
        bench.road.link(PBX, up=True)
        await bench.until(lambda: bench.answered == 1)

    made = world(effect(0, "a"))
    drive(scene, made)
    assert made.executed == {"a": 1}


def test_schemas_are_asked_for_once_and_again_while_the_registry_is_away() -> None:
    place = Place(AVRO.requests, 0)
    values = {"action": "Ping", "request_id": "a", "pbx": PBX, "headers": [], "variables": []}
    empty: dict[str, Any] = dict.fromkeys(("expires_at", "timeout_ms", "reply_to"))
    body = SCHEMAS.request.encode({**values, **empty, "accept_parts": False})
    records = [
        Incoming(place, at, NOW, None, b"\0\0\0\0" + bytes([number]) + body)
        for at, number in enumerate((7, 7, 8))
    ]

    async def scene(bench: Bench) -> None:
        bench.schemas.away = 2
        bench.world.kafka.epochs[place] = bench.requests.epochs[place] = 1
        bench.world.kafka.claims[place] = []
        bench.road._dispatcher.assigned(place)
        for record in records:
            bench.requests.notices.put_nowait(record)
        await bench.until(lambda: bench.answered == 2)
        await bench.until(lambda: bench.world.kafka.letters.total() == 1)
        assert sorted(bench.schemas.asked) == [7, 7, 8, 8]
        assert sum(isinstance(fact, RegistryTrouble) for fact in bench.facts) == 2

    drive(scene, World())


def test_claims_by_unknown_schemas_wait_for_the_registry_and_long_ones_are_read_in_portions() -> None:
    async def scene(bench: Bench) -> None:
        await bench.until(lambda: bool(bench.schemas.asked))
        await bench.until(lambda: any(isinstance(fact, ClaimsRead) for fact in bench.facts))
        assert bench.schemas.asked == [9]

    made = World()
    place = Place("claims", 0)
    made.kafka.claims[PLACE] = [Incoming(place, at, NOW, None, b"\0\0\0\0\x09?") for at in range(600)]
    bench = drive(scene, made)
    assert [fact.claims for fact in bench.facts if isinstance(fact, ClaimsRead)] == [600]


def test_at_the_end_what_was_begun_is_told_and_nothing_else_is_begun() -> None:
    async def scene(bench: Bench) -> None:
        bench.executor.held = asyncio.Event()
        await bench.until(lambda: bool(made.executed))
        bench.road.stop()
        for _ in range(20):
            await asyncio.sleep(0)
        bench.executor.held.set()

    made = world(effect(0, "a"), effect(1, "b"))
    drive(scene, made)
    assert made.executed == {"a": 1}
    assert made.kafka.answers == {(PLACE, 0): 1}


def test_at_the_end_of_the_grace_what_is_not_answered_stays_claimed() -> None:
    async def scene(bench: Bench) -> None:
        bench.executor.held = asyncio.Event()
        await bench.until(lambda: bool(made.executed))
        bench.road.stop()
        await bench.until(lambda: bool(bench.calls))
        bench.pass_ms(5_000)

    made = world(effect(0, "a"))
    drive(scene, made)
    assert not made.kafka.answers

    async def successor(bench: Bench) -> None:
        await bench.until(lambda: bench.answered == 1)

    drive(successor, made)
    assert made.kafka.told[PLACE, 0]["status"] == "UNKNOWN"
    assert made.executed == {"a": 1}


def test_when_kafka_is_gone_for_good_the_road_ends_with_its_error() -> None:
    async def main() -> None:
        bench = Bench(World())
        bench.requests.failure = BrokerError("no group any more")
        with pytest.raises(BrokerError, match="no group any more"):
            await bench.road.run(5.0)
        bench.road.link(PBX, up=True)

    asyncio.run(main())


def test_wherever_it_is_cancelled_nothing_is_done_twice_and_everything_is_answered() -> None:
    """A driver is cancelled at its n-th wait, for every n; the next one does the rest."""
    records = [
        effect(0, "a"),
        ping(1, "r", key=b"other"),
        effect(2, "a"),
        incoming(3, b"nonsense", None),
        effect(4, "b", key=b"other"),
        effect(5, "c", reply_to="bad.place"),
    ]

    def final(made: World) -> int:
        return made.kafka.answers.total() + made.kafka.letters.total()

    async def first(made: World, at: int) -> bool:
        """Say whether it came to the end."""
        bench = Bench(made)
        async with asyncio.timeout(10):
            road = asyncio.create_task(bench.road.run(5.0))
            made.steps.at, made.steps.count = at, 0
            made.steps.act = road.cancel
            await bench.until(lambda: road.done() or final(made) == len(records))
            whole = not road.done()
            bench.road.stop()
            await asyncio.gather(road, return_exceptions=True)
            return whole

    async def second(bench: Bench) -> None:
        await bench.until(lambda: final(bench.world) == len(records))

    at, whole = 0, False
    while not whole:
        at += 1
        made = world(*records)
        whole = asyncio.run(first(made, at))
        drive(second, made)
        assert {name: count for name, count in made.executed.items() if name != "read"}.items() <= {
            "a": 1,
            "b": 1,
            "c": 1,
        }.items(), f"cancelled at {at}"
        assert [*made.kafka.answers.values()] == [1] * 5, f"cancelled at {at}"
        assert [*made.kafka.letters.values()] == [1]
        assert made.kafka.offsets[PLACE] == (6, "")
        unknown = [each for each in made.kafka.told.values() if each["status"] == "UNKNOWN"]
        assert all(each["request_id"] in {"a", "b", "c"} for each in unknown)
    assert at > 15, "the scene has not as many waits as it should"
