"""Holes in Asterisk's own numbers: what it sent, or threw away, and we have not read.

With `debug = on` in manager.conf each event carries a SequenceNumber, a counter of 32 bits over all events
of the process, whoever may read them. It is taken before the event is queued, so neighbours may swap. Events
that are written to one session alone (the login's FullyBooted, items of lists) have none.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from connector.facts import EventsMissed, Report, SequenceNumbersAbsent

SEQUENCE_HOLE: Final = "sequence-hole"
WINDOW: Final = 256
"""So many numbers behind a missing one prove that it does not come any more."""
PATIENCE_US: Final = 5_000_000
"""And so does so long a time, in microseconds."""
UNNUMBERED: Final = 100
"""So many events without a number prove that the PBX gives none."""

_NUMBER: Final = re.compile(
    rb"Event: [^\r]*(?:\r\nPrivilege: [^\r]*)?(?:\r\nTimestamp: [^\r]*)?\r\nSequenceNumber: (-?\d{1,10})\r\n"
)
"""In front of everything that a caller can choose."""
_BITS: Final = 32
_HALF: Final = 1 << (_BITS - 1)
_MASK: Final = (1 << _BITS) - 1


class Hole(NamedTuple):
    """SequenceNumbers from `first` to `last` were not read, between two times in microseconds since 1970."""

    first: int
    last: int
    from_us: int
    to_us: int

    @property
    def size(self) -> int:
        """How many numbers; the counter may have wrapped between them."""
        return ((self.last - self.first) & _MASK) + 1


class Holes:
    """Reads the numbers of one PBX, session after session.

    Args:
        pbx: its name.
        report: told of each hole, and once if the PBX gives no numbers.
    """

    def __init__(self, pbx: str, report: Report) -> None:
        self._pbx = pbx
        self._report = report
        self._next: int | None = None
        self._heard_us = 0
        self._early: dict[int, int] = {}
        self._unnumbered = 0

    def restarted(self) -> None:
        """Take that another process of Asterisk answers, which counts from its own start."""
        self._next = None
        self._early.clear()

    def take(self, frames: Sequence[bytes], now_us: int) -> list[Hole]:
        """Take what a read gave, and return the holes that are certain now."""
        found: list[Hole] = []
        for frame in frames:
            number = _NUMBER.match(frame)
            if number is not None:
                self._unnumbered = 0
                self._number(int(number[1]) & _MASK, now_us, found)
            elif frame.startswith(b"Event: "):
                self._unnumbered += 1
                if self._unnumbered == UNNUMBERED:
                    self._report(SequenceNumbersAbsent(self._pbx))
        if self._early and now_us - min(self._early.values()) >= PATIENCE_US:
            self._give_up(found)
        return found

    def end(self) -> list[Hole]:
        """Return what is missing at the end of a session: nothing late comes any more."""
        found: list[Hole] = []
        while self._early:
            self._give_up(found)
        return found

    def _number(self, number: int, now_us: int, found: list[Hole]) -> None:
        ahead = 0 if self._next is None else _signed(number - self._next)
        if ahead < -WINDOW:
            # No neighbour that was swapped: the PBX counts anew.
            found += self.end()
            ahead = 0
        if ahead == 0:
            self._next, self._heard_us = (number + 1) & _MASK, now_us
            self._close_up()
        elif ahead > 0:
            self._early[number] = now_us
            while self._early and max(map(self._ahead, self._early)) >= WINDOW:
                self._give_up(found)

    def _give_up(self, found: list[Hole]) -> None:
        """Take the first missing numbers as lost."""
        if self._next is None:
            return
        first_early = min(self._early, key=self._ahead)
        last = (first_early - 1) & _MASK
        hole = Hole(self._next, last, self._heard_us, self._early[first_early])
        self._report(EventsMissed(self._pbx, hole.first, hole.last, hole.size))
        found.append(hole)
        self._next = first_early
        self._close_up()

    def _close_up(self) -> None:
        while self._next is not None and self._next in self._early:
            self._heard_us = self._early.pop(self._next)
            self._next = (self._next + 1) & _MASK

    def _ahead(self, number: int) -> int:
        return _signed(number - (self._next or 0))


def _signed(difference: int) -> int:
    return ((difference + _HALF) & _MASK) - _HALF
