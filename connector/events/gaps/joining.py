"""Two sessions at a PBX as one stream: where what another process has journaled ends among what is held here.

Asterisk gives every session the same events, and a Timestamp makes each unlike all others. So what the
other has read last is found again in what is held, and the stream goes on behind it. Where the other has
read nothing since this session began, and left in order long after that, all that is held is new.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from connector.ami.message import timestamp_of
from connector.events.entry import Entry
from connector.events.gaps.predecessor import MARGIN_US, Held, Predecessor, Read

_SWAP_US: Final = 1_000_000
"""How far apart in time two events may be, in microseconds, that two sessions read in another order."""


class Joint(NamedTuple):
    """What of the reads goes on, as of `up_us`; `trouble` says why something may be missing since `since_us`."""

    reads: list[Read]
    up_us: int
    trouble: str = ""
    since_us: int = 0


def join(
    old: Iterable[Entry],
    held: Held,
    journaled: Callable[[bytes], bool],
    form: Callable[[bytes], bytes] = bytes,
) -> Joint:
    """Join a session to what a process before has journaled.

    Args:
        old: its last entries, in order: as many as there are.
        held: what this process has read.
        journaled: whether an event is one that goes to the journal.
        form: a frame as the journal has it.
    """
    here = _Here(held, form)
    end = Predecessor(here.numbers)
    for entry in old:
        end.take(entry)
    if end.last is None:
        return Joint([*held.reads], held.since_us)
    left_us = end.last.received_us
    up_us = max(held.since_us, left_us)
    if here.repeats or end.repeats:
        return _apart(
            end, here, held, left_us, "events are alike to the last byte: is timestampevents = yes?"
        )
    if end.newest is not None:
        return Joint(here.without(_Behind(end, here, held, journaled)), up_us)
    if not end.found and end.is_before(held):
        return Joint([*held.reads], up_us)
    if not end.stamped:
        return _apart(end, here, held, left_us, "events came without Timestamp: is timestampevents = yes?")
    return _apart(end, here, held, left_us, "what the other process read last is not among what is held")


def _apart(end: Predecessor, here: "_Here", held: Held, left_us: int, trouble: str) -> Joint:
    """Go on with what was surely read after the other's end."""
    since_us = min(held.since_us, left_us if end.heard_us is None else end.heard_us)
    late = [read for read in held.reads if read.received_us > left_us]
    return Joint(here.without_found(late, end.found), max(held.since_us, left_us), trouble, since_us)


class _Here:
    """What is held, each stamped frame, as the journal has it, by its number."""

    def __init__(self, held: Held, form: Callable[[bytes], bytes]) -> None:
        self._reads = held.reads
        self._form = form
        self.numbers: dict[bytes, int] = {}
        self.repeats = False
        for number, frame in enumerate(form(frame) for read in held.reads for frame in read.frames):
            if timestamp_of(frame) is not None:
                self.repeats |= frame in self.numbers
                self.numbers[frame] = number

    def without(self, behind: "_Behind") -> list[Read]:
        """Return the reads with what the joint lets pass."""
        numbers = iter(range(sum(len(read.frames) for read in self._reads)))
        return [*_nonempty(self._reads, lambda frame: behind.passes(next(numbers), self._form(frame)))]

    def without_found(self, reads: Iterable[Read], found: set[int]) -> list[Read]:
        """Return reads without what the other has journaled."""
        return [*_nonempty(reads, lambda frame: self.numbers.get(self._form(frame)) not in found)]


class _Behind:
    """What goes on behind the other's end; asked for each frame that is held, in order."""

    def __init__(self, end: Predecessor, here: _Here, held: Held, journaled: Callable[[bytes], bool]) -> None:
        self._found = end.found
        self._trail = iter([*end.trail])
        self._due = next(self._trail, None)
        self._first, self._last = min(end.found), max(end.found)
        # Where its entries reach back to before this login, what is not among them it has not read.
        self._all_known = end.first_us < held.since_us - MARGIN_US
        self._journaled = journaled
        stamps = (timestamp_of(frame) for frame, number in here.numbers.items() if number == self._last)
        self._newest_us = next(stamps) or 0

    def passes(self, number: int, frame: bytes) -> bool:
        """Say whether a frame is one that the other has not journaled, and would have."""
        if number in self._found:
            return False
        if number < self._last:
            return self._overtaken(number, frame)
        if frame == self._due:
            self._due = next(self._trail, None)
            return False
        return True

    def _overtaken(self, number: int, frame: bytes) -> bool:
        """Say whether the other read it not yet, though what it read last is behind it here.

        Each session of a recent Asterisk has a queue of its own, and two events told at once may swap.
        """
        at_us = timestamp_of(frame)
        if at_us is None or at_us < self._newest_us - _SWAP_US:
            return False
        return (self._all_known or number > self._first) and self._journaled(frame)


def _nonempty(reads: Iterable[Read], passes: Callable[[bytes], bool]) -> Iterator[Read]:
    for read in reads:
        if frames := [frame for frame in read.frames if passes(frame)]:
            yield Read(frames, read.received_us)
