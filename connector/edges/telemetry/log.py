"""The connector's log: lines for people or for programs, on stderr only, since stdout belongs to data."""

import json
import logging
import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final, TextIO

from connector.facts import Fact

LOGGER: Final = "connector"

_RESET: Final = "\033[0m"
_COLOURS: Final = {"DEBUG": "\033[2m", "WARNING": "\033[33m", "ERROR": "\033[31m", "CRITICAL": "\033[1;31m"}


def open_log(
    stream: TextIO, level: str = "info", form: str = "console", unsaid: tuple[type[Fact], ...] = ()
) -> None:
    """Send the connector's log to a stream, but for facts of the kinds `unsaid`.

    `form` is `console` or `json`, one line per fact in both.
    """
    handler = logging.StreamHandler(stream)
    handler.addFilter(lambda record: not isinstance(getattr(record, "fact", None), unsaid))
    handler.setFormatter(_Lines() if form == "json" else _Console(coloured=stream.isatty()))
    log = logging.getLogger(LOGGER)
    log.handlers[:] = [handler]
    log.setLevel(level.upper())
    log.propagate = False


class _Console(logging.Formatter):
    """`22:31:07 warning  text`, coloured by level in a terminal."""

    def __init__(self, *, coloured: bool) -> None:
        super().__init__()
        self._coloured = coloured

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%H:%M:%S", time.localtime(record.created))
        line = f"{at} {record.levelname.lower():<8} {_one_line(record.getMessage())}"
        colour = _COLOURS.get(record.levelname) if self._coloured else None
        line = f"{colour}{line}{_RESET}" if colour else line
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class _Lines(logging.Formatter):
    """One JSON object on a line: time, level, message, and the fact with its fields."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        value: dict[str, Any] = {"time": at, "level": record.levelname.lower()}
        value["message"] = record.getMessage()
        if record.exc_info:
            value["exception"] = self.formatException(record.exc_info)
        fact = getattr(record, "fact", None)
        if fact is not None:
            value |= {"fact": type(fact).__name__} | asdict(fact)
        return json.dumps(value, ensure_ascii=False, default=str)


def _one_line(text: str) -> str:
    """Keep one fact on one line: a PBX's text may hold line ends and terminal codes."""
    return "".join(each if each.isprintable() else " " for each in text)
