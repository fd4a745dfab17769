"""A journal's folder as it is, looked at from outside: nothing is locked, made or changed, whoever has it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from connector.edges.journal.blocks import Entries
from connector.edges.journal.marker import number_in, owner_of
from connector.edges.journal.segment import Damage, Segment, SegmentReader
from connector.events.entry import Entry


class State(NamedTuple):
    """What is in a folder.

    `waiting` entries are not in Kafka, of which the oldest was read at `oldest_us`; `newest_us` is when the last
    of all was read (microseconds since 1970). `size` and `damaged` are bytes: of all files, and of them those
    that cannot be read. `owner` is the process that has the folder.
    """

    waiting: int
    size: int
    segments: int
    epoch: int
    oldest_us: int | None
    newest_us: int | None
    damaged: int
    owner: int | None


def state_of(folder: Path, pbx: str) -> State:
    """Look at a folder; where a connector runs it is as of some instant during the look.

    Raises:
        OSError: it is not there, or cannot be read.
    """
    owner, released = owner_of(folder), number_in(folder / "released")
    found = (Segment.found(path) for path in [*folder.iterdir()])
    segments = sorted((each for each in found if each is not None), key=lambda segment: segment.first)
    waiting, damaged = 0, 0
    oldest: Entry | None = None
    newest: Entry | None = None
    for segment, content in _contents(segments, pbx):
        if isinstance(content, Damage):
            # What its owner is just writing is not whole yet.
            torn = owner is not None and segment is segments[-1] and content.end == segment.size
            damaged += 0 if torn else content.end - content.start
            continue
        newest = content.placed[-1][1]
        left = [entry for position, entry in content.placed if position > released]
        waiting += len(left)
        oldest = oldest or (left[0] if left else None)
    return State(
        waiting,
        sum(segment.size for segment in segments),
        len(segments),
        number_in(folder / "epoch"),
        oldest and oldest.received_us,
        newest and newest.received_us,
        damaged,
        owner,
    )


def _contents(segments: Sequence[Segment], pbx: str) -> Iterator[tuple[Segment, Entries | Damage]]:
    for segment in segments:
        try:
            reader = SegmentReader(segment, pbx)
        except FileNotFoundError:
            # Its owner has deleted it, since Kafka has all of it.
            continue
        try:
            for content in reader:
                if isinstance(content, Entries | Damage):
                    yield segment, content
        finally:
            reader.close()
