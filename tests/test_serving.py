"""The status server beside the roads: readiness by faults, no secret anywhere, and an end in order."""

import asyncio
import json
import math
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from connector.app import running, serving
from connector.app.local import LocalIds
from connector.app.parts import open_embedded
from connector.app.running import run
from connector.app.serving import watching
from connector.app.signals import Stop
from connector.app.vertical import Shared
from connector.demo.broker import EmbeddedBroker
from connector.demo.pbx import SimulatedPbx
from connector.demo.traffic import Traffic
from connector.edges.telemetry import Telemetry
from connector.errors import BrokerError
from connector.preflight import State
from connector.preflight import http as preflight
from connector.settings.http import Http
from connector.settings.kinds import Address, Options, Secret
from connector.settings.sections import Connector, Events, Kafka, Pbx, Settings

PAGES = ("/", "/page.js", "/page.css", "/plot.js", "/status", "/readyz", "/livez", "/metrics", "/nowhere")
SECRETS = ("ami-hidden", "sasl-hidden", "token-hidden")


def simulated(port: int = 0) -> SimulatedPbx:
    return SimulatedPbx({"demo": SECRETS[0]}, Traffic(int(time.time())), speed=20, port=port)


def settings(broker: EmbeddedBroker, address: tuple[str, int]) -> Settings:
    account = Pbx(address=(Address(*address),), username="demo", secret=Secret(SECRETS[0]))
    options: Options = {"sasl.password": Secret(SECRETS[1]), "socket.timeout.ms": 1000}
    return Settings(
        connector=Connector(heartbeat_s=0.5),
        pbx={"main": account},
        events=Events(format="avro"),
        kafka=Kafka(bootstrap_servers=(broker.bootstrap_servers,), librdkafka=options),
        http=Http(enabled=True, port=0, token=Secret(SECRETS[2]), waits_s=2.0),
    )


class Visitor:
    """Asks the server."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self._session = session
        self._address = address.rstrip("/")

    async def get(self, path: str) -> tuple[int, str]:
        async with self._session.get(self._address + path) as answer:
            return answer.status, await answer.text()

    async def until(self, code: int, *failing: str) -> None:
        """Return when /readyz says so, for these conditions."""
        while True:
            status, text = await self.get("/readyz")
            wrong = {each["name"] for each in json.loads(text)["conditions"] if not each["holds"]}
            if status == code and set(failing) <= wrong and bool(wrong) == (code != 200):
                return
            await asyncio.sleep(0.02)


Scene = Callable[[Visitor, SimulatedPbx, EmbeddedBroker, Shared], Awaitable[None]]


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Callable[[Scene], None]:
    monkeypatch.setattr(serving, "SAMPLE_S", 0.1)
    monkeypatch.setattr(running, "GRACE_S", 1.0)

    async def whole(scene: Scene) -> None:
        with EmbeddedBroker() as broker:
            async with asyncio.timeout(60), simulated() as pbx:
                chosen, stop = settings(broker, pbx.address), Stop()
                async with (
                    open_embedded(chosen, broker, Telemetry(), LocalIds()) as shared,
                    watching(chosen, shared) as address,
                    aiohttp.ClientSession(headers={"Authorization": f"Bearer {SECRETS[2]}"}) as session,
                ):
                    assert address is not None
                    visitor = Visitor(session, address)
                    assert (await visitor.get("/readyz"))[0] == 503
                    bridging = asyncio.create_task(run(chosen, shared, stop))
                    await visitor.until(200)
                    await scene(visitor, pbx, broker, shared)
                    stop.ask("seen enough")
                    await bridging
                    assert (await visitor.get("/livez"))[0] == 200
                    await visitor.until(503, "running")

    return lambda scene: asyncio.run(whole(scene))


def test_without_kafka_it_is_not_ready_and_with_it_again_it_is(played: Callable[[Scene], None]) -> None:
    async def scene(visitor: Visitor, _: SimulatedPbx, broker: EmbeddedBroker, __: Shared) -> None:
        broker.down()
        await visitor.until(503, "kafka")
        assert (await visitor.get("/livez"))[0] == 200
        broker.up()
        await visitor.until(200)

    played(scene)


def test_without_its_pbx_it_is_not_ready(played: Callable[[Scene], None]) -> None:
    async def scene(visitor: Visitor, pbx: SimulatedPbx, *_: object) -> None:
        port = pbx.address[1]
        assert "CoreStatus: up since" in (await visitor.get("/readyz"))[1]
        await pbx.__aexit__()
        await visitor.until(503, "pbx.main.session", "pbx.main.up")
        document = json.loads((await visitor.get("/status"))[1])
        assert document["tasks"][0]["state"] == "RESTARTING"
        async with simulated(port):
            await visitor.until(200)

    played(scene)


def test_no_page_holds_a_secret(played: Callable[[Scene], None]) -> None:
    async def scene(visitor: Visitor, *_: object) -> None:
        for path in PAGES:
            text = (await visitor.get(path))[1]
            assert not [each for each in SECRETS if each in text], path

    played(scene)


async def measured(visitor: Visitor, name: str, holds: Callable[[float], bool]) -> None:
    """Return when a metric of the PBX has such a value."""
    while True:
        text = (await visitor.get("/metrics"))[1]
        found = [line.split()[-1] for line in text.splitlines() if line.startswith(f'{name}{{pbx="main"')]
        if found and holds(float(found[0])):
            return
        await asyncio.sleep(0.02)


def test_metrics_move_with_what_happens(played: Callable[[Scene], None]) -> None:
    async def scene(visitor: Visitor, pbx: SimulatedPbx, broker: EmbeddedBroker, _: Shared) -> None:
        await measured(visitor, "ami_kafka_session_up", lambda value: value == 1)
        await measured(visitor, "ami_kafka_entries_read_total", lambda value: value > 0)
        broker.down()
        await measured(visitor, "ami_kafka_journal_oldest_seconds", lambda value: value > 1)
        broker.up()
        await measured(visitor, "ami_kafka_journal_oldest_seconds", lambda value: value < 1)
        text = (await visitor.get("/metrics"))[1]
        assert 'ami_kafka_records_published_total{topic="asterisk.events.' in text
        assert float(text.partition("ami_kafka_delivery_seconds_count ")[2].split()[0]) > 0
        assert 'ami_kafka_session_ends_total{pbx="main"} 0.0' in text
        await pbx.__aexit__()
        await measured(visitor, "ami_kafka_session_ends_total", lambda value: value > 0)
        await measured(visitor, "ami_kafka_session_up", lambda value: value == 0)

    played(scene)


def test_samples_tell_what_came_in_and_went_out(played: Callable[[Scene], None]) -> None:
    async def scene(visitor: Visitor, *_: object) -> None:
        points: list[Any] = []
        while sum(point[1] for point in points) <= 0 or sum(point[2] for point in points) <= 0:
            points = json.loads((await visitor.get("/status"))[1])["ami_kafka"]["pbxs"][0]["points"]
            await asyncio.sleep(0.02)

    played(scene)


def test_a_road_that_has_died_is_not_alive(played: Callable[[Scene], None]) -> None:
    async def scene(visitor: Visitor, _: SimulatedPbx, __: EmbeddedBroker, shared: Shared) -> None:
        async def die(error: Exception) -> None:
            raise error

        told = {"one": BrokerError("gone for good"), "two": ZeroDivisionError("what it held")}
        for name, error in told.items():
            shared.roads.tasks[name] = asyncio.create_task(die(error))
        await asyncio.wait([shared.roads.tasks[name] for name in told])
        status, text = await visitor.get("/livez")
        assert status == 503
        assert json.loads(text)["died"] == {"one": "gone for good", "two": "ZeroDivisionError"}
        document = json.loads((await visitor.get("/status"))[1])
        assert document["connector"]["state"] == document["tasks"][0]["state"] == "FAILED"
        for name in told:
            del shared.roads.tasks[name]

    played(scene)


def test_where_nothing_is_to_be_served_nothing_is() -> None:
    async def scene() -> None:
        with EmbeddedBroker() as broker:
            chosen = Settings(
                pbx={"main": Pbx(address=(Address("127.0.0.1", 1),), username="u", secret=Secret("s"))},
                kafka=Kafka(bootstrap_servers=(broker.bootstrap_servers,)),
            )
            async with (
                open_embedded(chosen, broker, Telemetry(), LocalIds()) as shared,
                watching(chosen, shared) as address,
            ):
                assert address is None

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("http", "state"),
    [
        (Http(enabled=True), State.OK),
        (Http(enabled=True, host="::1"), State.OK),
        (Http(enabled=True, host="0.0.0.0"), State.WARNING),
        (Http(enabled=True, host="bridge.example"), State.WARNING),
        (Http(enabled=True, host="0.0.0.0", token=Secret("t")), State.OK),
    ],
)
def test_check_warns_of_what_everybody_can_see(http: Http, state: State) -> None:
    (finding,) = preflight.check(http)
    assert finding.state is state
    assert not preflight.check(Http(host="0.0.0.0"))


def config(folder: Path, pbx: SimulatedPbx, port: int) -> Path:
    written = folder / "ami-kafka.toml"
    written.write_text(
        f"""
