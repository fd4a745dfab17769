"""`send`: what it asks for, what it prints, and what it ends with."""

import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from connector.app import sending
from connector.cli.send import STATUS_CODES
from connector.demo.broker import EmbeddedBroker
from tests.cli.conftest import SECONDS, Cli, Program

SETTINGS = '[kafka]\nbootstrap_servers = "127.0.0.1:1"\nreach_timeout_s = 0.5\n[actions]\n'

TOPICS = ("asterisk.actions.json", "asterisk.responses.json")
Answering = Callable[..., list[sending.Asked]]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(SETTINGS)
    return path


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Answering:
    """Answer what is asked, and note it."""

    def answer(**fields: Any) -> list[sending.Asked]:
        asked: list[sending.Asked] = []
        response: dict[str, Any] = {
            "status": "SUCCESS", "executed": "yes", "message": None, "rule": None, "response": [], "events": [], "output": [],
        }  # fmt: skip

        async def send(_: object, what: sending.Asked, *__: object) -> dict[str, Any]:
            asked.append(what)
            return response | fields

        monkeypatch.setattr(sending, "send", send)
        return asked

    return answer


def test_what_is_asked(cli: Cli, config: Path, answering: Answering) -> None:
    asked = answering()
    words = ["Originate", "Channel=PJSIP/1", "Data=a=b", "-v", "NAME=v,1", "--pbx", "main", "--key", "k"]
    result = cli("send", *words, "--timeout", "5", "--expires", "2", "--request-id", "r1", "-c", config)
    assert result.exit_code == 0, result.output
    (one,) = asked
    assert one.fields["headers"] == [
        {"name": "Channel", "value": "PJSIP/1"},
        {"name": "Data", "value": "a=b"},
    ]
    assert one.fields["variables"] == [{"name": "NAME", "value": "v,1"}]
    assert (one.fields["pbx"], one.fields["request_id"], one.fields["timeout_ms"]) == ("main", "r1", 5000)
    assert (one.key, one.within_s) == ("k", 17.0)


def test_without_an_id_each_request_has_a_new_one_which_is_its_key(
    cli: Cli, config: Path, answering: Answering
) -> None:
    asked = answering()
    for _ in range(2):
        cli("send", "Ping", "-c", config)
    assert asked[0].key != asked[1].key
    assert [one.key for one in asked] == [one.fields["request_id"] for one in asked]


@pytest.mark.parametrize(("status", "code"), STATUS_CODES.items())
def test_the_exit_code_tells_the_status(
    cli: Cli, config: Path, answering: Answering, status: str, code: int
) -> None:
    answering(status=status, message="why", rule="profile read-only")
    result = cli("send", "Ping", "-c", config)
    assert result.exit_code == code
    assert result.stdout == f"{status}  why (profile read-only)\n"


def test_what_a_person_reads(cli: Cli, config: Path, answering: Answering) -> None:
    answering(
        response=[{"name": "Response", "value": "Success"}, {"name": "Ping", "value": "Pong\x1b[31m"}],
        events=[{"event": "QueueParams", "headers": [{"name": "Queue", "value": "q"}]}],
        output=["line one"],
    )
    result = cli("send", "Ping", "-c", config)
    assert result.stdout.splitlines() == [
        "SUCCESS",
        "line one",
        "Ping: Pong\N{REPLACEMENT CHARACTER}[31m",
        "",
        "QueueParams",
        "  Queue: q",
    ]


def test_what_a_program_reads(cli: Cli, config: Path, answering: Answering) -> None:
    answering(status="FAILURE")
    result = cli("send", "Ping", "-c", config, "--output", "json")
    assert (json.loads(result.stdout)["status"], result.exit_code) == ("FAILURE", 10)


def test_a_parameter_without_a_value_is_wrong_usage(cli: Cli, config: Path) -> None:
    result = cli("send", "Ping", "foo", "-c", config)
    assert result.exit_code == 2
    assert "'foo' is not HEADER=VALUE" in result.stderr


def test_without_the_table_actions_it_says_so(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(SETTINGS.replace("[actions]", ""))
    result = cli("send", "Ping", "-c", path)
    assert result.exit_code == 2
    assert "actions: must be set" in result.stderr


def test_no_answer_is_a_failure_that_says_what_to_look_at(
    cli: Cli, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def send(*_: object) -> dict[str, Any]:
        raise sending.NotAnswered("no answer on x in 1 s")

    monkeypatch.setattr(sending, "send", send)
    result = cli("send", "Ping", "-c", config)
    assert (result.exit_code, result.stderr) == (1, "ami-kafka: no answer on x in 1 s\n")


def test_without_kafka_it_ends_with_one_line_that_names_the_address(cli: Cli, config: Path) -> None:
    result = cli("send", "Ping", "-c", config)
    assert (result.exit_code, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("ami-kafka: Kafka at 127.0.0.1:1: ")
    assert "are the brokers up" in line


@pytest.mark.parametrize(("timeout", "reach_s"), [("30", 30.0), ("2.5", 2.5), ("0.1", 2.0)])
def test_whoever_is_impatient_waits_no_longer_for_kafka(
    cli: Cli, config: Path, answering: Answering, timeout: str, reach_s: float
) -> None:
    asked = answering()
    cli("send", "Ping", "--timeout", timeout, "-c", config)
    assert asked[0].reach_s == reach_s


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as running:
        for topic in TOPICS:
            running.create_topic(topic, 1)
        yield running


@pytest.fixture
def at_broker(tmp_path: Path, broker: EmbeddedBroker) -> Path:
    path = tmp_path / "at-broker.toml"
    path.write_text(f'[kafka]\nbootstrap_servers = "{broker.bootstrap_servers}"\n[actions]\n')
    return path


def requested(broker: EmbeddedBroker) -> None:
    """Wait until there is a request."""
    consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "looking"})
    try:
        consumer.assign([TopicPartition(TOPICS[0], 0, OFFSET_BEGINNING)])
        deadline = time.monotonic() + SECONDS
        while (message := consumer.poll(0.1)) is None or message.error():
            assert time.monotonic() < deadline
    finally:
        consumer.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_waits_no_longer_is_told_what_may_still_happen(
    program: Program, at_broker: Path, broker: EmbeddedBroker, number: signal.Signals
) -> None:
    process = program("send", "Ping", "--request-id", "r7", "-c", at_broker)
    requested(broker)
    process.send_signal(number)
    said, told = process.communicate(timeout=SECONDS)
    assert (process.returncode, said) == (130, "")
    assert told == "ami-kafka: interrupted; request r7 may still be executed\n"


def test_who_waits_no_longer_for_kafka_has_sent_nothing(program: Program, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        path = tmp_path / "mute.toml"
        path.write_text(
            SETTINGS.replace("127.0.0.1:1", f"127.0.0.1:{mute.getsockname()[1]}").replace("0.5", "60")
        )
        process = program("send", "Ping", "-c", path)
        mute.settimeout(SECONDS)
        with mute.accept()[0]:
            process.send_signal(signal.SIGINT)
            said, told = process.communicate(timeout=SECONDS)
    assert (process.returncode, said, told) == (130, "", "ami-kafka: interrupted; nothing was sent\n")
