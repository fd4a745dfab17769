"""The journal on disk: what is read is written before it goes to Kafka, and outlives the process.

    append --> tail (memory) --written in groups, in a thread--> segments
                 |                                                  |
    read <-------+--- what the tail does not hold any more <--------+
    kept <--- what is written

The newest entries stay in memory too, as long as there is room. When Kafka is away and they are many,
they are let go there and read back from the disk later: memory stays flat.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

from connector.edges.journal.cursor import Found
from connector.edges.journal.store import Group, Store, Worth
from connector.edges.journal.tail import Chunk, Tail
from connector.errors import JournalError
from connector.events.entry import Entry
from connector.events.gaps.losses import GivenUp, let_go
from connector.events.watching.heartbeat import Depth
from connector.facts import EventsLost, JournalFailed, JournalRestored, Report

Answer = TypeVar("Answer")

RETRY_S: Final = 5.0
"""Seconds until a disk that has failed is tried again."""

_REMEMBER_S: Final = 1.0
_REMEMBER_SHARE: Final = 50
"""So many times longer than it took to be told is the wait until a memory is asked for again, and no less than a second."""

_MARK_S: Final = 0.1
"""Seconds after which a release is noted on disk at the latest: what a crash delivers again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How the journal is kept.

    `memory_bytes` of it are in memory at most. What is written outlives a loss of power after
    `sync_s` seconds. `worth` says what goes first where the folder is full. Without `survives` a disk
    that fails ends the journal; with it the journal goes on in memory until the disk is back.
    """

    memory_bytes: int
    sync_s: float
    worth: Worth
    survives: bool


class _Work(NamedTuple):
    """What the thread is to do in one go."""

    chunks: Sequence[Chunk]
    groups: Sequence[Group]
    written: int
    released: int
    read: int
    in_memory: int
    sync: bool
    memory: bytes | None


class _Done(NamedTuple):
    """The last position that is written, what was given up, and what kept the thread from doing all."""

    written: int
    losses: Sequence[GivenUp]
    error: OSError | None


class DiskJournal:
    """One PBX's journal; `run` must be under way.

    Args:
        pbx: whose it is.
        store: its folder, which it closes.
        policy: how it is kept.
        report: told when the disk fails, and when it works again.
    """

    def __init__(self, pbx: str, store: Store, policy: Policy, report: Report) -> None:
        self._pbx = pbx
        self._store = store
        self._policy = policy
        self._report = report
        self._recovered = self._written = store.opened.last
        self._released = self._marked = store.released
        self._read = self._released
        self._tail = Tail(policy.memory_bytes, store.opened.last)
        self._losses: list[GivenUp] = []
        self._oldest: Entry | None = None
        self._failing = False
        self._memory: Callable[[], bytes] | None = None
        self._trouble: Callable[[str | None], None] = lambda _: None
        self._remembered = store.opened.last
        self._remember_at = 0.0
        self._synced_at = time.monotonic()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._due = asyncio.Event()
        self._arrived = asyncio.Event()
        self._settled = asyncio.Event()
        self._emptied = asyncio.Event()

    def remember(self, memory: Callable[[], bytes]) -> None:
        """Keep what `memory` gives beside the entries, about once a second, as of all that was appended."""
        self._memory = memory

    def watch(self, trouble: Callable[[str | None], None]) -> None:
        """Call `trouble` with the reason when the disk fails, and with None when it works again."""
        self._trouble = trouble

    def append(self, entries: Sequence[Entry]) -> Sequence[GivenUp]:
        """Take entries without waiting; say what was lost since the last time."""
        if entries:
            self._tail.append(entries)
            self._due.set()
            self._arrived.set()
            self._make_room()
        losses, self._losses = self._losses, []
        return losses

    async def read(self, after: int, limit: int) -> tuple[int, Sequence[Entry]]:
        """Return up to `limit` entries behind position `after`, and the last one's position.

        Waits until there is one. The newest may not be on disk yet: see `kept`.
        """
        after = max(after, self._released)
        while True:
            if after + 1 < self._tail.first:
                found = await self._read_back(after, limit)
                self._losses += found.losses
                if after == self._released and found.entries:
                    self._oldest = found.entries[0]
                after = self._read = found.position
                if found.entries:
                    return after, found.entries
                continue
            position, entries = self._tail.take(after, limit)
            if entries:
                self._read = position
                return position, entries
            self._arrived.clear()
            await self._arrived.wait()

    async def kept(self, through: int) -> None:
        """Wait until everything up to and including position `through` is on disk, or the disk has failed."""
        while self._written < through and not self._failing:
            self._settled.clear()
            await self._settled.wait()

    def release(self, through: int) -> None:
        """Let go of everything up to and including position `through`."""
        self._released = max(self._released, through)
        self._tail.release(through)
        self._emptied.set()

    @property
    def depth(self) -> Depth:
        """What waits for Kafka; the oldest is known once it is read."""
        waits = len(self)
        oldest = self._tail.oldest if self._tail.first == self._released + 1 else self._oldest
        return Depth(
            waits, self._store.size if waits else 0, oldest.received_us if waits and oldest else None
        )

    def __len__(self) -> int:
        """How many entries are held at most: some of them may have been given up."""
        return self._tail.last - self._released

    async def down_to(self, entries: int) -> None:
        """Wait until no more than so many entries are held."""
        while len(self) > entries:
            self._emptied.clear()
            await self._emptied.wait()

    async def run(self) -> None:
        """Write until cancelled.

        Raises:
            JournalError: the disk has failed, and the journal is not to go on without it.
        """
        while True:
            await self._something_due()
            try:
                await self._work()
            except OSError as error:
                self._fail(error)
                await asyncio.sleep(RETRY_S)

    async def close(self) -> int:
        """Write what is left, and give back the folder; `run` has ended. Return how many entries stay there, at most."""
        try:
            await self._work(sync=True)
        except OSError as error:
            self._report(JournalFailed(self._pbx, _reason(error), None))
            if unwritten := [each for chunk in self._tail.behind(self._written) for each in chunk.entries]:
                first, last = unwritten[0].sequence, unwritten[-1].sequence
                why = "the journal's disk has failed"
                self._report(EventsLost(self._pbx, first, last, len(unwritten), why))
        finally:
            await self._in_thread(self._store.close)
            self._thread.shutdown()
        return max(self._written - self._released, 0)

    async def _read_back(self, after: int, limit: int) -> Found:
        recovered = after < self._recovered
        below = min(self._tail.first, self._recovered + 1) if recovered else self._tail.first
        while True:
            try:
                found = await self._in_thread(lambda: self._store.read(after, limit, below))
            except OSError as error:
                self._fail(error)
                await asyncio.sleep(RETRY_S)
            else:
                if recovered:
                    found.entries[:] = [entry._replace(recovered=True) for entry in found.entries]
                return found

    async def _something_due(self) -> None:
        unsettled = self._marked < self._released or not self._store.is_synced
        try:
            async with asyncio.timeout(_MARK_S if unsettled else None):
                await self._due.wait()
        except TimeoutError:
            pass

    async def _work(self, *, sync: bool = False) -> None:
        self._due.clear()
        now = time.monotonic()
        sync = sync or now - self._synced_at >= self._policy.sync_s
        chunks = [*self._tail.behind(self._written)]
        memory = self._memory_due(now, late=sync)
        # Packed here, while the processor has the entries in its caches: the thread would take them to another's.
        groups = [self._store.pack(*each) for each in _joined(chunks)]
        written, released = self._written, self._released
        work = _Work(chunks, groups, written, released, self._read, self._tail.first, sync, memory)
        done = await self._in_thread(lambda: self._do(work))
        self._written = done.written
        self._losses += done.losses
        if done.error is not None:
            raise done.error
        self._marked = work.released
        if sync:
            self._synced_at = now
        if self._failing:
            self._failing = False
            self._report(JournalRestored(self._pbx))
            self._trouble(None)
        self._make_room()
        self._settled.set()

    def _memory_due(self, now: float, *, late: bool) -> bytes | None:
        """Return what is to be remembered, at intervals that make it a small part of the work."""
        if (
            self._memory is None
            or self._remembered == self._tail.last
            or not (late or now >= self._remember_at)
        ):
            return None
        self._remembered = self._tail.last
        memory = self._memory()
        self._remember_at = now + max(_REMEMBER_S, _REMEMBER_SHARE * (time.monotonic() - now))
        return memory

    def _do(self, work: _Work) -> _Done:
        """Do it, in the thread."""
        store, failed = self._store, None
        losses: list[GivenUp] = []
        try:
            if work.released > store.released:
                store.release(work.released)
            for group in self._unwritten(work):
                store.write(group)
            if work.memory is not None:
                store.remember(work.memory)
            if work.sync:
                store.sync()
            losses.extend(store.purge(work.read, work.in_memory, self._policy.worth))
        except OSError as error:
            failed = error
        return _Done(store.written, losses, failed)

    def _unwritten(self, work: _Work) -> Sequence[Group]:
        """Return what is to be written: some may be, by a call whose end nobody has waited for."""
        written = self._store.written
        if written <= work.written:
            return work.groups
        return [
            self._store.pack(*each)
            for each in _joined([each for each in work.chunks if each.first > written])
        ]

    def _make_room(self) -> None:
        if not self._tail.is_full:
            return
        self._tail.forget(self._written)
        if self._failing and self._tail.is_full:
            self._losses += let_go(self._tail.give_up())

    def _fail(self, error: OSError) -> None:
        """Take that the disk has failed.

        Raises:
            JournalError: the journal is not to go on without it.
        """
        if not self._policy.survives:
            raise JournalError(f"{self._pbx}: the journal cannot be written: {_reason(error)}") from error
        begun, self._failing = not self._failing, True
        self._report(JournalFailed(self._pbx, _reason(error), RETRY_S))
        if begun:
            self._trouble(_reason(error))
        self._make_room()
        self._settled.set()

    async def _in_thread(self, call: Callable[[], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)


def _joined(chunks: Sequence[Chunk]) -> Sequence[tuple[int, Sequence[Entry]]]:
    """Return what is to be written in one go each: chunks between which nothing was given up, as one."""
    groups: list[tuple[int, list[Entry]]] = []
    due = 0
    for chunk in chunks:
        if chunk.first == due and groups:
            groups[-1][1].extend(chunk.entries)
        else:
            groups.append((chunk.first, [*chunk.entries]))
        due = chunk.last + 1
    return groups


def _reason(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"
