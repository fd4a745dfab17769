"""Kafka away while recorded events arrive: what the connector's memory does, and how the backlog goes out afterwards."""

import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from confluent_kafka import Consumer, KafkaException, TopicPartition

from tests.bench.feeder import answer, let_in
from tests.bench.traffic import END, copy, recorded
from tests.parts import kafka as real
from tests.parts.processes import wait_until

PREFIX = "outage"
WARM = 20_000
"""Events with Kafka there, before it goes."""


class Pbx:
    """Lets one session in at a time, answers what it asks, and sends recorded events."""

    def __init__(self, ends: ExitStack) -> None:
        self._server = ends.enter_context(socket.create_server(("127.0.0.1", 0)))
        self._frames = recorded()
        self._copies = 0
        self._peer: socket.socket | None = None
        self._turn = threading.Lock()
        self.sent = 0
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def port(self) -> int:
        port: int = self._server.getsockname()[1]
        return port

    @property
    def is_asked(self) -> bool:
        """Whether a session is there."""
        return self._peer is not None

    def send(self, events: int) -> None:
        """Send at least so many events, as fast as they are taken."""
        due = self.sent + events
        while self.sent < due:
            with self._turn:
                assert self._peer is not None
                self._peer.sendall(copy(self._frames, self._copies))
            self._copies += 1
            self.sent += len(self._frames)

    def _serve(self) -> None:
        peer, _ = self._server.accept()
        let_in(peer, b"CoreSettings")
        self._peer = peer
        pending = b""
        while data := peer.recv(65_536):
            *actions, pending = (pending + data).split(END)
            with self._turn:
                for action in actions:
                    peer.sendall(answer(action))


class Watch:
    """Looks at a process's resident memory ten times a second."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._peak = 0.0
        self._ended = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def now(self) -> float:
        (line,) = (each for each in self._status.read_text().splitlines() if each.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def begin(self) -> float:
        """Forget the peak, and return the level."""
        self._peak = level = self.now()
        return level

    @property
    def peak(self) -> float:
        return max(self._peak, self.now())

    def end(self) -> None:
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.wait(0.1):
            self._peak = max(self._peak, self.now())


class Topics:
    """How many records are in the connector's topics of events."""

    def __init__(self, bootstrap: str, ends: ExitStack) -> None:
        self._consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "outage", "log_level": 0})
        ends.callback(self._consumer.close)

    def count(self) -> int:
        """Count them; less than there are where a partition cannot be asked now."""
        topics = self._consumer.list_topics(timeout=10).topics
        return sum(
            self._end(name, partition)
            for name, topic in topics.items()
            if name.startswith(f"{PREFIX}.") and name != f"{PREFIX}.connector"
            for partition in topic.partitions
        )

    def _end(self, topic: str, partition: int) -> int:
        try:
            _, end = self._consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
        except KafkaException:
            return 0
        return int(end)


@contextmanager
def connector(bootstrap: str, port: int, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    settings = folder / "connector.toml"
    settings.write_text(
        f"""
[pbx.main]
address = ["127.0.0.1:{port}"]
username = "u"
secret = "s"
[kafka]
bootstrap_servers = ["{bootstrap}"]
[events]
select = ["@all"]
topic_prefix = "{PREFIX}"
format = "json"
[journal]
path = "{folder / "journal"}"
max_bytes = {64 << 30}
"""
    )
    command = [sys.executable, "-m", "connector", "run", "--config", str(settings)]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as running:
        try:
            yield running
        finally:
            running.terminate()


def measure(events: int) -> None:
    """Send `events` events while Kafka is away, and print what came of it."""
    with ExitStack() as ends:
        cluster = ends.enter_context(real.start(1))
        pbx = Pbx(ends)
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="ami-kafka-outage-")))
        running = ends.enter_context(connector(cluster.bootstrap, pbx.port, folder))
        topics = Topics(cluster.bootstrap, ends)
        watch = Watch(running.pid)
        ends.callback(watch.end)
        wait_until(lambda: pbx.is_asked, "a session", within=60)
        pbx.send(WARM)
        wait_until(lambda: topics.count() == pbx.sent, "all events in Kafka", within=300)
        level, before = watch.begin(), pbx.sent
        cluster.nodes[0].stop()
        begun = time.perf_counter()
        pbx.send(events)
        away = time.perf_counter() - begun
        peak = watch.peak
        journal = sum(file.stat().st_size for file in (folder / "journal").rglob("*.journal"))
        cluster.nodes[0].start()
        begun = time.perf_counter()
        wait_until(lambda: topics.count() == pbx.sent, "all events in Kafka", within=1_800)
        back = time.perf_counter() - begun
    number = pbx.sent - before
    print(f"{number:,} events while Kafka was away for {away:.0f} s: read at {number / away:,.0f}/s")
    print(f"resident memory     {level:.0f} MB before, {peak:.0f} MB at the highest: {peak - level:+.0f} MB")
    print(f"journal             {journal / 1e6:,.0f} MB on disk")
    print(f"all delivered       {back:.0f} s after Kafka was back: {number / back:,.0f}/s")
