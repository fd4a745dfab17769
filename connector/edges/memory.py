"""The journal in memory: what is read and not yet in Kafka, bounded, gone with the process."""

import asyncio
from collections import deque
from collections.abc import Sequence
from itertools import chain
from operator import itemgetter
from typing import Final, NamedTuple

from connector.events.entry import Entry
from connector.events.outcome import GivenUp

_ENTRY_BYTES: Final = 400
"""An entry without its frame: the tuple, its numbers and texts."""

_PARSED: Final = 4
"""A frame and its lines take about this many times the frame alone."""


_FRAME: Final = itemgetter(Entry._fields.index("frame"))


class _Chunk(NamedTuple):
    """Entries at consecutive positions, of which `last` is the last one's."""

    last: int
    entries: Sequence[Entry]
    size: int


def _chunk(last: int, entries: Sequence[Entry]) -> _Chunk:
    frames = sum(map(len, map(_FRAME, entries)))
    # Entries that come together are all parsed or all not, but for a few.
    parsed = bool(entries) and entries[-1].reading is not None
    return _Chunk(last, entries, _ENTRY_BYTES * len(entries) + frames * (_PARSED if parsed else 1))


def _split(chunk: _Chunk, after: int) -> tuple[_Chunk, _Chunk]:
    """Return what is up to position `after`, and the rest."""
    count = len(chunk.entries) - (chunk.last - after)
    return _chunk(after, chunk.entries[:count]), _chunk(chunk.last, chunk.entries[count:])


class MemoryJournal:
    """One PBX's journal, within about `max_bytes` of memory.

    At the limit the oldest entries that are not yet on their way to Kafka are given up. In its upper
    half entries are kept without their parsed frames, which are several times as large.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._last = 0
        self._read = 0
        self._taken: deque[_Chunk] = deque()
        self._waiting: deque[_Chunk] = deque()
        self._arrived = asyncio.Event()

    def append(self, entries: Sequence[Entry]) -> Sequence[GivenUp]:
        """Take entries without waiting; at the limit, say what was let go for them."""
        if not entries:
            return ()
        if self._bytes * 2 > self._max_bytes:
            entries = [entry._replace(reading=None) if entry.reading else entry for entry in entries]
        self._last += len(entries)
        chunk = _chunk(self._last, entries)
        self._waiting.append(chunk)
        self._bytes += chunk.size
        self._arrived.set()
        return self._give_up() if self._bytes > self._max_bytes else ()

    def _give_up(self) -> Sequence[GivenUp]:
        gone = []
        while self._waiting and self._bytes > self._max_bytes:
            chunk = self._waiting.popleft()
            self._bytes -= chunk.size
            gone.append(chunk.entries)
        return [GivenUp(tuple(chain.from_iterable(gone)))] if gone else ()

    async def read(self, after: int, limit: int) -> tuple[int, Sequence[Entry]]:
        """Return up to `limit` entries behind position `after`, and the last one's position.

        Waits until there is one. An `after` before what was read last goes back to it.
        """
        if after < self._read:
            self._go_back(after)
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        found: list[Entry] = []
        while self._waiting and len(found) < limit:
            chunk = self._waiting.popleft()
            room = limit - len(found)
            if len(chunk.entries) > room:
                chunk, rest = _split(chunk, chunk.last - len(chunk.entries) + room)
                self._waiting.appendleft(rest)
            self._taken.append(chunk)
            self._read = chunk.last
            found.extend(chunk.entries)
        return self._read, found

    def _go_back(self, after: int) -> None:
        while self._taken and self._taken[-1].last > after:
            chunk = self._taken.pop()
            if chunk.last - len(chunk.entries) < after:
                before, chunk = _split(chunk, after)
                self._taken.append(before)
            self._waiting.appendleft(chunk)
        self._read = after

    def release(self, through: int) -> None:
        """Let go of everything up to and including position `through`."""
        while self._taken and self._taken[0].last - len(self._taken[0].entries) < through:
            chunk = self._taken.popleft()
            if chunk.last > through:
                gone, rest = _split(chunk, through)
                self._taken.appendleft(rest)
                chunk = gone
            self._bytes -= chunk.size

    def __len__(self) -> int:
        """How many entries are held."""
        return sum(len(chunk.entries) for chunk in chain(self._taken, self._waiting))
