"""The status server beside the roads: facts and samples go to the board, questions are answered from it."""

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from connector import __version__
from connector.app.vertical import Roads, Shared
from connector.edges.schemas import load_action_catalogue
from connector.edges.telemetry import LOGGER
from connector.facts import Fact
from connector.settings.sections import Settings
from connector.status.board import Board
from connector.status.document import Worker, status
from connector.status.readiness import Readiness, Wanted, readiness
from connector.status.samples import Sample

if TYPE_CHECKING:
    from connector.edges.web.server import Rendered, Told

SAMPLE_S: Final = 5.0
"""Seconds between two samples."""

_FIRST_S: Final = 0.2
"""Seconds between two looks at whether there is something to measure yet."""

LEAVING_S: Final = 30.0
"""Seconds for which a port is tried that the process before has not left yet."""

_HEARTBEATS: Final = 1.5
"""So many intervals of the heartbeat Kafka may be silent: each heartbeat is a record that it acknowledges."""


class Watched:
    """What is known of a process: its board, its roads, and the samples of its PBXs."""

    def __init__(self, settings: Settings, shared: Shared, *, events: bool = True) -> None:
        self._settings = settings
        self._roads = shared.roads
        self.port: int | None = settings.http.port
        self.board = Board(settings.pbx, _now_us())
        self._wanted = Wanted(
            pbxs=settings.http.ready,
            events=events,
            actions=settings.actions is not None,
            silence_s=settings.connector.heartbeat_s * _HEARTBEATS,
            waits_s=settings.http.waits_s,
        )
        shared.telemetry.hear(self._take)

    def _take(self, fact: Fact) -> None:
        self.board.take(fact, _now_us())

    def readiness(self) -> Readiness:
        """Judge the board as it is now."""
        self.board.stopping = self._roads.stopping
        return readiness(self.board, self._wanted, _now_us())

    def sample(self, roads: Roads) -> None:
        """Measure every PBX."""
        for name, vertical in roads.verticals.items():
            depth, delay = vertical.journal.depth, vertical.delays.recent()
            read = vertical.intake.sequence
            self.board.sample(
                name,
                Sample(
                    at_us=_now_us(),
                    entries=depth.entries,
                    size=depth.size,
                    oldest_us=depth.oldest_us,
                    limit=self._settings.journal.bound,
                    read=read,
                    delivered=read - depth.entries,
                    lag_us=delay.longest_us,
                    offset_us=delay.offset_us,
                ),
            )


def _now_us() -> int:
    return time.time_ns() // 1_000


@asynccontextmanager
async def watching(
    settings: Settings,
    shared: Shared,
    *,
    events: bool = True,
    patient: bool = False,
) -> AsyncIterator[str | None]:
    """Serve what the settings ask for while the roads run; give the page's address, None where nothing is served.

    Args:
        settings: what is run.
        shared: its parts.
        events: whether events are read.
        patient: another process may still have the port, and is about to leave it.

    Raises:
        SettingsError: the port cannot be had.
    """
    if not settings.http.enabled:
        yield None
        return
    from connector.edges.web.server import Sights, serving  # noqa: PLC0415 (only what serves pays for it)

    watched = Watched(settings, shared, events=events)
    sights = Sights(
        live=lambda: _live(shared.roads),
        ready=lambda: _ready(watched),
        status=lambda: _status(settings, watched, shared.roads),
        metrics=_measured(watched, shared),
    )
    watched.sample(shared.roads)
    async with serving(settings.http, sights, LEAVING_S if patient else 0.0) as address:
        watched.port = urlsplit(address).port
        logging.getLogger(LOGGER).info("the status page is at %s", address)
        sampling = asyncio.create_task(_sample(watched, shared.roads))
        try:
            yield address
        finally:
            sampling.cancel()
            await asyncio.wait([sampling])


async def _sample(watched: Watched, roads: Roads) -> None:
    while True:
        watched.sample(roads)
        await asyncio.sleep(SAMPLE_S if roads.verticals else _FIRST_S)


def _measured(watched: Watched, shared: Shared) -> "Callable[[str], Rendered]":
    from connector.edges.telemetry.metrics import Metrics  # noqa: PLC0415 (only what serves pays for it)
    from connector.edges.telemetry.present import Present  # noqa: PLC0415
    from connector.edges.web.server import Rendered  # noqa: PLC0415

    metrics = Metrics(watched.board.pbxs, [action.name for action in load_action_catalogue()])
    unselected = shared.telemetry.tally.unselected
    metrics.registry.register(
        Present(watched.board, __version__, lambda: watched.readiness().ready, unselected, _now_us)
    )
    shared.telemetry.hear(metrics)
    return lambda accept: Rendered(*metrics.render(accept))


def _live(roads: Roads) -> "Told":
    from connector.edges.web.server import Told  # noqa: PLC0415 (only what serves pays for it)

    died = roads.died()
    return Told(not died, {"live": not died, "died": died})


def _ready(watched: Watched) -> "Told":
    from connector.edges.web.server import Told  # noqa: PLC0415 (only what serves pays for it)

    judged = watched.readiness()
    conditions = [each._asdict() for each in judged.conditions]
    return Told(judged.ready, {"ready": judged.ready, "conditions": conditions})


def _status(settings: Settings, watched: Watched, roads: Roads) -> dict[str, Any]:
    worker = Worker(settings.connector.name, __version__, f"{socket.gethostname()}:{watched.port}")
    return status(watched.board, watched.readiness(), worker, roads.died(), _now_us())
