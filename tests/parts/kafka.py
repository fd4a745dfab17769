"""Apache Kafka in KRaft mode: one node or several, each a process of its own, all on loopback."""

import shutil
import signal
import subprocess
import tempfile
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.parts import Unavailable, cache, java
from tests.parts.processes import LOOPBACK, Child, free_port, wait_until

VERSION = "4.4.0"
FOLDER = f"kafka-{VERSION}"
JAVA = 17
HEAP = "512m"
STARTED = "Kafka Server started"
LOGGING = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.server.KafkaRaftServer=info",
)
QUICK = {
    "auto.create.topics.enable": "false",
    "num.partitions": "3",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
    "log.cleaner.dedupe.buffer.size": "16777216",
    "group.initial.rebalance.delay.ms": "100",
    "group.min.session.timeout.ms": "1000",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.num.partitions": "1",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "3000",
    "controller.quorum.election.timeout.ms": "500",
    "controller.quorum.fetch.timeout.ms": "1000",
    "controller.quorum.request.timeout.ms": "1000",
    "log.message.timestamp.type": "CreateTime",
}
"""Defaults are for large clusters: a test must not wait seconds for a rebalance or a lost broker."""


def provided() -> Path:
    """Give the folder with Kafka's jars and a formatted, empty disk."""
    return cache.provide(FOLDER, _build)


class Node:
    """One broker and controller; stopped and started it keeps its ports and its disk."""

    def __init__(self, number: int, folder: Path) -> None:
        self.number = number
        self.folder = folder
        self.port = free_port()
        self.controller_port = free_port()
        self._child: Child | None = None

    @property
    def address(self) -> str:
        """The broker's host and port."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int:
        """The process id."""
        return self._running().pid

    def launch(self, *, outlives: bool = False) -> None:
        """Begin to start; several nodes need one another to finish."""
        (self.folder / "log").unlink(missing_ok=True)
        command = [*java.command(JAVA, heap=HEAP), *LOGGING, "-cp", f"{provided()}/jars/*"]
        command += ["kafka.Kafka", str(self.folder / "server.properties")]
        self._child = Child(command, self.folder / "log", outlives=outlives)

    def wait(self) -> None:
        """Return when the node serves clients."""
        wait_until(self._started, f"Kafka node {self.number}", within=90)

    def start(self) -> None:
        """Start again after `stop` or `kill`."""
        self.launch()
        self.wait()

    def stop(self) -> None:
        """Leave in order: leadership is handed over first."""
        self._running().stop(signal.SIGTERM, grace=30)

    def kill(self) -> None:
        """End at once, as a crash would."""
        self._running().kill()

    def end(self) -> None:
        """End whatever runs."""
        if self._child is not None:
            self._child.kill()

    def _running(self) -> Child:
        if self._child is None:
            raise RuntimeError("not started")
        return self._child

    def _started(self) -> bool:
        self._running().must_live()
        return STARTED in (self.folder / "log").read_text(errors="replace")


@dataclass(frozen=True)
class Cluster:
    """A cluster that somebody else runs."""

    bootstrap: str


class Kafka:
    """A cluster of ours; `with start(nodes=3) as kafka`."""

    def __init__(self, nodes: int, properties: Mapping[str, str], folder: Path) -> None:
        self.folder = folder
        self.nodes = [Node(number, folder / f"node{number}") for number in range(1, nodes + 1)]
        self._properties = {**QUICK, **_replication(nodes), **properties}
        for node in self.nodes:
            self._lay_out(node)

    @property
    def bootstrap(self) -> str:
        """What clients call bootstrap.servers."""
        return ",".join(node.address for node in self.nodes)

    def node(self, number: int) -> Node:
        """Give a node by its id, counted from 1 as Kafka's metadata does."""
        return self.nodes[number - 1]

    def start(self, *, outlives: bool = False) -> None:
        """Start all nodes, and return when all serve clients."""
        for node in self.nodes:
            node.launch(outlives=outlives)
        for node in self.nodes:
            node.wait()

    def remove(self) -> None:
        """End all nodes and leave nothing behind."""
        for node in self.nodes:
            node.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _lay_out(self, node: Node) -> None:
        shutil.copytree(provided() / "disk", node.folder / "disk")
        meta = node.folder / "disk" / "meta.properties"
        meta.write_text(
            f"version=1\ncluster.id={_cluster()}\nnode.id={node.number}\ndirectory.id={_new_id()}\n"
        )
        voters = ",".join(f"{one.number}@{LOOPBACK}:{one.controller_port}" for one in self.nodes)
        own = {
            "process.roles": "broker,controller",
            "node.id": str(node.number),
            "controller.quorum.voters": voters,
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://{node.address},CONTROLLER://{LOOPBACK}:{node.controller_port}",
            "advertised.listeners": f"PLAINTEXT://{node.address}",
            "log.dirs": str(node.folder / "disk"),
        }
        lines = [f"{name}={value}\n" for name, value in (own | self._properties).items()]
        (node.folder / "server.properties").write_text("".join(lines))


@contextmanager
def start(nodes: int = 1, *, properties: Mapping[str, str] | None = None) -> Iterator[Kafka]:
    """Run a private cluster for as long as the block lasts."""
    kafka = prepare(nodes, properties)
    try:
        kafka.start()
        yield kafka
    finally:
        kafka.remove()


def prepare(nodes: int = 1, properties: Mapping[str, str] | None = None) -> Kafka:
    """Lay out a private cluster without starting it."""
    java.java(JAVA)
    provided()
    return Kafka(nodes, properties or {}, Path(tempfile.mkdtemp(prefix="ami-kafka-kafka-")))


def _replication(nodes: int) -> dict[str, str]:
    copies, in_step = str(min(nodes, 3)), str(min(nodes, 2))
    return {
        "default.replication.factor": copies,
        "min.insync.replicas": in_step,
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": in_step,
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": in_step,
    }


def _build(draft: Path) -> None:
    java.fetch("kafka", draft / "jars")
    properties = draft / "format.properties"
    properties.write_text(
        "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@127.0.0.1:1\n"
        "listeners=PLAINTEXT://127.0.0.1:2,CONTROLLER://127.0.0.1:1\ncontroller.listener.names=CONTROLLER\n"
        f"log.dirs={draft}/disk\n"
    )
    command = [*java.command(JAVA, heap="256m"), "-cp", f"{draft}/jars/*", "kafka.tools.StorageTool"]
    command += ["format", "--cluster-id", _cluster(), "--config", str(properties)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise Unavailable(f"Kafka's disk could not be formatted: {(done.stdout + done.stderr)[-600:]}")


def _cluster() -> str:
    return _as_id(uuid.UUID(int=0x616D692D6B61666B612D7465737473))


def _new_id() -> str:
    return _as_id(uuid.uuid4())


def _as_id(value: uuid.UUID) -> str:
    return urlsafe_b64encode(value.bytes).decode().rstrip("=")
