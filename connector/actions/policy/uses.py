"""What a request would touch on a PBX: contexts, channels to be dialled, applications, variables, functions.

Asterisk takes the first of repeated headers; here every one of them counts, so that no order of them
helps. What is not understood counts as something that nothing short of `*` names.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from connector.actions.policy.functions import UNREADABLE, bare, calls, expressions, items, plain
from connector.ami.action import AmiAction
from connector.ami.catalogue import ActionFacts


class Kind(StrEnum):
    """What is touched."""

    CONTEXT = "context"
    CHANNEL = "channel"
    """A channel to be dialled, as against one that is there already."""

    APPLICATION = "application"
    READ = "variable"
    SET = "variable to be set"
    FUNCTION = "function"
    COMMAND = "command"
    """A text that something runs: the CLI, AGI, a shell."""

    MANY = "many at once"
    """`/regex/` where one name is expected."""


class Use(NamedTuple):
    """One thing that is touched, and by which header."""

    kind: Kind
    text: str
    header: str


Reader = Callable[[str], Iterable[tuple[Kind, str]]]

BLANKS: Final = "".join(map(chr, range(33)))
"""What Asterisk skips at the beginning of a value."""

_ANY: Final = "*"
_SUFFIX: Final = re.compile(r"-[^-]*$")
_GOSUB: Final = re.compile(r"([^,()]+),[^,()]+,[^,()]+(?:\(.*\))?", re.DOTALL)
_LOCAL: Final = "local/"
_LOCALS: Final = re.compile(r"local/[^&,|]*", re.IGNORECASE)
_LOCAL_TO: Final = re.compile(r"local/[^@/]*(?:@([^@/]*))?(?:/[a-z]*)?", re.IGNORECASE)
_INHERITED: Final = re.compile(r"^__?")


def header(action: AmiAction, name: str) -> list[str]:
    """Return every value of a header as Asterisk sees it: names in any case, leading blanks skipped."""
    return [value.lstrip(BLANKS) for each, value in action.headers if each.lower() == name.lower()]


def uses(
    action: AmiAction, variables: Sequence[tuple[str, str]] = (), facts: ActionFacts | None = None
) -> list[Use]:
    """Return all that an action would touch.

    Args:
        action: its name and its headers.
        variables: channel variables that come with it, each by name and unescaped value.
        facts: what the catalogue knows of the action; None: nothing.
    """
    places = _PLACES.get(action.name.lower(), {})
    found = [
        Use(kind, text, name)
        for name, value in action.headers
        for kind, text in _touched(places, name.lower(), value.lstrip(BLANKS), facts)
    ]
    found += [
        Use(kind, text, "Variable")
        for name, value in variables
        for kind, text in _variable(places, name, value)
    ]
    return [*dict.fromkeys([*found, *_assumed(action)])]


def _touched(
    places: Mapping[str, Reader], name: str, value: str, facts: ActionFacts | None
) -> Iterator[tuple[Kind, str]]:
    reader = places.get(name) or (_settings if name == "variable" else None)
    if reader:
        yield from reader(value)
    yield from _evaluated(value)
    # A read takes no free text, and of what the catalogue lacks nobody knows what it evaluates.
    evaluates = facts is None or not facts.effect or name in {each.lower() for each in facts.functions}
    if evaluates and reader is not _gosub:
        yield from ((Kind.FUNCTION, each) for each in calls(value))


def _variable(places: Mapping[str, Reader], name: str, value: str) -> Iterator[tuple[Kind, str]]:
    reader = places.get("variable")
    if reader:
        # The header that carries it would mean something else to this action.
        yield from reader(f"{name}={value}")
    else:
        yield from _set(name)
    for text in (name, value):
        yield from _evaluated(text)
        yield from ((Kind.FUNCTION, each) for each in calls(text))


def _evaluated(value: str) -> Iterator[tuple[Kind, str]]:
    return ((Kind.FUNCTION, each) for each in expressions(value))


def _assumed(action: AmiAction) -> Iterator[Use]:
    """Tell what a header that is not there stands for."""
    name = action.name.lower()
    applications = header(action, "Application")
    runs = name == "originate" and applications and all(applications)
    if name in _NEEDS_CONTEXT and not runs and not header(action, "Context"):
        yield Use(Kind.CONTEXT, "", "Context")
    if name == "setvar" and not all(header(action, "Channel") or [""]):
        # Without a channel it is a global variable, which the function GLOBAL sets too.
        yield Use(Kind.FUNCTION, "GLOBAL", "Channel")


def _context(value: str) -> Iterator[tuple[Kind, str]]:
    yield Kind.CONTEXT, value


def _application(value: str) -> Iterator[tuple[Kind, str]]:
    if value:
        yield Kind.APPLICATION, value


def _command(value: str) -> Iterator[tuple[Kind, str]]:
    """Give the words of a command, and once more without what the command line would take away."""
    yield Kind.COMMAND, " ".join(value.split())
    yield Kind.COMMAND, " ".join(bare(value).split())


def _channel(value: str) -> Iterator[tuple[Kind, str]]:
    yield Kind.CHANNEL, value
    # Whether `&` parts channels depends on who dials; so the whole counts, and each part.
    for each in dict.fromkeys((value, *value.split("&"))):
        if each[: len(_LOCAL)].lower() == _LOCAL:
            yield Kind.CONTEXT, _context_of(each)


def _data(value: str) -> Iterator[tuple[Kind, str]]:
    """Tell what the data of an application calls, and where the Local channels in it lead."""
    yield from ((Kind.CONTEXT, _context_of(each)) for each in _LOCALS.findall(value))
    yield from ((Kind.FUNCTION, each) for each in calls(value))


def _context_of(local: str) -> str:
    """Return the context of a Local channel; one that is oddly written stands for itself."""
    to = _LOCAL_TO.fullmatch(local)
    return (to[1] or "default") if to else local


def _present_channel(value: str) -> Iterator[tuple[Kind, str]]:
    """Tell what is dialled later by the name of a channel that is there now."""
    if value:
        yield from _channel(_SUFFIX.sub("", value))


def _gosub(value: str) -> Iterator[tuple[Kind, str]]:
    """Tell where a subroutine is; without a context it is in the channel's own."""
    if value:
        to = _GOSUB.fullmatch(value)
        yield Kind.CONTEXT, to[1].lstrip(BLANKS) if to else ""
        arguments = value.partition("(")[2]
        yield from ((Kind.FUNCTION, each) for each in calls(arguments))


