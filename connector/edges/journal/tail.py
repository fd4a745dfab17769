"""Entries in memory, in the order of their positions: those that were taken and are not released, those that wait."""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain
from operator import itemgetter
from typing import Final, NamedTuple

from connector.events.entry import Entry

_ENTRY_BYTES: Final = 400
"""An entry without its frame: the tuple, its numbers and texts."""

_PARSED: Final = 4
"""A frame and its lines take about this many times the frame alone."""

_FRAME: Final = itemgetter(Entry._fields.index("frame"))


class Chunk(NamedTuple):
    """Entries at consecutive positions, of which `last` is the last one's, and about how many bytes they take."""

    last: int
    entries: Sequence[Entry]
    size: int

    @property
    def first(self) -> int:
        """The first one's position."""
        return self.last - len(self.entries) + 1


def _chunk(last: int, entries: Sequence[Entry]) -> Chunk:
    frames = sum(map(len, map(_FRAME, entries)))
    # Entries that come together are all parsed or all not, but for a few.
    parsed = bool(entries) and entries[-1].reading is not None
    return Chunk(last, entries, _ENTRY_BYTES * len(entries) + frames * (_PARSED if parsed else 1))


def _split(chunk: Chunk, after: int) -> tuple[Chunk, Chunk]:
    """Return what is up to position `after`, and the rest."""
    count = len(chunk.entries) - (chunk.last - after)
    return _chunk(after, chunk.entries[:count]), _chunk(chunk.last, chunk.entries[count:])


class Tail:
    """The newest entries of a journal; beyond half of `roomy_bytes` they are kept without their parsed frames.

    Args:
        roomy_bytes: about how much memory they may take.
        last: the position behind which it begins.
    """

    def __init__(self, roomy_bytes: int, last: int = 0) -> None:
        self._roomy_bytes = roomy_bytes
        self._taken: deque[Chunk] = deque()
        self._waiting: deque[Chunk] = deque()
        self._read = last
        self.bytes = 0
        self.last = last

    def __len__(self) -> int:
        """How many entries are held."""
        return sum(len(chunk.entries) for chunk in self._chunks())

    @property
    def first(self) -> int:
        """The first position that is held; the next one to come where none is."""
        for chunk in self._chunks():
            return chunk.first
        return self.last + 1

    @property
    def oldest(self) -> Entry | None:
        """The first entry that is held."""
        for chunk in self._chunks():
            return chunk.entries[0]
        return None

    @property
    def is_full(self) -> bool:
        """Whether it takes more memory than it may."""
        return self.bytes > self._roomy_bytes

    def append(self, entries: Sequence[Entry]) -> None:
        """Take entries."""
        if self.bytes * 2 > self._roomy_bytes:
            entries = [entry._replace(reading=None) if entry.reading else entry for entry in entries]
        self.last += len(entries)
        chunk = _chunk(self.last, entries)
        self._waiting.append(chunk)
        self.bytes += chunk.size

    def take(self, after: int, limit: int) -> tuple[int, list[Entry]]:
        """Return up to `limit` entries behind position `after`, and the last one's position.

        An `after` before what was taken last goes back to it.
        """
        if after < self._read:
            self._go_back(after)
        found: list[Entry] = []
        while self._waiting and len(found) < limit:
            chunk = self._waiting.popleft()
            room = limit - len(found)
            if len(chunk.entries) > room:
                chunk, rest = _split(chunk, chunk.first + room - 1)
                self._waiting.appendleft(rest)
            self._taken.append(chunk)
            self._read = chunk.last
            found.extend(chunk.entries)
        return self._read, found

    def behind(self, position: int) -> Iterator[Chunk]:
        """Yield what lies behind a position."""
        for chunk in self._chunks():
            if chunk.last > position:
                yield chunk if chunk.first > position else _split(chunk, position)[1]

    def release(self, through: int) -> None:
        """Let go of what was taken up to a position."""
        while self._taken and self._taken[0].first <= through:
            chunk = self._taken.popleft()
            if chunk.last > through:
                gone, rest = _split(chunk, through)
                self._taken.appendleft(rest)
                chunk = gone
            self.bytes -= chunk.size

    def forget(self, through: int) -> None:
        """Let go of the oldest, as long as it is too full, up to a position: they can be read elsewhere."""
        while self.is_full:
            chunks = self._taken or self._waiting
            if not chunks or chunks[0].last > through:
                return
            chunk = chunks.popleft()
            self.bytes -= chunk.size
            self._read = max(self._read, chunk.last)

    def give_up(self) -> list[Entry]:
        """Let go of the oldest that wait, as long as it is too full, and return them: they can be read nowhere."""
        gone = []
        while self._waiting and self.is_full:
            chunk = self._waiting.popleft()
            self.bytes -= chunk.size
            gone.append(chunk.entries)
        return [*chain.from_iterable(gone)]

    def _go_back(self, after: int) -> None:
        while self._taken and self._taken[-1].last > after:
            chunk = self._taken.pop()
            if chunk.first <= after:
                before, chunk = _split(chunk, after)
                self._taken.append(before)
            self._waiting.appendleft(chunk)
        self._read = after

    def _chunks(self) -> Iterator[Chunk]:
        return chain(self._taken, self._waiting)
