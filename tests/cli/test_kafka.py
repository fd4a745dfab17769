"""Commands that speak to Kafka, at the embedded broker."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.app.parts import read_schemas
from connector.demo.broker import EmbeddedBroker
from connector.settings.load import load
from connector.settings.topics import plan
from tests.cli.conftest import SECONDS, Cli, Program

SETTINGS = """
[pbx.main]
address = ["127.0.0.1:1"]
username = "demo"
secret = "demo"
[kafka]
bootstrap_servers = ["{servers}"]
[kafka.consumer]
"fetch.wait.max.ms" = 10
[events]
select = ["Hangup", "@unknown"]
[topics]
create = "never"
partitions = 2
"""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    """A broker, and settings for it in the directory where commands run."""
    with EmbeddedBroker() as running:
        text = SETTINGS.format(servers=running.bootstrap_servers)
        (tmp_path / "ami-kafka.toml").write_text(text)
        yield running


@pytest.fixture
def topics(broker: EmbeddedBroker, tmp_path: Path) -> list[str]:
    """The topics that the settings need, made."""
    settings = load((tmp_path / "ami-kafka.toml").read_text(), {}, lambda path: Path(path).read_text())
    planned = plan(settings, read_schemas(settings)[1].schemas)
    for topic in planned:
        broker.create_topic(topic.name, topic.partitions)
    return [topic.name for topic in planned]


def objects(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


@pytest.mark.usefixtures("broker")
def test_missing_topics_stop_it_with_what_to_do(cli: Cli) -> None:
    result = cli("run")
    assert (result.exit_code, result.stdout) == (1, "")
    assert re.search(
        r"topics: 5 of 5 are missing: .*; make them with `ami-kafka topics apply`", result.stderr
    )


@pytest.mark.usefixtures("broker")
def test_the_plan_names_what_is_missing(cli: Cli) -> None:
    planned = objects(cli("topics", "plan", "--output", "json").stdout)
    assert {each["state"] for each in planned} == {"missing"}
    assert {each["topic"]: each["partitions"] for each in planned} == {
        "asterisk.connector": 1,
        "asterisk.dlq": 1,
        # Hangup changes which channels there are, and a snapshot tells it.
        "asterisk.events.core-show-channel": 2,
        "asterisk.events.hangup": 2,
        "asterisk.events.unknown": 2,
    }
    assert "5 topics (5 missing), 8 partitions" in cli("topics", "plan").stdout


@pytest.mark.usefixtures("broker")
def test_without_snapshots_their_items_have_no_topics(cli: Cli) -> None:
    off = {"AMI_KAFKA__PBX__MAIN__SNAPSHOT": "off"}
    assert "4 topics (4 missing), 6 partitions" in cli("topics", "plan", env=off).stdout


def test_the_plan_of_what_exists(cli: Cli, topics: list[str]) -> None:
    planned = objects(cli("topics", "plan", "--output", "json").stdout)
    assert [each["topic"] for each in planned] == topics
    assert {each["state"] for each in planned} == {"exists"}


def test_claims_are_not_made_beside_requests_with_more_partitions(cli: Cli, broker: EmbeddedBroker) -> None:
    broker.create_topic("asterisk.actions.json", 4)
    there = {"AMI_KAFKA__ACTIONS__FORMAT": "json"}
    result = cli("topics", "apply", env=there)
    assert (result.exit_code, result.stdout) == (1, "")
    told = "asterisk.claims.json would get 2 partitions, but asterisk.actions.json has 4"
    assert told in result.stderr
    planned = cli("topics", "plan", env=there)
    assert "8 topics (7 missing), 14 partitions" in planned.stdout
    assert told in planned.stderr


def test_what_is_replayed_into_kafka_comes_out_of_tail(cli: Cli, captures: Path, topics: list[str]) -> None:
    lines = objects(cli("replay", captures / "dial.ami", "--pbx", "main").stdout)
    assert cli("replay", captures / "dial.ami", "--output", "kafka").exit_code == 0
    tailed = objects(cli("tail", "--from-beginning", "--count", str(len(lines)), "--output", "json").stdout)
    assert {record["topic"] for record in tailed} <= set(topics)
    assert list(tailed[0]) == ["topic", "partition", "offset", "key", "headers", "value"]
    for record in tailed:
        del record["partition"], record["offset"]

    def number(record: dict[str, Any]) -> int:
        return int(record["value"]["source"]["sequence"])

    assert sorted(tailed, key=number) == lines


@pytest.mark.usefixtures("topics")
def test_tail_in_lines_by_pattern(cli: Cli, captures: Path) -> None:
    cli("replay", captures / "dial.ami", "--output", "kafka")
    lines = cli("tail", "asterisk.events.h*", "-b", "-n", "3").stdout.splitlines()
    assert len(lines) == 3
    assert all(
        re.match(r"[\d:.]{12}  asterisk\.events\.hangup +main\|\S+ +caller_id_num=", line) for line in lines
    )


@pytest.mark.usefixtures("broker")
def test_tail_of_a_topic_that_is_not_there(cli: Cli) -> None:
    result = cli("tail", "asterisk.nothing", "-n", "1")
    assert result.exit_code == 1
    assert "there is no topic asterisk.nothing" in result.stderr


@pytest.mark.usefixtures("topics")
def test_ctrl_c_ends_tail(program: Program, cli: Cli, captures: Path) -> None:
    cli("replay", captures / "dial.ami", "--output", "kafka")
    tail = program("tail", "-b")
    assert tail.stdout is not None
    assert "asterisk.events.hangup" in tail.stdout.readline()
    tail.terminate()
    _, logged = tail.communicate(timeout=SECONDS)
    assert (tail.returncode, logged) == (0, "")
