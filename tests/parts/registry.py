"""Apicurio Registry, which speaks Confluent's API; schemas in memory, forgotten when it ends."""

import shutil
import tarfile
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.parts import cache, java
from tests.parts.processes import LOOPBACK, Child, free_port, wait_until

VERSION = "3.3.3"
FOLDER = f"registry-{VERSION}"
JAVA = 21
HEAP = "384m"
API = "apis/ccompat/v7"


def provided() -> Path:
    """Give the folder with the registry's program."""
    return cache.provide(FOLDER, _build)


@dataclass(frozen=True)
class Service:
    """A registry that somebody else runs."""

    url: str


class Registry:
    """A registry of ours; `with start() as registry`."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://{LOOPBACK}:{self.port}/{API}"
        self.folder = Path(tempfile.mkdtemp(prefix="ami-kafka-registry-"))
        self._child: Child | None = None

    @property
    def pid(self) -> int:
        """The process id."""
        if self._child is None:
            raise RuntimeError("not started")
        return self._child.pid

    def start(self, *, outlives: bool = False) -> None:
        """Start, and return when it answers."""
        settings = {
            "quarkus.http.host": LOOPBACK,
            "quarkus.http.port": self.port,
            "quarkus.management.host": LOOPBACK,
            "quarkus.management.port": free_port(),
            "quarkus.log.level": "WARN",
        }
        options = ["-XX:TieredStopAtLevel=1", *(f"-D{name}={value}" for name, value in settings.items())]
        command = [*java.command(JAVA, heap=HEAP), *options, "-jar", str(provided() / "quarkus-run.jar")]
        self._child = Child(command, self.folder / "log", outlives=outlives)
        wait_until(self._answers, "the schema registry answers", within=90)

    def stop(self) -> None:
        """End in order; the address stays, the schemas do not."""
        if self._child is not None:
            self._child.stop()

    def kill(self) -> None:
        """End at once."""
        if self._child is not None:
            self._child.kill()

    def remove(self) -> None:
        """End and leave nothing behind."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        if self._child is not None:
            self._child.must_live()
        with suppress(OSError), urllib.request.urlopen(f"{self.url}/subjects", timeout=2) as answer:
            return bool(answer.status == 200)
        return False


@contextmanager
def start() -> Iterator[Registry]:
    """Run a private registry for as long as the block lasts."""
    registry = prepare()
    try:
        registry.start()
        yield registry
    finally:
        registry.remove()


def prepare() -> Registry:
    """Make a registry without starting it."""
    java.java(JAVA)
    provided()
    return Registry()


def _build(draft: Path) -> None:
    java.fetch("registry", draft)
    archive = next(draft.glob("*.tar.gz"))
    with tarfile.open(archive) as packed:
        packed.extractall(draft, filter="data")
    archive.unlink()
