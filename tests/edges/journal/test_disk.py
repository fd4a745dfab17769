"""The journal on disk as the road uses it: written before it is read, little memory, and what happens where the disk fails."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from connector.edges.journal import disk
from connector.edges.journal.disk import DiskJournal, Policy
from connector.edges.journal.store import Bounds
from connector.errors import JournalError
from connector.events.entry import Entry
from connector.events.gaps.losses import FULL, GivenUp
from connector.facts import EventsLost, Fact, JournalFailed, JournalRestored
from tests.edges.journal.given import PBX, SMALL, entries, entry, everything, opened, sequences
from tests.edges.journal.test_store import RANKS, folder

ROOMY = 1 << 30


class Bench:
    """A journal that runs, and what was reported."""

    def __init__(self, path: Path, memory: int, bounds: Bounds, *, survives: bool) -> None:
        self.facts: list[Fact] = []
        policy = Policy(memory_bytes=memory, sync_s=0.0, worth=RANKS, survives=survives)
        self.journal = DiskJournal(PBX, opened(path, bounds), policy, self.facts.append)
        self.writing = asyncio.create_task(self.journal.run())
        self.losses: list[GivenUp] = []
        self.position = 0

    def append(self, new: Sequence[Entry]) -> None:
        self.losses += self.journal.append(new)

    async def read(self, limit: int = 1_000) -> list[Entry]:
        self.position, found = await self.journal.read(self.position, limit)
        return [*found]

    async def read_all(self, count: int) -> list[Entry]:
        found: list[Entry] = []
        while len(found) < count:
            found += await self.read(7)
        return found

    async def written(self) -> None:
        """Wait until all is on disk."""
        while self.journal._written < self.journal._tail.last:  # noqa: ASYNC110 (looked at on every turn)
            await asyncio.sleep(0)


@asynccontextmanager
async def bench(
    path: Path, memory: int = ROOMY, bounds: Bounds = SMALL, *, survives: bool = True
) -> AsyncIterator[Bench]:
    made = Bench(path, memory, bounds, survives=survives)
    async with asyncio.timeout(20):
        try:
            yield made
        finally:
            made.writing.cancel()
            await asyncio.gather(made.writing, return_exceptions=True)
            await made.journal.close()


def drive(
    path: Path, scene: Callable[[Bench], Awaitable[None]], memory: int = ROOMY, bounds: Bounds = SMALL
) -> None:
    async def main() -> None:
        async with bench(path, memory, bounds) as made:
            await scene(made)

    asyncio.run(main())


def files(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.glob("*.journal"))


def test_what_is_kept_is_on_disk(tmp_path: Path) -> None:
    async def scene(made: Bench) -> None:
        made.append(entries(1, 5))
        found = await made.read()
        assert sequences(found) == [1, 2, 3, 4, 5]
        await made.journal.kept(made.position)
        assert all(each.frame in files(tmp_path) for each in found)

    drive(tmp_path, scene)


def test_what_is_not_released_comes_again_after_a_restart_marked_and_first(tmp_path: Path) -> None:
    async def first(made: Bench) -> None:
        made.append(entries(1, 9))
        await made.read()
        made.journal.release(4)
        assert len(made.journal) == 5

    async def second(made: Bench) -> None:
        made.append(entries(1, 2, epoch=2))
        found = await made.read_all(7)
        assert sequences(found) == [5, 6, 7, 8, 9, 1, 2]
        assert [each.recovered for each in found] == [True] * 5 + [False] * 2
        made.journal.release(made.position)
        await made.journal.down_to(0)

    async def third(made: Bench) -> None:
        assert len(made.journal) == 0

    for scene in (first, second, third):
        drive(tmp_path, scene)


def test_with_little_memory_what_waits_is_read_back(tmp_path: Path) -> None:
    async def scene(made: Bench) -> None:
        for first in range(1, 400, 3):
            made.append(entries(first, first + 2))
            await made.written()
        assert len(made.journal._tail) < 12
        found = await made.read_all(399)
        assert sequences(found) == [*range(1, 400)]
        assert not any(each.recovered for each in found)
        made.append(entries(400, 401))
        assert sequences(await made.read_all(2)) == [400, 401]
        assert not made.losses

    drive(tmp_path, scene, memory=4_000)


def test_what_is_to_be_remembered_is_as_of_what_was_appended(tmp_path: Path) -> None:
    async def scene(made: Bench) -> None:
        made.journal.remember(lambda: b"%d" % made.journal._tail.last)
        made.append(entries(1, 5))
        await made.written()

    drive(tmp_path, scene)
    store = opened(tmp_path)
    assert store.opened.memory == b"5"
    store.close()


class Course:
    """Any order of appending, reading, going back, releasing and restarting, against a plain list."""

    def __init__(self, path: Path, memory: int) -> None:
        self.path, self.memory = path, memory
        self.all: list[Entry] = []
        self.released = 0
        self.epoch = 0

    async def life(self, steps: Sequence[tuple[str, int]]) -> None:
        """See one process through."""
        self.epoch += 1
        sequence = 0
        async with bench(self.path, self.memory) as made:
            made.position = self.released
            for step, count in steps:
                match step:
                    case "append":
                        new = entries(sequence + 1, sequence + count, self.epoch)
                        sequence += count
                        self.all += new
                        made.append(new)
                    case "read" if made.position < len(self.all):
                        before = made.position
                        found = await made.read(count)
                        assert [each.event_id for each in found] == [
                            each.event_id for each in self.all[before : made.position]
                        ]
                        assert 0 < len(found) <= count
                    case "back":
                        made.position = self.released
                    case "release":
                        self.released += (made.position - self.released) * count // 20
                        made.journal.release(self.released)
                assert len(made.journal) == len(self.all) - self.released
            assert not made.losses


STEPS = some.tuples(
    some.sampled_from(("append", "append", "read", "read", "back", "release")), some.integers(1, 20)
)


@given(
    lives=some.lists(some.lists(STEPS, max_size=15), min_size=1, max_size=3), memory=some.integers(1, 20_000)
)
@settings(max_examples=settings().max_examples * 2)
def test_whatever_the_order_nothing_is_lost_or_changed(
    lives: list[list[tuple[str, int]]], memory: int
) -> None:
    with folder() as path:
        course = Course(path, memory)
        for steps in lives:
            asyncio.run(course.life(steps))
        store = opened(path)
        found, losses = everything(store)
        store.close()
    assert [each.event_id for each in found] == [each.event_id for each in course.all[course.released :]]
    assert not losses


def test_a_full_folder_gives_up_and_says_so(tmp_path: Path) -> None:
    async def scene(made: Bench) -> None:
        for first in range(1, 2_000, 10):
            made.append(entries(first, first + 9))
            await made.written()
        made.append(entries(2_001, 2_001))
        assert {(loss.reason, loss.event) for loss in made.losses} == {(FULL, "Hangup")}
        lost = sum(loss.events or 0 for loss in made.losses)
        assert len(files(tmp_path)) < 60_000
        found = await made.read_all(2_001 - lost)
        gone = {number for loss in made.losses for number in range(loss.first, (loss.last or 0) + 1)}
        assert sequences(found) == [number for number in range(1, 2_002) if number not in gone]

    drive(tmp_path, scene, memory=3_000, bounds=Bounds(30_000, 1_000))


class Disk:
    """Writing that fails for as long as a test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        whole = os.pwrite

        def pwrite(file: int, data: bytes, offset: int) -> int:
            if self.full:
                raise OSError(28, "No space left on device")
            return whole(file, data, offset)

        monkeypatch.setattr(os, "pwrite", pwrite)
        monkeypatch.setattr(disk, "RETRY_S", 0.0)


