"""The judge convicts each broken law, and nobody else."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.soak.account import first_occurrences
from tests.soak.evidence import Evidence, Fault, Gap, Kept, Lost, Sent
from tests.soak.faults import INTERRUPTIONS, ROUND, plan
from tests.soak.judge import findings
from tests.soak.report import text

SECOND = 1_000_000
CUT, KILLED = range(41, 47), range(71, 75)
"""What the PBX said while nobody read."""

NAMES = ("Newchannel", "VarSet", "Hangup")


def sent(number: int) -> Sent:
    return Sent(number, NAMES[number % 3], number * SECOND)


def kept(number: int, sequence: int, epoch: int = 1) -> Kept:
    return Kept(
        place=("calls", number % 2),
        key=b"%d" % (number % 4),
        event_id=f"main/{epoch}/{sequence}",
        epoch=epoch,
        sequence=sequence,
        received_us=number * SECOND + 1_000,
        content=f"event {number}",
        number=number,
        at_us=number * SECOND,
    )


def own(sequence: int, epoch: int, gap: Gap | None = None, lost: Lost | None = None) -> Kept:
    event_id = f"main/{epoch}/{sequence}"
    return Kept(("connector", 0), b"main", event_id, epoch, sequence, 0, f"{gap} {lost}", gap=gap, lost=lost)


def gap_between(reason: str, last: int, next_one: int) -> Gap:
    return Gap(reason, last * SECOND + 1_000, next_one * SECOND - 1_000)


def history() -> Evidence:
    """Return a run in which the link was cut once and the connector killed once, after which ten came again."""
    told = [sent(number) for number in range(1, 101)]
    told[9], told[10] = told[10], told[9]
    records = [kept(number, number) for number in range(1, CUT[0])]
    records.append(own(CUT[0], 1, gap_between("session-lost", CUT[0] - 1, CUT[-1] + 1)))
    records += [kept(number, number - 5) for number in range(CUT[-1] + 1, KILLED[0])]
    records.append(own(1, 2, gap_between("connector-restarted", KILLED[0] - 1, KILLED[-1] + 1)))
    records += records[50:60]
    records += [kept(number, number - 73, 2) for number in range(KILLED[-1] + 1, 101)]
    faults = [
        Fault("cut", 39 * SECOND, 48 * SECOND),
        Fault("kill", 69 * SECOND, 76 * SECOND),
        Fault("outage", 80 * SECOND, 95 * SECOND),
    ]
    return Evidence(told, records, faults, 1, 100)


def laws(evidence: Evidence) -> set[str]:
    return {each.partition(":")[0] for each in findings(evidence)}


def replaced(change: Callable[[Kept], Kept]) -> Evidence:
    """Return the history with changed records: of repeats too, which are then no others than the first."""
    whole = history()
    return whole._replace(kept=[change(each) for each in whole.kept])


def test_a_history_in_which_all_is_told_has_no_findings() -> None:
    assert findings(history()) == []


@given(st.sampled_from([n for n in range(2, 100) if n not in CUT and n not in KILLED]))
def test_an_event_that_is_not_there_is_found(number: int) -> None:
    whole = history()
    gone = whole._replace(kept=[each for each in whole.kept if each.number != number])
    # The last before a kill leaves no hole, and might not have been journaled.
    assert ("holes" in laws(gone)) is (number != KILLED[0] - 1)
    beside = {CUT[0] - 1, CUT[-1] + 1, KILLED[0] - 1, KILLED[-1] + 1}
    assert ("lost" in laws(gone)) or number in beside


@given(st.sets(st.integers(1, 100), min_size=1))
def test_what_the_witness_did_not_read_is_found(numbers: set[int]) -> None:
    whole = history()
    blind = whole._replace(sent=[each for each in whole.sent if each.number not in numbers])
    assert "witness" in laws(blind)


@given(st.permutations(range(6)))
def test_numbers_that_come_a_little_out_of_order_prove_as_much(order: list[int]) -> None:
    whole = history()
    beginning = [whole.sent[at] for at in order]
    assert findings(whole._replace(sent=[*beginning, *whole.sent[6:]])) == []


def swapped() -> Evidence:
    whole = history()
    records = [*whole.kept]
    records[20], records[22] = records[22], records[20]
    return whole._replace(kept=records)


def with_repeat(**change: Any) -> Evidence:
    whole = history()
    return whole._replace(kept=[*whole.kept, whole.kept[30]._replace(**change)])


def with_gap(gap: Gap) -> Evidence:
    whole = history()
    return whole._replace(kept=[*whole.kept, own(28, 2, gap)])


def without_gap(number: int) -> Evidence:
    reason = "session-lost" if number in CUT else "connector-restarted"
    return replaced(lambda each: each._replace(gap=None) if each.gap and each.gap.reason == reason else each)


def with_bounds(from_s: float, to_s: float) -> Evidence:
    gap = Gap("session-lost", int(from_s * SECOND), int(to_s * SECOND))
    return replaced(
        lambda each: each._replace(gap=gap) if each.gap and each.gap.reason == "session-lost" else each
    )


def of(number: int, **change: Any) -> Evidence:
    return replaced(lambda each: each._replace(**change) if each.number == number else each)


@pytest.mark.parametrize(
    ("evidence", "law"),
    [
        (without_gap(CUT[0]), "lost"),
        (without_gap(KILLED[0]), "lost"),
        (with_bounds(38, 46.9), "lost"),
        (with_bounds(40.1, 49), "lost"),
        (with_bounds(40.1, 43), "lost"),
        (with_bounds(45, 46.9), "lost"),
        (history()._replace(first=0), "witness"),
        (history()._replace(last=101), "witness"),
        (history()._replace(sent=history().sent[:-1]), "witness"),
        (history()._replace(sent=history().sent[1:]), "invented"),
        (with_repeat(event_id="main/2/28", epoch=2, sequence=28), "twice"),
        (of(20, at_us=21 * SECOND), "same"),
        (with_gap(Gap("session-lost", 84 * SECOND + 2_000, 85 * SECOND)), "gaps"),
        (history()._replace(faults=history().faults[1:]), "gaps"),
        (with_bounds(39.5, 46.9), "unread"),
        (with_bounds(40.1, 47.5), "unread"),
        (swapped(), "order"),
        (of(20, place=("calls", 1)), "keys"),
        (with_repeat(content="another"), "repeats"),
        (with_repeat(place=("calls", 5)), "repeats"),
        (with_repeat(key=b"another"), "repeats"),
    ],
)
def test_each_law_is_broken_by_something(evidence: Evidence, law: str) -> None:
    assert law in laws(evidence)


def test_what_begins_or_ends_the_account_is_excused_by_nothing() -> None:
    whole = history()
    records = [each for each in whole.kept if each.number not in (1, 100)]
    records.append(own(28, 2, Gap("session-lost", 0, 200 * SECOND)))
    assert [each.split(",")[0] for each in findings(whole._replace(kept=records)) if each[:4] == "lost"] == [
        "lost: 1",
        "lost: 100",
    ]


def given_up(*numbers: int, lost: Lost) -> Evidence:
    whole = history()
    records = [each for each in whole.kept if each.number not in numbers]
    return whole._replace(kept=[*records, own(28, 2, lost=lost)])


@pytest.mark.parametrize(
    ("lost", "broken"),
    [
        (Lost(1, 20, 22, 3), set()),
        (Lost(1, 19, 30, 3, None), set()),
        (Lost(1, 20, 22, 2), {"holes"}),
        (Lost(1, 21, 22, 3), {"holes"}),
        (Lost(1, 5, 10, 3), {"lost", "holes"}),
        (Lost(2, 20, 22, 3), {"lost", "holes"}),
        (Lost(1, 20, 22, 3, "Newchannel"), {"lost"}),
    ],
)
def test_what_an_overflow_names_is_told(lost: Lost, broken: set[str]) -> None:
    assert laws(given_up(20, 21, 22, lost=lost)) == broken


def test_of_repeats_the_first_counts() -> None:
    first, again = kept(1, 1), kept(1, 1)._replace(content="another")
    assert first_occurrences([first, kept(2, 2), again]) == [first, kept(2, 2)]


def test_a_dead_letter_is_in_kafka() -> None:
    letters = replaced(
        lambda each: each._replace(letter=True, received_us=0) if each.number in (40, 60) else each
    )
    assert findings(letters) == []
    assert "94 of them" not in text(letters, [], 1)
    assert "90 of them, 2 as dead letters" in text(letters, [], 1)


def test_an_event_without_a_timestamp_in_kafka_is_held_against_none() -> None:
    assert findings(of(20, at_us=None)) == []


@given(st.integers())
def test_a_seed_chooses_the_order_and_nothing_else(seed: int) -> None:
    first, again = next(plan(seed)), next(plan(seed))
    assert first == again
    assert sorted(first) == sorted(ROUND)
    assert (first.count("cut"), first.count("kill")) == (10, 5)
    assert {*first} >= INTERRUPTIONS


def test_rounds_differ() -> None:
    rounds = plan(1)
    assert next(rounds) != next(rounds)


def test_the_report_counts_everything() -> None:
    told = text(history(), ["order: something"], 10)
    for line in (
        "events        100 at the witness in 99 s, 1 a second",
        "in Kafka      90 of them, 0 as dead letters; beside them 2 without a number",
        "repeats       10",
        "not in Kafka  10, in 2 rows",
        "gaps          2, 12.0 s of them: 1 session-lost; 1 connector-restarted",
        "overflows     0, of 0 numbers",
        "epochs        2",
        "kinds         34 VarSet; 33 Hangup; 33 Newchannel",
        "faults        3: 1 cut; 1 kill; 1 outage",
        "findings      1\n  order: something",
    ):
        assert line in told
