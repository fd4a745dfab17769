"""Delays by one clock: what is late is told when it begins and when it is over."""

from hypothesis import given
from hypothesis import strategies as st

from connector.ami.clock import Pong
from connector.events.watching.delay import Delay, Delays
from connector.facts import ClockDiffers, EventsLate, EventsOnTime, Fact

NOW = 1_700_000_000_000_000
HOUR_US = 3_600_000_000


def stamp(at_us: int) -> bytes:
    return b"%d.%06d" % divmod(at_us, 1_000_000)


class Told:
    def __init__(self, ahead_us: int | None = 0) -> None:
        self.facts: list[Fact] = []
        self.delays = Delays("main", self.facts.append, 5.0)
        self.ahead_us = ahead_us or 0
        if ahead_us is not None:
            self.pong(ahead_us)

    def pong(self, ahead_us: int) -> None:
        self.delays.pong(Pong(NOW + ahead_us, 0), NOW)

    def take(self, delay_us: int) -> int | None:
        return self.delays.stamped(stamp(NOW - delay_us + self.ahead_us), NOW)


@given(st.integers(-HOUR_US, HOUR_US), st.lists(st.integers(0, HOUR_US), min_size=1))
def test_a_delay_is_the_same_by_whatever_clock(ahead_us: int, delays_us: list[int]) -> None:
    told = Told(ahead_us)
    assert [told.take(each) for each in delays_us] == [NOW - each for each in delays_us]
    assert told.delays.told() == Delay(max(delays_us), ahead_us)
    assert told.delays.told() == Delay(None, ahead_us)


AROUND = [0, 2_499_999, 2_500_000, 4_000_000, 5_000_000, 5_000_001, 9_000_000]


@given(st.lists(st.sampled_from(AROUND) | st.integers(0, 12_000_000)))
def test_each_begin_has_one_end_which_tells_the_worst(delays_us: list[int]) -> None:
    told = Told()
    for each in delays_us:
        told.take(each)
    expected: list[Fact] = []
    late: list[int] = []
    for each in delays_us:
        if late or each > 5_000_000:
            late.append(each)
        if len(late) == 1:
            expected.append(EventsLate("main", each // 1_000))
        elif late and each < 2_500_000:
            expected.append(EventsOnTime("main", max(late) // 1_000))
            late = []
    assert told.facts == expected


def test_without_the_offset_nothing_is_called_late_and_the_delay_is_by_both_clocks() -> None:
    told = Told(None)
    assert told.take(HOUR_US) is None
    assert told.facts == []
    assert told.delays.told() == Delay(HOUR_US, None)


def test_an_event_is_never_younger_than_itself() -> None:
    told = Told(0)
    assert told.take(-300) == NOW
    assert told.delays.told() == Delay(0, 0)


def test_clocks_that_are_far_apart_are_told_once_each_time() -> None:
    told = Told(-1_000_001)
    told.pong(-2_000_000)
    assert told.facts == [ClockDiffers("main", -1_001)]
    for ahead_us in (*[700_000] * 6, *[100_000] * 6, *[HOUR_US] * 6):
        told.pong(ahead_us)
    assert told.facts[1:] == [ClockDiffers("main", HOUR_US // 1_000)]


def test_a_new_session_may_be_at_another_node() -> None:
    told = Told(HOUR_US)
    told.delays.began()
    assert told.delays.told() == Delay(None, None)


def test_what_is_no_timestamp_says_nothing() -> None:
    told = Told()
    assert told.delays.stamped(b"yesterday", NOW) is None
    assert told.delays.told() == Delay(None, 0)
