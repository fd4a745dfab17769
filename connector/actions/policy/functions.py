"""Calls of dialplan functions and expressions in the texts of a request.

What Asterisk evaluates is wider than it looks: a parameter that takes a variable's name takes
`SHELL(...)` too, and a value that the dialplan later evaluates may hold `${...}`. So a call is
whatever could be one: a name right before a parenthesis, quotes and backslashes taken away, since
Asterisk takes them away before it looks.
"""

import re
from collections.abc import Iterator
from typing import Final

UNREADABLE: Final = "an expression"
"""What stands for an expression whose functions cannot be told by looking at it, as `${${X}}`."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9_~]+")
_CALL: Final = re.compile(r"([^\s(),;=:{}\[\]$&|<>]+)\(")
_OPENING: Final = re.compile(r"\$[{\[]")
_EXPRESSION: Final = re.compile(r"\$\{(?:(?P<call>[^\s(),;=:{}\[\]$&|<>]+)\(|(?P<name>\w+)(?::-?\d+){0,2}\})")
_TAKEN_AWAY: Final = str.maketrans("", "", "\"'\\")


def plain(text: str) -> bool:
    """Say whether a text is the name of a variable and nothing else."""
    return _PLAIN.fullmatch(text) is not None


def calls(text: str) -> tuple[str, ...]:
    """Return the name before each parenthesis."""
    return tuple(_CALL.findall(bare(text)))


def expressions(text: str) -> tuple[str, ...]:
    """Return what the `${...}` and `$[...]` of a text evaluate.

    A function by its name, a variable as `${NAME}`, `UNREADABLE` where it cannot be told.
    """
    text = bare(text)
    openings = [*_OPENING.finditer(text)]
    found = (_EXPRESSION.match(text, each.start()) for each in openings)
    named = [(each["call"] or f"${{{each['name']}}}") if each else UNREADABLE for each in found]
    # Functions in the arguments of functions stand behind no `$` of their own.
    return tuple(dict.fromkeys((*named, *(calls(text) if openings else ()))))


def items(text: str) -> Iterator[str]:
    """Split a list at its commas, those in parentheses left alone."""
    depth, start = 0, 0
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")" and depth > 0)
        if character == "," and not depth:
            yield text[start:place]
            start = place + 1
    yield text[start:]


def bare(text: str) -> str:
    """Return a text without quotes and backslashes."""
    return text.translate(_TAKEN_AWAY)
