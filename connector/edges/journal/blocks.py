"""Entries as the bytes of a journal's file, and back.

A file is a row of blocks, each with the file's own mark, its length and a CRC-32 before its payload. What a
torn write or a flipped bit spoils is that block: the next one is found by the mark, which is random, so
that nothing a PBX sends can look like one.

    block    mark, length (u32), CRC-32 of the payload (u32), payload
    payload  "S", number (u16), a source as a JSON array
             "E", number of a source (u16), its epoch (u64), position of the first entry (u64), entries
             (u32), then for all entries their positions behind the first (u32), sequences (u64), times of
             receipt (i64) and lengths of frames (u32), the length of the rest (u32), the rest as JSON,
             and the frames
             "L", losses as a JSON array of arrays

The rest is `[roots, {index: [origin, flaw, snapshot_id, oversize]}, masked]`; what most entries have is left
out. `masked` has for each entry by which rules of privacy its frame was changed; it is not there where none was.
"""

import json
import struct
from collections.abc import Iterator, MutableMapping, Sequence
from itertools import accumulate, groupby, pairwise
from operator import itemgetter
from typing import Any, Final, NamedTuple
from zlib import crc32

from connector.ami.framing import Oversize
from connector.events.entry import Entry, Flaw, Origin, Source
from connector.events.gaps.losses import GivenUp

MARK_BYTES: Final = 8
MAX_ENTRIES: Final = 64
"""Entries of a block: what one flipped bit can cost."""

_LOCKED: Final = 5 << 10
"""Bytes that `zlib.crc32` sums up without giving up the interpreter's lock, which costs a thread more than the sum."""

_FRAME: Final = struct.Struct("<II")
_SOURCE: Final = struct.Struct("<cH")
_ENTRIES: Final = struct.Struct("<cHQQI")
_REST: Final = struct.Struct("<I")
HEAD_BYTES: Final = MARK_BYTES + _FRAME.size

_SOURCE_OF: Final = itemgetter(Entry._fields.index("source"))
_SEQUENCE: Final = itemgetter(Entry._fields.index("sequence"))
_RECEIVED: Final = itemgetter(Entry._fields.index("received_us"))
_ROOT: Final = itemgetter(Entry._fields.index("root"))
_BYTES: Final = itemgetter(Entry._fields.index("frame"))
_MASKED: Final = itemgetter(Entry._fields.index("masked"))
_USUAL: Final = (
    (itemgetter(Entry._fields.index("origin")), Origin.AMI),
    (itemgetter(Entry._fields.index("flaw")), None),
    (itemgetter(Entry._fields.index("snapshot_id")), None),
)

Placed = tuple[int, Entry]
"""An entry and its position in the journal."""


class Head(NamedTuple):
    """What stands before a payload."""

    length: int
    checksum: int


class SourceIs(NamedTuple):
    """A source's number within a file."""

    number: int
    source: Source


class Entries(NamedTuple):
    """Entries of one source, in the order of their positions."""

    placed: Sequence[Placed]


class Packed(NamedTuple):
    """Entries of one source, MAX_ENTRIES at most, as the payload of a block without its head."""

    source: Source
    first: int
    entries: int
    rest: bytes


class Losses(NamedTuple):
    """What is not in the file any more."""

    losses: Sequence[GivenUp]


Content = SourceIs | Entries | Losses


def source_block(mark: bytes, number: int, source: Source) -> bytes:
    """Return the block that gives a source its number within a file."""
    return _block(mark, _SOURCE.pack(b"S", number) + json.dumps(source).encode())


def pack(positions: Sequence[int], entries: Sequence[Entry]) -> list[Packed]:
    """Return entries as they stand in blocks, with their positions, which ascend."""
    packed, at = [], 0
    for source, count in _by_source(entries):
        for start in range(at, at + count, MAX_ENTRIES):
            part = slice(start, min(start + MAX_ENTRIES, at + count))
            packed.append(_packed(source, positions[part], entries[part]))
        at += count
    return packed


def entries_block(mark: bytes, number: int, packed: Packed) -> bytes:
    """Return the block of entries whose source has a number within the file."""
    head = _ENTRIES.pack(b"E", number, packed.source.epoch, packed.first, packed.entries)
    checksum, rest = crc32(head), memoryview(packed.rest)
    for at in range(0, len(rest), _LOCKED):
        checksum = crc32(rest[at : at + _LOCKED], checksum)
    return b"".join((mark, _FRAME.pack(len(head) + len(rest), checksum), head, rest))


def _by_source(entries: Sequence[Entry]) -> Iterator[tuple[Source, int]]:
    """Yield who speaks, and in how many entries; a login that is over never comes again."""
    if entries and entries[0].source is entries[-1].source:
        yield entries[0].source, len(entries)
    else:
        yield from ((source, len([*group])) for source, group in groupby(entries, _SOURCE_OF))


