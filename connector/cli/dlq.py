"""`ami-kafka dlq`: what the connector could not read or Kafka did not take, and sending it again."""
# ruff: noqa: PLC0415 (what takes long to load is loaded by the command that needs it)

import asyncio
import re
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from connector.cli import output
from connector.cli.complete import pbx_names
from connector.cli.moments import local, since_ms, utc
from connector.cli.options import NO_PBX, Config, Output, load_settings
from connector.cli.output import Form

if TYPE_CHECKING:
    from connector.app.letters import Chosen, Fate, Letter
    from connector.settings.sections import Settings

app = typer.Typer(no_args_is_help=True, help="The dead letters: look, read one, send them again.")

_PLACE: Final = re.compile(r"\d+/\d+")
_PLACE_HELP: Final = "A dead letter as `dlq list` names it: PARTITION/OFFSET."
_MOST: Final = 120
"""Characters of a detail in a list."""

_STYLES: Final = {"replayed": "green", "would be": "cyan", "left": "yellow", "refused": "bold red"}

Reason = Annotated[str, typer.Option(help="Only those with this reason: suspect, refused, too-large ...")]
Pbx = Annotated[str, typer.Option(help="Only those of this PBX.", autocompletion=pbx_names)]
Since = Annotated[
    str, typer.Option(help="Only those since then: 90s, 15m, 2h, 7d ago, or a time like 2026-01-31T10:00.")
]


@app.command("list")
def list_(
    *, reason: Reason = "", pbx: Pbx = "", since: Since = "", config: Config = None, form: Output = Form.TEXT
) -> None:
    """List the dead letters that are there now, oldest first in each partition."""
    settings = _settings(config)
    chosen = _chosen([], reason, pbx, since)
    if form is Form.JSON:
        asyncio.run(_found(settings, chosen, lambda letter: output.json_line(_object(letter))))
        return
    rows: list[tuple[str, ...]] = []
    asyncio.run(_found(settings, chosen, lambda letter: rows.append(_row(letter))))
    output.table(("Letter", "Time", "Reason", "PBX", "Event", "From", "Detail"), rows)


@app.command()
def show(
    place: Annotated[str, typer.Argument(metavar="LETTER", help=_PLACE_HELP)],
    config: Config = None,
    form: Output = Form.TEXT,
) -> None:
    """Show a dead letter whole: its headers, and its bytes, as hex where they are no text."""
    settings = _settings(config)
    letters: list[Letter] = []
    asyncio.run(_found(settings, _chosen([place], "", "", ""), letters.append))
    if not letters:
        output.note(f"{settings.routing.dead_letter_topic} has no record {place}")
        raise typer.Exit(output.FAILED)
    (letter,) = letters
    if form is Form.JSON:
        output.json_line(_whole(letter))
    else:
        _tell(letter)


@app.command()
def replay(
    places: Annotated[list[str] | None, typer.Argument(metavar="[LETTER]...", help=_PLACE_HELP)] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="All that the other options leave.")] = False,
    reason: Reason = "",
    pbx: Pbx = "",
    since: Since = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would become of them.")] = False,
    config: Config = None,
    form: Output = Form.TEXT,
) -> None:
    """Send dead letters of events down the events' road of the present settings, under their old event ids.

    They stay in the dead-letter topic. Whoever reads the events knows a second replay by its ids.

    Exit codes: 0 all are in their topics; 1 Kafka or registry trouble; 2 wrong usage or settings; 3 some were
    left, each with its reason; 130 interrupted.
    """
    if not (places or every or reason or pbx or since):
        raise typer.BadParameter("name dead letters, or choose by --reason, --pbx, --since or --all")
    settings = _settings(config, with_pbx=True)
    chosen = _chosen(places or [], reason, pbx, since)
    fates: list[Fate] = []

    def say(fate: "Fate") -> None:
        fates.append(fate)
        if form is Form.JSON:
            output.json_line(fate._asdict())

    try:
        asyncio.run(_replayed(settings, chosen, dry=dry_run, say=say))
    finally:
        if form is Form.TEXT and fates:
            head = ("Letter", "Event id", "Topic", "Outcome", "Reason")
            output.table(head, [tuple(map(_in_line, fate)) for fate in fates], _STYLES)
    if not fates:
        output.note("no dead letter is like that")
    absent = sorted(set(places or ()) - {fate.letter for fate in fates})
    for place in absent:
        output.note(f"{place}: there is no such dead letter, or another option leaves it out")
    if absent or any(fate.outcome in ("left", "refused") for fate in fates):
        raise typer.Exit(output.LEFT)


