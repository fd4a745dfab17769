"""What was heard of an event, or read about it: its headers in wire order, its snapshots, the values seen."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from connector.avro.catalogue import Block, BlockUse

#: What Asterisk prints before an event's own headers.
_PREFIX = ("Event", "Privilege", "Timestamp", "SequenceNumber", "File", "Line", "Func", "SystemName")

Frame = Sequence[tuple[str, str]]


@dataclass(slots=True)
class Heard:
    """What was heard of one event: its parts in wire order, the values of each, its classes."""

    event: str
    user_event: str | None = None
    order: list[str | BlockUse] = field(default_factory=list)
    values: dict[str, list[str]] = field(default_factory=dict)
    repeated: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)


def name_of(frame: Frame) -> tuple[str, str | None]:
    """Return an event's name, and a UserEvent's sub-name; ("", None) where the frame is no event."""
    if not frame or frame[0][0] != "Event":
        return "", None
    event = frame[0][1]
    own = (value for name, value in frame if name == "UserEvent")
    return event, next(own, None) if event == "UserEvent" else None


def listen(seen: Heard, frame: Frame, blocks: Mapping[str, Block]) -> None:
    """Add what one frame tells: new headers take their place between those already known."""
    body = list(frame)
    while body and body[0][0] in _PREFIX:
        name, value = body.pop(0)
        if name == "Privilege":
            seen.classes |= {one.strip() for one in value.split(",")} - {"all", ""}
    parts = list(_parts(body, blocks))
    for part, value in parts:
        if isinstance(part, str):
            seen.values.setdefault(part, []).append(value)
    names = [part for part, _ in parts]
    seen.repeated |= {part for part in names if isinstance(part, str) and names.count(part) > 1}
    merge(seen.order, names)


def _parts(body: Frame, blocks: Mapping[str, Block]) -> Iterator[tuple[str | BlockUse, str]]:
    """Give the headers one by one, each snapshot among them as one part."""
    place = 0
    while place < len(body):
        use, length = _snapshot([name for name, _ in body[place:]], blocks)
        if use:
            yield use, ""
        else:
            yield body[place]
        place += length


def _snapshot(names: Sequence[str], blocks: Mapping[str, Block]) -> tuple[BlockUse | None, int]:
    """Return the snapshot that begins here and how many headers it takes; it is one only if it is whole."""
    for block in blocks.values():
        first = block.headers[0].name
        if not names[0].endswith(first):
            continue
        prefix = names[0].removesuffix(first)
        whole = [prefix + header.name for header in block.headers]
        needed = {prefix + header.name for header in block.headers if not header.optional}
        run = list(takewhile(whole.__contains__, names))
        if needed <= set(run) and sorted(run, key=whole.index) == run:
            return BlockUse(block.name, prefix, f"the {block.name} {prefix}" if prefix else None), len(run)
    return None, 1


def merge(order: list[str | BlockUse], names: Iterable[str | BlockUse]) -> None:
    """Add names to an order, each behind the one that it was seen behind."""
    place = 0
    for name in names:
        if name in order:
            place = order.index(name) + 1
        else:
            order.insert(place, name)
            place += 1
