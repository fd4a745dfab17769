"""`ami-kafka run`."""
# ruff: noqa: PLC0415 (what takes long to load is loaded by the command that needs it)

import asyncio
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from enum import StrEnum
from logging import getLogger
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.options import NO_KAFKA, Config, load_settings
from connector.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from connector.app.vertical import Shared
    from connector.edges.telemetry import Telemetry
    from connector.settings.sections import Settings

    Opened = tuple[Settings, Shared]
    Opening = AbstractAsyncContextManager[Opened]


class Road(StrEnum):
    """Which of the roads are run."""

    EVENTS = "events"
    ACTIONS = "actions"


def run(
    *,
    embedded: Annotated[
        bool,
        typer.Option("--embedded", help="Use a Kafka broker inside this process; its records end with it."),
    ] = False,
    only: Annotated[
        Road | None, typer.Option(help="Run one road alone. [default: both; actions where [actions] is set]")
    ] = None,
    take_over: Annotated[
        bool,
        typer.Option(
            "--take-over",
            help="Log in beside a process that runs with the same settings, and go on where it ends: stop it when the log says so.",
        ),
    ] = False,
    config: Config = None,
) -> None:
    """Bridge the PBXs of the settings to Kafka until Ctrl-C or SIGTERM; what was read is delivered first."""
    from connector.edges.telemetry import Telemetry, open_log

    settings = _roads(load_settings(config, NO_KAFKA if embedded else None), only)
    if take_over:
        _check_take_over(settings, only)
    open_log(sys.stderr, settings.log.level, settings.log.format)
    telemetry = Telemetry()
    events = only is not Road.ACTIONS
    opening = _embedded(settings, telemetry) if embedded else _kafka(settings, telemetry, events=events)
    opening = _traced(opening, settings, telemetry)
    asyncio.run(_bridge(opening, events=events, take_over=take_over))
    telemetry.flush()


def _roads(settings: "Settings", only: Road | None) -> "Settings":
    """Leave of the settings what the chosen road needs."""
    from connector.settings.road_back import actions

    if only is Road.ACTIONS:
        actions(settings)
    return replace(settings, actions=None) if only is Road.EVENTS else settings


def _check_take_over(settings: "Settings", only: Road | None) -> None:
    if only is Road.ACTIONS:
        raise typer.BadParameter("takes over events: not with --only actions", param_hint="--take-over")
    if settings.journal.path is None:
        raise SettingsError(
            "journal.path: must be set for run --take-over: another process's journal is taken"
        )


@asynccontextmanager
async def _embedded(settings: "Settings", telemetry: "Telemetry") -> "AsyncIterator[Opened]":
    from connector.app.local import LocalIds
    from connector.app.parts import at_broker, open_embedded
    from connector.demo.broker import EmbeddedBroker
    from connector.edges.telemetry import LOGGER

    with EmbeddedBroker() as broker:
        getLogger(LOGGER).info("the embedded broker listens at %s", broker.bootstrap_servers)
        async with open_embedded(settings, broker, telemetry, LocalIds()) as shared:
            yield at_broker(settings, broker), shared


@asynccontextmanager
async def _kafka(settings: "Settings", telemetry: "Telemetry", *, events: bool) -> "AsyncIterator[Opened]":
    from connector.app.parts import open_kafka

    async with open_kafka(settings, telemetry, events=events) as shared:
        yield settings, shared


@asynccontextmanager
async def _traced(
    opening: "Opening", settings: "Settings", telemetry: "Telemetry"
) -> "AsyncIterator[Opened]":
    from connector.app.tracing import tracing

    async with tracing(settings, telemetry), opening as opened:
        yield opened


async def _bridge(opening: "Opening", *, events: bool, take_over: bool) -> None:
    from connector.app.collector import settle
    from connector.app.road_back import open_road_back
    from connector.app.running import run as bridge
    from connector.app.running import run_back
    from connector.app.serving import watching
    from connector.app.signals import Stop
    from connector.app.taking_over import taking_over

    async with AsyncExitStack() as stack:
        stop = stack.enter_context(Stop())
        settings, shared = await stack.enter_async_context(opening)
        back = begun = None
        if take_over:
            begun = await stack.enter_async_context(taking_over(settings, shared, stop))
            if begun is None:
                return
        if settings.actions:
            road = open_road_back(settings, shared.registry, shared.telemetry)
            back = await stack.enter_async_context(road)
        await stack.enter_async_context(watching(settings, shared, events=events, patient=take_over))
        settle()
        if events:
            await bridge(settings, shared, stop, back, begun)
        elif back is not None:
            await run_back(settings, back, stop, shared.roads)
