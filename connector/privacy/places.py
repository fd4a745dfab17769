"""Lines of a frame, and how one is told of whose value something is done."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from connector.ami.message import split_line
from connector.privacy.ways import MASK, Change

Tell = Callable[[bytes, Change], bytes | None]
"""A line and what is done to its value, to the line that may be told; None: it is left out."""


class Place(NamedTuple):
    """A line of a frame: where it is, what is done to its value (None: nothing), how it is told then."""

    at: int
    change_of: Callable[[Sequence[bytes]], Change | None]
    tell: Tell


def told(lines: Sequence[bytes], places: Iterable[Place]) -> list[bytes | None]:
    """Return lines as they may be told, None for each that is left out."""
    found: list[bytes | None] = [*lines]
    for at, change_of, tell in places:
        change = change_of(lines)
        if change is not None:
            found[at] = tell(lines[at], change)
    return found


def value_told(line: bytes, change: Change) -> bytes | None:
    """Tell `Name: value`."""
    name, colon, value = line.partition(b":")
    if not colon:
        return change(line)
    blank = value[:1] if value[:1] == b" " else b""
    found = change(value[len(blank) :])
    return None if found is None else name + colon + blank + found


def entry_told(line: bytes, change: Change) -> bytes | None:
    """Tell `Name: VARIABLE=value`, or `Name: value`."""
    name, value = split_line(line)
    variable, sign, text = value.partition(b"=")
    if not sign:
        return value_told(line, change)
    found = change(text)
    return None if found is None else name + b": " + variable + sign + found


def named_entry_told(line: bytes, change: Change) -> bytes | None:
    """Tell `ChanVariable(channel): VARIABLE=value` without the channel."""
    found = entry_told(line, change)
    return None if found is None else b"ChanVariable():" + found.partition(b":")[2]


def rest_told(line: bytes, change: Change) -> bytes | None:
    """Tell a line that a value with a line end goes on with: of what a rule keeps, nothing is known here."""
    return None if change(line) is None else MASK.encode()
