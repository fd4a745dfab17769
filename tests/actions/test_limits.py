"""Gates: rates and places, and what a clock that steps back costs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.actions.dispatch.limits import Gates, Limit, Rate, Room

NOW = 1_700_000_000_000


def is_open(gate: Rate | Room, now_ms: int) -> bool:
    at = gate.opens_at(now_ms)
    return at is not None and at <= now_ms


def test_a_rate_lets_one_seconds_worth_through_at_once_and_then_one_by_one() -> None:
    rate = Rate(4)
    for _ in range(4):
        assert is_open(rate, NOW)
        rate.take(NOW)
    assert rate.opens_at(NOW) == NOW + 250
    assert not is_open(rate, NOW + 249)
    assert is_open(rate, NOW + 250)
    rate.take(NOW + 250)
    rate.give_back()
    assert not is_open(rate, NOW + 250), "what is over has counted for its second"


def test_a_rate_below_one_a_second_lets_one_through_at_a_time() -> None:
    rate = Rate(0.5)
    rate.take(NOW)
    assert rate.opens_at(NOW) == NOW + 2_000


@given(st.floats(0.1, 500), st.lists(st.integers(-5_000, 5_000), max_size=30))
def test_no_clock_makes_a_rate_wait_longer_than_its_interval(per_s: float, steps: list[int]) -> None:
    rate, now_ms = Rate(per_s), NOW
    for step in steps:
        now_ms += step
        at = rate.opens_at(now_ms)
        assert at is not None
        assert at <= now_ms + 1_000 / per_s + 1
        if at <= now_ms:
            rate.take(now_ms)


@given(st.floats(0.5, 200), st.lists(st.integers(0, 300), min_size=1, max_size=200))
def test_no_second_sees_more_than_twice_the_rate(per_s: float, steps: list[int]) -> None:
    rate, now_ms, passed = Rate(per_s), NOW, []
    for step in steps:
        now_ms += step
        while is_open(rate, now_ms):
            rate.take(now_ms)
            passed.append(now_ms)
    for start in passed:
        assert sum(start <= each < start + 1_000 for each in passed) <= 2 * max(per_s, 1) + 1


def test_a_place_is_free_again_when_it_is_given_back() -> None:
    room = Room(1)
    room.take(NOW)
    assert room.opens_at(NOW) is None
    room.give_back()
    assert is_open(room, NOW)


@pytest.mark.parametrize(
    ("channel", "call", "count"),
    [
        ("", False, 3),
        ("", True, 5),
        ("PJSIP/trunk-1", False, 3),
        ("pjsip/TRUNK-1", True, 6),
        ("PJSIP/other", True, 5),
    ],
)
def test_a_limit_is_before_whom_it_names(channel: str, call: bool, count: int) -> None:
    limits = [
        Limit(actions_per_s=1, calls_per_s=1, calls_in_flight=1),
        Limit(channel="PJSIP/Trunk", calls_in_flight=1),
    ]
    gates = Gates(2, limits).before(channel, call=call)
    assert len(gates) == count
    assert len(Gates(2).before(channel, call=call)) == 2


def test_the_link_is_taken_to_be_there_until_it_is_told_otherwise() -> None:
    gates = Gates(1)
    assert gates.link.opens_at(NOW) == NOW
    gates.link.open = False
    assert gates.link.opens_at(NOW) is None
    gates.link.take(NOW)
    gates.link.give_back()
    assert not gates.link.open