[pbx.main]
address = "{pbx.address[0]}:{pbx.address[1]}"
username = "demo"
secret = "demo"
[kafka]
bootstrap_servers = ["unused:1"]
[http]
enabled = true
port = {port}
""",
        "utf-8",
    )
    return written


async def started(file: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "connector", "run", "--embedded", "--config", str(file),
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


def test_who_does_not_serve_does_not_load_the_server() -> None:
    code = "import sys, connector.cli.run, connector.app.serving; sys.exit('aiohttp' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_signal_ends_it_with_the_roads(tmp_path: Path) -> None:
    async def scene() -> None:
        traffic = Traffic(int(time.time()))
        async with SimulatedPbx({"demo": "demo"}, traffic, speed=math.inf, events=50) as pbx:
            process = await started(config(tmp_path, pbx, 0))
            assert process.stderr is not None
            address = ""
            while not address:
                line = (await process.stderr.readline()).decode()
                assert line
                if "the status page is at " in line:
                    address = line.split("the status page is at ")[1].split()[0]
            async with aiohttp.ClientSession() as session:
                await Visitor(session, address).until(200)
                async with session.get(address) as answer:
                    assert "<h1" in await answer.text()
                # A visitor who keeps its connection does not keep the process.
                process.send_signal(signal.SIGINT)
                rest = (await process.stderr.read()).decode()
                assert await process.wait() == 0, rest
                assert "Traceback" not in rest

    asyncio.run(asyncio.wait_for(scene(), 60))


def test_a_busy_port_keeps_it_from_starting(tmp_path: Path) -> None:
    async def scene() -> None:
        async with SimulatedPbx({"demo": "demo"}) as pbx:
            with socket.create_server(("127.0.0.1", 0)) as other:
                process = await started(config(tmp_path, pbx, other.getsockname()[1]))
                _, told = await process.communicate()
            assert process.returncode == 2
            assert "http.port: cannot listen at 127.0.0.1:" in told.decode()
            assert "Traceback" not in told.decode()

    asyncio.run(asyncio.wait_for(scene(), 60))
