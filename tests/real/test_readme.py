"""The README's examples of the road back are run."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts.asterisk import Pbx
from tests.parts.kafka import Cluster, Kafka
from tests.real import reading
from tests.real.bridge import Bridge, fresh, pbx_table, toml
from tests.real.foreign import need_kcat, run_java
from tests.real.readme import blocks


class Example:
    """The section's code, as it is run against one Kafka."""

    def __init__(self, bootstrap: str, prefix: str, folder: Path) -> None:
        self.bootstrap = bootstrap
        self.prefix = prefix
        self.folder = folder

    @property
    def config(self) -> Path:
        return self.folder / "settings.toml"

    def blocks(self, language: str) -> list[str]:
        places = {"kafka.example.net:9092": self.bootstrap, "asterisk.": f"{self.prefix}."}
        return blocks("Sending actions", language, places)

    def line(self, begins: str) -> str:
        """Give the one line of a shell block that begins so."""
        (line,) = [
            each for code in self.blocks("sh") for each in code.splitlines() if each.startswith(begins)
        ]
        return line

    def shell(self, begins: str) -> "subprocess.CompletedProcess[str]":
        return self.run("sh", "-c", self.line(begins).replace("ami-kafka", f"{sys.executable} -m connector"))

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, "AMI_KAFKA_CONFIG": str(self.config)}
        return subprocess.run(
            words, check=False, capture_output=True, text=True, timeout=90, env=environment, input=""
        )


@pytest.fixture(scope="module")
def example(
    kafka: Cluster | Kafka, asterisk22: Pbx, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Example]:
    """Run a connector with the section's own settings behind those that every connector needs."""
    one = Example(kafka.bootstrap, fresh("readme"), tmp_path_factory.mktemp("readme"))
    (actions,) = one.blocks("toml")
    needed = {
        "pbx.main": pbx_table(asterisk22.host, asterisk22.port, asterisk22.username, asterisk22.secret),
        "kafka": {"bootstrap_servers": [kafka.bootstrap]},
        "events": {"topic_prefix": one.prefix, "select": ["Hangup"]},
        "topics": {"partitions": 2},
        "log": {"format": "json"},
    }
    one.config.write_text(toml(needed) + actions)
    running = Bridge(one.config)
    try:
        running.expect("ClaimsRead", times=2)
        yield one
        assert running.stop() == 0, running.text()
    finally:
        running.end()
        reading.remove(kafka.bootstrap, one.prefix)


def test_send_asks_and_ends_by_the_status(example: Example) -> None:
    ping = example.shell("ami-kafka send Ping")
    assert ping.returncode == 0, ping.stderr
    queue = example.shell("ami-kafka send QueueStatus")
    assert queue.returncode == 0, queue.stderr
    assert "support" in {
        each["value"] for event in json.loads(queue.stdout)["events"] for each in event["headers"]
    }
    # The rule lets the call pass; this PBX has no such phone.
    call = example.shell("ami-kafka send Originate")
    assert call.returncode == 10, (call.stdout, call.stderr)


def test_python_asks_and_reads_the_answer(example: Example) -> None:
    (code,) = example.blocks("python")
    done = example.run(sys.executable, "-W", "error", "-c", code)
    assert done.returncode == 0, done.stderr
    status, events = done.stdout.split()
    assert (status, int(events) >= 1) == ("SUCCESS", True)


def test_kcat_asks_and_reads_the_answer(example: Example) -> None:
    need_kcat()
    asked = example.shell("echo")
    assert asked.returncode == 0, asked.stderr
    reading.expect(example.bootstrap, f"{example.prefix}.responses", b'"p1"')
    told = example.shell("kcat -C")
    assert told.returncode == 0, told.stderr
    answers = {each["request_id"]: each for each in map(json.loads, told.stdout.splitlines())}
    assert (answers["p1"]["action"], answers["p1"]["status"]) == ("Ping", "SUCCESS")


def test_springs_template_asks_and_is_replied_to(example: Example, tmp_path: Path) -> None:
    (code,) = example.blocks("java")
    program = tmp_path / "Ask.java"
    program.write_text(code)
    (reply,) = run_java("spring", program)
    answer = json.loads(reply)
    assert (answer["action"], answer["status"]) == ("CoreSettings", "SUCCESS")
