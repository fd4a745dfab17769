"""A session held before its link: what is read is handed over with it, once, and a session that is lost is forgotten."""

import asyncio
from collections.abc import Callable

import pytest

from connector.ami.steps import Start, Welcome
from connector.errors import LinkLost, LoginRefused
from connector.events.gaps.joining import Joint
from connector.events.gaps.predecessor import Held, Read
from connector.events.lists import BRIDGES, CHANNELS
from connector.facts import Fact, LinkDown, LoginWasRefused
from connector.roads.holding import Hold
from connector.roads.link import Clock, Link
from tests.events.frames import event, intake
from tests.roads.in_memory import WELCOME, Books, Pbx, Visit

FRAMES = [event("UserEvent", f"Number: {number}") for number in range(9)]
Ups = list[tuple[Welcome, str, int]]
LISTS = (CHANNELS, BRIDGES)
Reads = list[tuple[list[bytes], int]]


class Scene:
    """A hold with everything around it in the test's hands."""

    def __init__(self, *turns: Visit | Exception, max_bytes: int = 10_000) -> None:
        self.facts: list[Fact] = []
        self.delays: list[float] = []
        self.pbx = Pbx(lambda: 5, *turns)
        clock = Clock(chance=lambda: 1.0, now_us=lambda: 5, sleep=self.sleep)
        self.hold = Hold(self.pbx, max_bytes, self.facts.append, clock)
        self.clock = clock

    async def sleep(self, delay: float) -> None:
        self.delays.append(delay)
        await asyncio.sleep(0)

    async def begin(self, until: Callable[[], bool] | None = None) -> "asyncio.Task[None]":
        task = self.hold.begin()
        async with asyncio.timeout(5):
            while not (until or (lambda: self.hold.is_up))():  # noqa: ASYNC110 (looked at on every turn of the loop)
                await asyncio.sleep(0)
        return task

    async def handed_over(self) -> tuple[Ups, Reads]:
        ups: Ups = []
        reads: Reads = []
        await self.hold.login(lambda *up: ups.append(up), lambda *read: reads.append(read))
        return ups, reads


def run(scene: Callable[[], object]) -> None:
    asyncio.run(scene())  # type: ignore[arg-type]


def all_of(held: Held, up_us: int = 9) -> Joint:
    return Joint([*held.reads], up_us)


def test_what_is_read_before_and_after_the_joint_is_handed_over_with_the_session() -> None:
    async def scene() -> None:
        visit = Visit(*FRAMES[:3])
        bench = Scene(visit)
        await bench.begin()
        seen: list[Held] = []

        def joined(held: Held) -> Joint:
            seen.append(held)
            return Joint([Read(FRAMES[1:3], 7)], 9)

        assert bench.hold.join(joined) is not None
        (held,) = seen
        assert (held.source.pbx, held.source.system_name, held.address, held.since_us, held.whole) == (
            "pbx1", "sys", "two:5038", 5, True,
        )  # fmt: skip
        bench.hold._read(FRAMES[3:4], 8)
        reads: Reads = []
        connection = await bench.hold.login(lambda *_: None, lambda *read: reads.append(read))
        assert connection is visit
        bench.hold._read(FRAMES[4:5], 9)
        assert reads == [(FRAMES[1:3], 7), (FRAMES[3:4], 8), (FRAMES[4:5], 9)]
        await bench.hold.close()
        assert not visit.closed
        assert not visit.left.is_set()

    run(scene)


def test_an_uptime_is_as_of_the_hand_over() -> None:
    async def scene() -> None:
        bench = Scene(Visit())
        await bench.begin()
        bench.hold._welcomed(WELCOME._replace(start=Start(None, 100)), "two:5038", 5)
        bench.hold.join(lambda held: all_of(held, 30_000_005))
        ((welcome, address, at_us),), _ = await bench.handed_over()
        assert (welcome.start.uptime_s, address, at_us) == (130, "two:5038", 30_000_005)

    run(scene)


def test_beyond_the_bound_the_oldest_goes_and_that_is_known() -> None:
    async def scene() -> None:
        bench = Scene(Visit(), max_bytes=3 * (len(FRAMES[0]) + 100))
        await bench.begin()
        for number, frame in enumerate(FRAMES):
            bench.hold._read([frame], number)
        seen: list[Held] = []

        def joined(held: Held) -> Joint:
            seen.append(held)
            return all_of(held)

        bench.hold.join(joined)
        assert (seen[0].whole, seen[0].since_us) == (False, 6)
        _, reads = await bench.handed_over()
        assert reads == [([frame], number) for number, frame in enumerate(FRAMES)][6:]

    run(scene)


def test_a_lost_session_is_forgotten_and_made_again() -> None:
    async def scene() -> None:
        lost, kept = Visit(FRAMES[0], end="lost"), Visit(FRAMES[1])
        bench = Scene(LinkLost("no way in"), LoginRefused("no"), lost, kept)
        await bench.begin(lambda: bench.pbx.tries == 4 and bench.hold.is_up)
        assert lost.closed
        downs = [fact.reason for fact in bench.facts if isinstance(fact, LinkDown)]
        assert downs == ["no way in", "lost"]
        assert sum(isinstance(fact, LoginWasRefused) for fact in bench.facts) == 1
        assert bench.delays == [0.5, 150, 0.5]
        bench.hold.join(all_of)
        _, reads = await bench.handed_over()
        assert reads == [([FRAMES[1]], 7)]

    run(scene)


def test_without_a_session_there_is_nothing_to_join_and_the_link_logs_in_itself() -> None:
    async def scene() -> None:
        visit = Visit(FRAMES[0])
        bench = Scene(LinkLost("no way in"))
        await bench.begin(lambda: bench.pbx.tries == 2)
        assert bench.hold.join(all_of) is None
        bench.pbx.turns.append(visit)
        ups, reads = await bench.handed_over()
        assert ups == [(WELCOME, "two:5038", 5)]
        assert reads == [([FRAMES[0]], 7)]

    run(scene)


def test_it_logs_off_where_nobody_takes_the_session() -> None:
    async def scene() -> None:
        visit = Visit()
        bench = Scene(visit)
        await bench.begin()
        await bench.hold.close()
        assert visit.left.is_set()
        assert visit.closed

    run(scene)


def test_what_is_no_trouble_of_the_link_is_seen() -> None:
    async def scene() -> None:
        bench = Scene(Visit(end=ZeroDivisionError()))
        with pytest.raises(ZeroDivisionError):
            await bench.hold.begin()

    run(scene)


def test_a_joined_session_is_asked_for_no_lists_and_the_next_one_is() -> None:
    async def scene() -> None:
        visits = [Visit(end=None), Visit()]
        bench = Scene(*visits)
        await bench.begin()
        bench.hold.join(all_of)
        books, made = Books(), intake()
        link = Link(
            bench.hold, made, books, 1, bench.facts.append,
            clock=bench.clock, lists=LISTS, joined=True,
        )  # fmt: skip
        task = asyncio.create_task(link.run())
        async with asyncio.timeout(5):
            while "session_up" not in books.kinds:  # noqa: ASYNC110 (looked at on every turn of the loop)
                await asyncio.sleep(0)
            for _ in range(9):
                await asyncio.sleep(0)
            assert visits[0].asked == []
            visits[0].left.set()
            while not visits[1].asked:  # noqa: ASYNC110 (looked at on every turn of the loop)
                await asyncio.sleep(0)
            link.stop()
            await task
        assert "gap" in books.kinds

    run(scene)
