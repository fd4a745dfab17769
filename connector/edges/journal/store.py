"""A journal's folder: its segments, from the oldest that Kafka has not wholly acknowledged to the one that is written.

    lock        who has the folder
    epoch       the number of the last start
    released    the position up to which Kafka has everything
    memory      what must outlive the process beside entries, and the position at which it was so
    <first position>.<mark>.journal

Used by one thread at a time, but for `pack`. Nothing that was written is lost by an OSError, which every method may raise.
"""

import os
import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple
from zlib import crc32

from connector.edges.journal.blocks import Entries, Losses, Packed, Placed, pack
from connector.edges.journal.cursor import Cursor, Found
from connector.edges.journal.marker import Lock, Marker
from connector.edges.journal.segment import Damage, Segment, SegmentReader, SegmentWriter
from connector.events.entry import Entry
from connector.events.gaps.losses import GivenUp, damage, joined, let_go_by_event

SEGMENT_BYTES: Final = 8 << 20

_NEW: Final = ".new"
_MEMORY: Final = "memory"
_MEMORY_HEAD: Final = struct.Struct("<QI")
_AT_ONCE: Final = 1_000


class Bounds(NamedTuple):
    """How large the folder may become, and about how large a file, in bytes."""

    folder: int
    segment: int = SEGMENT_BYTES


class Worth(NamedTuple):
    """What an entry is worth, from 0 to `most`; what is worth least is given up first."""

    of: Callable[[Entry], int]
    most: int


class Opened(NamedTuple):
    """What was found: the last position that was used, the last entry that can be read, and the memory."""

    last: int
    entry: Entry | None
    memory: bytes | None = None


class Group(NamedTuple):
    """Entries at consecutive positions, from the first one's to the last one's, as they are written."""

    first: int
    last: int
    packed: Sequence[Packed]


