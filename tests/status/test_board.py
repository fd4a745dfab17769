"""The board holds the latest in bounded memory, and its document has Kafka Connect's shape."""

import json

from connector import facts
from connector.status.board import LATEST, OTHERS, TEXT, TOPICS, Board
from connector.status.document import Worker, status
from connector.status.readiness import Wanted, readiness
from connector.status.samples import KEPT, Sample, Samples

WORKER = Worker("bridge", "0.1.0", "host:9464")
S = 1_000_000


def document(board: Board, died: dict[str, str] | None = None) -> dict[str, object]:
    told = status(board, readiness(board, Wanted(), S), WORKER, died or {}, S)
    found: dict[str, object] = json.loads(json.dumps(told))
    return found


def test_the_shape_is_that_of_kafka_connect() -> None:
    board = Board(["up", "down", "new"], 0)
    board.take(facts.LinkUp("up", "a:1", "11.0.0", "22.10.1"), S)
    board.take(facts.LinkDown("down", "b:1", "connection refused", 2.0), S)
    told = document(board)
    assert told.keys() == {"name", "connector", "tasks", "type", "ami_kafka"}
    assert told["name"] == "bridge"
    assert told["type"] == "source"
    assert told["connector"] == {"state": "RUNNING", "worker_id": "host:9464"}
    assert told["tasks"] == [
        {"id": 0, "state": "RUNNING", "worker_id": "host:9464"},
        {"id": 1, "state": "RESTARTING", "worker_id": "host:9464", "trace": "connection refused"},
        {"id": 2, "state": "UNASSIGNED", "worker_id": "host:9464"},
    ]


def test_a_road_that_died_is_a_failure_of_all() -> None:
    told = document(Board(["main"], 0), {"main: delivery": "BrokerError"})
    assert told["connector"] == {"state": "FAILED", "worker_id": "host:9464"}
    assert told["tasks"] == [
        {"id": 0, "state": "FAILED", "worker_id": "host:9464", "trace": "main: delivery: BrokerError"}
    ]


def test_what_is_kept_is_bounded() -> None:
    board = Board(["main"], 0)
    for number in range(1_000):
        board.take(facts.EventsPublished({f"topic-{number}": 1}), S)
        board.take(facts.EventQuarantined("main", "X", f"reason-{number}", "d"), S)
        board.take(facts.EventsLost("main", number, number, 1, "x" * 10_000), S)
        action = "y" * 10_000, "main", "Ping", "requests", 0, number
        board.take(facts.ActionRefused(*action, status="FORBIDDEN", rule="default", reason="no"), S)
        board.sample("main", Sample(number * S))
    assert len(board.published) == len(board.dead_letters) == TOPICS + 1
    assert board.published[OTHERS] == 1_000 - TOPICS
    assert len(board.gaps) == len(board.actions) == LATEST
    assert len(board.gaps[-1].said["reason"]) == len(board.actions[-1].said["request_id"]) == TEXT
    assert len(board.pbxs["main"].samples.points()) == KEPT


def test_a_refusal_that_is_answered_is_one_line() -> None:
    board = Board(["main"], 0)
    action = "r", "main", "Ping", "requests", 0, 1
    board.take(facts.ActionRefused(*action, status="FORBIDDEN", rule="night", reason="no"), S)
    board.take(
        facts.ActionAnswered(
            *action, status="FORBIDDEN", executed="NO", replayed=False, took_ms=1, consumed_at_ms=0
        ),
        S,
    )
    assert [(each.what, each.said["rule"]) for each in board.actions] == [("refused", "night")]


def test_a_pbx_that_is_not_ours_changes_nothing() -> None:
    board = Board(["main"], 0)
    before = document(board)
    board.take(facts.LinkUp("other", "a:1", "11.0.0", None), S)
    board.sample("other", Sample(S))
    assert document(board) == before


def test_sessions_for_actions_come_and_go() -> None:
    board = Board(["main"], 0)
    board.take(facts.ActionSessionUp("main", "a:1", "off", 2), S)
    assert board.pbxs["main"].action_sessions == 2
    board.take(facts.ActionSessionDown("main", "cut", 1.0), S)
    assert board.pbxs["main"].action_sessions == 1
    assert board.pbxs["main"].action_trouble is not None


def test_rates_are_what_happened_between_two_samples() -> None:
    samples = Samples()
    samples.put(Sample(0, read=10, delivered=10))
    samples.put(Sample(2 * S, read=30, delivered=20, entries=10, lag_us=5))
    samples.put(Sample(3 * S, read=0, delivered=0))
    first, second = samples.points()
    assert (first.read_s, first.delivered_s, first.lag_us, first.entries) == (10.0, 5.0, 5, 10)
    assert (second.read_s, second.delivered_s) == (0.0, 0.0)
