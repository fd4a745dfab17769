"""Metrics move when it happens: Kafka away under a connector that is at work, and one that was stopped for too long.

Others are looked at where their faults are made. `tests/edges/test_metrics.py` sees that each is in one of these tests.
"""

import signal
from collections.abc import Callable
from pathlib import Path

from tests.parts.asterisk import Pbx
from tests.parts.kafka import Cluster, Kafka
from tests.parts.processes import wait_until
from tests.real import reading
from tests.real.asking import Inbox, ask
from tests.real.bridge import MEASURED, Bridge, Tables, bridge, fresh, pbx_table
from tests.real.test_journal import Counting

BOUND = 1 << 20
"""Bytes of the journal: about a thousand events."""

RINGING_MS = 3_000
SESSION_MS = 3_000


def tables(bootstrap: str, pbx: Pbx, prefix: str) -> Tables:
    return {
        "pbx.main": pbx_table(
            pbx.host, pbx.port, pbx.username, pbx.secret, snapshot="after-login", ping_interval_s=0.5
        ),
        "connector": {"heartbeat_s": 1.0},
        "kafka": {"bootstrap_servers": [bootstrap]},
        "kafka.consumer": {'"session.timeout.ms"': SESSION_MS, '"heartbeat.interval.ms"': 500},
        "events": {
            "select": ["@default", "-Newchannel"],
            "topic_prefix": prefix,
            "format": "json",
            "routing": "single",
        },
        "topics": {"partitions": 1},
        "actions": {"group": prefix, "format": "json", "transaction_timeout_ms": 4_000},
        "actions.policy": {"profile": "full"},
        "http": MEASURED,
    }


def test_kafka_goes_away_and_comes_back(
    start_kafka: Callable[..., Kafka], asterisk22: Pbx, tmp_path: Path
) -> None:
    kafka, prefix = start_kafka(), fresh("measured")
    settings = tables(kafka.bootstrap, asterisk22, prefix)
    settings["journal"] = {"max_bytes": BOUND}
    settings["pbx.barred"] = pbx_table(
        asterisk22.host, asterisk22.port, asterisk22.username, asterisk22.secret
    )
    settings["pbx.barred.actions"] = {"username": "nobody", "secret": "none"}
    with bridge(tmp_path, settings) as running, Counting(asterisk22) as counting:
        running.expect("LinkUp", 2)
        running.expect("ClaimsRead")
        requests = f"{prefix}.actions.json"
        ask(kafka.bootstrap, requests, {"barred": {"request_id": "b", "pbx": "barred", "action": "Ping"}})
        ask(kafka.bootstrap, requests, {"none": {}}, encode=lambda _: b"no request")
        assert_at_work(running)
        ringing = {
            "Channel": "Local/never@parties/n",
            "Application": "Wait",
            "Data": "9",
            "Timeout": str(RINGING_MS),
        }
        ask(
            kafka.bootstrap,
            requests,
            {"r": {"request_id": "r", "pbx": "main", "action": "Originate", "headers": ringing}},
        )
        running.expect("ActionBegun", action="Originate")
        running.moves("events_unselected_total", event="Newchannel")
        kafka.node(1).kill()
        assert_without_kafka(running)
        counting.stop()
        kafka.node(1).start()
        running.moves("transactions_aborted_total")
        running.falls("producer_queued")
        running.moves("ready")
        inbox = Inbox(kafka.bootstrap, f"{prefix}.responses.json", 1)
        inbox.expect(["r"])
        inbox.close()
        assert running.stop() == 0, running.text()


def assert_at_work(running: Bridge) -> None:
    """See what moves where nothing is wrong, but with an account for actions and with a record that is no request."""
    assert running.metric("build_info") == 1
    running.moves("ready")
    running.moves("request_partitions")
    for name in ("entries_read_total", "snapshot_items_total", "journal_limit_bytes"):
        running.moves(name, pbx="main")
    running.moves("records_published_total")
    running.moves("delivery_seconds_count")
    running.moves("acknowledged_timestamp_seconds", least=1.7e9)
    running.moves("producer_brokers_up")
    running.moves("producer_round_trip_seconds", least=1e-6)
    for name in ("clock_offset_seconds", "event_delay_seconds"):
        wait_until(lambda name=name: running.metric(name, pbx="main") is not None, name)  # type: ignore[misc]
    running.moves("login_refusals_total", pbx="barred", session="actions")
    running.moves("requests_undecodable_total")


def assert_without_kafka(running: Bridge) -> None:
    running.moves("kafka_errors_total", fatal="false")
    running.falls("ready")
    running.falls("producer_brokers_up")
    for name in ("producer_queued", "producer_queued_bytes"):
        running.moves(name)
    for name in (
        "journal_entries",
        "journal_bytes",
        "journal_oldest_seconds",
        "losses_total",
        "entries_lost_total",
    ):
        running.moves(name, pbx="main")


def test_a_connector_that_was_stopped_too_long_is_fenced(
    kafka: Cluster | Kafka, asterisk22: Pbx, tmp_path: Path
) -> None:
    prefix, marks = fresh("measured"), tmp_path / "marks"
    settings = tables(kafka.bootstrap, asterisk22, prefix)
    victim = ("tests.crash.victim", str(marks))
    with bridge(tmp_path, settings, "--only", "actions", module=victim) as first:
        first.expect("ClaimsRead")
        first.moves("request_partitions")
        first.order("response.due stop 1")
        ask(
            kafka.bootstrap,
            f"{prefix}.actions.json",
            {"p": {"request_id": "p", "pbx": "main", "action": "Ping"}},
        )
        wait_until(lambda: marks.exists() and marks.read_text(), "it has stopped", within=60)
        with bridge(tmp_path, settings, "--only", "actions") as second:
            second.expect("ClaimsRead")
            second.moves("actions_total", action="Ping", status="SUCCESS")
            first.signal(signal.SIGCONT)
            first.moves("transactions_fenced_total")
            first.moves("partitions_lost_total")
            first.falls("request_partitions")
            assert second.stop() == 0, second.text()
    reading.remove(kafka.bootstrap, prefix)
