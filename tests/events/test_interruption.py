"""What is told of an interruption: another node, a restart, neither, or that it is not known."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.ami.steps import Start
from connector.events.entry import Source
from connector.events.gaps.interruption import Change, Interruption, Node, compare, node, started_at
from connector.events.intake import Intake
from connector.events.selection import Selection
from tests.events.frames import NORMALISER, NOW, SCHEMAS, SOURCE, event, intake, record, snapshot

MINUTE = 60_000_000
BEFORE = "2026-11-23 08:00:00"
AFTER = "2026-11-23 09:00:00"
CALL = event("Newchannel", snapshot("1.1", "1.1"))
HANGUP = event("Hangup", snapshot("1.1", "1.1"), "Cause: 16", "Cause-txt: Normal Clearing")


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [
        (Node("a", BEFORE), Node("b", BEFORE), Change(node_changed=True, restarted=None)),
        (Node("a", BEFORE), Node("a", BEFORE), Change(node_changed=False, restarted=False)),
        (Node("a", BEFORE), Node("a", AFTER), Change(node_changed=False, restarted=True)),
        (Node("a", BEFORE), Node("a", AFTER, NOW + 5 * MINUTE), Change(node_changed=False, restarted=True)),
        # It ran before the other was heard last, so it is not the other restarted, whatever its name.
        (Node("a", BEFORE), Node("a", AFTER, NOW - MINUTE), Change(node_changed=True, restarted=None)),
        (Node(None, BEFORE), Node(None, AFTER, NOW - MINUTE), Change(node_changed=True, restarted=None)),
        (Node(None, BEFORE), Node(None, AFTER), Change(node_changed=None, restarted=True)),
        (Node(None, BEFORE), Node("a", BEFORE), Change(node_changed=False, restarted=False)),
        (Node("a"), Node("a"), Change(node_changed=False, restarted=None)),
        (Node(), Node(), Change(node_changed=None, restarted=None)),
        (None, Node("a", AFTER), Change(node_changed=None, restarted=None)),
        (None, Node("a", AFTER, NOW + MINUTE), Change(node_changed=None, restarted=True)),
        (None, Node("a", AFTER, NOW - MINUTE), Change(node_changed=None, restarted=False)),
        (None, Node("a", AFTER, NOW + 1_000_000), Change(node_changed=None, restarted=None)),
    ],
)
def test_what_has_changed(before: Node | None, now: Node, change: Change) -> None:
    assert compare(before, now, NOW) == change


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 999_999))
def test_an_age_in_whole_seconds_is_enough_to_know_the_same_process(
    started_s: int, later_s: int, part: int
) -> None:
    def seen(at_us: int) -> Node:
        return node(None, Start(uptime_s=at_us // 1_000_000 - started_s), at_us)

    first = started_s * 1_000_000 + part
    again = first + later_s * 1_000_000 + 500_000
    assert compare(seen(first), seen(again), again) == Change(node_changed=False, restarted=False)


def test_the_start_is_known_by_the_age_else_by_the_text_in_its_timezone() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert started_at(Node(start_text="2023-11-14 23:13:20"), berlin) == 1_700_000_000_000_000
    assert started_at(Node(start_text="2023-11-14 23:13:20"), None) is None
    assert started_at(Node(start_text="2023-11-14 23:13:20", booted_us=5), berlin) == 5
    assert started_at(Node(start_text="yesterday"), berlin) is None
    assert started_at(Node(), berlin) is None


def gap_of(taker: Intake, start: Start, source: Source = SOURCE) -> dict[str, object]:
    """Lose the session a minute later, come back five minutes after that, and give the gap."""
    taker.down(NOW + MINUTE, "lost")
    _, gap = taker.up(source, NOW + 6 * MINUTE, "pbx:5038", start)
    told = record(gap)
    assert told["type"] == "gap"
    return told


def test_a_restart_with_a_call_alive_is_a_certain_loss() -> None:
    taker = intake()
    taker.up(SOURCE, NOW, "pbx:5038", Start(BEFORE))
    taker.frames([CALL], NOW + 1)
    gap = gap_of(taker, Start(AFTER, uptime_s=30))
    assert (gap["restarted"], gap["node_changed"], gap["loss"]) == (True, False, "certain")
    assert (gap["from_time_us"], gap["to_time_us"]) == (NOW + 1, NOW + 6 * MINUTE)
    assert gap["started_at_us"] == NOW + 6 * MINUTE - 30_000_000


@pytest.mark.parametrize("calls", [[], [CALL, HANGUP]])
def test_a_restart_without_a_call_may_have_lost_nothing(calls: list[bytes]) -> None:
    taker = intake()
    taker.up(SOURCE, NOW, "pbx:5038", Start(BEFORE))
    taker.frames(calls, NOW + 1)
    gap = gap_of(taker, Start(AFTER))
    assert (gap["restarted"], gap["loss"], gap["started_at"]) == (True, "possible", None)


def test_another_node_has_none_of_the_calls_of_before() -> None:
    taker = intake()
    taker.up(SOURCE, NOW, "pbx:5038", Start(BEFORE))
    taker.frames([CALL], NOW + 1)
    gap = gap_of(taker, Start(BEFORE), SOURCE._replace(system_name="other"))
    assert (gap["node_changed"], gap["restarted"], gap["loss"]) == (True, None, "certain")


def test_the_same_process_may_have_lost_nothing_even_with_calls_alive() -> None:
    taker = intake()
    taker.up(SOURCE, NOW, "pbx:5038", Start(BEFORE))
    taker.frames([CALL], NOW + 1)
    gap = gap_of(taker, Start(BEFORE))
    assert (gap["node_changed"], gap["restarted"], gap["loss"]) == (False, False, "possible")


def test_a_gap_begins_no_earlier_than_the_session_that_was_lost() -> None:
    taker = intake()
    taker.up(SOURCE, NOW, "a")
    taker.frames([CALL], NOW + 1)
    gap_of(taker, Start())
    taker.down(NOW + 9 * MINUTE, "lost again")
    _, second = taker.up(SOURCE, NOW + 10 * MINUTE, "a")
    assert record(second)["from_time_us"] == NOW + 6 * MINUTE


def test_what_a_process_before_has_left_open_is_told_once() -> None:
    chosen = Selection(SCHEMAS, ("@all",))
    left = Interruption(NOW - MINUTE, "connector-restarted")
    taker = Intake(SOURCE, NORMALISER, chosen, lambda _: None, interruption=left)
    up, gap = taker.up(SOURCE, NOW, "a", Start(uptime_s=20))
    told = record(gap)
    assert (told["reason"], told["from_time_us"], told["to_time_us"]) == (
        "connector-restarted",
        NOW - MINUTE,
        NOW,
    )
    assert (told["restarted"], told["node_changed"], told["loss"]) == (True, None, "possible")
    assert record(up)["started_at_us"] == NOW - 20_000_000
    taker.down(NOW, "stopped", orderly=True)
    assert [record(entry)["type"] for entry in taker.up(SOURCE, NOW, "a")] == ["session_up"]


def test_an_orderly_end_leaves_an_interruption_that_was_not_told_yet() -> None:
    left = Interruption(NOW - MINUTE, "connector-restarted")
    taker = Intake(SOURCE, NORMALISER, Selection(SCHEMAS, ("@all",)), lambda _: None, interruption=left)
    taker.down(NOW, "stopped", orderly=True)
    assert [record(entry)["type"] for entry in taker.up(SOURCE, NOW, "a")] == ["session_up", "gap"]


def test_a_gap_in_which_the_clock_was_set_back_has_its_begin_before_its_end() -> None:
    left = Interruption(NOW, "session-lost")
    taker = Intake(SOURCE, NORMALISER, Selection(SCHEMAS, ("@all",)), lambda _: None, interruption=left)
    _, gap = taker.up(SOURCE, NOW - MINUTE, "a")
    told = record(gap)
    assert (told["from_time_us"], told["to_time_us"]) == (NOW - MINUTE, NOW)
