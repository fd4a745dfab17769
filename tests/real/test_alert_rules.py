"""Each alert rule fires where it should, and is silent where all is well, by Prometheus' own promtool."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

RULES = Path(__file__).parents[2] / "docs/deploy/prometheus/alerts.yml"

pytestmark = pytest.mark.real

MAIN = '{pbx="main"}'
UP = {"ami_kafka_build_info": "1x60", f"ami_kafka_session_up{MAIN}": "1x60", "ami_kafka_ready": "1x60"}
STEP = "0x5 1x60"
"""A counter that counts once."""

WELL: Mapping[str, str] = UP | {
    'ami_kafka_login_refusals_total{pbx="main",session="events"}': "0x60",
    f"ami_kafka_session_ends_total{MAIN}": "0x5 1x60",
    f"ami_kafka_losses_total{MAIN}": "0x60",
    f"ami_kafka_events_missed_total{MAIN}": "0x60",
    f"ami_kafka_stream_stalled{MAIN}": "0x60",
    f"ami_kafka_event_delay_seconds{MAIN}": "0.2x60",
    f"ami_kafka_clock_offset_seconds{MAIN}": "-0.5x60",
    f"ami_kafka_journal_oldest_seconds{MAIN}": "2x60",
    f"ami_kafka_journal_bytes{MAIN}": "500x60",
    f"ami_kafka_journal_limit_bytes{MAIN}": "1000x60",
    f"ami_kafka_journal_failing{MAIN}": "0x60",
    'ami_kafka_dead_letters_total{reason="suspect"}': "3x60",
    'ami_kafka_kafka_errors_total{fatal="true"}': "0x60",
    'ami_kafka_kafka_errors_total{fatal="false"}': "0x5 5x60",
    "ami_kafka_registry_errors_total": "0x5 1x60",
    f"ami_kafka_calls_unresolved_total{MAIN}": "0x60",
}
ILL: Mapping[str, tuple[str, str, dict[str, str]]] = {
    "AmiKafkaSessionDown": (f"ami_kafka_session_up{MAIN}", "1x5 0x60", {"pbx": "main"}),
    "AmiKafkaLoginRefused": (
        'ami_kafka_login_refusals_total{pbx="main",session="events"}',
        STEP,
        {"pbx": "main", "session": "events"},
    ),
    "AmiKafkaSessionFlaps": (f"ami_kafka_session_ends_total{MAIN}", "0+1x60", {"pbx": "main"}),
    "AmiKafkaEventsLost": (f"ami_kafka_losses_total{MAIN}", STEP, {"pbx": "main"}),
    "AmiKafkaGapCertain": (
        'ami_kafka_gaps_total{loss="certain",pbx="main"}',
        STEP,
        {"loss": "certain", "pbx": "main"},
    ),
    "AmiKafkaEventsMissed": (f"ami_kafka_events_missed_total{MAIN}", STEP, {"pbx": "main"}),
    "AmiKafkaStreamStalled": (f"ami_kafka_stream_stalled{MAIN}", "0x5 1x60", {"pbx": "main"}),
    "AmiKafkaEventsLate": (f"ami_kafka_event_delay_seconds{MAIN}", "9x60", {"pbx": "main"}),
    "AmiKafkaClockApart": (f"ami_kafka_clock_offset_seconds{MAIN}", "-3x60", {"pbx": "main"}),
    "AmiKafkaWaitsForKafka": (f"ami_kafka_journal_oldest_seconds{MAIN}", "0+60x60", {"pbx": "main"}),
    "AmiKafkaJournalFills": (f"ami_kafka_journal_bytes{MAIN}", "800x60", {"pbx": "main"}),
    "AmiKafkaJournalFails": (f"ami_kafka_journal_failing{MAIN}", "1x60", {"pbx": "main"}),
    "AmiKafkaDeadLetters": ('ami_kafka_dead_letters_total{reason="suspect"}', STEP, {"reason": "suspect"}),
    "AmiKafkaProducerFailed": ('ami_kafka_kafka_errors_total{fatal="true"}', STEP, {"fatal": "true"}),
    "AmiKafkaRegistryAway": ("ami_kafka_registry_errors_total", "0+2x60", {}),
    "AmiKafkaCallsUnresolved": (f"ami_kafka_calls_unresolved_total{MAIN}", STEP, {"pbx": "main"}),
    "AmiKafkaNotReady": ("ami_kafka_ready", "0x60", {}),
    "AmiKafkaAbsent": ("ami_kafka_build_info", "_x60", {}),
}


def rules() -> dict[str, dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def promtool(folder: Path, series: Mapping[str, str], fired: Mapping[str, list[dict[str, Any]]]) -> None:
    """Judge the rules ten minutes behind the beginning: exactly these alerts fire."""
    expected = [
        {"eval_time": "12m", "alertname": name, "exp_alerts": fired.get(name, [])} for name in rules()
    ]
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": told} for name, told in series.items()],
        "alert_rule_test": expected,
    }
    file = folder / "rules.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "tests": [test]}), "utf-8")
    done = subprocess.run(
        ["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(autouse=True)
def _promtool() -> None:
    if shutil.which("promtool") is None:
        missing = pytest.fail if os.environ.get("AMI_KAFKA_REQUIRE_REAL") else pytest.skip
        missing("promtool is not installed")


def test_nothing_fires_where_all_is_well(tmp_path: Path) -> None:
    promtool(tmp_path, WELL, {})


def test_every_rule_is_tried() -> None:
    assert ILL.keys() == rules().keys()


@pytest.mark.parametrize("alert", ILL)
def test_a_rule_fires(alert: str, tmp_path: Path) -> None:
    series, values, labels = ILL[alert]
    rule = rules()[alert]
    told = rule["annotations"]["summary"]
    for name, value in labels.items():
        told = told.replace(f"{{{{ $labels.{name} }}}}", value)
    fires = {"exp_labels": labels | rule["labels"], "exp_annotations": {"summary": told}}
    promtool(tmp_path, {**WELL, series: values}, {alert: [fires]})
