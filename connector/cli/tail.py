"""`ami-kafka tail`: what comes out of Kafka, decoded."""
# ruff: noqa: PLC0415 (what takes long to load is loaded by the command that needs it)

import asyncio
import fnmatch
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli import output
from connector.cli.options import NO_PBX, Config, Output, load_settings
from connector.cli.output import Form

if TYPE_CHECKING:
    from connector.edges.kafka.reader import Wanted
    from connector.settings.sections import Settings

Say = Callable[[Mapping[str, Any]], None]


def tail(
    topics: Annotated[
        list[str] | None,
        typer.Argument(help="Names, or patterns with *. [default: all of the settings' prefix]"),
    ] = None,
    *,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", "-b", help="Begin with the oldest record, not with the next.")
    ] = False,
    count: Annotated[
        int | None, typer.Option("--count", "-n", min=1, help="End after so many records.")
    ] = None,
    config: Config = None,
    form: Output = Form.TEXT,
) -> None:
    """Follow topics until Ctrl-C; each record is decoded by the registry's schema, else by ours."""
    from connector.edges.kafka.reader import Wanted
    from connector.edges.telemetry import open_log

    settings = load_settings(config, NO_PBX)
    open_log(sys.stderr, "warning", settings.log.format)
    names = [_pattern(name) for name in topics or [f"{settings.events.topic_prefix}.*"]]
    wanted = Wanted(topics=names, start="beginning" if from_beginning else "end")
    asyncio.run(_until_stopped(settings, wanted, count, _speaker(form)))


def _pattern(name: str) -> str:
    """Return what the reader wants: a name as it is, a pattern as a regular expression."""
    return "^" + fnmatch.translate(name) if "*" in name or "?" in name else name


def _speaker(form: Form) -> Say:
    if form is Form.JSON:
        return output.json_line
    return _draw if output.is_terminal() else _print


async def _until_stopped(settings: "Settings", wanted: "Wanted", count: int | None, say: Say) -> None:
    from connector.app.signals import Stop

    with Stop() as stop:
        following = asyncio.create_task(_follow(settings, wanted, count, say))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait([following, stopped], return_when=asyncio.FIRST_COMPLETED)
        for task in (following, stopped):
            task.cancel()
        await asyncio.wait([following, stopped])
        if not following.cancelled():
            following.result()


async def _follow(settings: "Settings", wanted: "Wanted", count: int | None, say: Say) -> None:
    from connector.app.parts import open_decoder, open_reader
    from connector.edges.telemetry import Telemetry

    decoder = open_decoder(settings)
    said = 0
    async with open_reader(settings, wanted, Telemetry()) as reader:
        async for records in reader:
            for record in records:
                say(await decoder.whole(record))
                said += 1
                if said == count:
                    return


def _print(whole: Mapping[str, Any]) -> None:
    """Print a record on one line: time, topic, key, and the fields that say most."""
    from connector.demo.wallboard import telling

    value = whole["value"]
    says = (
        " ".join(f"{name}={text}" for name, text in telling(value)) if isinstance(value, dict) else str(value)
    )
    output.line(_one_line(f"{_moment(whole)}  {whole['topic']:<36}  {whole['key'] or '':<28}  {says}"))


def _one_line(text: str) -> str:
    return output.clean(text).replace("\n", " ")


def _draw(whole: Mapping[str, Any]) -> None:
    """Print a record for a person: its head, then every field that says something."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    head = Text(_moment(whole), style="dim")
    head.append(f"  {output.clean(whole['topic'])}", style="bold green")
    head.append(f"  {output.clean(whole['key'] or '')}", style="cyan")
    head.append(f"  {whole['partition']}@{whole['offset']}", style="dim")
    body = Text()
    for name, text in _fields(whole["value"]):
        body.append(f"{name} ", style="dim").append(f"{_one_line(text)}  ")
    console = Console(file=sys.stdout, highlight=False)
    console.print(head, soft_wrap=True)
    console.print(Padding(body, (0, 0, 0, 4)))


def _fields(value: Any) -> list[tuple[str, str]]:
    from connector.demo.wallboard import telling

    if not isinstance(value, dict):
        return [("value", str(value))]
    extra = [(each["name"], each["value"]) for each in value.get("extra") or () if isinstance(each, dict)]
    return telling(value, most=len(value)) + extra


def _moment(whole: Mapping[str, Any]) -> str:
    """Return when it was, by the local clock: the event's own time, else none."""
    value = whole["value"]
    at_us = value.get("event_time_us") if isinstance(value, dict) else None
    if not isinstance(at_us, int):
        return " " * len("00:00:00.000")
    return datetime.fromtimestamp(at_us / 1_000_000).astimezone().isoformat(" ", "milliseconds")[11:23]
