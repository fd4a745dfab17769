"""A JSON request as the same values that an Avro one decodes to.

JSON is read strictly: what two readers could understand in two ways is refused. A problem names the
place and never repeats a value, which may be a secret.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from connector.actions.instant import milliseconds
from connector.errors import ActionError

Body = Mapping[str, Any]
"""A request's fields as `schemas/actions/request.avsc` names and types them."""

_MAX_DIGITS: Final = 19
"""Characters of a whole number: an Avro long has as many."""


def json_object(value: bytes) -> Mapping[str, Any]:
    """Read a JSON object, not yet looked at.

    Raises:
        ActionError: it is none; the text says where and why.
    """
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        raise ActionError(f"not UTF-8 at byte {error.start}") from None
    try:
        found = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_int, parse_float=_float
        )
    except json.JSONDecodeError as error:
        raise ActionError(f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise ActionError("not a request: nested too deeply") from None
    if not isinstance(found, dict):
        raise ActionError(f"an object is expected, not {_kind(found)}")
    return found


def from_object(found: Mapping[str, Any]) -> Body:
    """Read the fields of a request; those that it leaves out are None.

    Raises:
        ActionError: it has others, or one is not of its type; the text says which and why.
    """
    if unknown := sorted(found.keys() - _READERS.keys()):
        raise ActionError(f"unknown field {_shown(unknown[0])}; known are {', '.join(_READERS)}")
    if found.get("action") is None:
        raise ActionError("action is missing")
    return {name: _field(name, found.get(name), read) for name, read in _READERS.items()}


class _Odd(NamedTuple):
    """A number such as no request may hold, in words."""

    kind: str


def _field(name: str, value: Any, read: Callable[[str, Any], Any]) -> Any:
    return None if value is None else read(name, value)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ActionError(f"{_shown(twice)} stands twice in one object")
    return fields


def _constant(name: str) -> None:
    raise ActionError(f"{name} is no JSON")


def _int(digits: str) -> int | _Odd:
    return int(digits) if len(digits) <= _MAX_DIGITS else _Odd("a number of so many digits")


def _float(_digits: str) -> _Odd:
    return _Odd("a number with a fraction")


def _text(place: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ActionError(f"{place}: text is expected, not {_kind(value)}")
    return _sound(place, value)


def _sound(place: str, text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ActionError(
            f"{place}: not text at character {error.start + 1} (half a surrogate pair)"
        ) from None
    return text


def _value(place: str, value: Any) -> str:
    """Return the text of a parameter; whole numbers may be given as such."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, bool):
        raise ActionError(
            f"{place}: give the word that Asterisk knows (true, yes, 1 ...) as text, not a boolean"
        )
    if not isinstance(value, str):
        raise ActionError(f"{place}: text or a whole number is expected, not {_kind(value)}")
    return _sound(place, value)


def _whole(place: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ActionError(f"{place}: a whole number is expected, not {_kind(value)}")
    return value


def _instant(place: str, value: Any) -> int:
    if isinstance(value, str):
        return milliseconds(place, value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ActionError(
            f"{place}: milliseconds since 1970 or an RFC 3339 time are expected, not {_kind(value)}"
        )
    return value


def _flag(place: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ActionError(f"{place}: true or false is expected, not {_kind(value)}")
    return value


def _pairs(place: str, value: Any) -> list[dict[str, str]]:
    """Read `{name: value}`, `{name: [value, ...]}` or `[{"name": ..., "value": ...}, ...]`."""
    if isinstance(value, dict):
        return [{"name": name, "value": text} for name, text in _of_object(place, value)]
    if isinstance(value, list):
        return [_pair(f"{place}[{at}]", item) for at, item in enumerate(value)]
    raise ActionError(f"{place}: an object or an array is expected, not {_kind(value)}")


def _of_object(place: str, fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in fields.items():
        spot = f"{place}.{_shown(_sound(f'a name in {place}', name))}"
        for each in value if isinstance(value, list) else [value]:
            yield name, _value(spot, each)


def _pair(place: str, item: Any) -> dict[str, str]:
    if not isinstance(item, dict) or item.keys() != {"name", "value"}:
        raise ActionError(f"{place}: an object of name and value is expected")
    return {"name": _text(f"{place}.name", item["name"]), "value": _value(f"{place}.value", item["value"])}


_READERS: Final[Mapping[str, Callable[[str, Any], Any]]] = {
    "request_id": _text,
    "action": _text,
    "pbx": _text,
    "headers": _pairs,
    "variables": _pairs,
    "expires_at": _instant,
    "timeout_ms": _whole,
    "reply_to": _text,
    "accept_parts": _flag,
}


def _shown(name: str) -> str:
    return ascii(name if len(name) <= _MAX_SHOWN else f"{name[:_MAX_SHOWN]}...")


_MAX_SHOWN: Final = 40


def _kind(value: Any) -> str:
    if isinstance(value, _Odd):
        return value.kind
    kinds = {dict: "an object", list: "an array", str: "text", bool: "a boolean", int: "a number"}
    return kinds.get(type(value), "null")
