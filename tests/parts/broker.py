"""One node of Apache Kafka: a broker and controller in one small JVM."""

import signal
import subprocess
import uuid
from base64 import urlsafe_b64encode
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


def _build(draft: Path) -> None:
    java.fetch("kafka", draft / "jars")
    properties = draft / "format.properties"
    properties.write_text(
        "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@127.0.0.1:1\n"
        "listeners=PLAINTEXT://127.0.0.1:2,CONTROLLER://127.0.0.1:1\ncontroller.listener.names=CONTROLLER\n"
        f"log.dirs={draft}/disk\n"
    )
    command = [*java.command(JAVA, heap="256m"), "-cp", f"{draft}/jars/*", "kafka.tools.StorageTool"]
    command += ["format", "--cluster-id", cluster_id(), "--config", str(properties)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise Unavailable(f"Kafka's disk could not be formatted: {(done.stdout + done.stderr)[-600:]}")


def cluster_id() -> str:
    """Give the id that every cluster of ours has, since the formatted disk is shared."""
    return _as_id(uuid.UUID(int=0x616D692D6B61666B612D7465737473))


def new_id() -> str:
    """Give a fresh id in the form that Kafka writes."""
    return _as_id(uuid.uuid4())


def _as_id(value: uuid.UUID) -> str:
    return urlsafe_b64encode(value.bytes).decode().rstrip("=")
