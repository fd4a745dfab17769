"""What `run` and `check` say and end with when something that the road needs is not there."""

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.parts.asterisk import Pbx
from tests.parts.kafka import Cluster, Kafka
from tests.parts.processes import free_port
from tests.parts.registry import Registry, Service
from tests.real import reading
from tests.real.bridge import MEASURED, Tables, bridge, command, fresh, pbx_table, toml
from tests.real.story import Ends, tables

FEW = ["Hangup", "Newchannel", "UserEvent"]


class Place:
    """Settings that are right until a test spoils one."""

    def __init__(self, tables: Tables, folder: Path) -> None:
        self.tables = tables
        self.folder = folder

    def command(self, *words: str) -> CompletedProcess[str]:
        config = self.folder / "settings.toml"
        config.write_text(toml(self.tables))
        return command(*words, "--config", str(config))


@pytest.fixture
def place(
    kafka: Cluster | Kafka, registry: Service | Registry, asterisk22: Pbx, tmp_path: Path
) -> Iterator[Place]:
    prefix = fresh("refused")
    settings = tables(Ends(kafka, registry), prefix, select=FEW)
    settings["pbx.main"] = pbx_table(
        asterisk22.host, asterisk22.port, asterisk22.username, asterisk22.secret, timezone="UTC"
    )
    yield Place(settings, tmp_path)
    reading.remove(kafka.bootstrap, prefix)


def both_refuse(place: Place, *words: str) -> None:
    """See that `run` does not start, that `check` fails, and that both name what and what to do."""
    run, check = place.command("run"), place.command("check", "--output", "json")
    findings = [json.loads(line) for line in check.stdout.splitlines()]
    failed = [f"{each['seen']} {each['remedy']}" for each in findings if each["state"] == "failed"]
    assert (run.returncode, check.returncode) == (1, 1), run.stderr + check.stderr
    assert failed, check.stdout
    for word in words:
        assert re.search(word, run.stderr), run.stderr
        assert re.search(word, " ".join(failed)), failed
    assert "Traceback" not in run.stderr + check.stderr


def test_with_everything_there_check_finds_nothing_wrong(place: Place) -> None:
    done = place.command("check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "failed" not in done.stdout


def test_missing_topics_that_nobody_is_to_make(place: Place) -> None:
    place.tables["topics"]["create"] = "never"
    prefix = place.tables["events"]["topic_prefix"]
    both_refuse(place, "5 of 5 are missing", rf"{prefix}\.events\.hangup", "ami-kafka topics apply")
    assert place.command("topics", "apply").returncode == 0
    assert place.command("check").returncode == 0


def test_a_registry_that_does_not_answer(place: Place) -> None:
    place.tables["registry"]["url"] = f"http://127.0.0.1:{free_port()}/apis/ccompat/v7"
    both_refuse(place, "no answer from the schema registry", r"registry\.url")


def test_schemas_that_nobody_registered(place: Place) -> None:
    place.tables["registry"]["auto_register"] = False
    both_refuse(place, "hangup-value", "ami-kafka schemas register", r"registry\.auto_register")


def test_a_subject_with_another_schema(place: Place) -> None:
    prefix, url = place.tables["events"]["topic_prefix"], place.tables["registry"]["url"]
    cause = {"name": "cause", "type": {"type": "array", "items": "boolean"}}
    other = {"type": "record", "name": "Hangup", "namespace": "org.amikafka.events", "fields": [cause]}
    request = urllib.request.Request(
        f"{url}/subjects/{prefix}.events.hangup-value/versions",
        json.dumps({"schema": json.dumps(other)}).encode(),
        {"Content-Type": "application/vnd.schemaregistry.v1+json"},
    )
    urllib.request.urlopen(request).close()
    request.full_url = f"{url}/config/{prefix}.events.hangup-value"
    request.method, request.data = "PUT", b'{"compatibility": "FULL_TRANSITIVE"}'
    urllib.request.urlopen(request).close()
    both_refuse(place, rf"{prefix}\.events\.hangup-value", "incompatible")


def test_a_kafka_that_does_not_answer(place: Place) -> None:
    place.tables["kafka"] |= {"bootstrap_servers": [f"127.0.0.1:{free_port()}"], "reach_timeout_s": 2}
    both_refuse(place, r"kafka\.bootstrap_servers", "are the brokers up")


def test_a_wrong_password_fails_the_check_and_is_loud_in_run(place: Place) -> None:
    place.tables["pbx.main"]["secret"] = "hunter2-wrong"
    check = place.command("check")
    assert check.returncode == 1
    assert "Authentication failed" in check.stdout
    with bridge(place.folder, {**place.tables, "http": MEASURED}) as running:
        told = running.expect("LoginWasRefused", pbx="main")[0]
        running.moves("login_refusals_total", pbx="main", session="events")
        assert running.metric("session_up", pbx="main") == 0
        assert running.metric("ready") == 0
        assert told["level"] == "error"
        assert "Authentication failed" in told["message"]
        assert told["retry_s"] > 10
        assert running.stop() == 0
        assert "hunter2" not in running.text() + check.stdout + check.stderr
