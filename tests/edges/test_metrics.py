"""Each fact moves its metric, labels are bounded, and what is drawn and alarmed is there."""

import json
import re
from collections import Counter
from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from connector import facts
from connector.edges.telemetry.metrics import LABELS, OTHERS, Metrics
from connector.edges.telemetry.present import Present
from connector.facts import Fact
from connector.status.board import Board
from connector.status.samples import Sample

ROOT = Path(__file__).parents[2]
S = 1_000_000
NOW = 1_700_000_000 * S
REQUEST = ("r1", "main", "Ping", "requests", 0, 7)
MOVES: dict[str, tuple[Fact, float]] = {
    'records_published_total{topic="t"}': (facts.EventsPublished({"t": 3}), 3),
    "delivery_seconds_sum": (facts.EventsPublished({"t": 1}, NOW - 2 * S), 2),
    'dead_letters_total{reason="suspect"}': (facts.EventQuarantined("main", "Newchannel", "suspect", ""), 1),
    'dead_letters_total{reason="record-refused"}': (facts.RecordRefused("t", "too large"), 1),
    'entries_lost_total{pbx="main"}': (facts.EventsLost("main", 1, 4, 4, "full"), 4),
    'losses_total{pbx="main"}': (facts.EventsLost("main", 1, None, None, "damaged"), 1),
    'events_missed_total{pbx="main"}': (facts.EventsMissed("main", 5, 6, 2), 2),
    'gaps_total{loss="certain",pbx="main"}': (facts.GapTold("main", "session-lost", "certain", 1.5), 1),
    'gap_seconds_total{pbx="main"}': (facts.GapTold("main", "session-lost", "possible", 1.5), 1.5),
    'snapshot_items_total{pbx="main"}': (facts.SnapshotTaken("main", 9, ()), 9),
    'logins_total{pbx="main"}': (facts.LinkUp("main", "h:1", "5", "22"), 1),
    'session_ends_total{pbx="main"}': (facts.LinkDown("main", "h:1", "cut", 1.0), 1),
    'login_refusals_total{pbx="main",session="events"}': (facts.LoginWasRefused("main", "h:1", "no", 9.0), 1),
    'login_refusals_total{pbx="main",session="actions"}': (facts.ActionLoginRefused("main", "no", 9.0), 1),
    'canaries_missed_total{pbx="main"}': (facts.CanaryMissed("main", 5.0, renewed=True), 1),
    'journal_failures_total{pbx="main"}': (facts.JournalFailed("main", "full", 1.0), 1),
    'kafka_errors_total{fatal="true"}': (facts.BrokerTrouble("fenced", fatal=True), 1),
    "producer_queued": (facts.ProducerMeasured(7, 900, 2_000, 1), 7),
    "producer_queued_bytes": (facts.ProducerMeasured(7, 900, 2_000, 1), 900),
    "producer_round_trip_seconds": (facts.ProducerMeasured(7, 900, 2_000, 1), 0.002),
    "producer_brokers_up": (facts.ProducerMeasured(7, 900, 2_000, 1), 1),
    "registry_errors_total": (facts.RegistryTrouble("s", "away", 1.0), 1),
    'actions_total{action="Ping",pbx="main",replayed="false",status="SUCCESS"}': (
        facts.ActionAnswered(*REQUEST, "SUCCESS", "yes", replayed=False, took_ms=20, consumed_at_ms=0),
        1,
    ),
    'action_seconds_sum{pbx="main"}': (
        facts.ActionAnswered(*REQUEST, "SUCCESS", "yes", replayed=False, took_ms=500, consumed_at_ms=0),
        0.5,
    ),
    'actions_refused_total{pbx="main",rule="dialler",status="REFUSED"}': (
        facts.ActionRefused(*REQUEST, "REFUSED", "dialler", "no"),
        1,
    ),
    'requests_undecodable_total{topic="requests"}': (facts.RequestUndecodable("requests", 0, 1, "no"), 1),
    'calls_unresolved_total{pbx="main"}': (facts.CallUnresolved(*REQUEST, "call"), 1),
    "transactions_aborted_total": (facts.TransactionAborted("timed out", 1.0), 1),
    "transactions_fenced_total": (facts.RequestsFenced("another"), 1),
    "partitions_lost_total": (facts.PartitionsLost(("requests/0", "requests/1"), 3), 2),
}


