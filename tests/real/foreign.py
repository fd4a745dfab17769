"""Programs that are not ours: kcat, and Java with the jars of a part."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

from tests.parts import Unavailable, broker, java, running

REQUIRED = os.environ.get("AMI_KAFKA_REQUIRE_REAL") == "1"
PROGRAMS = Path(__file__).parent / "java"


def give_up(reason: str) -> NoReturn:
    if REQUIRED:
        pytest.fail(reason)
    pytest.skip(reason)


def need_kcat() -> None:
    if not shutil.which("kcat") and REQUIRED and os.geteuid() == 0:
        subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", "kcat"], check=False)
    if not shutil.which("kcat"):
        give_up("kcat is not here; get it with: apt-get install kcat")


def run_java(part: str, program: Path, *words: str, told: str = "") -> list[str]:
    """Run a program, compiled as it starts, with a part's jars; give what it prints."""
    if not REQUIRED and not running.fetched(part):
        pytest.skip(f"the jars of {part} are not here; get them with: python -m tests.parts fetch {part}")
    try:
        line = [
            *java.command(broker.JAVA, heap="128m"),
            "-XX:TieredStopAtLevel=1",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        ]
        line += ["-cp", f"{running.fetch(part)}/jars/*", str(program), *words]
    except Unavailable as reason:
        give_up(str(reason))
    done = subprocess.run(line, check=False, capture_output=True, text=True, input=told, timeout=90)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
