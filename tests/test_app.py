"""The parts together: everything that is read reaches Kafka once, whoever ends it and whatever else is down."""

import asyncio
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from connector.ami.framing import Framer
from connector.app import opening, parts, running
from connector.app.decoding import Decoder
from connector.app.lines import lines_end
from connector.app.local import LocalIds
from connector.app.parts import open_embedded, open_reader
from connector.app.replay import Capture, replay
from connector.app.running import run
from connector.app.signals import AT_ONCE, Stop
from connector.demo.broker import EmbeddedBroker
from connector.demo.pbx import SimulatedPbx
from connector.demo.traffic import Traffic
from connector.edges.kafka.reader import Record, Wanted
from connector.edges.telemetry import Telemetry
from connector.errors import SettingsError
from connector.settings.kinds import Address, Secret
from connector.settings.sections import Events, Kafka, Pbx, Settings, Tls
from tests.edges.kafka_ends import PROMPT, kafka

ROOT = Path(__file__).parents[1]
EVENTS = 300
ALL = Events(format="avro", select=("@all",))


def account(address: tuple[str, int]) -> Pbx:
    return Pbx(address=(Address(*address),), username="demo", secret=Secret("demo"), event_classes=("all",))


def settings(broker: EmbeddedBroker, **pbxs: Pbx) -> Settings:
    return Settings(pbx=pbxs, events=ALL, kafka=kafka(broker, consumer=PROMPT))


def bounded(seconds: float, scene: Callable[[EmbeddedBroker], Awaitable[None]]) -> None:
    async def whole() -> None:
        with EmbeddedBroker() as broker:
            async with asyncio.timeout(seconds):
                await scene(broker)

    asyncio.run(whole())


@asynccontextmanager
async def playing() -> AsyncIterator[SimulatedPbx]:
    traffic = Traffic(int(time.time()))
    async with SimulatedPbx({"demo": "demo"}, traffic, speed=math.inf, events=EVENTS) as pbx:
        yield pbx


async def everything(chosen: Settings) -> list[Record]:
    wanted = Wanted(topics=[r"^asterisk\."], start="beginning", to_end=True)
    async with open_reader(chosen, wanted, Telemetry()) as reader:
        return [record async for records in reader for record in records]


def numbers(records: Sequence[Record], pbx: str) -> list[int]:
    ids = [dict(record.headers)["ce_id"] or b"" for record in records]
    return sorted(int(each.split(b"/")[2]) for each in ids if each.startswith(pbx.encode() + b"/"))


def test_what_was_read_is_delivered_once_before_it_ends() -> None:
    async def scene(broker: EmbeddedBroker) -> None:
        stop, telemetry, ids = Stop(), Telemetry(), LocalIds()
        async with playing() as pbx:
            chosen = settings(broker, main=account(pbx.address))
            async with open_embedded(chosen, broker, telemetry, ids) as shared:
                bridging = asyncio.create_task(run(chosen, shared, stop))
                await pbx.finished()
                stop.ask("seen enough")
                await bridging
                records = await everything(chosen)
                own = sum(record.topic == "asterisk.connector" for record in records)
                fully_booted = 1
                assert len(records) - own == EVENTS + fully_booted
                assert numbers(records, "main") == list(range(1, len(records) + 1))
                assert telemetry.tally.published.total() == len(records)
                assert telemetry.tally.lost == 0
                decoder = Decoder(shared.schemas, ids)
                for record in records:
                    assert (await decoder.value(record))["source"]["pbx"] == "main"

    bounded(60, scene)


def test_one_pbx_that_is_down_does_not_touch_the_other() -> None:
    async def scene(broker: EmbeddedBroker) -> None:
        stop = Stop()
        async with playing() as pbx:
            chosen = settings(broker, down=account(("127.0.0.1", 1)), up=account(pbx.address))
            async with open_embedded(chosen, broker, Telemetry(), LocalIds()) as shared:
                bridging = asyncio.create_task(run(chosen, shared, stop))
                await pbx.finished()
                stop.ask("seen enough")
                await bridging
            records = await everything(chosen)
            assert len(numbers(records, "up")) > EVENTS
            assert numbers(records, "down") == []

    bounded(60, scene)


def test_what_kafka_does_not_take_in_time_is_counted_as_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "GRACE_S", 0.2)
    monkeypatch.setattr(parts, "CLOSE_S", 0.2)

    async def scene(broker: EmbeddedBroker) -> None:
        stop, telemetry = Stop(), Telemetry()
        async with playing() as pbx:
            chosen = settings(broker, main=account(pbx.address))
            async with open_embedded(chosen, broker, telemetry, LocalIds()) as shared:
                broker.down()
                bridging = asyncio.create_task(run(chosen, shared, stop))
                await pbx.finished()
                stop.ask("seen enough")
                await bridging
                assert telemetry.tally.lost >= EVENTS
                assert telemetry.tally.published.total() == 0

    bounded(60, scene)


def test_a_wrong_authority_is_a_setting_to_mend() -> None:
    pbx = replace(account(("127.0.0.1", 1)), tls=Tls(ca_file="nowhere.pem"))
    with pytest.raises(SettingsError, match=r"pbx\.main\.tls\.ca_file"):
        opening.open_pbx("main", pbx, 1 << 20)


def lines(chunks: Iterator[bytes]) -> str:
    written: list[str] = []
    chosen = Settings(
        pbx={"main": account(("127.0.0.1", 1))}, events=ALL, kafka=Kafka(bootstrap_servers=("unused",))
    )
    capture = Capture(chunks, "main", Framer(), 0)
    asyncio.run(replay(capture, None, lines_end(chosen, written.append, Telemetry())))
    return "".join(written)


@pytest.mark.parametrize("name", ["dial", "transfer"])
def test_the_cuts_of_a_capture_do_not_matter(name: str) -> None:
    data = (ROOT / "tests" / "captures" / "asterisk22" / f"{name}.ami").read_bytes()
    whole = lines(iter([data]))
    assert whole.count("\n") > 100
    assert lines(data[place : place + 1] for place in range(len(data))) == whole


def test_a_second_signal_ends_it_at_once() -> None:
    program = (
        "import asyncio\n"
        "from connector.app.signals import Stop\n"
        "async def main():\n"
        "    with Stop(lambda: print('at once', flush=True)) as stop:\n"
        "        print('ready', flush=True)\n"
        "        await stop.wait()\n"
        "        print(stop.reason, flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "SIGINT\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "at once\n"
        assert process.wait(30) == AT_ONCE
