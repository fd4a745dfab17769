"""The reference of settings, docs/settings.md: types and defaults are written from the code, meanings by people.

`python -m tests.reference` writes it anew (`make reference`); `tests/test_docs.py` sees that this would change nothing.
"""

import json
import re
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

from connector.settings import kinds
from connector.settings.kinds import Address, Bounds, Form, Secret
from connector.settings.sections import Settings, Tls

PATH: Final = Path(__file__).parents[1] / "docs" / "settings.md"
MUST_BE_SET: Final = "must be set"

_MUCH: Final = 1 << 40
_WORDS: Final[Mapping[Any, str]] = {
    bool: "`true`, `false`",
    str: "text",
    Secret: "text",
    ZoneInfo: "IANA name",
    Tls: "`true`, or a table",
    Address: "`host[:port]`, or a list",
    re.Pattern: "list of expressions",
}
_FORMS: Final = {get_args(form)[1]: word for form, word in (
    (kinds.Name, "name"),
    (kinds.TopicName, "topic name"),
    (kinds.Line, "text"),
    (kinds.Url, "URL"),
)}  # fmt: skip
_SECONDS: Final = get_args(kinds.Seconds)[1]
_FILES: Final = ("path", "_file", "user_schemas")
"""How names of settings end that are paths."""


class Setting(NamedTuple):
    """A key with its field and its type."""

    field: "Field[Any]"
    hint: Any


def settings() -> Mapping[str, Setting]:
    """Return every key that a file of settings may have."""
    return {key: each for key, each in _of(Settings, "") if key != "topics.families"}


def _of(section: type, where: str) -> Iterator[tuple[str, Setting]]:
    hints = get_type_hints(section, include_extras=True)
    for each in fields(section):
        key, hint = f"{where}{each.name}", _needed(hints[each.name])
        kind, place = _section(hint, key)
        # A table that is always there, or comes as often as one likes, has rows for its keys alone.
        alone = is_dataclass(each.default) or place.endswith("[].")
        if kind is None or (where and not alone):
            yield key, Setting(each, hint)
        if kind is not None:
            yield from _of(kind, place)


def _needed(hint: Any) -> Any:
    """Return a type without None."""
    if get_origin(hint) in (types.UnionType, typing.Union):
        some = [each for each in get_args(hint) if each is not type(None)]
        return some[0] if len(some) == 1 else hint
    return hint


def _section(hint: Any, key: str) -> tuple[type | None, str]:
    """Return the section behind a setting's type, if there is one, and how its keys begin."""
    if get_origin(hint) is Mapping:
        inner = get_args(hint)[1]
        named = is_dataclass(inner) and isinstance(inner, type)
        return (inner, f"{key}.{_placeholder(key)}.") if named else (None, "")
    if get_origin(hint) is tuple and is_dataclass(get_args(hint)[0]):
        return get_args(hint)[0], f"{key}[]."
    return (hint, f"{key}.") if isinstance(hint, type) and is_dataclass(hint) else (None, "")


def _placeholder(key: str) -> str:
    return {"pbx": "NAME", "topics.families": "FAMILY"}[key]


def type_of(key: str, setting: Setting) -> str:
    """Return what stands in the column of types."""
    if setting.hint is str and key.endswith(_FILES):
        return "path"
    return _type(setting.hint)


def _type(hint: Any) -> str:
    if get_origin(hint) is typing.Annotated:
        return _annotated(*get_args(hint)[:2])
    if get_origin(hint) is Literal:
        return ", ".join(f"`{each}`" for each in get_args(hint))
    if get_origin(hint) is Mapping:
        return "table"
    if get_origin(hint) is tuple:
        return _WORDS.get(get_origin(get_args(hint)[0]) or get_args(hint)[0], "list").replace("text", "list")
    return _WORDS.get(hint, "table")


def _annotated(plain: type, kind: Form | Bounds) -> str:
    if isinstance(kind, Form):
        return _FORMS[kind]
    if kind == _SECONDS and plain is float:
        return "seconds"
    if kind.least < 0:
        return "whole number"
    return (
        f"{_number(kind.least)} and more"
        if kind.greatest >= _MUCH
        else f"{_number(kind.least)} to {_number(kind.greatest)}"
    )


def _number(value: float) -> str:
    return f"{value:.15g}"


def default_of(setting: Setting) -> str | None:
    """Return what stands in the column of defaults; None where people say it: nothing is set, and something else holds."""
    default, factory = setting.field.default, setting.field.default_factory
    if default is MISSING:
        return MUST_BE_SET if factory is MISSING else "`{}`"
    if default is None:
        return None
    if isinstance(default, tuple | bool):
        return f"`{json.dumps(default)}`"
    return f"`{default}`"


def rows(text: str) -> Mapping[str, list[str]]:
    """Return the rows of all keys, each as its cells."""
    split = (
        [cell.strip() for cell in line.split("|")] for line in text.splitlines() if line.startswith("| `")
    )
    return {cells[1].strip("`"): cells for cells in split}


def written(text: str) -> str:
    """Return the reference with the types and defaults that the code has."""
    known = settings()
    return "\n".join(_row(line, known) for line in text.split("\n"))


def _row(line: str, known: Mapping[str, Setting]) -> str:
    if not line.startswith("| `"):
        return line
    _, key, _, default, *meaning = line.split("|")
    name = key.strip().strip("`")
    told = default_of(known[name])
    return "|".join(
        ["", key, f" {type_of(name, known[name])} ", default if told is None else f" {told} ", *meaning]
    )


if __name__ == "__main__":
    PATH.write_text(written(PATH.read_text("utf-8")), "utf-8")
