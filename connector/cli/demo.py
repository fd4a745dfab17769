"""`ami-kafka demo`: the live picture, or lines where there is no terminal."""
# ruff: noqa: PLC0415 (what takes long to load is loaded by the command that needs it)

import asyncio
import sys
import time
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer

from connector.cli import output
from connector.cli.options import Output
from connector.cli.output import Form

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector.app.signals import Stop
    from connector.demo.picture import Screen
    from connector.demo.wallboard import Seen, Wallboard
    from connector.settings.http import Http

_FRAME_S: Final = 0.2


def demo(
    *,
    events: Annotated[
        int | None, typer.Option(min=1, help="End after so many records, with a summary.")
    ] = None,
    speed: Annotated[
        float, typer.Option(min=0.1, max=100, help="How fast time runs on the simulated PBX.")
    ] = 1,
    http_port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65_535, help="Serve the status page at this port of loopback; 0: a free one."
        ),
    ] = None,
    form: Output = Form.TEXT,
) -> None:
    """Watch a simulated PBX's calls arrive in an embedded Kafka; needs nothing but Python."""
    from connector.demo.wallboard import Wallboard
    from connector.settings.http import Http

    board = Wallboard(time.monotonic)
    http = Http() if http_port is None else Http(enabled=True, port=http_port)
    drawn = form is Form.TEXT and output.is_terminal()
    asyncio.run(_drawn(board, events, speed, http) if drawn else _in_lines(board, events, speed, http, form))
    if form is Form.TEXT:
        _summarise(board)


async def _drawn(board: "Wallboard", events: int | None, speed: float, http: "Http") -> None:
    from connector.app.demo import demo as play
    from connector.app.signals import Stop
    from connector.demo.picture import Picture, Screen
    from connector.edges.telemetry import Telemetry, open_log

    # Over a picture no line may be written; the picture itself shows whether records come.
    open_log(sys.stderr, "critical")
    with Stop(_give_back) as stop, Screen(Picture(board)) as screen:
        painting = asyncio.create_task(_paint(screen))
        audience = _Audience(board, stop, events, lambda _: None)
        try:
            await play(stop, Telemetry(), audience, speed, http)
        finally:
            painting.cancel()
            await asyncio.wait([painting])


async def _paint(screen: "Screen") -> None:
    while True:
        screen.paint()
        await asyncio.sleep(_FRAME_S)


def _give_back() -> None:
    """Leave the picture at once: give the terminal its own screen and its cursor back."""
    sys.stdout.write("\x1b[?1049l\x1b[?25h")
    sys.stdout.flush()


async def _in_lines(board: "Wallboard", events: int | None, speed: float, http: "Http", form: Form) -> None:
    from connector.app.demo import demo as play
    from connector.app.signals import Stop
    from connector.edges.telemetry import Telemetry, open_log
    from connector.facts import ActionRefused

    # What is refused is asked for on purpose here, and its answer is among the lines.
    open_log(sys.stderr, "warning", unsaid=(ActionRefused,))
    with Stop() as stop:
        say = _say if form is Form.TEXT else (lambda seen: output.json_line(seen.whole))
        await play(stop, Telemetry(), _Audience(board, stop, events, say, output.note), speed, http)


class _Audience:
    """Shows records until there were enough."""

    def __init__(
        self,
        board: "Wallboard",
        stop: "Stop",
        most: int | None,
        say: "Callable[[Seen], None]",
        note: "Callable[[str], None]" = lambda _: None,
    ) -> None:
        self._board = board
        self._stop = stop
        self._most = most
        self._say = say
        self._note = note

    def opens(self, road: str, page: str | None) -> None:
        self._board.opens(f"{road}; status page {page}" if page else road)
        if page:
            self._note(f"the status page is at {page}")

    def take(self, seen: "Seen") -> None:
        if self._most is not None and self._board.total >= self._most:
            return
        self._board.take(seen)
        self._say(seen)
        if self._board.total == self._most:
            self._stop.ask("enough")


def _say(seen: "Seen") -> None:
    """Print a record on one line: time, topic, key, and the fields that say most."""
    from connector.demo.wallboard import telling

    at = datetime.fromtimestamp(seen.time_us / 1_000_000).astimezone().isoformat(" ", "milliseconds")[11:23]
    told = (
        [
            ("action", seen.answer.action),
            ("status", seen.answer.status),
            ("ms", seen.answer.took_ms),
            ("asks", seen.answer.asked),
        ]
        if seen.answer
        else telling(seen.value)
    )
    fields = " ".join(f"{name}={value}" for name, value in told)
    output.line(output.clean(f"{at}  {seen.topic:<36}  {seen.key:<28}  {fields}"))


def _summarise(board: "Wallboard") -> None:
    output.line()
    rows = [(topic, f"{count:,}") for topic, count in board.topics.most_common()]
    output.table(("Topic", "Records"), [*rows, ("Sum", f"{board.total:,}")])
    output.line(
        f"{board.finished} calls ended, {len(board.present())} go on, {board.answers} requests answered; {board.road}"
    )
