"""How far a PBX's clock is from ours, known by what Pings tell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.ami.clock import Offset, Pong, clock_us

NOW = 1_700_000_000_000_000
WAY = st.integers(0, 3_000_000)


@given(st.integers(-(10**10), 10**10), st.lists(st.tuples(WAY, WAY), min_size=1, max_size=20))
def test_the_error_is_half_of_the_quickest_round_trip_among_the_last(
    ahead_us: int, ways: list[tuple[int, int]]
) -> None:
    offset = Offset()
    for place, (there, back) in enumerate(ways):
        asked = NOW + place * 10_000_000
        offset.take(Pong(asked + there + ahead_us, there + back), asked + there + back)
    quickest = min(there + back for there, back in ways[-6:])
    assert offset.us is not None
    assert abs(offset.us - ahead_us) <= quickest // 2 + 1


def test_a_clock_that_was_set_is_known_after_a_few_pings() -> None:
    offset = Offset()
    offset.take(Pong(NOW, 0), NOW)
    for _ in range(6):
        offset.take(Pong(NOW + 7_000_000, 80), NOW)
    assert offset.us == 7_000_040


def test_nothing_is_known_before_the_first_and_after_forgetting() -> None:
    offset = Offset()
    known = [offset.us]
    offset.take(Pong(NOW, 0), NOW)
    known.append(offset.us)
    offset.forget()
    assert [*known, offset.us] == [None, 0, None]


@pytest.mark.parametrize(
    "text", [b"", b"1700000000", b"1700000000.12345", b"-1.000000", b"1.+00000", b"x.000000"]
)
def test_what_is_no_timestamp_says_nothing(text: bytes) -> None:
    assert clock_us(text) is None
    assert clock_us(b"1700000000.000042") == NOW + 42


@pytest.mark.parametrize(
    ("stamp", "told"),
    [
        (b"1700000000.000001", 1_700_000_000_000_001),
        (b"1700000000.1", None),
        (b"-1.000001", None),
        (b"9" * 5_000 + b".000001", None),
        (b"", None),
    ],
)
def test_a_timestamp_is_read_or_left(stamp: bytes, told: int | None) -> None:
    assert clock_us(stamp) == told
