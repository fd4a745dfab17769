"""What is lost of a journal, told in a few words however much it is."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from connector.events.entry import Entry, name_of

FULL: Final = "journal-full"
DAMAGED: Final = "journal-damaged"


class GivenUp(NamedTuple):
    """Entries that are not in the journal any more and never came to Kafka: they are lost, and a record names them.

    They are `events` (None: unknown) with numbers from `first` to `last` of an epoch, all of them or all
    with the name `event`, and had `size` bytes; read between two times, in microseconds since 1970.
    Where `last` is None, they are all behind `first` that were read until then, those of later epochs
    too; an epoch that nobody knows is 0. `reason` is FULL or DAMAGED.
    """

    reason: str
    epoch: int
    first: int
    last: int | None
    from_us: int | None = None
    to_us: int | None = None
    events: int | None = None
    size: int | None = None
    event: str | None = None


def let_go(entries: Iterable[Entry]) -> list[GivenUp]:
    """Tell of entries that follow on each other, without a hole: one loss for each epoch."""
    return _told(entries, lambda _: None)


def let_go_by_event(entries: Iterable[Entry]) -> list[GivenUp]:
    """Tell of entries of which others between them are kept: one loss for each epoch and name."""
    return _told(entries, name_of)


def joined(losses: Sequence[GivenUp], more: Sequence[GivenUp]) -> list[GivenUp]:
    """Tell of two spans that follow on each other as of one."""
    found: dict[tuple[int, str | None], GivenUp] = {}
    for loss in (*losses, *more):
        key = loss.epoch, loss.event
        found[key] = _both(found[key], loss) if key in found else loss
    return [*found.values()]


def damage(before: Entry | None, behind: Entry | None, missing: int) -> GivenUp | None:
    """Tell of entries that cannot be read between two that can; None where none is missing.

    They are `missing` at most, where there is one behind them; there may be none before them.
    """
    if behind is not None and not missing:
        return None
    to_us = behind.received_us if behind else None
    if before is not None and (behind is None or behind.source.epoch != before.source.epoch):
        return GivenUp(DAMAGED, before.source.epoch, before.sequence + 1, None, before.received_us, to_us)
    if behind is None:
        return GivenUp(DAMAGED, 0, 0, None)
    if before is None and missing >= behind.sequence:
        # Some are of an earlier epoch, of which nothing else is left.
        return GivenUp(DAMAGED, 0, 0, None, None, to_us, missing)
    first = before.sequence + 1 if before else max(behind.sequence - missing, 1)
    last = behind.sequence - 1
    if last < first:
        return None
    from_us = before.received_us if before else None
    return GivenUp(DAMAGED, behind.source.epoch, first, last, from_us, to_us, last - first + 1)


def _told(entries: Iterable[Entry], name: Callable[[Entry], str | None]) -> list[GivenUp]:
    groups: dict[tuple[int, str | None], list[Entry]] = {}
    for entry in entries:
        groups.setdefault((entry.source.epoch, name(entry)), []).append(entry)
    return [
        GivenUp(
            FULL,
            epoch,
            group[0].sequence,
            group[-1].sequence,
            group[0].received_us,
            group[-1].received_us,
            len(group),
            sum(len(entry.frame) for entry in group),
            event,
        )
        for (epoch, event), group in groups.items()
    ]


def _both(one: GivenUp, other: GivenUp) -> GivenUp:
    return one._replace(
        last=other.last,
        to_us=other.to_us,
        events=(one.events or 0) + (other.events or 0),
        size=(one.size or 0) + (other.size or 0),
    )
