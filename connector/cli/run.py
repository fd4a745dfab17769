"""`ami-kafka run`, `demo` and `check`."""
# ruff: noqa: PLC0415 (what takes long to load is loaded by the command that needs it)

import asyncio
import sys
from dataclasses import asdict
from enum import StrEnum
from logging import getLogger
from typing import TYPE_CHECKING, Annotated, Final

import typer

from connector.cli import output
from connector.cli.options import NO_KAFKA, Config, Output, load_settings
from connector.cli.output import Form

if TYPE_CHECKING:
    from connector.edges.telemetry import Telemetry
    from connector.settings.sections import Settings


_STATE_STYLES: Final = {"ok": "green", "unproven": "cyan", "warning": "yellow", "failed": "bold red"}


class Road(StrEnum):
    """Which of the roads are run."""

    EVENTS = "events"


def run(
    *,
    embedded: Annotated[
        bool,
        typer.Option("--embedded", help="Use a Kafka broker inside this process; its records end with it."),
    ] = False,
    only: Annotated[Road | None, typer.Option(help="Run one road alone.")] = None,  # noqa: ARG001 (there is one)
    config: Config = None,
) -> None:
    """Bridge the PBXs of the settings to Kafka until Ctrl-C or SIGTERM; what was read is delivered first."""
    from connector.edges.telemetry import Telemetry, open_log

    settings = load_settings(config, NO_KAFKA if embedded else None)
    open_log(sys.stderr, settings.log.level, settings.log.format)
    telemetry = Telemetry()
    asyncio.run(_embedded(settings, telemetry) if embedded else _bridge(settings, telemetry))
    telemetry.flush()


async def _embedded(settings: "Settings", telemetry: "Telemetry") -> None:
    from connector.app.collector import settle
    from connector.app.local import LocalIds
    from connector.app.parts import open_embedded
    from connector.app.running import run as bridge
    from connector.app.signals import Stop
    from connector.demo.broker import EmbeddedBroker
    from connector.edges.telemetry import LOGGER

    with Stop() as stop, EmbeddedBroker() as broker:
        getLogger(LOGGER).info("the embedded broker listens at %s", broker.bootstrap_servers)
        async with open_embedded(settings, broker, telemetry, LocalIds()) as shared:
            settle()
            await bridge(settings, shared, stop)


async def _bridge(settings: "Settings", telemetry: "Telemetry") -> None:
    from connector.app.collector import settle
    from connector.app.parts import open_kafka
    from connector.app.running import run as bridge
    from connector.app.signals import Stop

    with Stop() as stop:
        async with open_kafka(settings, telemetry) as shared:
            settle()
            await bridge(settings, shared, stop)


def check(config: Config = None, form: Output = Form.TEXT) -> None:
    """Check settings, schemas, AMI login and rights, Kafka, topics, rights, registry; fails if one is not right."""
    from connector.app.inspection import inspect
    from connector.edges.telemetry import Telemetry, open_log
    from connector.preflight import State

    settings = load_settings(config)
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
