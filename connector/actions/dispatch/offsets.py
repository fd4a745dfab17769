"""Which requests of a partition are final: an offset below which all are, and a note on those beyond it.

Requests of different keys end in any order, so the offset stays at the lowest that is not final. What
was answered beyond it would be met again, and answered again, by the partition's next owner; hence
the note, which is committed as the offset's metadata in the same transaction as the answers.
"""

import re
from bisect import bisect_right
from collections.abc import Collection, Sequence
from itertools import accumulate, pairwise
from typing import Final, NamedTuple

MAX_NOTE: Final = 4_000
"""Characters of a note; brokers take 4,096 bytes (`offset.metadata.max.bytes`)."""

_NOTE: Final = re.compile(r"1:(\d{1,19}(?:,\d{1,19})*)", re.ASCII)


class Reached(NamedTuple):
    """What may be committed for a partition: the lowest offset not final, and which beyond it are."""

    offset: int
    note: str


class Offsets:
    """One partition's requests, met in the order of their offsets and final in any order.

    Args:
        note: what the former owner's last commit says; whatever is no note of ours says nothing.
    """

    def __init__(self, note: str = "") -> None:
        self._noted = _read(note)
        self._open: dict[int, int] = {}
        """Each request not final, and the first offset behind the request met before it."""
        self._end = -1

    def meet(self, offset: int) -> bool:
        """Take note of a request; say whether it is to be seen to, neither final nor met before."""
        if offset < self._end:
            return False
        # Offsets that Kafka leaves out are told with the request behind them: else each would cost a run.
        start = offset if self._end < 0 else self._end
        self._end = offset + 1
        # An odd place among the borders is within a run.
        if bisect_right(self._noted, offset) % 2:
            return False
        self._open[offset] = start
        return True

    def settle(self, offset: int) -> None:
        """Take note that a request is final, and stands so in Kafka."""
        del self._open[offset]

    def reached(self, settling: Collection[int] = ()) -> Reached:
        """Return what a transaction may commit in which `settling` become final; one request at least was met.

        A note longer than `MAX_NOTE` says that fewer must become final at once.
        """
        still = [(offset, start) for offset, start in self._open.items() if offset not in settling]
        borders: list[int] = []
        for (offset, _), (_, start) in pairwise([*still, (self._end, self._end)]):
            borders += (offset + 1, start)
        return Reached(still[0][0] if still else self._end, _write([*borders, *self._not_met()]))

    def _not_met(self) -> list[int]:
        """Give the rest of the former owner's note: of it nothing may be forgotten before it is met."""
        place = bisect_right(self._noted, self._end)
        rest = self._noted[place:]
        return [self._end, *rest] if place % 2 else rest


def _write(borders: Sequence[int]) -> str:
    """Put runs into a note: where the first begins, then the lengths of runs and of gaps in turn."""
    kept: list[int] = []
    for border in borders:
        if kept and kept[-1] == border:
            # A run of nothing, or two runs without a gap.
            kept.pop()
        else:
            kept.append(border)
    return "1:" + ",".join(str(b - a) for a, b in pairwise([0, *kept])) if kept else ""


def _read(note: str) -> list[int]:
    """Give the borders of the runs of final requests: start, stop, start, stop; `stop` is the first behind."""
    match = _NOTE.fullmatch(note)
    borders = list(accumulate(map(int, match[1].split(",")))) if match else []
    return borders if len(borders) % 2 == 0 else []
