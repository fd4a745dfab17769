"""Readiness is false in each state where it should be, and says why."""

from collections.abc import Callable

import pytest

from connector import facts
from connector.facts import Fact
from connector.status.board import Board
from connector.status.readiness import Readiness, Wanted, readiness
from connector.status.samples import Sample

S = 1_000_000
START = 1_000 * S
NOW = START + 10 * S

UP = facts.LinkUp("main", "a:5038", "11.0.0", "22.10.1", "2026-11-01 08:00:00")
BOTH = Wanted(actions=True)


def sample(**other: int | None) -> Sample:
    return Sample(at_us=NOW, limit=100, **other)  # type: ignore[arg-type]


def well(*pbxs: str) -> Board:
    board = Board(pbxs or ("main",), START)
    for name in board.pbxs:
        board.take(facts.LinkUp(name, "a:5038", "11.0.0", "22.10.1", "2026-11-01 08:00:00"), START)
        board.sample(name, sample())
    board.take(facts.EventsPublished({"t": 1}), START + S)
    board.take(facts.ClaimsRead("requests", 0, 0), START + S)
    return board


def failing(judged: Readiness) -> dict[str, str]:
    return {each.name: each.reason for each in judged.conditions if not each.holds}


def test_it_is_ready_when_all_is_well() -> None:
    judged = readiness(well(), BOTH, NOW)
    assert judged.ready
    assert not failing(judged)
    assert len(judged.conditions) == 5


def stop(board: Board) -> None:
    board.stopping = True


def after(*told: Fact) -> Callable[[Board], None]:
    def take(board: Board) -> None:
        for fact in told:
            board.take(fact, START + 2 * S)

    return take


ACTION = ("r", "main", "Originate", "requests", 0, 1)
CASES: dict[str, tuple[Callable[[Board], None], str, str]] = {
    "session down": (after(facts.LinkDown("main", "a:1", "cut", 1.0)), "pbx.main.session", "cut"),
    "login refused": (after(facts.LoginWasRefused("main", "a:1", "no", 60.0)), "pbx.main.session", "no"),
    "down for good": (after(facts.LinkDown("main", "a:1", "cut", None)), "pbx.main.up", "not known"),
    "stream stalled": (after(facts.CanaryMissed("main", 10.0, renewed=True)), "pbx.main.up", "canary"),
    "kafka away": (after(facts.BrokerTrouble("all brokers down", fatal=False)), "kafka", "all brokers down"),
    "transactions fail": (after(facts.TransactionAborted("fenced", 0.5)), "kafka", "fenced"),
    "journal failing": (
        after(facts.JournalFailed("main", "disk full", 5.0)),
        "pbx.main.journal",
        "disk full",
    ),
    "journal full": (lambda board: board.sample("main", sample(size=90)), "pbx.main.journal", "90%"),
    "events wait": (
        lambda board: board.sample("main", sample(entries=1, oldest_us=NOW - 31 * S)),
        "kafka",
        "waited for it for 31 s",
    ),
    "partitions revoked": (after(facts.PartitionsRevoked(("requests/0",), 0)), "requests", "no partition"),
    "partitions lost": (after(facts.PartitionsLost(("requests/0",), 0)), "requests", "no partition"),
    "being stopped": (stop, "running", "being stopped"),
}


@pytest.mark.parametrize("state", CASES)
def test_it_is_not_ready(state: str) -> None:
    change, name, words = CASES[state]
    board = well()
    change(board)
    judged = readiness(board, BOTH, NOW)
    assert not judged.ready
    assert words in failing(judged)[name]


RECOVERED: dict[str, tuple[Fact, ...]] = {
    "session": (facts.LinkDown("main", "a:1", "cut", 1.0), UP),
    "canary": (facts.CanaryMissed("main", 10.0, renewed=True), facts.CanarySeen("main")),
    "kafka": (facts.BrokerTrouble("down", fatal=False), facts.EventsPublished({"t": 1})),
    "journal": (facts.JournalFailed("main", "full", 5.0), facts.JournalRestored("main")),
    "partitions": (facts.PartitionsLost(("requests/0",), 0), facts.ClaimsRead("requests", 0, 3)),
    "answers": (
        facts.TransactionAborted("away", 0.5),
        facts.ActionAnswered(
            *ACTION, status="SUCCESS", executed="YES", replayed=False, took_ms=3, consumed_at_ms=0
        ),
    ),
}


@pytest.mark.parametrize("what", RECOVERED)
def test_it_is_ready_again_when_that_is_over(what: str) -> None:
    board = well()
    after(*RECOVERED[what])(board)
    assert readiness(board, BOTH, NOW).ready


def test_at_the_start_nothing_is_taken_for_granted() -> None:
    judged = readiness(Board(["main"], START), BOTH, NOW)
    assert not judged.ready
    assert failing(judged).keys() == {c.name for c in judged.conditions}
    assert failing(judged)["pbx.main.session"] == "not logged in yet"


def test_a_kafka_that_is_silent_for_longer_than_heartbeats_come_is_not_well() -> None:
    board, wanted = well(), Wanted(silence_s=90.0)
    assert readiness(board, wanted, START + 91 * S).ready
    judged = readiness(board, wanted, START + 92 * S)
    assert failing(judged).keys() == {"kafka"}


def test_of_several_pbxs_all_or_any_must_be_up() -> None:
    board = well("one", "two")
    after(facts.LinkDown("two", "a:1", "cut", 1.0))(board)
    assert not readiness(board, Wanted(pbxs="all"), NOW).ready
    assert readiness(board, Wanted(pbxs="any"), NOW).ready
    after(facts.LinkDown("one", "a:1", "cut", 1.0))(board)
    assert not readiness(board, Wanted(pbxs="any"), NOW).ready


def test_an_account_that_may_not_ask_core_status_can_be_ready() -> None:
    board = well()
    after(facts.LinkUp("main", "a:5038", "11.0.0", None))(board)
    judged = readiness(board, BOTH, NOW)
    assert judged.ready
    assert any("CoreStatus told nothing" in each.reason for each in judged.conditions)


def test_with_actions_alone_no_session_for_events_is_wanted() -> None:
    board = Board(["main"], START)
    assert not readiness(board, Wanted(events=False, actions=True), NOW).ready
    after(facts.ClaimsRead("requests", 0, 0))(board)
    assert readiness(board, Wanted(events=False, actions=True), NOW).ready