def _read(value: str) -> Iterator[tuple[Kind, str]]:
    name = re.sub(r"(:-?\d+){0,2}$", "", value)
    if plain(name):
        yield Kind.READ, name
    else:
        yield from ((Kind.FUNCTION, each) for each in calls(value) or (UNREADABLE,))


def _reads(value: str) -> Iterator[tuple[Kind, str]]:
    for each in items(value):
        if each.strip():
            yield from _read(each.strip())


def _all_variables(value: str) -> Iterator[tuple[Kind, str]]:
    if value.lower() not in ("", "false", "no", "0", "off", "n", "f"):
        yield Kind.READ, _ANY


def _set(name: str) -> Iterator[tuple[Kind, str]]:
    name = _INHERITED.sub("", bare(name).strip())
    if plain(name):
        yield Kind.SET, name
    else:
        yield from ((Kind.FUNCTION, each) for each in calls(name) or (UNREADABLE,))


def _settings(value: str) -> Iterator[tuple[Kind, str]]:
    """Read `name=value,name=value`; a comma within quotes or parentheses counts too, to be on the safe side."""
    for each in value.split(","):
        name, equals, _ = each.partition("=")
        # `x)` alone is the rest of a function's arguments.
        if equals and ("(" in name or ")" not in name):
            yield from _set(name)
    yield from ((Kind.FUNCTION, each) for each in calls(value))


def _many(value: str) -> Iterator[tuple[Kind, str]]:
    if value.startswith("/"):
        yield Kind.MANY, value


_NEEDS_CONTEXT: Final = frozenset({"originate", "redirect", "blindtransfer", "atxfer"})

_PLACES: Final[Mapping[str, Mapping[str, Reader]]] = {
    "originate": {
        "channel": _channel, "context": _context, "application": _application, "data": _data, "predialgosub": _gosub,
    },
    "redirect": {"context": _context, "extracontext": _context},
    "blindtransfer": {"context": _context},
    "atxfer": {"context": _context},
    "queueadd": {"interface": _channel},
    # What is dialled when the time in the parking lot is over.
    "park": {"timeoutchannel": _present_channel, "channel2": _present_channel},
    "hangup": {"channel": _many},
    "mwiget": {"mailbox": _many},
    "mwidelete": {"mailbox": _many},
    "getvar": {"variable": _read},
    "status": {"variables": _reads, "allvariables": _all_variables},
    "setvar": {"variable": _set},
    "command": {"command": _command},
    "agi": {"command": _command},
    "mixmonitor": {"command": _command},
    "dialplanextensionadd": {"context": _context, "application": _application, "applicationdata": _data},
    "dialplanextensionremove": {"context": _context},
}  # fmt: skip
