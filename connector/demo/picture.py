"""The live picture in the terminal: calls in progress, topics, the latest events, requests and their answers."""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import takewhile
from types import TracebackType
from typing import Final, Self

from rich import box
from rich.console import Console, RenderableType
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from connector.demo.wallboard import Call, Seen, Wallboard, person, telling

NARROW: Final = 100
"""Columns below which the topics move under the calls."""

_LOW: Final = 26
"""Lines below which a narrow picture leaves the topics out."""

_ROOMY: Final = 16
"""Lines of the body below which requests are left out."""

_STATUSES: Final = {"SUCCESS": "green", "REFUSED": "yellow"}
_BARS: Final = " ▁▂▃▄▅▆▇█"
_COLOURS: Final = {
    "new": "white",
    "ringing": "yellow",
    "waiting": "cyan",
    "talking": "green",
    "on hold": "magenta",
    "parked": "magenta",
    "transferred": "blue",
    "ended": "bright_black",
}
_BORDER: Final = "bright_black"


class Picture:
    """Draws a wallboard."""

    def __init__(self, board: Wallboard) -> None:
        self._board = board

    def draw(self, width: int, height: int) -> RenderableType:
        """Return the picture for a terminal of this size."""
        layout = Layout()
        body = Layout(name="body", ratio=1)
        layout.split_column(Layout(self._head(width), size=3), body, Layout(self._foot(), size=1))
        inner = height - 4
        requests = max(5, inner // 5) if inner >= _ROOMY else 0
        events = max(4, inner // 3 - requests // 4)
        calls = inner - events - requests
        if width >= NARROW:
            upper = Layout(size=calls)
            topics = min(54, width * 2 // 5)
            upper.split_row(Layout(self._calls(calls)), Layout(self._topics(calls, topics), size=topics))
            body.split_column(upper, *self._lower(requests, events, width))
        elif height >= _LOW:
            topics = calls // 3 + 1
            body.split_column(
                Layout(self._calls(calls - topics), size=calls - topics),
                Layout(self._topics(topics, width), size=topics),
                *self._lower(requests, events, width),
            )
        else:
            body.split_column(Layout(self._calls(calls), size=calls), *self._lower(requests, events, width))
        return layout

    def _lower(self, requests: int, events: int, width: int) -> Iterable[Layout]:
        if requests:
            yield Layout(self._requests(requests), size=requests)
        yield Layout(self._events(events, width))

    def _head(self, width: int) -> RenderableType:
        board = self._board
        line = Table.grid(expand=True, padding=(0, 1))
        line.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        line.add_column(justify="right", no_wrap=True)
        totals = Text.assemble(
            (f"{board.total:,}", "bold"), " records  ",
            (f"{sum(board.rate(topic) for topic in board.topics):.0f}", "bold"), "/s  ",
            (f"{sum(1 for call in board.calls.values() if not call.ended)}", "bold green"), " calls",
        )  # fmt: skip
        trend = (
            Text(_sparkline(board.trend(min(30, width // 5))), style="green") if width >= NARROW else Text()
        )
        line.add_row(Text(self._board.road, style="dim"), Text.assemble(trend, "  " if trend else "", totals))
        clock = _duration(time.monotonic() - board.started)
        return Panel(line, title="[bold]ami-kafka demo[/]", title_align="left", subtitle=clock,
                     subtitle_align="right", border_style="green", box=box.ROUNDED)  # fmt: skip

    def _calls(self, height: int) -> RenderableType:
        table = _table(("From", 3), ("To", 3), ("State", 0), ("Queue", 0), ("Time", 0))
        present = self._board.present()
        room = height - 3
        if len(present) > room:
            present.sort(key=lambda call: call.ended is not None)
        for call in present[: room if len(present) <= room else room - 1]:
            table.add_row(*self._call(call))
        if len(present) > room:
            table.add_row(Text(f"and {len(present) - room + 1} more", style="dim"))
        return _panel(table, f"Calls in progress ({self._board.finished} ended)")

    def _call(self, call: Call) -> Iterable[Text]:
        colour = _COLOURS.get(call.state, "red")
        faded = "bright_black" if call.ended else ""
        end = call.ended if call.ended is not None else time.monotonic()
        yield Text(call.caller, style=faded)
        yield Text(call.callee, style=faded)
        yield Text(f"● {call.state}", style=colour)
        yield Text(call.queue, style=faded or "cyan")
        yield Text(_duration(end - call.since), style=faded)

    def _topics(self, height: int, width: int) -> RenderableType:
        table = _table(("Topic", 1), ("", 0), ("Records", 0), ("/s", 0))
        table.columns[2].justify = table.columns[3].justify = "right"
        top = self._board.topics.most_common(height - 3)
        most = top[0][1] if top else 1
        prefix = _common_prefix(self._board.topics)
        for topic, count in top:
            rate = self._board.rate(topic)
            table.add_row(
                Text(topic.removeprefix(prefix)),
                Text(_bar(count / most, max(4, width // 8)), style="blue"),
                f"{count:,}",
                Text(f"{rate:.1f}", style="bold" if rate else "dim"),
            )
        return _panel(table, f"{len(self._board.topics)} topics {prefix}*")

    def _events(self, height: int, width: int) -> RenderableType:
        table = (
            _table(("Time", 0), ("Event", 0), ("Call or key", 0), ("Says", 1))
            if width >= NARROW
            else _table(("Time", 0), ("Event", 0), ("Says", 1))
        )
        for seen in list(self._board.latest)[-max(1, height - 3) :]:
            cells = [Text(_moment(seen), style="dim"), Text(seen.kind, style="bold")]
            if width >= NARROW:
                cells.append(Text(seen.key, style="cyan"))
            cells.append(_says(seen))
            table.add_row(*cells)
        return _panel(table, "Latest events")

    def _requests(self, height: int) -> RenderableType:
        table = _table(("Time", 0), ("Action", 0), ("Status", 0), ("ms", 0), ("Asks", 1))
        table.columns[3].justify = "right"
        for seen in list(self._board.answered)[-max(1, height - 3) :]:
            if (answer := seen.answer) is None:
                continue
            table.add_row(
                Text(_moment(seen), style="dim"),
                Text(answer.action, style="bold"),
                Text(answer.status, style=_STATUSES.get(answer.status, "red")),
                "" if answer.took_ms is None else f"{answer.took_ms}",
                Text(answer.asked),
            )
        return _panel(table, f"Requests ({self._board.answers:,} answered)")

    def _foot(self) -> RenderableType:
        return Text(
            " Ctrl-C ends.  Everything here was read back from Kafka and decoded.",
            style="dim",
            no_wrap=True,
            overflow="ellipsis",
        )


class Screen:
    """The terminal while the picture is shown: its own screen, given back at the end."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._console = Console()
        self._live = Live(console=self._console, screen=True, auto_refresh=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def paint(self) -> None:
        """Show what is known now."""
        width, height = self._console.size
        self._live.update(self._picture.draw(width, height), refresh=True)


def _says(seen: Seen) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    people = [who for who in (person(seen.value, role) for role in ("", "dest_", "transferee_")) if who]
    text.append(" → ".join(people))
    for name, value in telling(seen.value):
        if "caller_id" not in name:
            text.append(f"  {name} " if text else f"{name} ", style="dim").append(value)
    return text


def _table(*columns: tuple[str, int]) -> Table:
    """Return a table without lines; a column with a ratio takes what room there is."""
    table = Table(box=None, expand=True, pad_edge=False, header_style="dim")
    for name, ratio in columns:
        table.add_column(name, ratio=ratio or None, no_wrap=True, overflow="ellipsis")
    return table


def _panel(inner: RenderableType, title: str) -> Panel:
    return Panel(
        inner, title=title, title_align="left", border_style=_BORDER, box=box.ROUNDED, padding=(0, 1)
    )


def _sparkline(counts: Sequence[int]) -> str:
    most = max([*counts, 1])
    return "".join(_BARS[-(-count * (len(_BARS) - 1) // most)] for count in counts)


def _bar(share: float, width: int) -> str:
    eighths = max(1, round(share * width * 8))
    return "█" * (eighths // 8) + "▏▎▍▌▋▊▉"[eighths % 8 - 1 : eighths % 8]


def _common_prefix(topics: Iterable[str]) -> str:
    """Return the dotted words that all topics begin with; what is the same in every row need not be read."""
    words = zip(*(topic.split(".")[:-1] for topic in topics), strict=False)
    same = takewhile(lambda column: len(set(column)) == 1, words)
    return "".join(f"{column[0]}." for column in same)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes:02d}:{rest:02d}"


def _moment(seen: Seen) -> str:
    at = datetime.fromtimestamp(seen.time_us / 1_000_000).astimezone()
    return at.strftime("%H:%M:%S.") + f"{at.microsecond // 1000:03d}"
