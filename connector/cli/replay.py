"""`ami-kafka replay`: records from a file of raw bytes, by the road of live events."""
# ruff: noqa: PLC0415 (what takes long to load is loaded by the command that needs it)

import asyncio
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import complete, output
from connector.cli.options import NO_KAFKA, NO_PBX, UNUSED, Config, load_settings

if TYPE_CHECKING:
    from datetime import tzinfo

    from connector.app.replay import Capture
    from connector.edges.telemetry import Telemetry
    from connector.settings.sections import Settings


class Into(StrEnum):
    """Where replayed records go."""

    JSON = "json"
    KAFKA = "kafka"


def replay(
    capture: Annotated[
        Path, typer.Argument(help="Raw bytes as read from an AMI socket.", show_default=False)
    ],
    into: Annotated[
        Into, typer.Option("--output", "-o", help="json: lines on stdout; kafka: produce.")
    ] = Into.JSON,
    pbx: Annotated[
        str,
        typer.Option(
            help="Name of the PBX in the records. [default: the settings' first]",
            autocompletion=complete.pbx_names,
        ),
    ] = "",
    config: Config = None,
) -> None:
    """Send a capture down the same road as live events; the same file gives the same records.

    A frame counts as received at its own Timestamp (or the last one before it), so that event ids repeat.
    """
    from connector.edges.telemetry import Telemetry, open_log

    settings = load_settings(config, NO_PBX | NO_KAFKA if into is Into.JSON else None)
    open_log(sys.stderr, settings.log.level, settings.log.format)
    telemetry = Telemetry()
    pbx = pbx or next((name for name in settings.pbx if name != UNUSED), "pbx")
    read = _open(capture, pbx, settings)
    zone = settings.pbx[pbx].timezone if pbx in settings.pbx else None
    asyncio.run(_replay(read, zone, settings, telemetry, into))
    sys.stdout.flush()
    telemetry.flush()
    _summarise(read, telemetry)


async def _replay(
    capture: "Capture", zone: "tzinfo | None", settings: "Settings", telemetry: "Telemetry", into: Into
) -> None:
    from connector.app.replay import replay

    if into is Into.JSON:
        from connector.app.lines import lines_end

        await replay(capture, zone, lines_end(settings, sys.stdout.write, telemetry))
    else:
        from connector.app.parts import open_kafka

        async with open_kafka(settings, telemetry) as shared:
            await replay(capture, zone, shared)


def _open(path: Path, pbx: str, settings: "Settings") -> "Capture":
    from connector.ami.framing import Framer
    from connector.app.replay import Capture
    from connector.edges.capture import read_chunks

    framer = Framer(settings.events.max_frame_bytes)
    written_us = path.stat().st_mtime_ns // 1000 if path.exists() else 0
    return Capture(read_chunks(path), pbx, framer, written_us)


def _summarise(capture: "Capture", telemetry: "Telemetry") -> None:
    """Account for every frame, on stderr."""
    tally = telemetry.tally
    letters, left_out = tally.quarantined.total(), tally.unselected
    said = f"{capture.frames} frames: {tally.published.total() - letters} records, {letters} dead letters"
    most = ", ".join(f"{name} {count}" for name, count in left_out.most_common(5))
    said += f", {left_out.total()} left out" + (f" (most: {most})" if most else "")
    torn = f"; the file ends {capture.torn} bytes into a message" if capture.torn else ""
    output.note(said + torn)
