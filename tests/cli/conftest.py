"""The command line as its users have it: a process of its own, or in this one where that is enough."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from connector.cli import app

SECONDS = 60
ROOT = Path(__file__).parents[2]

Cli = Callable[..., Result]
Program = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run a command in this process, in an empty directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str | Path, env: dict[str, str] | None = None) -> Result:
        return CliRunner().invoke(app, [str(each) for each in arguments], env=env)

    return run


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Start a command as a process of its own, in an empty directory."""

    def start(*arguments: str | Path, env: dict[str, str] | None = None) -> "subprocess.Popen[str]":
        command: Sequence[str] = [sys.executable, "-m", "connector", *(str(each) for each in arguments)]
        return subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **(env or {})},
        )

    return start


@pytest.fixture
def captures() -> Path:
    return ROOT / "tests" / "captures" / "asterisk22"
