"""A connector dies right after it has sent an Originate: the next one tells UNKNOWN, and then what became of it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from connector.actions.preparation import own_channel
from tests.parts.asterisk import Pbx
from tests.parts.kafka import Cluster, Kafka
from tests.parts.processes import wait_until
from tests.real import reading
from tests.real.bridge import MEASURED, Tables, bridge, fresh, pbx_table, toml

RINGS = ["Channel=Local/never@parties/n", "Application=Wait", "Data=600", "Timeout=90000"]


def tables(pbx: Pbx, bootstrap: str, prefix: str) -> Tables:
    return {
        "pbx.main": pbx_table(pbx.host, pbx.port, pbx.username, pbx.secret),
        "kafka": {"bootstrap_servers": [bootstrap]},
        "kafka.consumer": {'"session.timeout.ms"': 3_000, '"heartbeat.interval.ms"': 500},
        # What is read here is told apart: headers of responses are no texts.
        "events": {"topic_prefix": f"{prefix}.told", "format": "json", "select": ["Hangup"]},
        "topics": {"partitions": 1, "create": "at-start"},
        "actions": {
            "group": prefix,
            "format": "json",
            "transaction_timeout_ms": 4_000,
            **{name: f"{prefix}.{name}" for name in ("requests", "responses", "claims")},
        },
        "actions.policy": {"profile": "full"},
    }


@contextmanager
def process(*words: str, **pipes: Any) -> Iterator["subprocess.Popen[bytes]"]:
    """Run one of our modules; it is killed at the latest when the block ends."""
    with subprocess.Popen([sys.executable, "-m", *words], **pipes) as started:
        try:
            yield started
        finally:
            started.kill()


def resolved(bootstrap: str, prefix: str, count: int) -> list[dict[str, Any]]:
    def told() -> list[dict[str, Any]]:
        got = reading.read_all(bootstrap, f"{prefix}.told")
        own = [each for each in got if each.topic == f"{prefix}.told.connector"]
        found = [
            each for each in (json.loads(each.value) for each in own) if each["type"] == "action_resolved"
        ]
        return found if len(found) >= count else []

    return wait_until(told, f"{count} records of what became of the call", within=60)


def test_what_became_of_an_unknown_call_is_found_out_by_the_next_owner(
    kafka: Cluster | Kafka, asterisk22: Pbx, tmp_path: Path
) -> None:
    prefix, request_id = fresh("resolved"), fresh("call")
    settings = tables(asterisk22, kafka.bootstrap, prefix)
    config, marks, log = tmp_path / "first.toml", tmp_path / "marks", tmp_path / "first.log"
    config.write_text(toml(settings))
    asked = ("connector", "send", "Originate", *RINGS, "--timeout", "100", "--request-id", request_id)
    with log.open("wb") as lines:
        first = process(
            "tests.crash.victim", str(marks), "run", "--only", "actions", "--config", str(config),
            stdin=subprocess.PIPE, stdout=lines, stderr=lines,
        )  # fmt: skip
        with first as victim:
            assert victim.stdin is not None
            victim.stdin.write(b"send.sent kill 1\n")
            victim.stdin.flush()
            wait_until(lambda: b"is ours" in log.read_bytes(), "a partition is ours", within=60)
            sender = process(*asked, "--config", str(config), "--output", "json", stdout=subprocess.PIPE)
            with sender as asking:
                assert victim.wait(60) == -9, log.read_text()
                with bridge(tmp_path, {**settings, "http": MEASURED}) as second:
                    answer = json.loads(asking.communicate(timeout=120)[0])
                    finds_out(answer, asterisk22, kafka.bootstrap, prefix, request_id)
                    second.moves("calls_unresolved_total", pbx="main")
                    second.moves("actions_total", action="Originate", status="UNKNOWN")
                    second.moves("request_partitions")
                    assert second.stop() == 0, second.text()
    reading.remove(kafka.bootstrap, prefix)


def finds_out(answer: dict[str, Any], pbx: Pbx, bootstrap: str, prefix: str, request_id: str) -> None:
    call_id = own_channel("main", request_id)
    assert (answer["status"], answer["executed"], answer["call_id"]) == ("UNKNOWN", "unknown", call_id)
    (found,) = resolved(bootstrap, prefix, 1)
    assert (found["request_id"], found["unique_id"], found["action"]) == (request_id, call_id, "Originate")
    assert (found["executed"], found["outcome"], found["subject_event"]) == ("yes", "unknown", "Status")
    assert found["request_record"] == f"{prefix}.requests.json/0/0"
    with pbx.manager() as manager:
        manager.action("Hangup", Channel=call_id)
    _, last = resolved(bootstrap, prefix, 2)
    assert (last["executed"], last["outcome"]) == ("yes", "failure")
