"""What a program may read it reads as JSON, by the same option everywhere; logs are on stderr."""

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from tests.cli.commands import COMMANDS
from tests.cli.conftest import Cli
from tests.cli.test_usage import KAFKA_AND_PBX

EXCEPTIONS: Final = {
    ("run",): "prints no data: its log is on stderr, and log.format says in which form",
    ("replay",): "its --output says where records go, to JSON lines or to Kafka",
    ("manager-conf",): "prints a file for Asterisk, and nothing that a program would look for in it",
}


def option(command: Any) -> Any:
    return next((each for each in command.params if "--output" in each.opts), None)


def told(found: Any) -> tuple[Any, ...]:
    return found.opts, found.type_descriptor.annotation, found.help, found.default


@pytest.mark.parametrize("name", COMMANDS, ids=" ".join)
def test_every_command_has_the_same_option_or_a_reason(name: tuple[str, ...]) -> None:
    own, usual = option(COMMANDS[name]), option(COMMANDS[("check",)])
    is_usual = own is not None and told(own) == told(usual)
    assert is_usual is (name not in EXCEPTIONS)
    assert usual.opts == ["--output", "-o"]
    # All stand at the end, where a person looks for them.
    if is_usual:
        assert COMMANDS[name].params[-1] is own


def test_the_exceptions_are_commands() -> None:
    assert EXCEPTIONS.keys() <= COMMANDS.keys()


WITHOUT_KAFKA: Final = (
    ["schemas", "list"],
    ["schemas", "show", "Hangup"],
    ["schemas", "check"],
    ["schemas", "generate", "--check"],
    ["schemas", "generate", "--dir", "{schemas}"],
    ["schemas", "release", "9.9.9", "--dir", "{schemas}"],
    ["schemas", "propose", "{capture}"],
    ["schemas", "propose", "{capture}", "--out", "{out}"],
    ["asyncapi"],
    ["journal", "status"],
    ["demo", "--events", "3", "--speed", "100"],
    ["check"],
)
"""Commands that say something with no Kafka at hand."""


@pytest.mark.parametrize("words", WITHOUT_KAFKA, ids=" ".join)
def test_stdout_is_json_and_nothing_else(cli: Cli, tmp_path: Path, words: list[str]) -> None:
    ours = Path(__file__).parents[2] / "schemas"
    schemas = tmp_path / "schemas"
    (schemas / "catalogue").mkdir(parents=True)
    for name in (
        "catalogue/blocks.json",
        "catalogue/envelope.json",
        "catalogue/glossary.json",
        "catalogue/records.json",
    ):
        (schemas / name).write_text((ours / name).read_text())
    one = {"Reload": json.loads((ours / "catalogue" / "events.json").read_text())["Reload"]}
    (schemas / "catalogue" / "events.json").write_text(json.dumps(one))
    capture = tmp_path / "odd.ami"
    capture.write_bytes(b"Event: Odd\r\nPrivilege: call,all\r\nX: 1\r\n\r\n")
    (tmp_path / "ami-kafka.toml").write_text(KAFKA_AND_PBX + f'[journal]\npath = "{tmp_path / "nowhere"}"\n')
    places = {"schemas": schemas, "capture": capture, "out": tmp_path / "out"}
    result = cli(*(word.format(**places) for word in words), "--output", "json")
    assert result.exit_code in ((0,) if words != ["check"] else (1,)), result.output
    objects = [result.stdout] if words[:2] == ["schemas", "show"] else result.stdout.splitlines()
    assert objects or words in (
        ["journal", "status"],
        ["schemas", "check"],
        ["schemas", "generate", "--check"],
    )
    for text in objects:
        assert isinstance(json.loads(text), dict)
    assert not re.search(r"^\{", result.stderr, re.MULTILINE)


def test_a_stale_schema_is_an_object_too(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "events").mkdir()
    (tmp_path / "catalogue").mkdir()
    ours = Path(__file__).parents[2] / "schemas" / "catalogue"
    for path in ours.glob("*.json"):
        (tmp_path / "catalogue" / path.name).write_text(path.read_text())
    result = cli("schemas", "generate", "--check", "--dir", tmp_path, "-o", "json")
    assert result.exit_code == 1
    first = json.loads(result.stdout.splitlines()[0])
    assert first == {"file": first["file"], "problem": "not as the catalogue says"}
