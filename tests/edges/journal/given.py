"""Entries to journal, and what a reader of a journal must find."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from hypothesis import strategies as some

from connector.ami.framing import Oversize
from connector.edges.journal.store import Bounds, Store, Worth
from connector.events.entry import Entry, Flaw, Origin, Source
from connector.events.gaps.losses import GivenUp

PBX = "main"
LARGE = 1 << 40
SMALL = Bounds(LARGE, 600)
"""A segment for some entries only."""

EQUAL = Worth(lambda _: 0, 0)


def source(epoch: int) -> Source:
    return Source(PBX, epoch, "node", "22.9.0")


def entry(sequence: int, epoch: int = 1, event: str = "Hangup", size: int = 40) -> Entry:
    frame = f"Event: {event}\r\nUniqueid: {sequence}\r\nPad: ".encode() + b"x" * size
    return Entry(
        source(epoch), sequence, 1_000_000 * epoch + sequence, Origin.AMI, f"root{sequence % 3}", frame
    )


def entries(first: int, last: int, epoch: int = 1) -> list[Entry]:
    return [entry(sequence, epoch) for sequence in range(first, last + 1)]


def sequences(found: Iterable[Entry]) -> list[int]:
    return [each.sequence for each in found]


def opened(folder: Path, bounds: Bounds = SMALL) -> Store:
    return Store(folder, PBX, bounds)


def everything(store: Store, after: int | None = None) -> tuple[list[Entry], list[GivenUp]]:
    """Read to the end, a few at a time."""
    found: list[Entry] = []
    losses: list[GivenUp] = []
    position, end = store.released if after is None else after, store.written + 1
    while position < store.written:
        position, part, lost = store.read(position, 3, end)
        found += part
        losses += lost
    return found, losses


def names(losses: Sequence[GivenUp], missing: Entry) -> bool:
    """Say whether an entry that is not there is named by a loss."""
    return any(_names(loss, missing) for loss in losses)


def _names(loss: GivenUp, missing: Entry) -> bool:
    number = missing.source.epoch, missing.sequence
    if loss.last is None:
        return number >= (loss.epoch, loss.first) and missing.received_us <= (loss.to_us or LARGE)
    event = missing.frame.split(b"\r\n")[0][7:].decode()
    return (loss.epoch, loss.first) <= number <= (loss.epoch, loss.last) and loss.event in (None, event)


def _oversize(head: bytes, size: int) -> Oversize:
    frame = Oversize(head)
    frame.size, frame.sha256 = size, "ab" * 32
    return frame


FRAMES = some.binary(max_size=200) | some.builds(
    _oversize, some.binary(max_size=50), some.integers(51, 1 << 40)
)
TEXTS = some.text(max_size=20)
ODD = some.builds(
    Entry,
    source=some.builds(
        Source,
        some.just(PBX),
        some.integers(1, 1 << 50),
        some.none() | TEXTS,
        some.none() | TEXTS,
        some.none() | TEXTS,
    ),
    sequence=some.integers(1, (1 << 63) - 1),
    received_us=some.integers(0, 1 << 62),
    origin=some.sampled_from(Origin),
    root=some.none() | TEXTS,
    frame=FRAMES,
    flaw=some.none() | some.builds(Flaw, TEXTS, TEXTS),
    reading=some.none(),
    snapshot_id=some.none() | TEXTS,
    recovered=some.just(value=False),
)
"""Entries of any kind."""
