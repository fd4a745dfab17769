"""Turns: one after another with a key, side by side without, against a naive model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.actions.dispatch.ticket import Ticket
from connector.actions.dispatch.turns import Bounds, Turns
from connector.actions.record import Incoming
from tests.actions.dispatchers import PLACE

KEYS = [b"", b"a", b"b", None]


def ticket(offset: int, key: bytes | None, value: bytes = b"xx") -> Ticket:
    return Ticket(Incoming(PLACE, offset, 0, key, value), 0)


@given(st.lists(st.sampled_from(KEYS), max_size=12), st.data())
def test_one_after_another_with_a_key_and_all_at_once_without(
    keys: list[bytes | None], data: st.DataObject
) -> None:
    turns = Turns(Bounds(100, 100))
    waiting = [ticket(offset, key) for offset, key in enumerate(keys)]
    for each in waiting:
        turns.add(each)
    ended: list[Ticket] = []
    while waiting:
        for each in waiting:
            same = (
                [one for one in waiting if one.record.key == each.record.key]
                if each.record.key is not None
                else []
            )
            unended = [one for one in same if one not in ended]
            if each not in ended:
                assert turns.is_next(each) == (not unended or unended[0] is each)
            assert turns.is_first(each) == (not same or same[0] is each)
        able = [each for each in waiting if each not in ended and turns.is_next(each)]
        final = [each for each in ended if each in waiting and turns.is_first(each)]
        chosen = data.draw(st.sampled_from(able + final))
        if chosen in ended:
            waiting.remove(chosen)
            first = turns.final(chosen)
            assert first is None or turns.is_first(first)
        else:
            ended.append(chosen)
            successor = turns.finished(chosen)
            assert successor is None or turns.is_next(successor)
    assert len(turns) == 0
    assert not turns._lines


def test_who_is_forgotten_holds_nobody_up_and_counts_no_more() -> None:
    turns = Turns(Bounds(4, 100))
    tickets = [ticket(offset, key) for offset, key in enumerate((b"a", b"a", None, b"b"))]
    for each in tickets:
        turns.add(each)
    assert turns.full
    turns.finished(tickets[0])
    turns.forget(tickets[1:])
    assert [*turns] == [tickets[0]]
    assert turns.roomy
    assert turns.final(tickets[0]) is None
    assert not turns._lines


@pytest.mark.parametrize(
    ("sizes", "full", "roomy"),
    [
        ((), False, True),
        ((2,), False, True),
        ((2, 2), True, False),
        ((2, 1), False, False),
        ((0,) * 10, True, False),
    ],
)
def test_bytes_and_requests_are_bounded(sizes: tuple[int, ...], full: bool, roomy: bool) -> None:
    turns = Turns(Bounds(10, 4))
    for offset, size in enumerate(sizes):
        turns.add(ticket(offset, None, b"x" * size))
    assert (turns.full, turns.roomy) == (full, roomy)


def test_what_is_final_makes_room() -> None:
    turns = Turns(Bounds(10, 4))
    tickets = [ticket(offset, None) for offset in range(2)]
    for each in tickets:
        turns.add(each)
    turns.final(tickets[0])
    assert (turns.full, turns.roomy) == (False, True)
