"""Apache Kafka in KRaft mode: a cluster of one node or several, all on loopback."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.parts import broker, doors, java
from tests.parts.broker import Node
from tests.parts.processes import LOOPBACK

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
    "log.retention.ms": "-1",
}
"""Defaults are for large clusters: a test must not wait seconds for a rebalance or a lost broker.

Tests write records of any age, which a cluster that keeps them for a week throws away whenever it looks.
"""


@dataclass(frozen=True)
class Cluster:
    """A cluster that somebody else runs."""

    bootstrap: str


class Kafka:
    """A cluster of ours; `with start(nodes=3) as kafka`."""

    def __init__(
        self, nodes: int, properties: Mapping[str, str], users: Mapping[str, str], folder: Path
    ) -> None:
        self.folder = folder
        self.nodes = [Node(number, folder / f"node{number}") for number in range(1, nodes + 1)]
        self._properties = {**QUICK, **_replication(nodes), **properties}
        self.doors = doors.Doors(folder / "doors", users) if users else None
        if self.doors is not None:
            self._properties |= self.doors.properties
        for node in self.nodes:
            self._lay_out(node)

    @property
    def bootstrap(self) -> str:
        """What clients call bootstrap.servers."""
        return ",".join(node.address for node in self.nodes)

    @property
    def secure_bootstrap(self) -> str:
        """The same by SASL_SSL, for clusters with users."""
        return self.behind(doors.SECURE)

    @property
    def certificate(self) -> Path:
        """The authority of its certificates, for clusters with users."""
        return self._guarded().authority.certificate

    def behind(self, door: str) -> str:
        """Give bootstrap.servers by one of the guarded ways in; see `doors`."""
        return ",".join(f"{LOOPBACK}:{self._guarded().port(node.number, door)}" for node in self.nodes)

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

    def _guarded(self) -> doors.Doors:
        if self.doors is None:
            raise RuntimeError("a cluster without users has no guarded way in")
        return self.doors

    def _lay_out(self, node: Node) -> None:
        shutil.copytree(broker.provided() / "disk", node.folder / "disk")
        meta = node.folder / "disk" / "meta.properties"
        meta.write_text(
            f"version=1\ncluster.id={broker.cluster_id()}\nnode.id={node.number}\ndirectory.id={broker.new_id()}\n"
        )
        voters = ",".join(f"{one.number}@{LOOPBACK}:{one.controller_port}" for one in self.nodes)
        open_to_clients = f"PLAINTEXT://{node.address}"
        protocols = "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"
        if self.doors is not None:
            open_to_clients += self.doors.listeners(node.number)
            protocols += doors.PROTOCOLS
        own = {
            "process.roles": "broker,controller",
            "node.id": str(node.number),
            "controller.quorum.voters": voters,
            "controller.listener.names": "CONTROLLER",
            "listeners": f"{open_to_clients},CONTROLLER://{LOOPBACK}:{node.controller_port}",
            "advertised.listeners": open_to_clients,
            "inter.broker.listener.name": "PLAINTEXT",
            "listener.security.protocol.map": protocols,
            "log.dirs": str(node.folder / "disk"),
        }
        lines = [f"{name}={value}\n" for name, value in (own | self._properties).items()]
        (node.folder / "server.properties").write_text("".join(lines))


@contextmanager
def start(
    nodes: int = 1,
    *,
    properties: Mapping[str, str] | None = None,
    users: Mapping[str, str] | None = None,
) -> Iterator[Kafka]:
    """Run a private cluster for as long as the block lasts.

    With `users` (name -> password) there are further ways in, by SASL_SSL and by certificates (see `doors`), where
    everything is forbidden that no ACL allows; who comes by the first way may do everything, ACLs included.
    """
    kafka = prepare(nodes, properties=properties, users=users)
    try:
        kafka.start()
        yield kafka
    finally:
        kafka.remove()


def prepare(
    nodes: int = 1,
    *,
    properties: Mapping[str, str] | None = None,
    users: Mapping[str, str] | None = None,
) -> Kafka:
    """Lay out a private cluster without starting it."""
    java.java(broker.JAVA)
    broker.provided()
    return Kafka(nodes, properties or {}, users or {}, Path(tempfile.mkdtemp(prefix="ami-kafka-kafka-")))


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
