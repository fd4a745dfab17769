"""What an actions benchmark runs between: a broker, a simulated PBX and a connector, each in a process of its own.

`python -m tests.bench.scene broker` and `... pbx` and `... connector BOOTSTRAP PREFIX FETCH_MS PORT` print one
line when they are ready, and end when their standard input does.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from connector.actions.policy.profiles import ProfileName
from connector.app.local import LocalIds
from connector.app.road_back import open_road_back
from connector.app.running import run_back
from connector.app.signals import Stop
from connector.app.vertical import Roads
from connector.demo.broker import EmbeddedBroker
from connector.demo.pbx import SimulatedPbx
from connector.edges.telemetry import Telemetry
from connector.settings.actions import Actions, Standard
from connector.settings.kinds import Address, Secret
from connector.settings.sections import Events, Kafka, Pbx, Settings

USER = "bench"
PROFILE: ProfileName = "full"


class Scene(NamedTuple):
    """Where everything is: the brokers, the topics' common beginning, a fetch's longest wait in ms, AMI's port."""

    bootstrap: str
    prefix: str
    fetch_ms: int
    port: int

    def words(self) -> list[str]:
        return [str(each) for each in self]

    @classmethod
    def read(cls, words: list[str]) -> "Scene":
        bootstrap, prefix, fetch_ms, port = words
        return cls(bootstrap, prefix, int(fetch_ms), int(port))

    def topic(self, name: str) -> str:
        return f"{self.prefix}.{name}"


@contextmanager
def process(*words: str) -> Iterator[str]:
    """Run one of them, and yield what it says when it is ready."""
    command = [sys.executable, "-m", "tests.bench.scene", *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        try:
            if not (line := running.stdout.readline().strip()):
                sys.exit(f"{words[0]} did not start")
            yield line
        finally:
            running.stdin.close()
            running.wait(30)


async def _until_eof() -> None:
    await asyncio.to_thread(sys.stdin.read)


async def broker() -> None:
    with EmbeddedBroker() as embedded:
        print(embedded.bootstrap_servers, flush=True)
        await _until_eof()


async def pbx() -> None:
    async with SimulatedPbx({USER: USER}) as simulated:
        print(simulated.address[1], flush=True)
        await _until_eof()


def settings(scene: Scene) -> Settings:
    """Return the defaults, but one session, a policy that allows effects, and the fetches' wait."""
    account = Pbx(address=(Address("127.0.0.1", scene.port),), username=USER, secret=Secret(USER))
    return Settings(
        pbx={"main": account},
        events=Events(format="json", topic_prefix=scene.prefix),
        kafka=Kafka(
            bootstrap_servers=tuple(scene.bootstrap.split(",")),
            consumer={"fetch.wait.max.ms": scene.fetch_ms},
        ),
        actions=Actions(sessions=1, group=f"{scene.prefix}-connector", policy=Standard(profile=PROFILE)),
    )


async def connector(scene: Scene) -> None:
    stop, telemetry = Stop(), Telemetry()
    chosen = settings(scene)
    async with open_road_back(chosen, LocalIds(), telemetry) as back:
        running = asyncio.create_task(run_back(chosen, back, stop, Roads()))
        print("running", flush=True)
        await _until_eof()
        stop.ask("measured")
        await running


if __name__ == "__main__":
    match sys.argv[1]:
        case "broker":
            asyncio.run(broker())
        case "pbx":
            asyncio.run(pbx())
        case "connector":
            asyncio.run(connector(Scene.read(sys.argv[2:])))
