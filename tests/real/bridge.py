"""The connector as users run it: a file of settings, a process, signals, an exit code."""

import json
import re
import signal
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from prometheus_client.parser import text_string_to_metric_families

from tests.parts.processes import wait_until

Tables = dict[str, dict[str, Any]]

MEASURED: Final = {"enabled": True, "port": 0}
"""`[http]` of a connector whose metrics are looked at."""

_ADDRESS: Final = re.compile(r"the status page is at (http://[^\s\"]+)")


def fresh(word: str) -> str:
    """Return a name that no other test has: parts are shared."""
    return f"{word}-{uuid.uuid4().hex[:8]}"


def pbx_table(host: str, port: int, username: str, secret: str, **more: Any) -> dict[str, Any]:
    return {
        "address": [f"{host}:{port}"],
        "username": username,
        "secret": secret,
        "event_classes": ["all"],
        "snapshot": "off",
        **more,
    }


def toml(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """Write settings; JSON's scalars and lists of them are TOML's too."""
    lines = []
    for name, table in tables.items():
        lines.append(f"[{name}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


def command(*words: str, within: float = 60) -> subprocess.CompletedProcess[str]:
    """Run one of the connector's commands to its end."""
    words = (sys.executable, "-m", "connector", *words)
    return subprocess.run(words, check=False, capture_output=True, text=True, timeout=within)


class Bridge:
    """A running `run`, of the module that is named with its words."""

    def __init__(self, config: Path, *options: str, module: tuple[str, ...] = ("connector",)) -> None:
        self._log = config.with_suffix(".log")
        words = [sys.executable, "-m", *module, "run", "--config", str(config), *options]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=log, stderr=log)

    def facts(self, kind: str) -> list[dict[str, Any]]:
        """Return the facts of one kind that the log tells, in order."""
        lines = [line for line in self.text().splitlines(keepends=True) if line.endswith("\n")]
        told = [json.loads(line) for line in lines if line.startswith("{")]
        return [line for line in told if line.get("fact") == kind]

    def text(self) -> str:
        return self._log.read_text(errors="replace")

    def expect(self, kind: str, times: int = 1, **fields: str) -> list[dict[str, Any]]:
        """Wait until the log tells so many facts of a kind with these fields."""

        def told() -> list[dict[str, Any]]:
            assert self._process.poll() is None, self.text()
            found = [fact for fact in self.facts(kind) if fields.items() <= fact.items()]
            return found if len(found) >= times else []

        return wait_until(told, f"{times} x {kind} {fields} in the log", within=90)

    def address(self) -> str:
        """Wait until the log tells where the status page is."""
        found = wait_until(lambda: _ADDRESS.search(self.text()), "the status page's address", within=60)
        return found[1]

    def metric(self, name: str, **labels: str) -> float | None:
        """Return the sum of the samples of `ami_kafka_NAME` that have these labels; None where there is none."""
        with urllib.request.urlopen(f"{self.address()}metrics", timeout=30) as answer:
            families = [*text_string_to_metric_families(answer.read().decode())]
        samples = [each for family in families for each in family.samples if each.name == f"ami_kafka_{name}"]
        values = [each.value for each in samples if labels.items() <= each.labels.items()]
        return sum(values) if values else None

    def moves(self, name: str, least: float = 1, **labels: str) -> None:
        """Wait until a metric is so high."""
        what = f"{name} {labels} at {least:g}"
        wait_until(lambda: (self.metric(name, **labels) or 0) >= least, what, within=90)

    def falls(self, name: str, **labels: str) -> None:
        """Wait until a metric is 0."""
        wait_until(lambda: self.metric(name, **labels) == 0, f"{name} {labels} at 0", within=90)

    def order(self, line: str) -> None:
        """Write a line to its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        self._process.stdin.flush()

    def command_line(self) -> str:
        """Return what a process list shows of it."""
        return Path(f"/proc/{self._process.pid}/cmdline").read_bytes().decode(errors="replace")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; return its exit code."""
        self.signal(how)
        return self.code()

    def signal(self, how: signal.Signals) -> None:
        self._process.send_signal(how)

    def ended(self) -> bool:
        return self._process.poll() is not None

    def code(self) -> int:
        """Wait for its end, and return what it ends with."""
        return self._process.wait(30)

    def end(self) -> None:
        """Leave nothing running, whatever went wrong."""
        if not self.ended():
            self._process.kill()
            self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()


@contextmanager
def bridge(
    folder: Path,
    tables: Mapping[str, Mapping[str, Any]],
    *options: str,
    module: tuple[str, ...] = ("connector",),
) -> Iterator[Bridge]:
    """Start `run` with these settings and options; it is killed at the latest when the block ends."""
    config = folder / f"{fresh('settings')}.toml"
    config.write_text(toml({**tables, "log": {**tables.get("log", {}), "format": "json"}}))
    running = Bridge(config, *options, module=module)
    try:
        yield running
    finally:
        running.end()
