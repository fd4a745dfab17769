"""Holes in the PBX's own numbers: each missing one is told, once, and none that came late."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from connector.events.gaps.holes import PATIENCE_US, UNNUMBERED, WINDOW, Hole, Holes
from connector.facts import EventsMissed, Fact, SequenceNumbersAbsent

WRAP = 1 << 32
NOW = 1_700_000_000_000_000


def frame(number: int) -> bytes:
    """Return an event as manager.c writes it with debug on: the number is a C int."""
    signed = (number + WRAP // 2) % WRAP - WRAP // 2
    return (
        b"Event: Hangup\r\nPrivilege: call,all\r\nTimestamp: 1700000000.000001\r\n"
        b"SequenceNumber: %d\r\nFile: x.c\r\nLine: 1\r\nFunc: f\r\nUniqueid: 1.1" % signed
    )


class Told:
    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.holes = Holes("main", self.facts.append)

    def take(self, numbers: Sequence[int], now_us: int = NOW) -> list[Hole]:
        return self.holes.take([frame(number) for number in numbers], now_us)


def missing(holes: Sequence[Hole]) -> list[int]:
    return [(hole.first + place) % WRAP for hole in holes for place in range(hole.size)]


FIRST = st.sampled_from([0, 1, 17, WRAP // 2 - 20, WRAP - 20])


@given(FIRST, st.sets(st.integers(1, 198)), st.randoms(use_true_random=False))
def test_exactly_what_did_not_come_is_told_however_neighbours_swap(
    first: int, lost: set[int], random: object
) -> None:
    shuffled = sorted(set(range(1, 200)) - lost, key=lambda number: number + random.random() * 5)  # type: ignore[attr-defined]
    told = Told()
    found = told.take([first])
    for number in shuffled:
        found += told.take([(first + number) % WRAP])
    found += told.holes.end()
    assert missing(found) == [(first + number) % WRAP for number in sorted(lost)]
    assert sum(fact.count for fact in told.facts if isinstance(fact, EventsMissed)) == len(lost)


def test_so_many_behind_it_prove_that_one_is_missing() -> None:
    told = Told()
    assert told.take([1]) == []
    assert told.take([*range(3, WINDOW + 2)], NOW + 1) == []
    assert told.take([WINDOW + 2], NOW + 2) == [Hole(2, 2, NOW, NOW + 1)]
    assert told.take([*range(WINDOW + 3, 2 * WINDOW)]) == []


def test_a_long_time_proves_it_too() -> None:
    told = Told()
    assert told.take([1, 3]) == []
    assert told.take([4], NOW + PATIENCE_US - 1) == []
    assert told.take([], NOW + PATIENCE_US) == [Hole(2, 2, NOW, NOW)]


def test_one_that_comes_when_it_was_told_already_changes_nothing() -> None:
    told = Told()
    told.take([1, 3], NOW)
    assert len(told.holes.end()) == 1
    assert told.take([2, 4, 5]) == []


def test_a_process_that_counts_from_its_own_start_has_no_hole() -> None:
    told = Told()
    assert told.take([100_000, 3, 4]) == []
    told.holes.restarted()
    assert told.take([90_000, 90_001]) == []


def test_what_is_lost_between_two_sessions_of_one_process_is_counted() -> None:
    told = Told()
    assert told.take([10, 11]) == []
    assert told.holes.end() == []
    assert told.take([5_012], NOW + 7) == [Hole(12, 5_011, NOW, NOW + 7)]


def test_a_pbx_without_numbers_is_told_of_once() -> None:
    told = Told()
    plain = b"Event: Hangup\r\nPrivilege: call,all\r\nUniqueid: 1.1"
    told.holes.take([plain] * (3 * UNNUMBERED), NOW)
    assert told.facts == [SequenceNumbersAbsent("main")]


def test_a_number_that_a_caller_wrote_is_none() -> None:
    told = Told()
    told.take([7])
    forged = (
        b"Event: Hangup\r\nPrivilege: call,all\r\nCallerIDName: x\r\nSequenceNumber: 900\r\nUniqueid: 1.1"
    )
    assert told.holes.take([forged], NOW) == []
    assert told.take([8]) == []
    assert told.facts == []
