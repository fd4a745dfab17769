"""Rules applied to the lines of one kind of message."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

from connector.ami.message import split_line, text_of
from connector.avro.normalise import Reading
from connector.avro.schema import Field
from connector.avro.shapes import Shape
from connector.avro.values import unescape
from connector.privacy.places import Place, entry_told, named_entry_told, rest_told, told, value_told
from connector.privacy.rules import is_needed
from connector.privacy.ways import Change, Do

_CRLF: Final = b"\r\n"
_MAX_SHAPES: Final = 1024
_MAX_VARIABLES: Final = 4096
_NAMED_BY_CHANNEL: Final = "ChanVariable("
_VARIABLE: Final = "variable"
_VALUE: Final = "value"
_RESPONSE: Final = "Response"
"""A message that begins with it is an answer: this line alone says so, and how it went."""

Line = tuple[str, str]


class Ready(NamedTuple):
    """A rule made ready: what it matches, and what it does; without `change` the value stays as it is."""

    name: str
    headers: re.Pattern[str] | None
    variables: re.Pattern[str] | None
    do: Do
    change: Change | None

    def covers(self, header: str, variable: str | None) -> bool:
        """Say whether it is about a header, or about a variable that stands in it."""
        if self.headers is not None and self.headers.fullmatch(header):
            return True
        if variable is None or self.variables is None:
            return False
        return self.variables.fullmatch(bare(variable)) is not None


class Mask:
    """What the rules do to one kind of message; the first rule that is about a value decides.

    Args:
        rules: those that are about the message, in order.
        fields: what its schema knows of its headers, by their names.
    """

    def __init__(self, rules: Iterable[Ready], fields: Mapping[str, Field]) -> None:
        self._rules = tuple(rules)
        self._fields = fields
        self._knows_variables = any(rule.variables for rule in self._rules)
        self._places: dict[Shape, tuple[Place, ...]] = {}
        self._variables: dict[tuple[str, str], Change | None] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """What the rules are called."""
        return tuple(rule.name for rule in self._rules)

    def variable_rules(self, header: str) -> tuple[str, ...]:
        """Return the names of rules about some of the variables that may stand in a header."""
        if not (_holds_entries(header) or header.lower() == _VALUE):
            return ()
        return tuple(rule.name for rule in self._rules if rule.variables and rule.change)

    def rule_of(self, header: str, variable: str | None = None) -> Ready | None:
        """Return the rule that decides about a header, or about a variable in it; None: it is told as it is."""
        header = header.strip().partition("(")[0]
        if is_needed(header):
            return None
        return next((rule for rule in self._rules if rule.covers(header, variable)), None)

    def value(self, header: str, value: bytes) -> bytes:
        """Return a header's value as it may be told, empty where it is left out."""
        change = self._change(header)
        return value if change is None else change(value) or b""

    def frame(self, reading: Reading) -> bytes:
        """Return an event's frame as it may be told; the very same where nothing of it is covered."""
        places = self._places.get(reading.shape)
        if places is None:
            if len(self._places) >= _MAX_SHAPES:
                self._places.clear()
            places = self._places[reading.shape] = self._compile(reading.shape.names)
        return _joined(reading.frame, places) if places else reading.frame

    def text(self, frame: bytes) -> bytes:
        """Return a frame of any kind as it may be told, line by line."""
        return _joined(frame, self._compile([text_of(split_line(line)[0]) for line in frame.split(_CRLF)]))

    def lines(self, lines: Sequence[Line]) -> tuple[Line, ...]:
        """Return a message's headers, name and value, as they may be told."""
        places = self._compile([name for name, _ in lines])
        if not places:
            return tuple(lines)
        raw = [f"{name}: {value}".encode("utf-8", "surrogateescape") for name, value in lines]
        found = told(raw, places)
        return tuple(
            pair if line is before else (pair[0], text_of(split_line(line)[1]))
            for pair, before, line in zip(lines, raw, found, strict=True)
            if line is not None
        )

    def _compile(self, names: Sequence[str]) -> tuple[Place, ...]:
        """Work out which lines are changed; one without a name is what a value with a line end goes on with."""
        first = {name.lower(): at for at, name in reversed([*enumerate(names)])}
        places: list[Place] = []
        before: Place | None = None
        for at, name in enumerate(names):
            if at and not name:
                place = before and Place(at, before.change_of, rest_told)
            elif not at and name == _RESPONSE:
                place = None
            else:
                place = before = self._place(at, name, first)
            if place is not None:
                places.append(place)
        return tuple(places)

    def _place(self, at: int, name: str, first: Mapping[str, int]) -> Place | None:
        lower, change = name.lower(), self._change(name)
        if _holds_entries(name):
            return self._place_of_entry(at, name, change)
        if lower == _VALUE and self._knows_variables and _VARIABLE in first:
            return Place(at, partial(self._of_named, name, first[_VARIABLE]), value_told)
        return None if change is None else Place(at, lambda _: change, value_told)

    def _place_of_entry(self, at: int, name: str, change: Change | None) -> Place | None:
        """Return the place of a line `NAME=value`; in `ChanVariable(SIP/100-1): ...` the name hides another value."""
        hides = name.startswith(_NAMED_BY_CHANNEL) and self._change("Channel") is not None
        if change is None and not self._knows_variables and not hides:
            return None

        def change_of(lines: Sequence[bytes]) -> Change | None:
            variable, sign, _ = split_line(lines[at])[1].partition(b"=")
            found = self._of_variable(name, text_of(variable)) if sign else change
            return bytes if found is None and hides else found

        return Place(at, change_of, named_entry_told if hides else entry_told)

    def _of_named(self, header: str, variable_at: int, lines: Sequence[bytes]) -> Change | None:
        """Return what is done to the value of a variable that another line names, as in VarSet."""
        return self._of_variable(header, text_of(split_line(lines[variable_at])[1]))

    def _of_variable(self, header: str, variable: str) -> Change | None:
        key = header, variable
        if key not in self._variables:
            if len(self._variables) >= _MAX_VARIABLES:
                self._variables.clear()
            self._variables[key] = self._change(header, variable)
        return self._variables[key]

    def _change(self, header: str, variable: str | None = None) -> Change | None:
        """Return what is done to a value as its schema reads it: no sentinel, and joined without its escapes."""
        rule, field = self.rule_of(header, variable), self._fields.get(header)
        if rule is None or rule.change is None or field is None:
            return rule and rule.change
        nulls = frozenset(text.encode() for text in field.sentinels)
        change = rule.change
        if field.escaped and rule.do is Do.HMAC:
            return lambda value: value if value in nulls else change(unescape(value))
        return (lambda value: value if value in nulls else change(value)) if nulls else change


def _holds_entries(header: str) -> bool:
    lower = header.lower()
    return lower.endswith("chanvariable") or lower == _VARIABLE or header.startswith(_NAMED_BY_CHANNEL)


def bare(variable: str) -> str:
    """Take off the underscores that make a variable heritable."""
    return variable.lstrip("_")


def _joined(frame: bytes, places: Iterable[Place]) -> bytes:
    lines = frame.split(_CRLF)
    found = told(lines, places)
    return frame if found == lines else _CRLF.join(line for line in found if line is not None)
