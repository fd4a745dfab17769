"""`ami-kafka journal`: what waits on disk, and bringing it to Kafka without a connector."""
# ruff: noqa: PLC0415 (what takes long to load is loaded by the command that needs it)

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli import output
from connector.cli.complete import pbx_names
from connector.cli.moments import local, utc
from connector.cli.options import NO_KAFKA, NO_PBX, Config, Output, load_settings
from connector.cli.output import Form
from connector.errors import JournalError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from connector.app.draining import Drained
    from connector.edges.journal.state import State
    from connector.settings.sections import Settings

app = typer.Typer(no_args_is_help=True, help="The journals on disk: look, empty them.")

_HEAD = ("PBX", "Waiting", "Bytes", "Oldest", "Newest", "Files", "Epoch", "Damaged", "Owner")


@app.command()
def status(config: Config = None, form: Output = Form.TEXT) -> None:
    """Say what is in each PBX's journal; changes nothing, and may be asked while a connector runs.

    Exit codes: 0 told; 1 a folder cannot be read; 2 wrong usage or settings; 3 told, and bytes of one are damaged.
    """
    from connector.edges.journal.state import state_of

    settings = load_settings(config, NO_PBX | NO_KAFKA)
    there = _folders(settings)
    try:
        states = {name: state_of(folder, name) for name, folder in there.items()}
    except OSError as error:
        raise JournalError(f"{error.filename or settings.journal.path}: {error.strerror}") from error
    if form is Form.JSON:
        for name, state in states.items():
            output.json_line(_object(name, there[name], state))
    elif states:
        output.table(_HEAD, [_row(name, state) for name, state in states.items()])
    if not states:
        output.note(f"{settings.journal.path}: no journal is there")
    for name in states:
        if name not in settings.pbx:
            output.note(f"{name}: is no PBX of the settings")
    if any(state.damaged for state in states.values()):
        raise typer.Exit(output.LEFT)


@app.command()
def drain(
    pbx: Annotated[
        list[str] | None,
        typer.Argument(
            help="PBXs of the settings. [default: all]", show_default=False, autocompletion=pbx_names
        ),
    ] = None,
    *,
    within: Annotated[float, typer.Option(min=1, help="Seconds that each PBX's journal may take.")] = 300.0,
    config: Config = None,
    form: Output = Form.TEXT,
) -> None:
    """Deliver what is left in the journals to Kafka, without a session at any PBX, and end.

    For the end of a PBX, or of a connector: stop it first, since one at a time may have a journal. Entries go out
    under their ids, and the folder stays.

    Exit codes: 0 all is in Kafka; 1 a connector has a journal, or Kafka or registry trouble; 2 wrong usage or
    settings; 3 some are left; 130 interrupted.
    """
    from connector.edges.telemetry import open_log

    settings = load_settings(config)
    open_log(sys.stderr, "warning", settings.log.format)
    there = _folders(settings)
    names = pbx or [name for name in there if name in settings.pbx]
    for name in names:
        if name not in settings.pbx:
            raise SettingsError(f"pbx.{name}: no such PBX in the settings, whose timezone and events count")
    drained = asyncio.run(_drained(settings, [name for name in names if name in there], within))
    for each in drained:
        if form is Form.JSON:
            output.json_line(each._asdict())
        else:
            output.line(_sentence(each))
    for name in sorted({*names} - there.keys()):
        output.note(f"{name}: there is no journal of it")
    for name in sorted(there.keys() - settings.pbx.keys()):
        output.note(f"{name}: has a journal and is no PBX of the settings: left as it is")
    if any(each.left for each in drained):
        raise typer.Exit(output.LEFT)


async def _drained(settings: "Settings", names: list[str], within_s: float) -> "list[Drained]":
    from connector.app.draining import drain
    from connector.app.parts import open_kafka
    from connector.app.signals import Stop
    from connector.edges.telemetry import Telemetry

    telemetry = Telemetry()
    with Stop(at_once=True):
        if not names:
            return []
        async with open_kafka(settings, telemetry) as shared:
            return await drain(names, settings, shared, within_s)


def _folders(settings: "Settings") -> "Mapping[str, Path]":
    from connector.app.draining import folders

    try:
        return folders(settings)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise JournalError(f"journal.path: {error.filename}: {error.strerror}") from error


def _object(name: str, folder: "Path", state: "State") -> dict[str, Any]:
    return {
        "pbx": name,
        "folder": str(folder),
        "waiting": state.waiting,
        "oldest": utc(_ms(state.oldest_us)),
        "newest": utc(_ms(state.newest_us)),
        "bytes": state.size,
        "segments": state.segments,
        "epoch": state.epoch or None,
        "damaged_bytes": state.damaged,
        "owner": state.owner,
    }


def _row(name: str, state: "State") -> tuple[str, ...]:
    return (
        name,
        f"{state.waiting:,}",
        f"{state.size:,}",
        local(_ms(state.oldest_us)),
        local(_ms(state.newest_us)),
        str(state.segments),
        str(state.epoch),
        f"{state.damaged:,}",
        f"process {state.owner}" if state.owner else "none",
    )


def _ms(time_us: int | None) -> int:
    return -1 if time_us is None else time_us // 1_000


def _sentence(drained: "Drained") -> str:
    told = f"{drained.pbx}: {drained.delivered} records delivered"
    if drained.losses:
        told += f", among them {drained.losses} that tell what the journal has lost"
    return told + (f"; {drained.left} entries are left" if drained.left else "; nothing is left")