def _packed(source: Source, positions: Sequence[int], entries: Sequence[Entry]) -> Packed:
    count, first = len(entries), positions[0]
    frames = [*map(_BYTES, entries)]
    dense = positions[-1] - first + 1 == count
    told = [[*map(_ROOT, entries)], {} if _are_usual(entries, frames) else _odd(entries)]
    masked = [*map(_MASKED, entries)]
    rest = json.dumps(told if masked.count(None) == count else [*told, masked]).encode()
    numbers = _columns(count).pack(
        *(range(count) if dense else (position - first for position in positions)),
        *map(_SEQUENCE, entries),
        *map(_RECEIVED, entries),
        *map(len, frames),
    )
    return Packed(source, first, count, b"".join((numbers, _REST.pack(len(rest)), rest, *frames)))


def losses_block(mark: bytes, losses: Sequence[GivenUp]) -> bytes:
    """Return the block that tells what is not in the file any more."""
    return _block(mark, b"L" + json.dumps(losses).encode())


def head_of(mark: bytes, data: bytes) -> Head | None:
    """Read HEAD_BYTES; None where no block of this file begins there."""
    if len(data) < HEAD_BYTES or data[:MARK_BYTES] != mark:
        return None
    return Head(*_FRAME.unpack_from(data, MARK_BYTES))


def is_whole(head: Head, payload: bytes) -> bool:
    """Say whether a payload is what its head promises."""
    return len(payload) == head.length and crc32(payload) == head.checksum


def content_of(payload: bytes, sources: MutableMapping[int, Source], pbx: str) -> Content | None:
    """Read a whole payload; None where it is of a kind that this version does not know.

    Args:
        payload: as it was written.
        sources: those of the file so far; one whose block cannot be read any more is made up.
        pbx: whose file it is.
    """
    match payload[:1]:
        case b"S":
            _, number = _SOURCE.unpack_from(payload)
            return SourceIs(number, Source(*json.loads(payload[_SOURCE.size :])))
        case b"E":
            return Entries([*_entries(payload, sources, pbx)])
        case b"L":
            return Losses([GivenUp(*loss) for loss in json.loads(payload[1:])])
        case _:
            return None


def _block(mark: bytes, payload: bytes) -> bytes:
    return b"".join((mark, _FRAME.pack(len(payload), crc32(payload)), payload))


def _columns(count: int) -> struct.Struct:
    return struct.Struct(f"<{count}I{count}Q{count}q{count}I")


def _are_usual(entries: Sequence[Entry], frames: Sequence[bytes]) -> bool:
    """Say whether nothing is to be said of any entry that is not said of all; counted in C, since they mostly are."""
    count = len(entries)
    return [*map(type, frames)].count(bytes) == count and all(
        [*map(field, entries)].count(usual) == count for field, usual in _USUAL
    )


def _odd(entries: Sequence[Entry]) -> dict[int, list[Any]]:
    return {
        place: _told(entry) for place, entry in enumerate(entries) if not _are_usual([entry], [entry.frame])
    }


def _told(entry: Entry) -> list[Any]:
    """Return what is to be said of an entry that is not as most are."""
    large = [entry.frame.size, entry.frame.sha256] if isinstance(entry.frame, Oversize) else None
    return [entry.origin, entry.flaw, entry.snapshot_id, large]


def _entries(payload: bytes, sources: MutableMapping[int, Source], pbx: str) -> Iterator[Placed]:
    _, number, epoch, first, count = _ENTRIES.unpack_from(payload)
    numbers = _columns(count)
    columns = numbers.unpack_from(payload, _ENTRIES.size)
    offsets, sequences, times, lengths = (columns[at * count : (at + 1) * count] for at in range(4))
    begin = _ENTRIES.size + numbers.size + _REST.size
    (length,) = _REST.unpack_from(payload, begin - _REST.size)
    roots, odd, *more = json.loads(payload[begin : begin + length])
    masked = more[0] if more else [None] * count
    source = sources.setdefault(number, Source(pbx, epoch))
    bounds = pairwise(accumulate(lengths, initial=begin + length))
    rows = zip(offsets, sequences, times, roots, bounds, masked, strict=True)
    for place, (offset, sequence, received_us, root, (start, end), rules) in enumerate(rows):
        entry = Entry(source, sequence, received_us, Origin.AMI, root, payload[start:end], masked=rules)
        told = odd.get(str(place))
        yield first + offset, entry if told is None else _as_told(entry, *told)


def _as_told(
    entry: Entry, origin: str, flaw: list[str] | None, snapshot_id: str | None, large: list[Any] | None
) -> Entry:
    frame = entry.frame
    if large is not None:
        frame = head = Oversize(frame)
        head.size, head.sha256 = large
    return entry._replace(
        origin=Origin(origin), flaw=Flaw(*flaw) if flaw else None, snapshot_id=snapshot_id, frame=frame
    )
