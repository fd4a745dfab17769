"""Every command of the README and the guides is run as it is written, at a real PBX, Kafka and registry.

Where a guide names a place in a topic, the place of what is there is put in its stead, and a minute is made a second.
The commands of the way from nothing to events are run by `test_getting_started.py`.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined] # its public names

from tests.parts.asterisk import Pbx
from tests.parts.kafka import Kafka
from tests.parts.processes import wait_until
from tests.parts.registry import Registry, Service
from tests.real import reading
from tests.real.bridge import Bridge, fresh, pbx_table, toml
from tests.real.test_dlq import LARGE, LIMIT, TOO_SMALL, set_limit
from tests.real.test_journal import Counting

ROOT = Path(__file__).parents[2]
GUIDES = ("README.md", "docs/operating.md", "docs/privacy.md", "docs/monitoring.md", "docs/deploying.md")
REFUSING = "asterisk.events.user-event"


def written() -> list[str]:
    """Give each command of ours in the guides' shell blocks, once, without its comment."""
    found: dict[str, None] = {}
    for guide in GUIDES:
        text = (ROOT / guide).read_text("utf-8")
        for block in re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
            for line in block.splitlines():
                if line.startswith("ami-kafka "):
                    found[line.partition(" #")[0].strip()] = None
    return [*found]


class Guide:
    """The commands that are still to be run, and where."""

    def __init__(self, folder: Path) -> None:
        self.left = written()
        self._folder = folder
        self._environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def run(self, begins: str, swap: dict[str, str] | None = None, codes: Sequence[int] = (0,)) -> list[str]:
        """Run all that begin so, and see that each ends with one of these codes; give what they print."""
        taken = self._take(begins)
        told = []
        for line in taken:
            done = subprocess.run(
                self._words(line, swap or {}), check=False, capture_output=True, text=True, timeout=120,
                cwd=self._folder, env=self._environment, input="",
            )  # fmt: skip
            assert done.returncode in codes, (line, done.stdout, done.stderr)
            assert "Traceback" not in done.stderr
            told.append(done.stdout)
        return told

    def follow(self, line: str, until: str) -> None:
        """Run one that goes on until it is interrupted, until it has printed something."""
        self.left.remove(line)
        with subprocess.Popen(
            self._words(line, {}), stdout=subprocess.PIPE, text=True, cwd=self._folder, env=self._environment
        ) as process:
            assert process.stdout is not None
            try:
                assert any(until in each for each in process.stdout), line
                process.send_signal(signal.SIGINT)
                process.communicate(timeout=30)
                assert process.returncode == 0, line
            finally:
                process.kill()

    @contextmanager
    def bridge(self, line: str) -> Iterator[Bridge]:
        """Have the connector run as a line says."""
        self.left = [each for each in self.left if each != line]
        config = self._folder / f"{fresh('settings')}.toml"
        config.write_text((self._folder / "ami-kafka.toml").read_text())
        running = Bridge(config, *shlex.split(line)[2:])
        try:
            yield running
        finally:
            running.end()

    def _take(self, begins: str) -> list[str]:
        taken = [line for line in self.left if line.startswith(begins)]
        assert taken, begins
        self.left = [line for line in self.left if line not in taken]
        return taken

    def _words(self, line: str, swap: dict[str, str]) -> list[str]:
        words = [swap.get(word, word) for word in shlex.split(line)]
        return [sys.executable, "-m", "connector", *words[1:]]


@pytest.fixture
def ends(
    start_kafka: Callable[..., Kafka], registry: Service | Registry, asterisk22: Pbx, tmp_path: Path
) -> Kafka:
    kafka = start_kafka()
    settings = {
        "pbx.main": pbx_table(asterisk22.host, asterisk22.port, asterisk22.username, asterisk22.secret),
        "pbx.main.actions": {"username": "actions", "secret": asterisk22.secret},
        "connector": {"heartbeat_s": 1.0},
        "kafka": {"bootstrap_servers": [kafka.bootstrap]},
        "kafka.producer": {"compression.type": "none", "batch.num.messages": 1},
        "registry": {"url": registry.url},
        "events": {"select": ["@default", "UserEvent"]},
        "topics": {"partitions": 1},
        "journal": {"path": "journal"},
        "log": {"format": "json"},
        "actions": {},
        "actions.policy": {"profile": "full"},
    }
    (tmp_path / "ami-kafka.toml").write_text(toml(settings))
    return kafka


def test_each_is_run(ends: Kafka, asterisk22: Pbx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    guide, admin = Guide(tmp_path), AdminClient({"bootstrap.servers": ends.bootstrap})
    refusing = NewTopic(REFUSING, 1, 1, config={LIMIT: TOO_SMALL})
    admin.create_topics([refusing])[REFUSING].result(30)
    guide.run("ami-kafka topics")
    guide.run("ami-kafka schemas")
    guide.run("ami-kafka check")
    with guide.bridge("ami-kafka run") as running:
        running.expect("LinkUp")
        running.expect("ClaimsRead")
        make_events(asterisk22)
        wait_until(lambda: len(letters(ends)) > 1, "dead letters", within=60)
        # The PBX of the tests has no such extension.
        guide.run("ami-kafka send Originate", codes=(10,))
        guide.run("ami-kafka send")
        guide.run("ami-kafka tail -b")
        guide.follow("ami-kafka tail", "asterisk.")
        guide.follow("ami-kafka tail asterisk.connector --output json", "{")
        guide.run("ami-kafka record", {"60": "1"})
        guide.run("ami-kafka journal status")
        first, second = letters(ends)[:2]
        guide.run("ami-kafka dlq list")
        assert "refused" in guide.run("ami-kafka dlq show", {"0/42": first})[0]
        set_limit(admin, REFUSING, LARGE)
        guide.run("ami-kafka dlq replay", {"0/42": first, "0/43": second})
        assert len(of(ends, REFUSING)) == 2
        with Counting(asterisk22), guide.bridge("ami-kafka run --take-over") as next_one:
            next_one.expect("TakeOverReady")
            assert running.stop() == 0, running.text()
            next_one.expect("StreamJoined")
            assert next_one.stop() == 0, next_one.text()
    guide.run("ami-kafka journal drain")
    assert not guide.left


def make_events(pbx: Pbx) -> None:
    """Have some that a topic refuses, and ten of queues."""
    member = {"Queue": "unmanned", "Interface": "Local/answer@parties/n"}
    with Counting(pbx) as counting, pbx.manager(events="off") as ami:
        for _ in range(5):
            ami.action("QueueAdd", **member)
            ami.action("QueueRemove", **member)
        counting.more(3)


def of(ends: Kafka, topic: str) -> list[reading.Got]:
    return [got for got in reading.read_all(ends.bootstrap, "asterisk") if got.topic == topic]


def letters(ends: Kafka) -> list[str]:
    """Give the places of dead letters, as `dlq show` has them."""
    return [f"{got.partition}/{got.offset}" for got in of(ends, "asterisk.dlq")]
