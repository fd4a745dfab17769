"""What is known of AMI's actions, from our own data (`schemas/catalogue/actions.json`).

A text goes in, values come out. An action that is not in it may exist all the same: modules of other
vendors bring their own.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from connector.ami.action import RESERVED, AmiAction
from connector.errors import SchemaError

_NUMBER: Final = re.compile(r"-\d{1,6}")


class AnswerKind(StrEnum):
    """The form of a successful answer."""

    SINGLE = "single"
    """One Response."""
    LINES = "lines"
    """One Response whose headers repeat, or have names made on the wire."""
    OUTPUT = "output"
    """One Response with the lines of a command as `Output`."""
    CONFIG = "config"
    """One Response with the lines of a configuration file as numbered headers."""
    CONFIG_JSON = "config_json"
    """One Response with a configuration file as JSON in one header."""
    LIST = "list"
    """A Response, items, and an event that ends them; a few actions may leave out all but the Response."""
    EVENT = "event"
    """A Response and one event, which nothing announces."""
    EVENTS = "events"
    """A Response, any events, and one that ends them."""
    TEXT = "text"
    """Text that has neither Response nor ActionID, so that nothing tells whose it is or where it ends."""
    GOODBYE = "goodbye"
    """A Response, and the connection ends."""


class Parameter(NamedTuple):
    """A header of an action.

    `repeated` where each occurrence counts (Asterisk takes the first of others); `numbered` where it
    is written with a number: `Action-000000`.
    """

    name: str
    required: bool = False
    repeated: bool = False
    numbered: bool = False


class Later(NamedTuple):
    """An event, after the answer, that tells what became of the action.

    `header` of the event has the value of the action's `parameter` (ActionID is that on the wire);
    both "" where they have none in common.
    """

    event: str
    header: str = ""
    parameter: str = ""


class ProblemKind(StrEnum):
    """What is wrong with an action's parameters."""

    MISSING = "missing"
    UNKNOWN = "unknown"


class Problem(NamedTuple):
    """A parameter that an action lacks, or that it does not have; `text` says it in words, without values."""

    kind: ProblemKind
    parameter: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionFacts:
    """What is known of an action.

    Args:
        name: as Asterisk writes it.
        rights: classes of which the account needs any one in `write`; empty: none is needed.
        versions: major releases of Asterisk that have it.
        effect: whether it changes anything at the PBX, or in the world; else it is a read.
        blocking: whether it may hold its session for long.
        forbidden: never to be forwarded: it acts on the session itself, or its answer has no end.
        parameters: its headers.
        free: whether it takes headers of any name.
        functions: parameters in which Asterisk evaluates dialplan functions.
        answer: the form of its answer.
        items: the events that its answer may hold.
        complete: the event that ends them; "" where there is none.
        empty: texts of an Error that says no more than that the list is empty.
        later: an event that tells the result.
        secrets: headers of its answer that hold passwords and the like.
    """

    name: str
    rights: tuple[str, ...]
    versions: tuple[int, ...]
    effect: bool = False
    blocking: bool = False
    forbidden: bool = False
    parameters: tuple[Parameter, ...] = ()
    free: bool = False
    functions: tuple[str, ...] = ()
    answer: AnswerKind = AnswerKind.SINGLE
    items: tuple[str, ...] = ()
    complete: str = ""
    empty: tuple[str, ...] = ()
    later: Later | None = None
    secrets: tuple[str, ...] = ()

    @property
    def takes_variables(self) -> bool:
        """Whether channel variables go with it as `Variable` headers, one each."""
        return any(one.repeated and one.name == "Variable" for one in self.parameters)

    def means_empty(self, message: str) -> bool:
        """Say whether an Error with this message is an empty list."""
        return _bare(message) in {_bare(text) for text in self.empty}

    def problems(self, headers: Iterable[tuple[str, str]]) -> tuple[Problem, ...]:
        """Return required parameters that are missing, then names that the action does not have."""
        given = {name.lower(): name for name, _ in headers}
        known = {one.name.lower() for one in self.parameters if not one.numbered}
        numbered = {one.name.lower() for one in self.parameters if one.numbered}
        lacking = [one.name for one in self.parameters if one.required and one.name.lower() not in given]
        strange = () if self.free else _strange(given, known, numbered)
        return (
            *(Problem(ProblemKind.MISSING, name, f"{self.name} needs {name}") for name in lacking),
            *(Problem(ProblemKind.UNKNOWN, name, f"{self.name} has no {name}") for name in strange),
        )


