"""The demo: a simulated PBX, an embedded broker, the real road between, and a reader behind it."""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final, Protocol

from connector.app.decoding import Decoder
from connector.app.local import LocalIds
from connector.app.parts import open_embedded, open_reader
from connector.app.running import run
from connector.app.signals import Stop
from connector.demo.broker import EmbeddedBroker
from connector.demo.pbx import SimulatedPbx
from connector.demo.traffic import Traffic
from connector.demo.wallboard import Seen
from connector.edges.kafka.reader import Record, Wanted
from connector.edges.telemetry import Telemetry
from connector.settings.kinds import Address, Secret
from connector.settings.sections import Events, Kafka, Pbx, Settings

NAME: Final = "demo"
_SECRET: Final = "demo"  # noqa: S105 (the simulated PBX's own, on loopback)
_HOLE_S: Final = 1.0
"""Seconds for which a record waits for one with a lower number."""


class Audience(Protocol):
    """Whom the demo is played to."""

    def opens(self, road: str) -> None:
        """Hear once what the road is, in words."""
        ...

    def take(self, seen: Seen) -> None:
        """Take a record that came out of Kafka; they come in the order of their numbers."""
        ...


async def demo(stop: Stop, telemetry: Telemetry, audience: Audience, speed: float = 1.0) -> None:
    """Let calls happen until told to stop; `speed` 1 is real time."""
    traffic = Traffic(int(time.time()))
    async with SimulatedPbx({NAME: _SECRET}, traffic, speed=speed) as pbx:
        with EmbeddedBroker() as broker:
            host, port = pbx.address
            audience.opens(
                f"Asterisk {host}:{port} (simulated) → Kafka {broker.bootstrap_servers} (embedded)"
            )
            settings, ids = _settings(pbx.address, broker), LocalIds()
            async with open_embedded(settings, broker, telemetry, ids) as shared:
                reader = _read(settings, telemetry, Decoder(shared.schemas, ids), audience)
                await _beside(reader, run(settings, shared, stop), stop)


async def _beside(reader: Coroutine[Any, Any, None], road: Coroutine[Any, Any, None], stop: Stop) -> None:
    reading = asyncio.create_task(reader)
    reading.add_done_callback(lambda _: stop.ask("nobody reads any more"))
    try:
        await road
    finally:
        reading.cancel()
        await asyncio.wait([reading])
    if not reading.cancelled():
        reading.result()


async def _read(settings: Settings, telemetry: Telemetry, decoder: Decoder, audience: Audience) -> None:
    wanted = Wanted(topics=[f"^{settings.events.topic_prefix}\\."], start="beginning")
    line = InOrder(time.monotonic)
    async with open_reader(settings, wanted, telemetry) as reader:
        async for records in reader:
            for record in records:
                line.put(await _seen(record, decoder))
            for seen in line.ready():
                audience.take(seen)


def _settings(address: tuple[str, int], broker: EmbeddedBroker) -> Settings:
    host, port = address
    pbx = Pbx(address=(Address(host, port),), username=NAME, secret=Secret(_SECRET))
    kafka = Kafka(bootstrap_servers=(broker.bootstrap_servers,), consumer={"fetch.wait.max.ms": 20})
    return Settings(pbx={NAME: pbx}, events=Events(format="avro"), kafka=kafka)


async def _seen(record: Record, decoder: Decoder) -> Seen:
    whole = await decoder.whole(record)
    headers, value = whole["headers"], whole["value"]
    if not isinstance(value, dict):
        value = {"type": "dead letter", "message": headers.get("__connect.errors.exception.message")}
    return Seen(
        topic=record.topic,
        key=whole["key"] or "",
        kind=value.get("type") or headers.get("ce_type", "").rpartition(".")[2],
        number=int(headers.get("ce_id", "0").rpartition("/")[2]),
        time_us=value.get("event_time_us") or record.timestamp_ms * 1000,
        value=value,
        whole=whole,
    )


class InOrder:
    """Puts the records of many topics back into the order of their numbers, which have no holes."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._next = 1
        self._arrived = itertools.count()
        self._waiting: list[tuple[int, int, float, Seen]] = []

    def put(self, seen: Seen) -> None:
        """Take a record."""
        heapq.heappush(self._waiting, (seen.number, next(self._arrived), self._now(), seen))

    def ready(self) -> Iterator[Seen]:
        """Yield the records whose turn it is; one that waits for long waits for what does not come."""
        while self._waiting:
            number, _, since, seen = self._waiting[0]
            if number > self._next and self._now() - since < _HOLE_S:
                return
            heapq.heappop(self._waiting)
            self._next = number + 1
            yield seen