def values(metrics: Metrics) -> dict[str, float]:
    """Every sample by its name without the prefix and with its labels in order."""
    found = {}
    for family in text_string_to_metric_families(metrics.render("text/plain")[0].decode()):
        for name, labels, value, *_ in family.samples:
            shown = ",".join(f'{key}="{labels[key]}"' for key in sorted(labels))
            found[name.removeprefix("ami_kafka_") + (f"{{{shown}}}" if shown else "")] = value
    return found


def metrics_of(board: Board, unselected: Counter[str] | None = None) -> Metrics:
    metrics = Metrics(board.pbxs, ["Ping"], lambda: NOW)
    metrics.registry.register(Present(board, "1.2", lambda: False, unselected or Counter(), lambda: NOW))
    return metrics


def names() -> set[str]:
    """All names that a connector with everything to tell exposes."""
    board = Board(["main"], NOW)
    board.acknowledged(NOW)
    board.sample("main", Sample(NOW, lag_us=1, offset_us=1))
    metrics = metrics_of(board, Counter({"Newexten": 1}))
    for fact, _ in MOVES.values():
        metrics(fact)
    return {f"ami_kafka_{name.partition('{')[0]}" for name in values(metrics)}


@pytest.mark.parametrize("moved", MOVES)
def test_a_fact_moves_its_metric(moved: str) -> None:
    metrics = metrics_of(Board(["main"], NOW))
    fact, step = MOVES[moved]
    before = values(metrics).get(moved, 0.0)
    metrics(fact)
    assert values(metrics)[moved] - before == pytest.approx(step)


def test_a_repeated_answer_is_counted_and_has_no_latency() -> None:
    metrics = metrics_of(Board(["main"], NOW))
    metrics(facts.ActionAnswered(*REQUEST, "SUCCESS", "yes", replayed=True, took_ms=20, consumed_at_ms=0))
    found = values(metrics)
    assert found['actions_total{action="Ping",pbx="main",replayed="true",status="SUCCESS"}'] == 1
    assert found.get('action_seconds_count{pbx="main"}', 0) == 0


def test_a_counter_of_a_pbx_is_there_before_it_counts() -> None:
    found = values(metrics_of(Board(["main"], NOW)))
    assert (
        found['losses_total{pbx="main"}'] == found['login_refusals_total{pbx="main",session="actions"}'] == 0
    )


def test_what_others_name_makes_no_endless_labels() -> None:
    unselected = Counter({f"Event{number}": 1 for number in range(LABELS + 7)})
    metrics = metrics_of(Board(["main"], NOW), unselected)
    for number in range(LABELS + 5):
        metrics(facts.EventsPublished({f"topic-{number}": 1}))
        metrics(facts.ActionAnswered("r", "main", f"Made{number}", "t", 0, 0, "INVALID", "no", False, 1, 0))  # noqa: FBT003
    found = values(metrics)
    assert found[f'records_published_total{{topic="{OTHERS}"}}'] == 5
    assert found[f'events_unselected_total{{event="{OTHERS}"}}'] == 7
    actions = [name for name in found if name.startswith("actions_total")]
    assert actions == [f'actions_total{{action="{OTHERS}",pbx="main",replayed="false",status="INVALID"}}']