class ActionCatalogue:
    """All that is known of actions; iterates over them by name."""

    def __init__(self, actions: Iterable[ActionFacts]) -> None:
        self._actions = MappingProxyType({facts.name.lower(): facts for facts in actions})

    def __iter__(self) -> Iterator[ActionFacts]:
        return iter(self._actions.values())

    def __len__(self) -> int:
        return len(self._actions)

    def get(self, name: str) -> ActionFacts | None:
        """Return what is known of an action, its name in any case; None where nothing is."""
        return self._actions.get(name.lower())

    def has_effect(self, action: AmiAction) -> bool:
        """Say whether an action may change anything: all may that are not known as reads.

        So may a read that evaluates a dialplan function: some change what they read (DB_DELETE, INC),
        and some act (CURL, SHELL).
        """
        facts = self.get(action.name)
        if facts is None or facts.effect:
            return True
        evaluated = {name.lower() for name in facts.functions}
        return any(name.lower() in evaluated and "(" in value for name, value in action.headers)

    def problems(self, action: AmiAction) -> tuple[Problem, ...]:
        """Return what is wrong with an action's parameters; nothing where the action is not known."""
        facts = self.get(action.name)
        return facts.problems(action.headers) if facts else ()


def load(text: str) -> ActionCatalogue:
    """Read the catalogue's file.

    Raises:
        SchemaError: it is not as it must be; the text names the action.
    """
    try:
        rows = json.loads(text)
        return ActionCatalogue([_facts(name, row) for name, row in rows.items()])
    except (ValueError, AttributeError) as error:
        raise SchemaError(f"actions.json: {error}") from error


_KEYS: Final = frozenset(
    {
        *(
            "note",
            "rights",
            "versions",
            "effect",
            "blocking",
            "forbidden",
            "required",
            "optional",
            "repeated",
        ),
        *("numbered", "free", "functions", "answer", "items", "complete", "empty", "later", "secrets"),
    }
)


def _facts(name: str, row: Mapping[str, Any]) -> ActionFacts:
    if unknown := row.keys() - _KEYS:
        raise SchemaError(f"actions.json: {name}: unknown {', '.join(sorted(unknown))}")
    try:
        return ActionFacts(
            name=name,
            rights=tuple(row["rights"]),
            versions=tuple(row["versions"]),
            effect=row.get("effect", False),
            blocking=row.get("blocking", False),
            forbidden=row.get("forbidden", False),
            parameters=tuple(_parameters(row)),
            free=row.get("free", False),
            functions=tuple(row.get("functions", ())),
            answer=AnswerKind(row.get("answer", AnswerKind.SINGLE)),
            items=tuple(row.get("items", ())),
            complete=row.get("complete", ""),
            empty=tuple(row.get("empty", ())),
            later=Later(**row["later"]) if "later" in row else None,
            secrets=tuple(row.get("secrets", ())),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise SchemaError(f"actions.json: {name}: {error!r}") from error


def _parameters(row: Mapping[str, Any]) -> Iterator[Parameter]:
    repeated = row.get("repeated", ())
    for name in row.get("required", ()):
        yield Parameter(name, required=True, repeated=name in repeated)
    for name in row.get("optional", ()):
        yield Parameter(name, repeated=name in repeated)
    for name in row.get("numbered", ()):
        yield Parameter(name, repeated=True, numbered=True)


def _strange(given: Mapping[str, str], known: set[str], numbered: set[str]) -> list[str]:
    return [
        name
        for lower, name in given.items()
        if lower not in known and lower not in RESERVED and _NUMBER.sub("", lower) not in numbered
    ]


def _bare(message: str) -> str:
    return message.strip().rstrip(".").lower()