def test_without_a_disk_the_road_goes_on_in_memory_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Disk(monkeypatch)

    async def scene(made: Bench) -> None:
        troubles: list[str | None] = []
        made.journal.watch(troubles.append)
        made.append(entries(1, 3))
        await made.read_all(3)
        broken.full = True
        made.append(entries(4, 6))
        assert sequences(await made.read_all(3)) == [4, 5, 6]
        await made.journal.kept(made.position)
        assert isinstance(made.facts[0], JournalFailed)
        assert "No space left on device" in made.facts[0].reason
        made.journal.release(5)
        broken.full = False
        await made.written()
        while not any(isinstance(fact, JournalRestored) for fact in made.facts):  # noqa: ASYNC110 (likewise)
            await asyncio.sleep(0)
        assert troubles == ["No space left on device", None]

    drive(tmp_path, scene)
    store = opened(tmp_path)
    assert sequences(everything(store)[0]) == [6]
    store.close()


def test_without_a_disk_memory_is_bounded_and_what_goes_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Disk(monkeypatch)

    async def scene(made: Bench) -> None:
        broken.full = True
        for first in range(1, 200, 3):
            made.append(entries(first, first + 2))
            await asyncio.sleep(0)
        while not made.journal._failing:  # noqa: ASYNC110 (likewise)
            await asyncio.sleep(0)
        made.append([entry(202)])
        made.append([])
        gone = {number for loss in made.losses for number in range(loss.first, (loss.last or 0) + 1)}
        assert gone
        found = await made.read_all(202 - len(gone) - 1)
        assert not gone & {*sequences(found)}
        broken.full = False

    drive(tmp_path, scene, memory=8_000)


def test_what_a_failing_disk_does_not_take_at_the_end_is_told_as_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Disk(monkeypatch)

    async def main() -> None:
        made = Bench(tmp_path, ROOMY, SMALL, survives=True)
        made.append(entries(1, 3))
        await made.written()
        broken.full = True
        made.append(entries(4, 6))
        made.writing.cancel()
        await asyncio.gather(made.writing, return_exceptions=True)
        assert await made.journal.close() == 3
        (lost,) = (fact for fact in made.facts if isinstance(fact, EventsLost))
        assert (lost.first, lost.last, lost.count) == (4, 6, 3)

    asyncio.run(main())


def test_where_the_journal_must_be_kept_a_disk_that_fails_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Disk(monkeypatch)

    async def main() -> None:
        async with bench(tmp_path, survives=False) as made:
            broken.full = True
            made.append(entries(1, 3))
            with pytest.raises(JournalError, match="No space left on device"):
                await made.writing
            broken.full = False

    asyncio.run(main())
