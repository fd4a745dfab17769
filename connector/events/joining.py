"""Two sessions at a PBX as one stream: where what another process has journaled ends among what is held here.

Asterisk gives every session the same events, and a Timestamp makes each unlike all others. So what the
other has read last is found again in what is held, and the stream goes on behind it. Where the other has
read nothing since this session began, and left in order long after that, all that is held is new.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from connector.ami.message import event_name, parse
from connector.events.entry import Entry, Origin, Source

_STAMP: Final = re.compile(rb"Event: [^\r\n]*\r\nPrivilege: [^\r\n]*\r\nTimestamp: (\d+)\.(\d{6})(?:\r\n|\Z)")
"""A Timestamp of Asterisk's own, in its place: any other header may be somebody's value."""

_MARGIN_US: Final = 3_000_000
"""How long a login or a Logoff may take, in microseconds: what lies closer together is in no certain order."""

_SWAP_US: Final = 1_000_000
"""How far apart in time two events may be, in microseconds, that two sessions read in another order."""


class Read(NamedTuple):
    """The frames of one read, and its time in microseconds since 1970 (UTC)."""

    frames: Sequence[bytes]
    received_us: int


class Held(NamedTuple):
    """What a session has read since `since_us` (microseconds since 1970, UTC); not `whole`: not since its login."""

    source: Source
    address: str
    since_us: int
    reads: Sequence[Read]
    whole: bool = True


class Joint(NamedTuple):
    """What of the reads goes on, as of `up_us`; `trouble` says why something may be missing since `since_us`."""

    reads: list[Read]
    up_us: int
    trouble: str = ""
    since_us: int = 0


def join(old: Iterable[Entry], held: Held, journaled: Callable[[bytes], bool]) -> Joint:
    """Join a session to what a process before has journaled.

    Args:
        old: its last entries, in order: as many as there are.
        held: what this process has read.
        journaled: whether an event is one that goes to the journal.
    """
    here = _Here(held)
    end = _End(here)
    for entry in old:
        end.take(entry)
    if end.last is None:
        return Joint([*held.reads], held.since_us)
    left_us = end.last.received_us
    up_us = max(held.since_us, left_us)
    if here.repeats or end.repeats:
        return _apart(end, held, left_us, "events are alike to the last byte: is timestampevents = yes?")
    if end.newest is not None:
        return Joint(here.without(_Behind(end, held, journaled)), up_us)
    if not end.found and end.is_before(held):
        return Joint([*held.reads], up_us)
    if not end.stamped:
        return _apart(end, held, left_us, "events came without Timestamp: is timestampevents = yes?")
    return _apart(end, held, left_us, "what the other process read last is not among what is held")


def _apart(end: "_End", held: Held, left_us: int, trouble: str) -> Joint:
    """Go on with what was surely read after the other's end."""
    since_us = min(held.since_us, left_us if end.heard_us is None else end.heard_us)
    late = [read for read in held.reads if read.received_us > left_us]
    return Joint(end.here.without_found(late, end.found), max(held.since_us, left_us), trouble, since_us)


class _Here:
    """What is held, each stamped frame by its number."""

    def __init__(self, held: Held) -> None:
        self._reads = held.reads
        self.numbers: dict[bytes, int] = {}
        self.repeats = False
        for number, frame in enumerate(frame for read in held.reads for frame in read.frames):
            if stamp(frame) is not None:
                self.repeats |= frame in self.numbers
                self.numbers[frame] = number

    def without(self, behind: "_Behind") -> list[Read]:
        """Return the reads with what the joint lets pass."""
        numbers = iter(range(sum(len(read.frames) for read in self._reads)))
        return [*_nonempty(self._reads, lambda frame: behind.passes(next(numbers), frame))]

    def without_found(self, reads: Iterable[Read], found: set[int]) -> list[Read]:
        """Return reads without what the other has journaled."""
        return [*_nonempty(reads, lambda frame: self.numbers.get(frame) not in found)]


class _End:
    """How another process's journal ends.

    `newest` is the number, among what is held, of the last stamped event that it journaled; `trail` what
    it journaled behind that without Timestamp.
    """

    def __init__(self, here: _Here) -> None:
        self.here = here
        self.found: set[int] = set()
        self.newest: int | None = None
        self.trail: list[bytes] = []
        self.repeats = False
        self.stamped = False
        self.last: Entry | None = None
        self.first_us = 0
        self.heard_us: int | None = None
        self._unstamped_us: int | None = None
        self._up: Entry | None = None
        self._left_us: int | None = None

    def take(self, entry: Entry) -> None:
        """Take the next entry."""
        if self.last is None:
            self.first_us = entry.received_us
        self.last = entry
        if entry.origin is Origin.CONNECTOR:
            self._noted(entry)
        elif entry.origin is Origin.AMI:
            self.heard_us = entry.received_us
            self._heard(entry)

    def is_before(self, held: Held) -> bool:
        """Say whether it read at the same place, and nothing, from a login on until long after it."""
        up, since_us = self._up, held.since_us
        if up is None or self._left_us is None or not held.whole:
            return False
        same = up.source[2:] == held.source[2:] and parse(up.frame).get("Address") == held.address
        heard = self.heard_us is not None and self.heard_us >= since_us
        unstamped = self._unstamped_us is not None and self._unstamped_us >= since_us - _MARGIN_US
        overlaps = up.received_us <= since_us <= self._left_us - _MARGIN_US
        return same and overlaps and not heard and not unstamped

    def _noted(self, entry: Entry) -> None:
        kind = event_name(entry.frame)
        if kind == "session_up":
            self._up, self._left_us = entry, None
        elif kind == "session_down":
            stopped = parse(entry.frame).get("Reason") == "stopped"
            self._left_us = entry.received_us if stopped else None

    def _heard(self, entry: Entry) -> None:
        if stamp(entry.frame) is None:
            self._unstamped_us = entry.received_us
            self.trail.append(entry.frame)
            return
        self.stamped = True
        self.trail.clear()
        self.newest = number = self.here.numbers.get(entry.frame)
        if number is not None:
            self.repeats |= number in self.found
            self.found.add(number)


class _Behind:
    """What goes on behind the other's end; asked for each frame that is held, in order."""

    def __init__(self, end: _End, held: Held, journaled: Callable[[bytes], bool]) -> None:
        self._found = end.found
        self._trail = iter([*end.trail])
        self._due = next(self._trail, None)
        self._first, self._last = min(end.found), max(end.found)
        # Where its entries reach back to before this login, what is not among them it has not read.
        self._all_known = end.first_us < held.since_us - _MARGIN_US
        self._journaled = journaled
        stamps = (stamp(frame) for frame, number in end.here.numbers.items() if number == self._last)
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
        at_us = stamp(frame)
        if at_us is None or at_us < self._newest_us - _SWAP_US:
            return False
        return (self._all_known or number > self._first) and self._journaled(frame)


def stamp(frame: bytes) -> int | None:
    """Return an event's Timestamp in microseconds since 1970 (UTC); None where Asterisk wrote none."""
    match = _STAMP.match(frame)
    return int(match[1] + match[2]) if match else None


def _nonempty(reads: Iterable[Read], passes: Callable[[bytes], bool]) -> Iterator[Read]:
    for read in reads:
        if frames := [frame for frame in read.frames if passes(frame)]:
            yield Read(frames, read.received_us)
