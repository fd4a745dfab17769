"""One file of a journal: blocks behind each other. It is written once, front to back, and later read and deleted.

Its name has the position of its first entry and its mark.
"""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Self

from connector.edges.journal.blocks import (
    HEAD_BYTES,
    MARK_BYTES,
    Content,
    Packed,
    SourceIs,
    content_of,
    entries_block,
    head_of,
    is_whole,
    losses_block,
    source_block,
)
from connector.events.entry import Source
from connector.events.gaps.losses import GivenUp

_NAME: Final = re.compile(r"([0-9]{20})\.([0-9a-f]{16})\.journal")


class Damage(NamedTuple):
    """Bytes that are no block, from one offset to another."""

    start: int
    end: int


class Segment:
    """A file that is there.

    Args:
        path: where it is.
        first: the position of its first entry.
        mark: what its blocks begin with.
    """

    def __init__(self, path: Path, first: int, mark: bytes) -> None:
        self.path = path
        self.first = first
        self.mark = mark
        self.size = path.stat().st_size if path.exists() else 0
        self.rank = 0
        """Entries that are worth less are not in it any more."""
        self.is_told = False
        """Whether what it tells of losses was told by this process."""

    @classmethod
    def found(cls, path: Path) -> Self | None:
        """Return the segment at a path; None where the name is not one of a segment."""
        match = _NAME.fullmatch(path.name)
        return cls(path, int(match[1]), bytes.fromhex(match[2])) if match else None

    def is_short_of(self, behind: Self, last: int) -> bool:
        """Say whether its end is gone, by the position of the last entry in it: a file may be cut between two blocks.

        One that was begun and never written to has one position at most.
        """
        return behind.first > (self.first if self.size == 0 else last) + 1

    @classmethod
    def named(cls, folder: Path, first: int) -> Self:
        """Return a segment that is to be made."""
        mark = os.urandom(MARK_BYTES)
        return cls(folder / f"{first:020d}.{mark.hex()}.journal", first, mark)


class SegmentReader:
    """Reads a segment from its begin, block by block, as far as it is written; follows one that grows.

    Args:
        segment: the file.
        pbx: whose it is, for entries whose source cannot be read.

    Raises:
        OSError: it cannot be opened; `read` raises it too.
    """

    def __init__(self, segment: Segment, pbx: str) -> None:
        self.segment = segment
        self._pbx = pbx
        self._sources: dict[int, Source] = {}
        self._offset = 0
        self._file = os.open(segment.path, os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        """Give back the file."""
        os.close(self._file)

    def read(self) -> Content | Damage | None:
        """Return what comes next, None at the end; sources are taken note of, and not returned."""
        while self._offset < self.segment.size:
            payload = self._payload(self._offset)
            if payload is None:
                start = self._offset
                self._offset = self._next_whole(start + 1)
                return Damage(start, self._offset)
            self._offset += HEAD_BYTES + len(payload)
            content = content_of(payload, self._sources, self._pbx)
            if isinstance(content, SourceIs):
                self._sources[content.number] = content.source
            elif content is not None:
                return content
        return None

    def __iter__(self) -> Iterator[Content | Damage]:
        """Yield everything up to the end."""
        while (content := self.read()) is not None:
            yield content

    def _payload(self, offset: int) -> bytes | None:
        head = head_of(self.segment.mark, os.pread(self._file, HEAD_BYTES, offset))
        if head is None or offset + HEAD_BYTES + head.length > self.segment.size:
            return None
        payload = os.pread(self._file, head.length, offset + HEAD_BYTES)
        return payload if is_whole(head, payload) else None

    def _next_whole(self, offset: int) -> int:
        """Return where the next whole block begins, or the end."""
        rest = os.pread(self._file, self.segment.size - offset, offset)
        at = rest.find(self.segment.mark)
        while at >= 0:
            if self._payload(offset + at) is not None:
                return offset + at
            at = rest.find(self.segment.mark, at + 1)
        return self.segment.size


class SegmentWriter:
    """Writes a segment.

    Args:
        segment: what is written.
        path: the file, which is made.

    Raises:
        OSError: it cannot be made; each method raises it too.
    """

    def __init__(self, segment: Segment, path: Path) -> None:
        self.segment = segment
        self._numbers: dict[Source, int] = {}
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        self._file = os.open(path, flags, 0o600)
        segment.size = 0

    def write(self, packed: Sequence[Packed]) -> None:
        """Write entries: all of them, or none."""
        self._append(b"".join(self._blocks(packed)))

    def tell(self, losses: Sequence[GivenUp]) -> None:
        """Write what is not in the file."""
        self._append(losses_block(self.segment.mark, losses))

    def sync(self) -> None:
        """Have what is written outlive a loss of power."""
        os.fsync(self._file)

    def close(self) -> None:
        """Give back the file."""
        os.close(self._file)

    def _append(self, data: bytes) -> None:
        size, view = self.segment.size, memoryview(data)
        try:
            while view:
                view = view[os.pwrite(self._file, view, size + len(data) - len(view)) :]
        except OSError:
            os.ftruncate(self._file, size)
            # What a source was given as its number may be among what was not written.
            self._numbers.clear()
            raise
        self.segment.size = size + len(data)

    def _blocks(self, packed: Sequence[Packed]) -> Iterator[bytes]:
        mark = self.segment.mark
        for part in packed:
            number = self._numbers.get(part.source)
            if number is None:
                number = self._numbers[part.source] = len(self._numbers)
                yield source_block(mark, number, part.source)
            yield entries_block(mark, number, part)
