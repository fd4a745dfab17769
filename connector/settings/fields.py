"""From what a document says to the types of the sections; every error names the key."""

import difflib
import math
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

from connector.errors import SettingsError
from connector.settings.kinds import Address, Bounds, Form, Option, Options, Outside, Secret
from connector.settings.sections import Tls

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_SECRET_OPTION: Final = re.compile(r"password|secret|token|user\.info|\.pem$|jaas|oauthbearer\.config")
_HOST: Final = re.compile(r"[^\s:\[\]/@,]+")
_BOOLEANS: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def join(where: str, key: str) -> str:
    """Return the path of a key as TOML would write it."""
    key = key if _BARE.fullmatch(key) else repr(key)
    return f"{where}.{key}" if where else key


def near(word: str, words: Iterable[str]) -> str:
    """Return `; did you mean ...` where there is something near, else nothing."""
    found = difflib.get_close_matches(word, sorted(words), n=1)
    return f"; did you mean {found[0]!r}?" if found else ""


def read(kind: Any, value: object, where: str) -> Any:
    """Return `value` as a `kind`.

    Raises:
        SettingsError: it is none; each problem in a line of its own, which begins with the key.
    """
    if kind == Options:
        return _options(value, where)
    if is_dataclass(kind) and isinstance(kind, type):
        return _section(kind, value, where)
    by_origin = _BY_ORIGIN.get(get_origin(kind))
    return by_origin(get_args(kind), value, where) if by_origin else _PLAIN[kind](value, where)


def _section(kind: type, value: object, where: str) -> Any:
    table = _as_table(value, where)
    hints = get_type_hints(kind, include_extras=True)
    known = {each.name: each for each in fields(kind)}
    problems = [f"{join(where, key)}: no such setting{near(key, known)}" for key in table.keys() - known]
    found: dict[str, Any] = {}
    for name, each in known.items():
        try:
            if name in table:
                found[name] = read(hints[name], table[name], join(where, name))
            elif each.default is MISSING and each.default_factory is MISSING:
                found[name] = _missing(hints[name], join(where, name))
        except SettingsError as error:
            problems.append(str(error))
    if problems:
        raise SettingsError("\n".join(problems))
    return kind(**found)


def _missing(kind: Any, where: str) -> Any:
    """Name what must be set of a table that is not there at all."""
    if is_dataclass(kind) and isinstance(kind, type):
        return _section(kind, {}, where)
    raise SettingsError(f"{where}: must be set")


def _table(kinds: tuple[Any, ...], value: object, where: str) -> dict[str, Any]:
    found, problems = {}, []
    for key, each in _as_table(value, where).items():
        try:
            name = read(kinds[0], key, join(where, key))
            found[name] = read(kinds[1], each, join(where, key))
        except SettingsError as error:
            problems.append(str(error))
    if problems:
        raise SettingsError("\n".join(problems))
    return found


def _as_table(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise SettingsError(f"{where}: must be a table, [{where}]")
    return value


def _checked(kind_and_rules: tuple[Any, ...], value: object, where: str) -> Any:
    kind, rule = kind_and_rules
    found = read(kind, value, where)
    if isinstance(rule, Bounds) and not rule.least <= found <= rule.greatest:
        raise SettingsError(f"{where}: must be {rule}{_not(value)}")
    if isinstance(rule, Form) and not rule.pattern.fullmatch(found):
        raise SettingsError(f"{where}: must be {rule}{_not(value) if rule.told else ''}")
    return found


def _not(value: object) -> str:
    """Return `, not <value>` where the value stood in the file itself and is short."""
    if isinstance(value, Outside) or not isinstance(value, str | int | float):
        return ""
    shown = repr(value)
    return f", not {shown}" if len(shown) <= 80 else ""  # noqa: PLR2004 (one line of a terminal)


def _optional(kinds: tuple[Any, ...], value: object, where: str) -> Any:
    (inner,) = (each for each in kinds if each is not NoneType)
    if inner is Tls and not isinstance(value, Mapping):
        return Tls() if _boolean(value, where) else None
    return read(inner, value, where)


def _one_of(words: tuple[str, ...], value: object, where: str) -> str:
    if isinstance(value, str) and value in words:
        return str(value)
    hint = near(value, words) if isinstance(value, str) and not isinstance(value, Outside) else ""
    raise SettingsError(f"{where}: must be one of {', '.join(words)}{_not(value)}{hint}")


def _several(kinds: tuple[Any, ...], value: object, where: str) -> tuple[Any, ...]:
    kind = kinds[0]
    if is_dataclass(kind):
        return _tables(kind, value, where)
    # Commas are part of many an expression: from outside it comes alone.
    if isinstance(value, Outside) and get_origin(kind) is not re.Pattern:
        value = [Outside(part.strip()) for part in value.split(",") if part.strip()]
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list):
        raise SettingsError(f"{where}: must be a list of texts, or one text")
    return tuple(read(kind, each, f"{where}[{place}]") for place, each in enumerate(values))


