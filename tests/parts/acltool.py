"""Kafka's own `kafka-acls`, of an older release than the brokers'."""

import shlex
import subprocess
from pathlib import Path

from tests.parts import cache, java

VERSION = "4.0.0"
FOLDER = f"kafka-tools-{VERSION}"
JAVA = 17
_MAIN = "org.apache.kafka.tools.AclCommand"


def provided() -> Path:
    """Give the folder with its jars."""
    return cache.provide(FOLDER, lambda draft: java.fetch("tools", draft / "jars"))


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a shell's script in a folder, in which `kafka-acls` is a command; it ends at the first that fails."""
    words = [*java.command(JAVA, heap="128m"), "-cp", f"{provided()}/jars/*", _MAIN]
    command = folder / "kafka-acls"
    command.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    command.chmod(0o755)
    return subprocess.run(
        ["sh", "-e", "-c", f'PATH="$PWD:$PATH"\n{script}'],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
    )
