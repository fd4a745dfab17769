"""`send`: what it asks for, what it prints, and what it ends with."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connector.app import sending
from connector.cli.send import STATUS_CODES
from tests.cli.conftest import Cli

SETTINGS = '[kafka]\nbootstrap_servers = "127.0.0.1:1"\nreach_timeout_s = 0.5\n[actions]\n'

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

        async def send(_: object, what: sending.Asked, __: object) -> dict[str, Any]:
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


def test_without_kafka_it_ends_in_time(cli: Cli, config: Path) -> None:
    result = cli("send", "Ping", "-c", config)
    assert result.exit_code == 1
    assert "127.0.0.1:1" in result.stderr or "brokers" in result.stderr
