"""The journal in memory: order, going back, release, and what is given up at the limit."""

import asyncio
from collections.abc import Sequence

from hypothesis import settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from connector.edges.journal.memory import MemoryJournal
from connector.events.entry import Entry, Origin, Source
from connector.events.gaps.losses import FULL

SOURCE = Source("main", 1)
LARGE = 1 << 40


def entry(sequence: int, size: int = 100) -> Entry:
    return Entry(SOURCE, sequence, 0, Origin.AMI, None, b"x" * size)


def entries(first: int, last: int) -> list[Entry]:
    return [entry(sequence) for sequence in range(first, last + 1)]


def sequences(found: Sequence[Entry]) -> list[int]:
    return [each.sequence for each in found]


def test_what_is_appended_is_read_in_order_and_in_portions() -> None:
    async def scenario() -> None:
        journal = MemoryJournal(LARGE)
        journal.append(entries(1, 3))
        journal.append(entries(4, 10))
        position, found = await journal.read(0, 4)
        assert (position, sequences(found)) == (4, [1, 2, 3, 4])
        position, found = await journal.read(position, 100)
        assert (position, sequences(found)) == (10, [5, 6, 7, 8, 9, 10])

    asyncio.run(scenario())


def test_reading_waits_for_the_next() -> None:
    async def scenario() -> None:
        journal = MemoryJournal(LARGE)
        reading = asyncio.create_task(journal.read(0, 5))
        await asyncio.sleep(0)
        assert not reading.done()
        journal.append(())
        await asyncio.sleep(0)
        assert not reading.done()
        journal.append(entries(1, 1))
        assert await reading == (1, entries(1, 1))

    asyncio.run(scenario())


def test_reading_goes_back_to_what_was_not_released() -> None:
    async def scenario() -> None:
        journal = MemoryJournal(LARGE)
        journal.append(entries(1, 10))
        await journal.read(0, 6)
        await journal.read(6, 4)
        journal.release(3)
        assert len(journal) == 7
        position, found = await journal.read(3, 100)
        assert (position, sequences(found)) == (10, [4, 5, 6, 7, 8, 9, 10])

    asyncio.run(scenario())


def test_at_the_limit_the_oldest_unread_go() -> None:
    async def scenario() -> None:
        journal = MemoryJournal(5_000)
        assert journal.append(entries(1, 4)) == ()
        position, _ = await journal.read(0, 2)
        assert journal.append(entries(5, 8)) == ()
        (lost,) = journal.append(entries(9, 12))
        assert (lost.reason, lost.first, lost.last, lost.events) == (FULL, 3, 4, 2)
        position, found = await journal.read(position, 100)
        assert (position, sequences(found)) == (12, [5, 6, 7, 8, 9, 10, 11, 12])
        journal.release(position)
        assert len(journal) == 0

    asyncio.run(scenario())


def test_what_is_on_its_way_is_not_given_up() -> None:
    async def scenario() -> None:
        journal = MemoryJournal(1_000)
        journal.append(entries(1, 1))
        await journal.read(0, 10)
        (lost,) = journal.append(entries(2, 4))
        assert (lost.first, lost.last, lost.events) == (2, 4, 3)
        assert len(journal) == 1

    asyncio.run(scenario())


class Journals(RuleBasedStateMachine):
    """Any order of appending, reading, going back and releasing against a plain list."""

    def __init__(self) -> None:
        super().__init__()
        self.journal = MemoryJournal(20_000)
        self.held: dict[int, Entry] = {}
        self.appended = self.position = self.read_up_to = self.released = 0

    @rule(count=some.integers(1, 12), size=some.integers(0, 900))
    def append(self, count: int, size: int) -> None:
        new = [entry(self.appended + nth, size) for nth in range(1, count + 1)]
        self.appended += count
        self.held |= {each.sequence: each for each in new}
        losses = self.journal.append(new)
        unread = [sequence for sequence in self.held if sequence > self.read_up_to]
        given_up = unread[: sum(loss.events or 0 for loss in losses)]
        assert [(loss.first, loss.last) for loss in losses] == (
            [(given_up[0], given_up[-1])] if given_up else []
        )
        for sequence in given_up:
            del self.held[sequence]

    @rule(limit=some.integers(1, 20))
    def read(self, limit: int) -> None:
        expected = [sequence for sequence in self.held if sequence > self.position][:limit]
        if expected:
            position, found = asyncio.run(self.journal.read(self.position, limit))
            assert sequences(found) == expected
            assert position == expected[-1]
            self.position = self.read_up_to = position

    @rule()
    def go_back(self) -> None:
        self.position = self.released

    @rule(part=some.floats(0, 1))
    def release(self, part: float) -> None:
        self.released += int((self.position - self.released) * part)
        self.journal.release(self.released)
        for sequence in [each for each in self.held if each <= self.released]:
            del self.held[sequence]

    @invariant()
    def counts(self) -> None:
        assert len(self.journal) == len(self.held)


TestJournals = Journals.TestCase
TestJournals.settings = settings(max_examples=settings().max_examples // 2, stateful_step_count=30)