def _settings(config: Any, *, with_pbx: bool = False) -> "Settings":
    from connector.edges.telemetry import open_log

    settings = load_settings(config, None if with_pbx else NO_PBX)
    open_log(sys.stderr, "warning", settings.log.format)
    return settings


def _chosen(places: list[str], reason: str, pbx: str, since: str) -> "Chosen":
    from connector.app.letters import Chosen

    for place in places:
        if not _PLACE.fullmatch(place):
            raise typer.BadParameter(f"{place!r} is not PARTITION/OFFSET, as in 0/42")
    since_at = since_ms(since, time.time_ns() // 1_000_000)
    return Chosen(places=frozenset(places), reason=reason, pbx=pbx, since_ms=since_at)


async def _found(settings: "Settings", chosen: "Chosen", take: "Callable[[Letter], None]") -> None:
    from connector.app.letters import read_letters
    from connector.app.signals import Stop
    from connector.edges.telemetry import Telemetry

    with Stop(at_once=True):
        async for letter in read_letters(settings, chosen, Telemetry()):
            take(letter)


async def _replayed(
    settings: "Settings", chosen: "Chosen", *, dry: bool, say: "Callable[[Fate], None]"
) -> None:
    from connector.app.letters import open_road, read_letters, replay
    from connector.app.signals import Stop
    from connector.edges.telemetry import Telemetry

    telemetry = Telemetry()
    with Stop(at_once=True):
        async with open_road(settings, telemetry, dry=dry) as (review, ends):
            async for fate in replay(read_letters(settings, chosen, telemetry), review, ends):
                say(fate)


def _whole(letter: "Letter") -> dict[str, Any]:
    """Return a dead letter with all that is in it; bytes that are no text are in base64."""
    from connector.edges.jsonlines import readable

    record = letter.record
    headers = [{"name": name, "value": readable(text or b"")} for name, text in record.headers]
    key, value = (None if each is None else readable(each) for each in (record.key, record.value))
    return {**_object(letter), "key": key, "headers": headers, "value": value}


def _tell(letter: "Letter") -> None:
    from connector.cli.dump import shown

    record = letter.record
    head = (
        ("letter", letter.place.encode()),
        ("time", local(record.timestamp_ms).encode()),
        ("key", record.key),
    )
    for name, text in (*head, *record.headers):
        output.line(f"{' '.join(shown(name.encode()))}: {' '.join(shown(text or b''))}")
    output.line()
    for line in shown(record.value or b""):
        output.line(line)


def _object(letter: "Letter") -> dict[str, Any]:
    cause = letter.cause
    return {
        "letter": letter.place,
        "time": utc(letter.record.timestamp_ms),
        "reason": cause.reason,
        "detail": cause.detail,
        "pbx": letter.pbx or None,
        "event": letter.event or None,
        "event_id": letter.event_id or None,
        "from": _origin(letter) or None,
        "stage": cause.stage,
        "partition": letter.record.partition,
        "offset": letter.record.offset,
    }


def _row(letter: "Letter") -> tuple[str, ...]:
    cause, time_ms = letter.cause, letter.record.timestamp_ms
    detail = cause.detail if len(cause.detail) <= _MOST else f"{cause.detail[:_MOST]}..."
    texts = (letter.place, local(time_ms), cause.reason, letter.pbx, letter.event, _origin(letter), detail)
    return tuple(map(_in_line, texts))


def _in_line(text: str) -> str:
    return text.replace("\n", " ")


def _origin(letter: "Letter") -> str:
    """Return the place of the request that it was; an event comes from no topic."""
    cause = letter.cause
    return f"{cause.topic}/{cause.partition}/{cause.offset}" if cause.partition else ""