def _tables(kind: Any, value: object, where: str) -> tuple[Any, ...]:
    """Read an array of tables; the environment gives them by number."""
    if isinstance(value, Mapping) and all(key.isdecimal() for key in value):
        value = [value[key] for key in sorted(value, key=int)]
    if not isinstance(value, list):
        raise SettingsError(f"{where}: must be tables, [[{where}]]")
    found, problems = [], []
    for place, each in enumerate(value):
        try:
            found.append(_section(kind, each, f"{where}[{place}]"))
        except SettingsError as error:
            problems.append(str(error))
    if problems:
        raise SettingsError("\n".join(problems))
    return tuple(found)


def _pattern(_: tuple[Any, ...], value: object, where: str) -> re.Pattern[str]:
    text = _text(value, where)
    try:
        with warnings.catch_warnings(action="error", category=FutureWarning):
            return re.compile(text)
    except (re.error, FutureWarning, RecursionError, OverflowError) as error:
        raise SettingsError(f"{where}: must be a regular expression: {error}") from error


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise SettingsError(f'{where}: must be text, in "quotes"')
    return str(value)


def _secret(value: object, where: str) -> Secret:
    if not isinstance(value, str) or not value:
        raise SettingsError(f'{where}: must be text, in "quotes", not empty')
    if not value.isprintable():
        raise SettingsError(f"{where}: holds control characters")
    return Secret(str(value))


def _boolean(value: object, where: str) -> bool:
    if isinstance(value, Outside):
        value = _BOOLEANS.get(value.lower(), value)
    if not isinstance(value, bool):
        raise SettingsError(f"{where}: must be true or false{_not(value)}")
    return value


def _integer(value: object, where: str) -> int:
    if isinstance(value, Outside) and re.fullmatch(r"[+-]?[0-9]{1,19}", value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise SettingsError(f"{where}: must be a whole number{_not(value)}")
    return value


def _number(value: object, where: str) -> float:
    if isinstance(value, Outside) and re.fullmatch(r"[+-]?[0-9]{1,19}(\.[0-9]{1,19})?", value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise SettingsError(f"{where}: must be a number{_not(value)}")
    return float(value)


def _address(value: object, where: str) -> Address:
    text = _text(value, where)
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        valid = bool(closed) and re.fullmatch(r"[0-9A-Fa-f:.]+(%\w+)?", host)
    else:
        host, colon, port = text.partition(":")
        rest, valid = colon + port, _HOST.fullmatch(host)
    number = re.fullmatch(r":([0-9]{1,5})|", rest)
    if not valid or not number or not 0 < int(number[1] or 1) < 1 << 16:
        raise SettingsError(f"{where}: must be host:port or [IPv6]:port{_not(value)}")
    return Address(host, int(number[1] or 0))


def _zone(value: object, where: str) -> ZoneInfo:
    text = _text(value, where)
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError, RecursionError) as error:
        raise SettingsError(
            f"{where}: must be the IANA name of a timezone, as Europe/Berlin{_not(value)}"
        ) from error


def _options(value: object, where: str) -> Options:
    """Flatten, since TOML reads `ssl.ca.location = ...` as tables; keep each value as it is."""
    found: dict[str, Option] = {}
    for key, each in _as_table(value, where).items():
        if isinstance(each, Mapping):
            inner = _options(each, join(where, key))
            found.update({f"{key}.{rest}": option for rest, option in inner.items()})
        elif isinstance(each, str) and _SECRET_OPTION.search(f"{where}.{key}"):
            found[key] = Secret(str(each))
        elif isinstance(each, str | int | float):
            found[key] = str(each) if isinstance(each, str) else each
        else:
            raise SettingsError(f"{join(where, key)}: must be text, a number, true or false")
    return found


_BY_ORIGIN: Final[dict[Any, Callable[[tuple[Any, ...], object, str], Any]]] = {
    Annotated: _checked,
    Union: _optional,
    UnionType: _optional,
    Literal: _one_of,
    tuple: _several,
    Mapping: _table,
    re.Pattern: _pattern,
}
_PLAIN: Final[dict[Any, Callable[[object, str], Any]]] = {
    str: _text,
    int: _integer,
    float: _number,
    bool: _boolean,
    Secret: _secret,
    Address: _address,
    ZoneInfo: _zone,
}
