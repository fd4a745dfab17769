"""What `up` left running, so that several test runs can share it, and `down` finds it again."""

import json
import signal
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from shutil import rmtree

from tests.parts import (
    acltool,
    asterisk,
    asyncapi,
    broker,
    cache,
    debian,
    kafka,
    registry,
    spring,
    validators,
)
from tests.parts.processes import end_group

VARIABLES = {
    "kafka": "AMI_KAFKA_TEST_KAFKA",
    "kafka3": "AMI_KAFKA_TEST_KAFKA3",
    "registry": "AMI_KAFKA_TEST_REGISTRY",
    "asterisk22": "AMI_KAFKA_TEST_AMI22",
    "asterisk16": "AMI_KAFKA_TEST_AMI16",
}
USUAL = ("kafka", "registry", "asterisk22", "asterisk16")


@dataclass(frozen=True)
class Running:
    """One part that runs in the background."""

    address: str
    processes: Mapping[str, str]
    """Process id -> its start time, since the kernel gives ids again."""
    folder: str

    def alive(self) -> bool:
        """Tell whether every process is still the one we started."""
        return all(_born(int(pid)) == born for pid, born in self.processes.items())

    def end(self) -> None:
        """End what is still ours, and remove its files."""
        for pid, born in self.processes.items():
            if _born(int(pid)) == born:
                end_group(int(pid), signal.SIGKILL)
        rmtree(self.folder, ignore_errors=True)


def known() -> dict[str, Running]:
    """Give what was started and still lives."""
    state = _state()
    stored = json.loads(state.read_text()) if state.exists() else {}
    parts = {name: Running(**values) for name, values in stored.items()}
    return {name: part for name, part in parts.items() if part.alive()}


def up(names: tuple[str, ...]) -> None:
    """Start what does not run yet."""
    with cache.locked("running"):
        parts = known()
        for name in names:
            if name not in parts:
                parts[name] = STARTERS[name]()
                _keep(parts)


def down() -> None:
    """End everything that `up` started."""
    with cache.locked("running"):
        for part in known().values():
            part.end()
        _keep({})


def fetch(name: str) -> Path:
    """Provide a part without starting it."""
    return FETCHERS[name]()


def fetched(name: str) -> bool:
    """Tell whether a part can be started without the network."""
    return cache.has(FOLDERS[name])


def _start_asterisk(version: int) -> Running:
    pbx = asterisk.prepare(asterisk.Plan(version=version, system_name=f"pbx-{version}"), outlives=True)
    pbx.start()
    return _running(f"{pbx.username}:{pbx.secret}@{pbx.host}:{pbx.port}", (pbx.pid,), pbx.folder)


def _start_kafka(nodes: int) -> Running:
    cluster = kafka.prepare(nodes)
    cluster.start(outlives=True)
    return _running(cluster.bootstrap, tuple(node.pid for node in cluster.nodes), cluster.folder)


def _start_registry() -> Running:
    service = registry.prepare()
    service.start(outlives=True)
    return _running(service.url, (service.pid,), service.folder)


STARTERS: dict[str, Callable[[], Running]] = {
    "kafka": lambda: _start_kafka(1),
    "kafka3": lambda: _start_kafka(3),
    "registry": _start_registry,
    "asterisk22": lambda: _start_asterisk(22),
    "asterisk16": lambda: _start_asterisk(16),
}
FETCHERS: dict[str, Callable[[], Path]] = {
    "kafka": broker.provided,
    "kafka3": broker.provided,
    "registry": registry.provided,
    "asterisk22": lambda: debian.root_folder(22),
    "asterisk16": lambda: debian.root_folder(16),
    "spring": spring.provided,
    "tools": acltool.provided,
    "asyncapi": asyncapi.provided,
    "validators": validators.provided,
}
"""What can be fetched; of these `spring`, `asyncapi` and `validators` are libraries, `tools` a command, and none can be started."""
FOLDERS = {
    "kafka": broker.FOLDER,
    "kafka3": broker.FOLDER,
    "registry": registry.FOLDER,
    "asterisk22": "asterisk22",
    "asterisk16": "asterisk16",
    "spring": spring.FOLDER,
    "asyncapi": asyncapi.FOLDER,
    "validators": validators.FOLDER,
    "tools": acltool.FOLDER,
}


def _running(address: str, pids: tuple[int, ...], folder: Path) -> Running:
    return Running(address, {str(pid): _born(pid) for pid in pids}, str(folder))


def _born(pid: int) -> str:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def _state() -> Path:
    return cache.home() / "running.json"


def _keep(parts: Mapping[str, Running]) -> None:
    _state().write_text(json.dumps({name: asdict(part) for name, part in parts.items()}, indent=2))
