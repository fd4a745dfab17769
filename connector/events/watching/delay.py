"""How long events take from the PBX's Timestamp to us, by one clock: the PBX's offset is taken off."""

from typing import Final, NamedTuple

from connector.ami.clock import Offset, Pong, clock_us
from connector.facts import ClockDiffers, EventsLate, EventsOnTime, Fact, Report

LATE_S: Final = 5.0
"""Seconds of delay that are told, unless set otherwise."""

FAR_US: Final = 1_000_000
"""A difference of the clocks that is told, in microseconds; told again once it was below half of that."""


class Delay(NamedTuple):
    """The longest delay in a while, and how far the PBX's clock is ahead, in microseconds; None: not known."""

    longest_us: int | None
    offset_us: int | None


def _untold(_: Fact) -> None: ...


class Delays:
    """The delays of one PBX's events, session after session.

    Args:
        pbx: its name.
        report: told where events begin to be late, and no longer are, and where the clocks are far apart.
        late_s: the delay in seconds from which on events are late; they are on time again below half of it.
    """

    def __init__(self, pbx: str, report: Report = _untold, late_s: float = LATE_S) -> None:
        self._pbx = pbx
        self._report = report
        self._late_us = int(late_s * 1_000_000)
        self._offset = Offset()
        self._far = False
        self._late = False
        self._worst_us = 0
        self._longest_us: int | None = None
        self._recent_us: int | None = None

    def began(self) -> None:
        """Note a new session."""
        self._offset.forget()

    def pong(self, pong: Pong, received_us: int) -> None:
        """Take the answer to a Ping, read at `received_us`."""
        self._offset.take(pong, received_us)
        offset = self._offset.us or 0
        if not self._far and abs(offset) > FAR_US:
            self._far = True
            self._report(ClockDiffers(self._pbx, offset // 1_000))
        elif abs(offset) < FAR_US // 2:
            self._far = False

    def stamped(self, stamp: bytes, received_us: int) -> int | None:
        """Take the Timestamp of an event; return when it was made, by our clock, if that is known.

        While the offset is not known nothing is called late: the clocks may be hours apart.
        """
        made_us = clock_us(stamp)
        if made_us is None:
            return None
        offset = self._offset.us
        delay_us = received_us - made_us + (offset or 0)
        if offset is not None:
            # Half a round trip of error must not make an event younger than itself.
            delay_us = max(delay_us, 0)
            self._judge(delay_us)
        self._longest_us = delay_us if self._longest_us is None else max(self._longest_us, delay_us)
        self._recent_us = delay_us if self._recent_us is None else max(self._recent_us, delay_us)
        return None if offset is None else received_us - delay_us

    def told(self) -> Delay:
        """Return the longest delay since the last call, and the offset."""
        longest_us, self._longest_us = self._longest_us, None
        return Delay(longest_us, self._offset.us)

    def recent(self) -> Delay:
        """Return the longest delay since the last call of this, and the offset; what `told` returns is apart from it."""
        recent_us, self._recent_us = self._recent_us, None
        return Delay(recent_us, self._offset.us)

    def _judge(self, delay_us: int) -> None:
        if self._late:
            self._worst_us = max(self._worst_us, delay_us)
            if delay_us < self._late_us // 2:
                self._late = False
                self._report(EventsOnTime(self._pbx, self._worst_us // 1_000))
        elif delay_us > self._late_us:
            self._late, self._worst_us = True, delay_us
            self._report(EventsLate(self._pbx, delay_us // 1_000))
