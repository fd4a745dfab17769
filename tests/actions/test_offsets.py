"""Offsets: nothing not final lies below what is committed, and nothing final is met again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.actions.dispatch.offsets import Offsets, Reached

STRAY = [
    "",
    "leader-epoch 3",
    "1:",
    "1:5",
    "1:5,",
    "1:5,3,4",
    "2:5,3",
    "1:-5,3",
    "1:5,x",
    "1:\u0665,\u0663",
    "1:" + "9" * 20 + ",1",
]


def met(count: int, start: int = 0, note: str = "") -> Offsets:
    offsets = Offsets(note)
    for offset in range(start, start + count):
        offsets.meet(offset)
    return offsets


def test_the_offset_stays_at_the_lowest_that_is_not_final() -> None:
    offsets = met(4, start=10)
    assert offsets.reached() == Reached(10, "")
    assert offsets.reached({11}) == Reached(10, "1:11,1")
    offsets.settle(11)
    assert offsets.reached({10}) == Reached(12, "")
    offsets.settle(10)
    assert offsets.reached({12, 13}) == Reached(14, "")


def test_what_is_met_twice_is_seen_to_once() -> None:
    offsets = met(2)
    assert not offsets.meet(1)
    assert not offsets.meet(0)
    assert offsets.meet(2)


def test_offsets_that_kafka_leaves_out_hold_nothing_up() -> None:
    offsets = Offsets()
    assert offsets.meet(5)
    assert offsets.meet(9)
    assert offsets.reached({5}) == Reached(9, "")
    assert offsets.reached({9}) == Reached(5, "1:6,4")


def test_a_former_owners_note_is_handed_on_until_it_is_met() -> None:
    offsets = Offsets("1:11,2,1,3")
    assert offsets.meet(10)
    assert offsets.reached() == Reached(10, "1:11,2,1,3")
    assert [offsets.meet(offset) for offset in (11, 12, 13, 14)] == [False, False, True, False]
    assert offsets.reached({10}) == Reached(13, "1:14,3")
    assert offsets.reached({10, 13}) == Reached(15, "1:15,2")


@pytest.mark.parametrize("note", STRAY)
def test_what_is_no_note_of_ours_says_nothing(note: str) -> None:
    assert all(Offsets(note).meet(offset) for offset in (0, 5, 6, 7, 8))


@given(
    st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=40),
    st.integers(0, 10**15),
    st.data(),
)
def test_the_next_owner_meets_what_is_not_final_and_nothing_else(
    steps: list[tuple[int, bool]], start: int, data: st.DataObject
) -> None:
    """Owners follow one another at any point; whatever they settle is never met again, the rest always is."""
    log, at = [], start
    for gap, _ in steps:
        at += gap
        log.append(at)
        at += 1
    final: set[int] = set()
    offset, note = start, ""
    for _ in range(4):
        owner = Offsets(note)
        upto = data.draw(st.integers(0, len(log)))
        seen = [each for each in log[:upto] if each >= offset]
        new = [each for each in seen if owner.meet(each)]
        assert new == [each for each in seen if each not in final]
        settling = set(data.draw(st.lists(st.sampled_from(new), unique=True))) if new else set()
        if not seen:
            continue
        reached = owner.reached(settling)
        for each in settling:
            owner.settle(each)
        final |= settling
        assert owner.reached() == reached
        offset, note = reached
        assert all(each in final for each in log if each < offset)
