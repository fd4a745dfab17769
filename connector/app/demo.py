"""The demo: a simulated PBX, an embedded broker, the real roads between, a reader and a requester behind them."""

import asyncio
import heapq
import itertools
import json
import re
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

from connector.actions.writing.encoding import Encoding
from connector.app.decoding import Decoder
from connector.app.local import LocalIds
from connector.app.parts import open_embedded, open_reader
from connector.app.road_back import open_road_back
from connector.app.running import run
from connector.app.serving import watching
from connector.app.signals import Stop
from connector.demo.broker import EmbeddedBroker
from connector.demo.pbx import SimulatedPbx
from connector.demo.requester import CONTEXT, Requester
from connector.demo.traffic import Traffic
from connector.demo.wallboard import Answer, Seen
from connector.edges.kafka.reader import Record, Wanted
from connector.edges.schemas import load_action_schemas
from connector.edges.telemetry import Telemetry
from connector.events.records.outcome import Publish
from connector.roads.ports import Sink
from connector.settings.actions import Actions, Standard
from connector.settings.http import Http
from connector.settings.kinds import Address, Secret
from connector.settings.road_back import pairs
from connector.settings.sections import Events, Kafka, Pbx, Settings

NAME: Final = "demo"
NO_HTTP: Final = Http()
_SECRET: Final = "demo"  # noqa: S105 (the simulated PBX's own, on loopback)
_DRAIN_S: Final = 3.0
"""Seconds that what is under way has at the end."""

_HOLE_S: Final = 1.0
"""Seconds for which a record waits for one with a lower number."""


class Audience(Protocol):
    """Whom the demo is played to."""

    def opens(self, road: str, page: str | None) -> None:
        """Hear once what the road is, in words, and where its status page is."""
        ...

    def take(self, seen: Seen) -> None:
        """Take a record that came out of Kafka; they come in the order of their numbers."""
        ...


async def demo(
    stop: Stop, telemetry: Telemetry, audience: Audience, speed: float = 1.0, http: Http = NO_HTTP
) -> None:
    """Let calls happen until told to stop; `speed` 1 is real time.

    Raises:
        SettingsError: the status page's port cannot be had.
    """
    traffic = Traffic(int(time.time()))
    async with SimulatedPbx({NAME: _SECRET}, traffic, speed=speed) as pbx:
        with EmbeddedBroker() as broker:
            host, port = pbx.address
            road = f"Asterisk {host}:{port} (simulated) ⇄ Kafka {broker.bootstrap_servers} (embedded)"
            settings, ids = replace(_settings(pbx.address, broker), http=http), LocalIds()
            async with (
                open_embedded(settings, broker, telemetry, ids) as shared,
                open_road_back(settings, ids, telemetry) as back,
                watching(settings, shared) as page,
            ):
                audience.opens(road, page)
                reader = _read(settings, telemetry, Decoder(shared.schemas, ids), audience)
                asker = _ask(settings, shared.ends.sink, speed)
                await _beside([reader, asker], run(settings, shared, stop, back), stop)


async def _beside(
    others: Sequence[Coroutine[Any, Any, None]], road: Coroutine[Any, Any, None], stop: Stop
) -> None:
    tasks = [asyncio.create_task(other) for other in others]
    for task in tasks:
        task.add_done_callback(lambda _: stop.ask("nobody reads or asks any more"))
    try:
        await road
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.result()


async def _ask(settings: Settings, sink: Sink, speed: float) -> None:
    """Put requests on their topic, as programs in any language would."""
    topic = pairs(settings)[0].requests
    encoding, requester = Encoding(load_action_schemas().request, None), Requester()
    for number in itertools.count(1):
        await asyncio.sleep(requester.pause_s() / speed)
        action, headers = requester.next()
        name = f"demo-{number}"
        fields = {
            "request_id": name,
            "action": action,
            "pbx": None,
            "headers": [{"name": header, "value": value} for header, value in headers],
            "accept_parts": True,
        }
        await (await sink.lane().put([Publish(topic, name.encode(), encoding.encode(fields), [], 0)]))


async def _read(settings: Settings, telemetry: Telemetry, decoder: Decoder, audience: Audience) -> None:
    wanted = Wanted(topics=[f"^{settings.events.topic_prefix}\\."], start="beginning")
    line, asked, pair = InOrder(time.monotonic), Asked(), pairs(settings)[0]
    async with open_reader(settings, wanted, telemetry) as reader:
        async for records in reader:
            for record in records:
                if record.topic == pair.requests:
                    asked.put(record)
                elif record.topic == pair.responses:
                    audience.take(asked.answered(record, await decoder.whole(record)))
                elif record.topic != pair.claims:
                    line.put(await _seen(record, decoder))
            for seen in line.ready():
                audience.take(seen)


def _settings(address: tuple[str, int], broker: EmbeddedBroker) -> Settings:
    host, port = address
    pbx = Pbx(address=(Address(host, port),), username=NAME, secret=Secret(_SECRET))
    kafka = Kafka(bootstrap_servers=(broker.bootstrap_servers,), consumer={"fetch.wait.max.ms": 20})
    bounded = Standard(profile="call-control", contexts=(CONTEXT,), channels=(re.compile(r"PJSIP/10\d\d"),))
    actions = Actions(policy=bounded, drain_s=_DRAIN_S)
    return Settings(pbx={NAME: pbx}, events=Events(format="avro"), kafka=kafka, actions=actions)


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


class Asked:
    """Ties responses to their requests, both as they are read back."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[int, str]] = {}

    def put(self, request: Record) -> None:
        """Take a request."""
        value = json.loads(request.value or b"{}")
        said = " ".join(f"{each['name']}={each['value']}" for each in value["headers"])
        self._open[value["request_id"]] = request.timestamp_ms, said

    def answered(self, response: Record, whole: dict[str, Any]) -> Seen:
        """Return a response, and how long it took until here."""
        value, now_us = whole["value"], time.time_ns() // 1_000
        since_ms, said = self._open.pop(value["request_id"], (None, ""))
        took_ms = None if since_ms is None else max(0, now_us // 1_000 - since_ms)
        answer = Answer(value["action"], value["status"], said, took_ms)
        return Seen(response.topic, whole["key"] or "", "Response", 0, now_us, value, whole, answer)


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
