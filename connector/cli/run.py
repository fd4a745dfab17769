"""`ami-kafka run`, `demo` and `check`."""
# ruff: noqa: PLC0415 (what takes long to load is loaded by the command that needs it)

import asyncio
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, replace
from enum import StrEnum
from logging import getLogger
from typing import TYPE_CHECKING, Annotated, Final

import typer

from connector.cli import output
from connector.cli.options import NO_KAFKA, NO_PBX, Config, Output, load_settings
from connector.cli.output import Form
from connector.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from connector.app.vertical import Shared
    from connector.edges.telemetry import Telemetry
    from connector.settings.sections import Settings

    Opened = tuple[Settings, Shared]


_STATE_STYLES: Final = {"ok": "green", "unproven": "cyan", "warning": "yellow", "failed": "bold red"}


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


async def _bridge(opening: "AbstractAsyncContextManager[Opened]", *, events: bool, take_over: bool) -> None:
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


def check(
    *,
    personal: Annotated[
        bool,
        typer.Option("--personal", help="Only list every personal field of what is published, and its rule."),
    ] = False,
    print_acls: Annotated[
        bool,
        typer.Option("--print-acls", help="Print the least ACLs in Kafka for these settings; ask nobody."),
    ] = False,
    principal: Annotated[
        str,
        typer.Option(
            help="Whom the ACLs are for, as User:NAME. [default: sasl.username]", show_default=False
        ),
    ] = "",
    config: Config = None,
    form: Output = Form.TEXT,
) -> None:
    """Check settings, schemas, AMI login and rights, Kafka, topics, rights, registry; fails if one is not right."""
    from connector.app.inspection import inspect
    from connector.edges.telemetry import Telemetry, open_log
    from connector.preflight import State

    if personal:
        _personal(load_settings(config, NO_PBX | NO_KAFKA), form)
        return
    settings = load_settings(config)
    if print_acls:
        _print_acls(settings, principal, form)
        return
    open_log(sys.stderr, "critical")
    findings = asyncio.run(inspect(settings, Telemetry()))
    if form is Form.JSON:
        for finding in findings:
            output.json_line(asdict(finding))
    else:
        rows = [(each.what, str(each.state), each.seen, each.remedy) for each in findings]
        output.table(("Check", "State", "Seen", "What to do"), rows, _STATE_STYLES)
    if any(finding.state is State.FAILED for finding in findings):
        raise typer.Exit(output.FAILED)


def _personal(settings: "Settings", form: Form) -> None:
    from connector.app.inspection import personal

    rows = personal(settings)
    if form is Form.JSON:
        for row in rows:
            output.json_line(row._asdict())
        return
    told = [
        (row.event, row.header, row.kind, row.told, ", ".join(filter(None, (row.rule, *row.variables))))
        for row in rows
    ]
    output.table(("Event", "Header", "Kind", "What becomes of it", "Rule"), told)


def _print_acls(settings: "Settings", principal: str, form: Form) -> None:
    from connector.app.parts import read_schemas
    from connector.settings import acls
    from connector.settings.rights import least
    from connector.settings.topics import plan

    granted = least(settings, plan(settings, read_schemas(settings)[1].schemas))
    who = principal or acls.principal(settings.kafka)
    if form is Form.JSON:
        for record in acls.records(granted, who):
            output.json_line(record)
    else:
        for text in acls.commands(granted, who, settings.kafka.bootstrap_servers):
            output.line(text)
