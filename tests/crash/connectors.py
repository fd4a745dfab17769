"""Connectors as processes that can be told where to die."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from tests.crash.stream import CONTEXT, PBX

SESSION_MS = 6_000
"""How long the group misses a member that says nothing; longer than a new coordinator takes to be found."""

TRANSACTION_MS = 4_000
OURS = "ClaimsRead"
"""The fact in the log of a connector that has begun to work."""

MAX_RESPONSE = 4_096
"""Below what `ListCommands` answers."""


class Setting(NamedTuple):
    """Where everything is: the cluster, the way to the PBX, the names of topics, and files."""

    bootstrap: str
    pbx_port: int
    secret: str
    prefix: str
    folder: Path

    @property
    def requests(self) -> str:
        return f"{self.prefix}.actions.json"

    @property
    def responses(self) -> str:
        return f"{self.prefix}.responses.json"

    @property
    def claims(self) -> str:
        return f"{self.prefix}.claims.json"

    @property
    def replies(self) -> str:
        return f"{self.prefix}.replies"

    @property
    def marks(self) -> Path:
        """The file in which connectors note what they do to themselves."""
        return self.folder / "marks"

    def toml(self, name: str) -> str:
        """Return the settings of the connector with this name."""
        return f"""
[connector]
name = "{name}"
[log]
format = "json"
[pbx.{PBX}]
address = ["127.0.0.1:{self.pbx_port}"]
username = "actions"
secret = "{self.secret}"
[kafka]
bootstrap_servers = {json.dumps(self.bootstrap.split(","))}
[kafka.consumer]
"session.timeout.ms" = {SESSION_MS}
"heartbeat.interval.ms" = {SESSION_MS // 8}
[events]
topic_prefix = "{self.prefix}"
[topics]
create = "at-start"
replication_factor = 3
partitions = 6
[actions]
group = "{self.prefix}"
format = "json"
reply_topics = ["{self.replies}"]
ttl_ms = 120000
drain_s = 10.0
transaction_timeout_ms = {TRANSACTION_MS}
max_response_bytes = {MAX_RESPONSE}
[[actions.rules]]
name = "numbers"
actions = ["Originate"]
contexts = ["{CONTEXT}"]
channels = ['Local/[0-9]+@{CONTEXT}/n']
applications = ["Wait"]
"""


class Connector:
    """One connector; it can be armed, stopped, continued, replaced by another of its name."""

    def __init__(self, name: str, setting: Setting, *, broken: bool = False) -> None:
        self.name = name
        self._setting = setting
        self._broken = ["--unclaimed"] if broken else []
        self._starts = self._log_begins = self.refusals = 0
        self.log = setting.folder / f"{name}.log"
        self._process = self._start()

    @property
    def member(self) -> str:
        """What the group calls this very process."""
        return f"{self.name}-{self._starts}"

    @property
    def pid(self) -> int:
        return self._process.pid

    def arm(self, step: str, how: str, times: int) -> None:
        """Have it hit itself when it comes to a step for the so-manieth time."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{step} {how} {times}\n".encode())
        self._process.stdin.flush()

    def restart(self) -> None:
        """Put another process in the place of one that is gone."""
        self._process.wait(10)
        self._close()
        self._process = self._start()

    def proceed(self) -> None:
        """Continue it."""
        os.kill(self.pid, signal.SIGCONT)

    def leave(self) -> int:
        """Ask it to end, and return its exit code."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(30)
        finally:
            self._close()

    def tell(self) -> None:
        """Have it write into its log where each of its threads is."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGUSR1)

    def must_live(self) -> None:
        """Raise when it has ended though nobody wanted that; who could not begin is started again, as operators do."""
        code = self._process.poll()
        if code is None:
            return
        own = self.log.read_text()[self._log_begins :]
        if code != 1 or OURS in own:
            raise AssertionError(f"{self.name} ended with {code}: {own[-3000:]}")
        self.refusals += 1
        self.restart()

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._close()

    def _start(self) -> "subprocess.Popen[bytes]":
        self._starts += 1
        config = self._setting.folder / f"{self.member}.toml"
        config.write_text(self._setting.toml(self.member))
        self._log_begins = len(self.log.read_text()) if self.log.exists() else 0
        # Whatever becomes of the test, nothing of it goes on.
        words = ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "tests.crash.victim", *self._broken]
        words += [str(self._setting.marks), "run", "--only", "actions", "--config", str(config)]
        with self.log.open("ab") as log:
            return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=log, stderr=log)

    def _close(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()


def marks(path: Path) -> list[dict[str, Any]]:
    """Return what connectors have noted of what they did to themselves."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