def test_the_present_is_told_at_each_scrape() -> None:
    board = Board(["main"], NOW)
    metrics = metrics_of(board)
    found = values(metrics)
    assert found['session_up{pbx="main"}'] == 0
    assert 'journal_entries{pbx="main"}' not in found
    board.take(facts.LinkUp("main", "h:1", "5", "22"), NOW)
    board.take(facts.JournalFailed("main", "full", 1.0), NOW)
    board.take(facts.CanaryMissed("main", 5.0, renewed=True), NOW)
    board.take(facts.ClaimsRead("requests", 0, 1), NOW)
    board.take(facts.ActionSessionUp("main", "h:1", "off", 2), NOW)
    waiting = Sample(NOW, 4, 900, NOW - 3 * S, 1000, read=50, delivered=46, lag_us=S // 2, offset_us=-2 * S)
    board.sample("main", waiting)
    found = values(metrics)
    by_pbx = {name.partition("{")[0]: value for name, value in found.items() if 'pbx="main"' in name}
    told = {
        "session_up": 1,
        "stream_stalled": 1,
        "action_sessions": 2,
        "journal_failing": 1,
        "journal_entries": 4,
        "journal_bytes": 900,
        "journal_limit_bytes": 1000,
        "journal_oldest_seconds": 3,
        "event_delay_seconds": 0.5,
        "clock_offset_seconds": -2,
        "entries_read_total": 50,
    }
    assert told.items() <= by_pbx.items()
    assert (found["ready"], found["request_partitions"]) == (0, 1)
    assert found["acknowledged_timestamp_seconds"] == NOW / S
    assert found['build_info{version="1.2"}'] == 1


def test_open_metrics_are_given_to_whom_asks_for_them() -> None:
    body, kind = metrics_of(Board(["main"], NOW)).render("application/openmetrics-text; version=1.0.0")
    assert kind.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")


def used(text: str) -> set[str]:
    return set(re.findall(r"\bami_kafka_[a-z_]+", text))


def test_the_dashboard_and_the_rules_name_only_what_there_is() -> None:
    dashboard = json.loads((ROOT / "docs/deploy/grafana/ami-kafka.json").read_text("utf-8"))
    drawn = used(" ".join(each["expr"] for panel in dashboard["panels"] for each in panel["targets"]))
    rules = yaml.safe_load((ROOT / "docs/deploy/prometheus/alerts.yml").read_text("utf-8"))
    alarmed = used(" ".join(rule["expr"] for group in rules["groups"] for rule in group["rules"]))
    assert drawn
    assert alarmed
    assert drawn | alarmed <= names()


def test_panels_do_not_lie_on_each_other() -> None:
    panels = json.loads((ROOT / "docs/deploy/grafana/ami-kafka.json").read_text("utf-8"))["panels"]
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        columns, rows = range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
        cells = {(x, y) for x in columns for y in rows}
        assert columns.stop <= 24
        assert not cells & taken
        taken |= cells


def test_every_metric_is_documented() -> None:
    told = used((ROOT / "docs/monitoring.md").read_text("utf-8"))
    bare = {re.sub(r"_(bucket|sum|count)$", "", name) for name in names() if not name.endswith("_created")}
    assert bare <= told
    assert {name for name in told if name.endswith("_total")} <= bare


def test_no_metric_has_a_label_that_a_requester_can_fill() -> None:
    """What stands in facts of actions and is free text is no label."""
    free = {each.name for each in fields(facts.ActionAnswered)} & {"request_id", "reason", "executed"}
    assert free
    metrics = metrics_of(Board(["main"], NOW))
    for fact, _ in MOVES.values():
        metrics(fact)
    labels = set(re.findall(r'(\w+)="', " ".join(values(metrics))))
    assert labels <= {
        "pbx",
        "topic",
        "event",
        "reason",
        "session",
        "loss",
        "fatal",
        "action",
        "status",
        "replayed",
        "rule",
        "le",
        "version",
    }


def test_each_metric_is_looked_at_where_real_parts_make_it_move() -> None:
    told = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests" / "real").glob("test_*.py"))
    looked_at = set(re.findall(r'"([a-z_]+)"', told))
    bare = {re.sub(r"_(bucket|sum)$", "_count", name.removeprefix("ami_kafka_")) for name in names()}
    assert {name for name in bare if not name.endswith("_created")} <= looked_at
