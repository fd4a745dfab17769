"""What a PBX's clock says, and how far it is from ours.

Events and the answer to Ping carry `Timestamp: <seconds>.<six digits>`, by the PBX's clock.
"""

import re
from collections import deque
from typing import Final, NamedTuple

_STAMP: Final = re.compile(rb"([0-9]{1,11})\.([0-9]{6})")
_SAMPLES: Final = 6
"""So many Pings back a better sample still counts: where a clock is set, the old ones are forgotten soon."""


class Pong(NamedTuple):
    """A Ping was answered: what the PBX's clock said (microseconds since 1970), and how long it took."""

    clock_us: int
    took_us: int


def clock_us(stamp: bytes) -> int | None:
    """Return a Timestamp in microseconds since 1970; None where it is none."""
    found = _STAMP.fullmatch(stamp)
    return int(found[1] + found[2]) if found else None


class Offset:
    """How far a PBX's clock is ahead of ours, by the quickest of the last few answers to Ping.

    The PBX looks at its clock between question and answer: taken for the middle, the error is half of
    the round trip at most.
    """

    def __init__(self) -> None:
        self._samples: deque[tuple[int, int]] = deque(maxlen=_SAMPLES)

    @property
    def us(self) -> int | None:
        """The offset in microseconds; None where nothing is known."""
        return min(self._samples)[1] if self._samples else None

    def take(self, pong: Pong, received_us: int) -> None:
        """Take an answer that was read at `received_us`, by our clock."""
        self._samples.append((pong.took_us, pong.clock_us - (received_us - pong.took_us // 2)))

    def forget(self) -> None:
        """Know nothing: another node may answer."""
        self._samples.clear()
