"""What a shell is offered, asked as the shells' scripts ask; and that nobody waits for it otherwise."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connector.cli import app
from tests.cli.conftest import ROOT, SECONDS
from tests.cli.test_usage import KAFKA_AND_PBX

PROGRAM = [sys.executable, "-c", "from connector.cli import main; main()"]
VARIABLE = "_AMI_KAFKA_COMPLETE"


def asked(folder: Path, environ: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("AMI_KAFKA")}
    env |= {"PYTHONPATH": str(ROOT), "TERM": "dumb", **environ}
    return subprocess.run(
        [*PROGRAM, *words], check=False, capture_output=True, text=True, cwd=folder, env=env, timeout=SECONDS
    )


def offered(folder: Path, line: str, shell: str = "bash", **environ: str) -> list[str]:
    """Return what is offered for the last word of a line."""
    words = line.split(" ")
    protocol = {
        "bash": {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)},
        "zsh": {"_TYPER_COMPLETE_ARGS": line},
        "fish": {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    done = asked(folder, {VARIABLE: f"complete_{shell}", **protocol, **environ})
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_commands_and_words_are_offered_in_each_shell(tmp_path: Path, shell: str) -> None:
    found = "\n".join(offered(tmp_path, "ami-kafka ", shell))
    for command in ("run", "dlq", "journal", "asyncapi", "schemas"):
        assert command in found
    assert "QueueStatus" in "\n".join(offered(tmp_path, "ami-kafka send Queue", shell))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def words_for(line: str, **environ: str) -> list[str]:
    """Return what is offered for the last word of a line, asked in this process."""
    question = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1), VARIABLE: "complete_bash"}
    done = CliRunner().invoke(app, [], prog_name="ami-kafka", env=question | environ)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("ami-kafka send Origin", ["Originate"]),
        ("ami-kafka schemas show QueueCallerJ", ["QueueCallerJoin"]),
        ("ami-kafka send Ping --pbx ", ["main", "north"]),
        ("ami-kafka journal drain n", ["north"]),
        ("ami-kafka dlq list --pbx m", ["main"]),
        ("ami-kafka manager-conf ma", ["main"]),
        ("ami-kafka replay x --pbx no", ["north"]),
        ("ami-kafka topics plan --output ", ["text", "json"]),
        ("ami-kafka dlq ", ["list", "show", "replay"]),
    ],
)
def test_names_are_offered(here: Path, line: str, names: list[str]) -> None:
    more = '[pbx.north]\naddress = ["n"]\nusername = "u"\nsecret = "s"\n'
    (here / "ami-kafka.toml").write_text(KAFKA_AND_PBX + more)
    assert words_for(line) == names


def test_pbxs_are_those_of_the_file_that_is_named(here: Path) -> None:
    (here / "other.toml").write_text(KAFKA_AND_PBX.replace("pbx.main", "pbx.elsewhere"))
    assert words_for("ami-kafka dlq list -c other.toml --pbx ") == ["elsewhere"]
    assert words_for("ami-kafka dlq list --pbx ", AMI_KAFKA_CONFIG="other.toml") == ["elsewhere"]


@pytest.mark.parametrize("text", ["[kafka", "[pbx.main]\nadress = 1\n", None])
def test_settings_that_cannot_be_read_offer_nothing_and_say_nothing(here: Path, text: str | None) -> None:
    if text is not None:
        (here / "ami-kafka.toml").write_text(text)
    assert words_for("ami-kafka dlq list --pbx ") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_is_shown_for_each_shell(tmp_path: Path, shell: str) -> None:
    undetected = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    shown = asked(tmp_path, undetected, "--show-completion", shell)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert VARIABLE in shown.stdout
    assert f"complete_{shell}" in shown.stdout


def test_bash_completes_with_the_script_that_is_installed(tmp_path: Path) -> None:
    undetected = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1", "HOME": str(tmp_path)}
    installed = asked(tmp_path, undetected, "--install-completion", "bash")
    assert installed.returncode == 0, installed.stderr
    (script,) = tmp_path.glob(".bash_completions/*.sh")
    command = tmp_path / "ami-kafka"
    command.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m connector "$@"\n')
    command.chmod(0o755)
    question = (
        f'. "{script}"; COMP_WORDS=(ami-kafka send Origin); COMP_CWORD=2; '
        "$(complete -p ami-kafka | sed 's/.*-F \\([^ ]*\\).*/\\1/') ./ami-kafka; echo \"${COMPREPLY[@]}\""
    )
    words = ["bash", "--norc", "-c", question]
    done = subprocess.run(words, check=True, capture_output=True, text=True, cwd=tmp_path, timeout=SECONDS)
    assert done.stdout == "Originate\n"


HEAVY = (
    "confluent_kafka",
    "fastavro",
    "panoramisk",
    "rich.table",
    "connector.settings",
    "connector.avro",
)


def test_the_command_line_loads_nothing_that_only_some_commands_need() -> None:
    code = f"import sys, connector.cli; print([name for name in {HEAVY!r} if name in sys.modules])"
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, check=True, capture_output=True, text=True, cwd=ROOT, timeout=SECONDS)
    assert done.stdout == "[]\n"
