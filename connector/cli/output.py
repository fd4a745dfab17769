"""What a command prints: a table for people, JSON lines for programs; data on stdout, the rest on stderr."""
# ruff: noqa: PLC0415 (what takes long to load is loaded by the command that needs it)

import io
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from connector.errors import ConnectorError, SchemaError, SettingsError

DONE: Final = 0
FAILED: Final = 1
WRONG: Final = 2
"""Usage, settings or a schema file: nothing was tried."""
LEFT: Final = 3
"""Done, but not with everything, or something was found that wants a look: the output says what."""

_CONTROL: Final = re.compile("[\x7f-\x9f]")
"""What JSON may hold as it is, and a terminal obeys."""

INTERRUPTED: Final = 130
"""Ctrl-C, where that is not the way to end it."""


class Form(StrEnum):
    """How a command prints its data."""

    TEXT = "text"
    JSON = "json"


def exit_code(error: ConnectorError) -> int:
    """Return what a command ends with that an error has ended."""
    return WRONG if isinstance(error, SettingsError | SchemaError) else FAILED


def json_line(value: Mapping[str, Any]) -> None:
    """Print one JSON object on one line, at once: whoever reads along may wait for it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    sys.stdout.write(_CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")
    sys.stdout.flush()


def line(text: str = "") -> None:
    """Print one line of text, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """Tell the person in front of it something that is no data."""
    for each in clean(text).splitlines():
        sys.stderr.write(f"ami-kafka: {each}\n")
    sys.stderr.flush()


def clean(text: str) -> str:
    """Take out what would command a terminal; a PBX's text may hold anything."""
    return "".join(
        each if each.isprintable() or each == "\n" else "\N{REPLACEMENT CHARACTER}" for each in text
    )


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], styles: Mapping[str, str] | None = None
) -> None:
    """Print a table; `styles` colours a cell by its text, in a terminal.

    Outside a terminal no cell is cut, whatever its width.
    """
    cells = [[clean(cell) for cell in row] for row in rows]
    if is_terminal():
        _draw(head, cells, styles or {})
        return
    widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
    for row in (head, *cells):
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        line("  ".join(padded).rstrip())


def _draw(head: Sequence[str], rows: Iterable[Sequence[str]], styles: Mapping[str, str]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for nth, name in enumerate(head):
        drawn.add_column(name, no_wrap=nth == 0, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(cell, style=styles.get(cell, "")) for cell in row))
    Console(file=sys.stdout, highlight=False).print(drawn)


def speak_utf8() -> None:
    """Write data as UTF-8 whatever the locale says, and let no character that a terminal lacks end a command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=stream.encoding if stream.isatty() else "utf-8", errors="replace")


def is_terminal() -> bool:
    """Tell whether stdout is a terminal that can be drawn upon."""
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def let_go_of_stdout() -> None:
    """Stop writing to a reader that has gone, so that Python's own flush at the end says nothing."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
