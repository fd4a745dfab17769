"""AMI text to Avro bytes, one function for each wire type.

A reader takes the value's bytes and returns the encoded field, or None where the text is not what
the type says: the field then stays null and the text is kept in `extra`. Facts on spellings and
units: Asterisk's printf conversions, as listed in the catalogue.
"""

import re
from collections.abc import Callable
from datetime import MAXYEAR, MINYEAR, datetime, tzinfo
from typing import Final

from connector.avro.binary import NULL, PRESENT, double, fits_long, long, string
from connector.avro.schema import Field

Reader = Callable[[bytes], bytes | None]

_INT: Final = re.compile(rb"[+-]?\d{1,19}")
_FLOAT: Final = re.compile(rb"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")
_EPOCH: Final = re.compile(rb"(\d{1,11})(?:\.(\d{1,9}))?")
_HMS: Final = re.compile(rb"(\d+):([0-5]\d):([0-5]\d)")
_ESCAPE: Final = re.compile(rb"\\([abfnrtv\\'\"?])")
_PLAIN: Final = {
    b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v",
}  # fmt: skip
_TRUE: Final = frozenset((b"yes", b"1", b"on", b"true", b"enabled"))
_FALSE: Final = frozenset((b"no", b"0", b"off", b"false", b"disabled"))

TWIN_WIRES: Final = frozenset(("text_of_local", "us_of_epoch"))
"""Second halves of a pair of adjacent fields, which one reader fills together."""


def reader_of(field: Field, zone: tzinfo | None) -> Reader:
    """Return the reader of a field that one header fills once.

    `zone` is the PBX's timezone, by which times without one are read; None leaves them null.

    Raises:
        KeyError: the wire type is not known.
    """
    read = _local_reader(zone) if field.wire == "datetime_local" else _READERS[field.wire]
    nulls = frozenset(sentinel.encode() for sentinel in field.sentinels)
    if field.wire == "string":
        return _string_reader(nulls, escaped=field.escaped)
    absent = NULL * 2 if field.wire in _PAIRS else NULL
    return lambda value: absent if not value or value in nulls else read(value)


def utf8(value: bytes) -> bytes:
    """Return a value as UTF-8; what is not becomes U+FFFD."""
    return value if value.isascii() else value.decode("utf-8", "replace").encode()


def unescape(value: bytes) -> bytes:
    r"""Undo Asterisk's C escapes (main/utils.c, ast_escape_c): \a \b \f \n \r \t \v \\ \' \" \?."""
    if b"\\" not in value:
        return value
    return _ESCAPE.sub(lambda match: _PLAIN.get(match[1], match[1]), value)


def _string_reader(nulls: frozenset[bytes], *, escaped: bool) -> Reader:
    def read(value: bytes) -> bytes:
        if value in nulls:
            return NULL
        return PRESENT + string(utf8(unescape(value) if escaped else value))

    return read


def _int(value: bytes) -> bytes | None:
    if not _INT.fullmatch(value) or not fits_long(number := int(value)):
        return None
    return PRESENT + long(number)


def _float(value: bytes) -> bytes | None:
    # RTCP's MES is written in four places: a small one begins with a blank.
    value = value.lstrip(b" ")
    return PRESENT + double(float(value)) if _FLOAT.fullmatch(value) else None


def _boolean(value: bytes) -> bytes | None:
    lower = value.lower()
    if lower in _TRUE:
        return PRESENT + b"\x01"
    return PRESENT + b"\x00" if lower in _FALSE else None


def _epoch_s(value: bytes) -> bytes | None:
    match = _EPOCH.fullmatch(value)
    if not match:
        return None
    millis = int(match[1]) * 1000 + int((match[2] or b"").ljust(3, b"0")[:3])
    # Asterisk writes 0 for a time that never was (QueueMemberStatus LastCall).
    return PRESENT + long(millis) if millis else NULL


def _epoch_us(value: bytes) -> bytes | None:
    if not _INT.fullmatch(value) or not fits_long(micros := int(value)):
        return None
    return PRESENT + long(micros // 1000) + PRESENT + long(micros)


def _hms(value: bytes) -> bytes | None:
    match = _HMS.fullmatch(value)
    if not match or not fits_long(seconds := int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3])):
        return None
    return PRESENT + long(seconds)


def _iso8601(value: bytes) -> bytes | None:
    time = _datetime(value)
    return None if time is None or time.tzinfo is None else PRESENT + long(_millis(time))


def _local_reader(zone: tzinfo | None) -> Reader:
    def read(value: bytes) -> bytes | None:
        time = _datetime(value)
        if time is None or time.tzinfo is not None:
            return NULL + PRESENT + string(utf8(value))
        moment = NULL if zone is None else PRESENT + long(_millis(time.replace(tzinfo=zone)))
        return moment + PRESENT + string(value)

    return read


def _datetime(value: bytes) -> datetime | None:
    try:
        time = datetime.fromisoformat(value.decode("ascii"))
    except ValueError:
        return None
    # At the calendar's ends a zone's offset leads out of it.
    return time if MINYEAR < time.year < MAXYEAR else None


def _millis(time: datetime) -> int:
    return int(time.timestamp() * 1000)


_PAIRS: Final = frozenset(("datetime_local", "epoch_us"))
_READERS: Final[dict[str, Reader]] = {
    "string": lambda value: PRESENT + string(utf8(value)),
    "int": _int,
    "float": _float,
    "boolean": _boolean,
    "epoch_s": _epoch_s,
    "epoch_us": _epoch_us,
    "duration_s": _int,
    "duration_ms": _int,
    "duration_us": _int,
    "duration_s_float": _float,
    "duration_hms": _hms,
    "datetime_iso8601": _iso8601,
}
WIRES: Final = frozenset(_READERS) | {"datetime_local", "strings", "map"} | TWIN_WIRES
"""Every wire type that a schema may name."""