class Store:
    """One PBX's folder; made if it is not there.

    Raises:
        JournalInUse: another process has it.
        OSError: it cannot be made or read.
    """

    def __init__(self, folder: Path, pbx: str, bounds: Bounds) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder, self._pbx, self._bounds = folder, pbx, bounds
        self._lock = Lock(folder)
        self._released = Marker(folder / "released")
        self._segments = sorted(self._found(), key=lambda segment: segment.first)
        self._bytes = sum(segment.size for segment in self._segments)
        self._writer: SegmentWriter | None = None
        self._cursor: Cursor | None = None
        self._is_synced = True
        self._remembered: int | None = None
        self.opened = self._recover()
        self.written = self.opened.last
        """The last position that was written."""

    @property
    def size(self) -> int:
        """How large the folder is."""
        return self._bytes

    @property
    def released(self) -> int:
        """The position up to which Kafka has everything."""
        return self._released.value

    @property
    def is_synced(self) -> bool:
        """Whether everything that is written would outlive a loss of power."""
        return self._is_synced

    @property
    def is_too_large(self) -> bool:
        """Whether the folder is larger than it may be."""
        return self._bytes > self._bounds.folder

    def next_epoch(self, now_ms: int) -> int:
        """Return the number of this start: higher than that of each before, and no lower than the time of day."""
        marker = Marker(self._folder / "epoch")
        try:
            known = self.opened.entry.source.epoch if self.opened.entry else 0
            marker.set(max(marker.value + 1, known + 1, now_ms))
            marker.sync()
            return marker.value
        finally:
            marker.close()

    def pack(self, first: int, entries: Sequence[Entry]) -> Group:
        """Return entries at consecutive positions, one at least, ready to be written; it may be called at any time."""
        positions = range(first, first + len(entries))
        return Group(first, positions[-1], pack(positions, entries))

    def write(self, group: Group) -> None:
        """Write entries: all of them, or none."""
        writer = self._writer
        if writer is not None and group.first > self.written + 1:
            # What is missing between was given up in memory, and told: it is no damage.
            size = writer.segment.size
            writer.tell(())
            self._bytes += writer.segment.size - size
        if writer is None or writer.segment.size >= self._bounds.segment:
            writer = self._begin(group.first)
        size = writer.segment.size
        writer.write(group.packed)
        self._bytes += writer.segment.size - size
        self.written = group.last
        self._is_synced = False

    def remember(self, memory: bytes) -> None:
        """Keep some bytes for the next process, as of what is written now."""
        path = self._folder / f"{_MEMORY}{_NEW}"
        path.touch(0o600)
        path.write_bytes(_MEMORY_HEAD.pack(self.written, crc32(memory)) + memory)
        path.replace(self._folder / _MEMORY)

    def since_memory(self) -> Iterator[Entry]:
        """Yield what the process before has written after it remembered, as far as it is still there."""
        if self._remembered is not None:
            yield from self._found_behind(self._remembered)

    def latest(self, most: int) -> Iterator[Entry]:
        """Yield the last entries of the process before, `most` at most, as far as they are still there."""
        yield from self._found_behind(max(self.opened.last - most, 0))

    def sync(self) -> None:
        """Have everything that is written outlive a loss of power."""
        if self._writer is not None and not self._is_synced:
            self._writer.sync()
            self._is_synced = True

    def read(self, after: int, limit: int, below: int) -> Found:
        """Return up to `limit` entries behind one position and before another, up to which all is written."""
        cursor = self._cursor
        if cursor is None or cursor.position != after:
            if not self._segments:
                return Found(below - 1, [], [])
            self._close_cursor()
            cursor = self._cursor = Cursor(self._segments, self._pbx, after)
        return cursor.read(limit, below)

    def release(self, through: int) -> None:
        """Take that Kafka has everything up to a position; whole segments of it are deleted, but for the last."""
        if through > self._released.value:
            self._released.set(through)
        while len(self._segments) > 1 and self._segments[1].first <= through + 1:
            segment = self._segments[0]
            if self._cursor is not None and self._cursor.is_in(segment):
                self._close_cursor()
            segment.path.unlink(missing_ok=True)
            self._bytes -= segment.size
            del self._segments[0]

    def purge(self, behind: int, before: int, worth: Worth) -> Iterator[GivenUp]:
        """Where the folder is too large, let go of what is worth least, the oldest first, and tell what is gone.

        Only whole segments behind one position and before another are touched.
        """
        for rank in range(1, worth.most + 2):
            for segment, following in zip(self._segments[:-1], self._segments[1:], strict=True):
                if not self.is_too_large:
                    return
                inside = behind < segment.first and following.first <= before
                if inside and segment.rank < rank and not (self._cursor and self._cursor.is_in(segment)):
                    yield from self._lighten(segment, rank, worth)

    def close(self) -> None:
        """Give back the folder."""
        self._close_cursor()
        self._end_writer()
        self._released.close()
        self._lock.close()

    def _found_behind(self, position: int) -> Iterator[Entry]:
        if not self._segments:
            return
        cursor = Cursor(self._segments, self._pbx, position)
        try:
            while cursor.position < self.opened.last:
                yield from cursor.read(_AT_ONCE, self.opened.last + 1).entries
        finally:
            cursor.close()

    def _found(self) -> Iterator[Segment]:
        for path in [*self._folder.iterdir()]:
            if path.suffix == _NEW:
                path.unlink(missing_ok=True)
            elif segment := Segment.found(path):
                yield segment

    def _recover(self) -> Opened:
        found: Placed | None = None
        for segment in reversed(self._segments):
            for content in self._contents(segment):
                if isinstance(content, Entries):
                    found = content.placed[-1]
            if found is not None:
                break
        # Where power was lost, the marker may know of entries that the files do not: no position comes twice.
        known = [self.released, *(segment.first for segment in self._segments)]
        return Opened(max([*known, found[0]] if found else known), found and found[1], self._recall())

    def _recall(self) -> bytes | None:
        """Return what was remembered; where power was lost it may be torn, and is left."""
        try:
            data = (self._folder / _MEMORY).read_bytes()
        except FileNotFoundError:
            return None
        head, memory = data[: _MEMORY_HEAD.size], data[_MEMORY_HEAD.size :]
        if len(head) < _MEMORY_HEAD.size:
            return None
        position, checksum = _MEMORY_HEAD.unpack(head)
        if crc32(memory) != checksum:
            return None
        self._remembered = position
        return memory

    def _contents(self, segment: Segment) -> Iterator[Entries | Losses | Damage]:
        reader = SegmentReader(segment, self._pbx)
        try:
            for content in reader:
                if isinstance(content, Entries | Losses | Damage):
                    yield content
        finally:
            reader.close()

    def _begin(self, first: int) -> SegmentWriter:
        self._end_writer()
        segment = Segment.named(self._folder, first)
        self._writer = SegmentWriter(segment, segment.path)
        self._segments.append(segment)
        _sync_folder(self._folder)
        return self._writer

    def _end_writer(self) -> None:
        if self._writer is not None:
            writer, self._writer = self._writer, None
            try:
                if not self._is_synced:
                    writer.sync()
            finally:
                writer.close()
            self._is_synced = True

    def _close_cursor(self) -> None:
        if self._cursor is not None:
            self._cursor.close()
            self._cursor = None

    def _lighten(self, segment: Segment, rank: int, worth: Worth) -> list[GivenUp]:
        """Write a segment anew with what is worth as much as a rank; return what is lost of it."""
        # All behind the position before its first: its losses are read as whoever delivers it would read them.
        found = self._whole(segment)
        kept = [each for each in found.placed if worth.of(each[1]) >= rank]
        lost = let_go_by_event(entry for _, entry in found.placed if worth.of(entry) < rank)
        self._replace(segment, kept, joined(found.told, [*found.damaged, *lost]))
        untold = [] if segment.is_told else found.told
        segment.rank, segment.is_told = rank, True
        return [*untold, *found.damaged, *lost]

    def _whole(self, segment: Segment) -> "_Whole":
        whole = _Whole([], [], [])
        behind = next((each for each in self._segments if each.first > segment.first), None)
        spoilt = tells = False
        for content in self._contents(segment):
            match content:
                case Entries(placed):
                    if spoilt:
                        whole.damaged.extend(_between(whole.placed, placed[0], segment.first))
                    whole.placed.extend(placed)
                    spoilt = False
                case Losses(losses):
                    # They stand there twice.
                    whole.told[:], tells = losses, True
                case Damage():
                    spoilt = True
        last = whole.placed[-1][0] if whole.placed else segment.first - 1
        if spoilt or (behind is not None and not tells and segment.is_short_of(behind, last)):
            whole.damaged.extend(_between(whole.placed, None, segment.first))
        return whole

    def _replace(self, segment: Segment, kept: Sequence[Placed], losses: Sequence[GivenUp]) -> None:
        path = segment.path.with_suffix(_NEW)
        size = segment.size
        writer = SegmentWriter(segment, path)
        try:
            # Twice, since nothing else would tell of them if one block could not be read.
            writer.tell(losses)
            writer.write(pack([position for position, _ in kept], [entry for _, entry in kept]))
            writer.tell(losses)
            writer.sync()
        except OSError:
            segment.size = size
            path.unlink(missing_ok=True)
            raise
        finally:
            writer.close()
        path.replace(segment.path)
        self._bytes += segment.size - size


class _Whole(NamedTuple):
    """A segment's entries, what it tells of losses, and what of it cannot be read."""

    placed: list[Placed]
    told: list[GivenUp]
    damaged: list[GivenUp]


def _between(before: Sequence[Placed], behind: Placed | None, first: int) -> list[GivenUp]:
    missing = behind[0] - first if behind else 0
    loss = damage(before[-1][1] if before else None, behind and behind[1], missing)
    return [loss] if loss else []


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
