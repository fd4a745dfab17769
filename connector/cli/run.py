"""`ami-kafka run`, `demo` and `check`."""
# ruff: noqa: PLC0415 (what takes long to load is loaded by the command that needs it)

import asyncio
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

import typer

from connector.cli import output
from connector.cli.options import Config, load_settings

if TYPE_CHECKING:
    from connector.edges.telemetry import Telemetry
    from connector.settings.sections import Settings

_NO_KAFKA: Final = {"AMI_KAFKA__KAFKA__BOOTSTRAP_SERVERS": "embedded"}


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

    settings = load_settings(config, _NO_KAFKA if embedded else None)
    open_log(sys.stderr, settings.log.level, settings.log.format)
    telemetry = Telemetry()
    asyncio.run(_embedded(settings, telemetry) if embedded else _bridge(settings, telemetry))
    telemetry.flush()


async def _embedded(settings: "Settings", telemetry: "Telemetry") -> None:
    from connector.app.local import LocalIds
    from connector.app.parts import open_embedded
    from connector.app.running import run as bridge
    from connector.app.signals import Stop
    from connector.demo.broker import EmbeddedBroker

    with Stop() as stop, EmbeddedBroker() as broker:
        output.note(f"the embedded broker listens at {broker.bootstrap_servers}")
        async with open_embedded(settings, broker, telemetry, LocalIds()) as shared:
            await bridge(settings, shared, stop)


async def _bridge(settings: "Settings", telemetry: "Telemetry") -> None:
    from connector.app.parts import open_kafka
    from connector.app.running import run as bridge
    from connector.app.signals import Stop

    with Stop() as stop:
        async with open_kafka(settings, telemetry) as shared:
            await bridge(settings, shared, stop)
