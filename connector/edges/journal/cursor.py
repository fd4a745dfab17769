"""Reading through a journal's segments, from a position on."""

from collections.abc import Sequence
from typing import NamedTuple

from connector.edges.journal.blocks import Entries, Losses, Placed
from connector.edges.journal.segment import Damage, Segment, SegmentReader
from connector.events.entry import Entry
from connector.events.gaps.losses import GivenUp, damage


class Found(NamedTuple):
    """Entries behind a position; up to `position` nothing else is there but what is lost."""

    position: int
    entries: list[Entry]
    losses: list[GivenUp]


class Cursor:
    """Reads entries behind a position, in order, each once.

    Args:
        segments: the journal's, as they are at any time, by their first positions; one at least.
        pbx: whose they are.
        after: the position.

    Raises:
        OSError: a segment cannot be opened; `read` raises it too.
    """

    def __init__(self, segments: Sequence[Segment], pbx: str, after: int) -> None:
        self._segments = segments
        self._pbx = pbx
        self.position = after
        begins = [segment for segment in segments if segment.first <= after + 1]
        self._reader = SegmentReader(begins[-1] if begins else segments[0], pbx)
        self._held: list[Placed] = []
        self._before: Entry | None = None
        self._reached = after
        self._is_damaged = False
        self._is_told = False

    def is_in(self, segment: Segment) -> bool:
        """Say whether it reads this segment just now."""
        return self._reader.segment is segment

    def close(self) -> None:
        """Give back the file."""
        self._reader.close()

    def read(self, limit: int, below: int) -> Found:
        """Return up to `limit` entries before a position; everything before that must have been written."""
        found = Found(0, [], [])
        while len(found.entries) < limit:
            if not (self._held or self._fill(found.losses)) or self._held[0][0] >= below:
                self._pass(found.losses, below)
                break
            room = limit - len(found.entries)
            part = [each for each in self._held[:room] if each[0] < below]
            self._held = self._held[len(part) :]
            found.entries.extend(entry for _, entry in part)
            self.position, self._before = part[-1]
        return found._replace(position=self.position)

    def _pass(self, losses: list[GivenUp], below: int) -> None:
        """Take that there is nothing more before a position."""
        if not self._held and self._is_damaged:
            self._tell_damage(None, losses)
        self.position = max(self.position, below - 1)

    def _fill(self, losses: list[GivenUp]) -> bool:
        """Read on to the next entries behind the position; say whether there are any."""
        while True:
            match self._reader.read():
                case Entries(placed):
                    self._reached = max(self._reached, placed[-1][0])
                    self._held = [each for each in placed if each[0] > self.position]
                    if self._held:
                        self._tell_damage(self._held[0], losses)
                        return True
                    # What is behind these is not what is missing before the first that is wanted.
                    self._before, self._is_damaged = placed[-1][1], False
                case Damage():
                    self._is_damaged = True
                case Losses(told):
                    if not (self._is_told or self._reader.segment.is_told):
                        losses.extend(told)
                    self._is_told = True
                case _:
                    if not self._next():
                        return False

    def _tell_damage(self, behind: Placed | None, losses: list[GivenUp]) -> None:
        if self._is_damaged:
            self._is_damaged = False
            missing = behind[0] - self.position - 1 if behind else 0
            if loss := damage(self._before, behind and behind[1], missing):
                losses.append(loss)

    def _next(self) -> bool:
        """Go on to the next segment, if there is one."""
        before = self._reader.segment
        for segment in self._segments:
            if segment.first > before.first:
                told = self._is_told or before.is_told
                self._is_damaged |= not told and before.is_short_of(segment, self._reached)
                self._reader.close()
                self._reader = SegmentReader(segment, self._pbx)
                self._is_told = False
                return True
        return False
