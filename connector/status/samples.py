"""What is measured every few seconds, and the measures of the last minutes."""

from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

KEPT: Final = 120
"""Samples of a PBX that are kept: ten minutes of one every five seconds."""


class Sample(NamedTuple):
    """One PBX's measures; times in microseconds, since 1970 where they are instants; None: not known.

    `entries`, `size` (bytes) and `oldest_us` are what waits in the journal, `limit` its bound in bytes. `read` and
    `delivered` count events since the start. `lag_us` is how late the latest ones came, `offset_us` how far the PBX's
    clock is ahead.
    """

    at_us: int
    entries: int = 0
    size: int = 0
    oldest_us: int | None = None
    limit: int = 0
    read: int = 0
    delivered: int = 0
    lag_us: int | None = None
    offset_us: int | None = None


class Point(NamedTuple):
    """What happened until `at_us`: events a second in and out, the lag, and the entries that waited."""

    at_us: int
    read_s: float
    delivered_s: float
    lag_us: int | None
    entries: int


class Samples:
    """The latest samples of one PBX."""

    def __init__(self) -> None:
        self._kept: deque[Sample] = deque(maxlen=KEPT + 1)

    def put(self, sample: Sample) -> None:
        """Take a sample; they come in the order of their time."""
        self._kept.append(sample)

    @property
    def latest(self) -> Sample | None:
        """The last sample, if there was one."""
        return self._kept[-1] if self._kept else None

    def points(self) -> Sequence[Point]:
        """Return what happened between each two samples, the oldest first."""
        kept = list(self._kept)
        return [_point(before, after) for before, after in pairwise(kept)]


def _point(before: Sample, after: Sample) -> Point:
    seconds = max(after.at_us - before.at_us, 1) / 1_000_000
    read = max(after.read - before.read, 0) / seconds
    delivered = max(after.delivered - before.delivered, 0) / seconds
    return Point(after.at_us, round(read, 2), round(delivered, 2), after.lag_us, after.entries)
