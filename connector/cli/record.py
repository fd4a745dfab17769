"""`ami-kafka record`: what PBXs send, to files that `replay` reads."""
# ruff: noqa: PLC0415 (what takes long to load is loaded by the command that needs it)

import asyncio
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import output
from connector.cli.options import NO_KAFKA, NO_PBX, Config, Output, load_settings
from connector.cli.output import Form

if TYPE_CHECKING:
    from connector.app.recording import Limits, Recorded
    from connector.edges.capture import CaptureFile
    from connector.settings.sections import Settings


def record(
    into: Annotated[
        Path,
        typer.Argument(
            help="Where to; of several PBXs each gets its own: calls.ami becomes calls-NAME.ami.",
            show_default=False,
        ),
    ],
    *,
    pbx: Annotated[
        list[str] | None, typer.Option(help="Record this PBX. [default: all of the settings]")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option("--for", min=0.1, help="End after so many seconds.")
    ] = None,
    events: Annotated[
        int | None, typer.Option("--events", "-n", min=1, help="End after so many events of each PBX.")
    ] = None,
    sanitise: Annotated[
        bool,
        typer.Option("--sanitise", help="Write what the settings' rules of privacy leave of each frame."),
    ] = False,
    source: Annotated[
        Path | None,
        typer.Option("--from", help="Sanitise this capture instead of recording.", show_default=False),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write a file anew that is there already.")] = False,
    config: Config = None,
    form: Output = Form.TEXT,
) -> None:
    """Record what PBXs send until Ctrl-C or a limit: whole frames, in files that their owner alone may read.

    Without --sanitise they hold what callers and dialplan said, as it came.
    """
    if source is not None:
        if not sanitise or pbx or seconds or events:
            raise typer.BadParameter("goes with --sanitise, and no PBX or limit", param_hint="--from")
        _tell([_rewrite(source, into, load_settings(config, NO_PBX | NO_KAFKA), force=force)], form)
        return
    from connector.app.recording import Limits

    settings = load_settings(config, NO_KAFKA)
    names = pbx or [*settings.pbx]
    for name in names:
        if name not in settings.pbx:
            raise typer.BadParameter(f"the settings have no PBX {name!r}", param_hint="--pbx")
    _tell(
        _record(settings, _paths(into, names), Limits(seconds, events), sanitise=sanitise, force=force), form
    )


def _paths(into: Path, names: Sequence[str]) -> dict[str, Path]:
    several = len(names) > 1
    return {name: into.with_name(f"{into.stem}-{name}{into.suffix}") if several else into for name in names}


def _record(
    settings: "Settings", paths: dict[str, Path], limits: "Limits", *, sanitise: bool, force: bool
) -> "Sequence[Recorded]":
    from connector.app.recording import as_they_are, record, sanitisers
    from connector.app.signals import Stop
    from connector.edges.capture import CaptureFile
    from connector.edges.telemetry import open_log

    async def until_stopped(files: "dict[str, CaptureFile]") -> "Sequence[Recorded]":
        with Stop() as stop:
            return await record(settings, files, teller, limits, stop)

    open_log(sys.stderr, "warning", settings.log.format)
    teller = sanitisers(settings) if sanitise else lambda: as_they_are
    with ExitStack() as stack:
        files = {name: stack.enter_context(CaptureFile(path, force=force)) for name, path in paths.items()}
        return asyncio.run(until_stopped(files))


def _rewrite(source: Path, into: Path, settings: "Settings", *, force: bool) -> "Recorded":
    from connector.app.recording import rewrite, sanitisers
    from connector.edges.capture import CaptureFile

    if into.exists() and source.exists() and into.samefile(source):
        raise typer.BadParameter("the capture itself is never written over", param_hint="INTO")
    with CaptureFile(into, force=force) as file:
        return rewrite(source, file, sanitisers(settings)(), settings.events.max_frame_bytes)


def _tell(found: "Sequence[Recorded]", form: Form) -> None:
    if form is Form.JSON:
        for each in found:
            output.json_line(
                {
                    "pbx": each.pbx or None,
                    "file": str(each.path),
                    "events": each.events,
                    "left_out": each.left_out,
                    "bytes": each.size,
                    "ended": each.ended,
                    "failed": each.failed,
                }
            )
    else:
        rows = [
            (
                each.pbx or "-",
                str(each.path),
                str(each.events),
                str(each.left_out),
                str(each.size),
                each.ended,
            )
            for each in found
        ]
        output.table(("PBX", "File", "Events", "Left out", "Bytes", "Ended"), rows)
    if any(each.failed for each in found):
        raise typer.Exit(output.FAILED)
