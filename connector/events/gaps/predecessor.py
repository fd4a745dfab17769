"""How another process's journal ends, seen from a session that has read beside it."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from connector.ami.message import event_name, parse, timestamp_of
from connector.events.entry import Entry, Origin, Source

MARGIN_US: Final = 3_000_000
"""How long a login or a Logoff may take, in microseconds: what lies closer together is in no certain order."""


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


class Predecessor:
    """How another process's journal ends.

    `newest` is the number, among what is held, of the last event with a Timestamp that it journaled;
    `trail` what it journaled behind that without one. `found` has the numbers of all that both have read.

    Args:
        numbers: what is held, each event with a Timestamp by its number.
    """

    def __init__(self, numbers: Mapping[bytes, int]) -> None:
        self._numbers = numbers
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
        unstamped = self._unstamped_us is not None and self._unstamped_us >= since_us - MARGIN_US
        overlaps = up.received_us <= since_us <= self._left_us - MARGIN_US
        return same and overlaps and not heard and not unstamped

    def _noted(self, entry: Entry) -> None:
        kind = event_name(entry.frame)
        if kind == "session_up":
            self._up, self._left_us = entry, None
        elif kind == "session_down":
            stopped = parse(entry.frame).get("Reason") == "stopped"
            self._left_us = entry.received_us if stopped else None

    def _heard(self, entry: Entry) -> None:
        if timestamp_of(entry.frame) is None:
            self._unstamped_us = entry.received_us
            self.trail.append(entry.frame)
            return
        self.stamped = True
        self.trail.clear()
        self.newest = number = self._numbers.get(entry.frame)
        if number is not None:
            self.repeats |= number in self.found
            self.found.add(number)
