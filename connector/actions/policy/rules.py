"""What an operator may say of requests, and when a rule applies to one."""

import fnmatch
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from connector.actions.policy.functions import UNREADABLE
from connector.actions.policy.uses import BLANKS, Kind, Use

Patterns = tuple[re.Pattern[str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What an action may touch; None: as the profile has it.

    Contexts, applications, variables and functions are named, `*` and `?` standing for characters;
    channels to be dialled and commands are matched as a whole by expressions.
    """

    contexts: tuple[str, ...] | None = None
    channels: Patterns | None = None
    applications: tuple[str, ...] | None = None
    variables: tuple[str, ...] | None = None
    functions: tuple[str, ...] | None = None
    commands: Patterns | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Bounds):
    """A rule of the operator's; it applies where all that it says holds.

    To allow, every occurrence of a header and everything touched must be within what it says; to
    deny, one is enough. A header that is not there is the empty text, as it is to Asterisk.
    """

    name: str
    effect: Literal["allow", "deny"] = "allow"
    pbx: tuple[str, ...] = ("*",)
    actions: tuple[str, ...] = ("*",)
    topics: tuple[str, ...] = ("*",)
    arguments: Mapping[str, re.Pattern[str]] = field(default_factory=dict)


class Asked(NamedTuple):
    """A request as rules see it; `headers` by name in small letters, `known`: it is in the catalogue."""

    pbx: str
    topic: str
    name: str
    headers: Mapping[str, Sequence[str]]
    uses: Sequence[Use]
    known: bool = True


Limits = Mapping[Kind, Patterns | None]
"""For each kind what may be touched; None: anything."""

ANYTHING: Final[Limits] = dict.fromkeys(Kind)
NOTHING: Final[Limits] = dict.fromkeys(Kind, ())

_SHOWN: Final = 60


_KINDS: Final[Mapping[str, tuple[Kind, ...]]] = {
    "contexts": (Kind.CONTEXT,),
    "channels": (Kind.CHANNEL,),
    "applications": (Kind.APPLICATION,),
    "variables": (Kind.READ, Kind.SET),
    "functions": (Kind.FUNCTION,),
    "commands": (Kind.COMMAND,),
}
# Asterisk finds these in any case.
_ANY_CASE: Final = frozenset({"applications", "functions"})


def limits(bounds: Bounds, default: Limits) -> Limits:
    """Return what bounds allow of each kind, and of what they leave out the default."""
    said = {name: getattr(bounds, name) for name in _KINDS}
    return {
        **default,
        **{
            kind: _patterns(each, anycase=name in _ANY_CASE)
            for name, each in said.items()
            if each is not None
            for kind in _KINDS[name]
        },
    }


def denied(bounds: Bounds) -> list[tuple[tuple[Kind, ...], Patterns]]:
    """Return what bounds deny, each with the kinds it is about.

    Small and large letters are the same everywhere: `LOCAL/` dials what `Local/` dials.
    """
    said = ((kinds, getattr(bounds, name)) for name, kinds in _KINDS.items())
    return [
        (kinds, tuple(map(harden, _patterns(each, anycase=True)))) for kinds, each in said if each is not None
    ]


def _patterns(said: Sequence[str | re.Pattern[str]], *, anycase: bool) -> Patterns:
    names = [each for each in said if isinstance(each, str)]
    texts = tuple(each for each in said if not isinstance(each, str))
    return (*texts, globs(names, anycase=anycase)) if names else texts


def harden(pattern: re.Pattern[str]) -> re.Pattern[str]:
    """Return an expression that no other case and no line end escapes."""
    return re.compile(pattern.pattern, pattern.flags | re.IGNORECASE | re.DOTALL)


def globs(patterns: Iterable[str], *, anycase: bool = False) -> re.Pattern[str]:
    """Return one expression for names in which `*`, `?` and `[...]` stand for characters."""
    joined = "|".join(map(fnmatch.translate, patterns)) or "(?!)"
    return re.compile(joined, re.IGNORECASE if anycase else 0)


def arguments(rule: Rule) -> dict[str, re.Pattern[str]]:
    """Return a rule's expressions by header name in small letters."""
    deny = rule.effect == "deny"
    return {name.lower(): harden(each) if deny else each for name, each in rule.arguments.items()}


def values(asked: Asked, name: str) -> Sequence[str]:
    """Return every occurrence of a header, `name` in small letters."""
    return [each.lstrip(BLANKS) for each in asked.headers.get(name, ())] or [""]


def beyond(asked: Asked, allowed: Limits, spoken_of: Iterable[str] = ()) -> str:
    """Return why a request goes beyond what may be touched; empty where it does not.

    Args:
        asked: the request.
        allowed: what may be touched.
        spoken_of: headers, in small letters, of which the rule speaks itself.
    """
    for kind, text, name in asked.uses:
        patterns = allowed[kind]
        if patterns is None or (kind is Kind.MANY and name.lower() in spoken_of):
            continue
        if not any(pattern.fullmatch(text) for pattern in patterns):
            return _said(kind, text, name)
    return ""


def touched(asked: Asked, named: Iterable[tuple[tuple[Kind, ...], Patterns]]) -> bool:
    """Say whether a request touches one thing at least of all that is named."""
    return all(
        any(pattern.fullmatch(use.text) for use in asked.uses if use.kind in kinds for pattern in patterns)
        for kinds, patterns in named
    )


def _said(kind: Kind, text: str, name: str) -> str:
    if kind is Kind.MANY:
        return f"{name}: an expression for many at once must be spoken of by a rule's arguments"
    if kind is Kind.CONTEXT and not text:
        return f"{name}: without a context it may lead anywhere"
    # What a command or an odd expression says may be a secret.
    shown = "" if kind is Kind.COMMAND or text == UNREADABLE else f" {text[:_SHOWN]!r}"
    what = (
        UNREADABLE if text == UNREADABLE else f"{'dialplan ' if kind is Kind.FUNCTION else ''}{kind}{shown}"
    )
    return f"{name}: {what} is not allowed by name"
