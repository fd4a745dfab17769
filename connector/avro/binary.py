"""Avro's binary encoding of the few types that a record of ours is made of.

Avro 1.12, "Binary Encoding": a long is a zig-zag varint, a string its length and its UTF-8, a union
the index of its branch and the value, an array or map blocks of a count and the items, ended by 0.
"""

import struct
from typing import Final

NULL: Final = b"\x00"
"""The first branch of `["null", T]`, an empty array, an empty map, or False."""

PRESENT: Final = b"\x02"
"""The branch index of T in `["null", T]`."""

_SEVEN_BITS: Final = 0x7F
_FOURTEEN_BITS: Final = 0x3FFF
_LONG_MIN: Final = -(1 << 63)
_LONG_MAX: Final = (1 << 63) - 1
_FIRST_MICROS: Final = 1 << 41
_LAST_MICROS: Final = (1 << 41) * 1000

_ENDING: Final = [
    bytes((n,)) if n <= _SEVEN_BITS else bytes((n & 0x7F | 0x80, n >> 7)) for n in range(0x4000)
]
_GOING_ON: Final = [bytes((n & 0x7F | 0x80, n >> 7 | 0x80)) for n in range(0x4000)]

SIZES: Final = _ENDING[::2]
"""The sizes, from 0 to 8,191, of strings and blocks, encoded."""


def fits_long(number: int) -> bool:
    """Tell whether a number has a place in Avro's 64-bit long."""
    return _LONG_MIN <= number <= _LONG_MAX


def long(number: int) -> bytes:
    """Encode a 64-bit integer, fourteen bits at a time; written out for the sizes that times have."""
    rest = (number << 1) ^ (number >> 63)
    if rest <= _FOURTEEN_BITS:
        return _ENDING[rest]
    if rest < 1 << 28:
        return _GOING_ON[rest & _FOURTEEN_BITS] + _ENDING[rest >> 14]
    low = _GOING_ON[rest & _FOURTEEN_BITS] + _GOING_ON[rest >> 14 & _FOURTEEN_BITS]
    if rest < 1 << 42:
        return low + _ENDING[rest >> 28]
    if rest < 1 << 56:
        return low + _GOING_ON[rest >> 28 & _FOURTEEN_BITS] + _ENDING[rest >> 42]
    middle = _GOING_ON[rest >> 28 & _FOURTEEN_BITS] + _GOING_ON[rest >> 42 & _FOURTEEN_BITS]
    return low + middle + _ENDING[rest >> 56]


def instant(micros: int) -> bytes:
    """Encode a time as two longs: milliseconds and microseconds since 1970; written out for our century."""
    if not _FIRST_MICROS <= micros < _LAST_MICROS:
        return long(micros // 1000) + long(micros)
    us = micros << 1
    ms = micros // 1000 << 1
    return (
        _GOING_ON[ms & _FOURTEEN_BITS]
        + _GOING_ON[ms >> 14 & _FOURTEEN_BITS]
        + _ENDING[ms >> 28]
        + _GOING_ON[us & _FOURTEEN_BITS]
        + _GOING_ON[us >> 14 & _FOURTEEN_BITS]
        + _GOING_ON[us >> 28 & _FOURTEEN_BITS]
        + _ENDING[us >> 42]
    )


def string(utf8: bytes) -> bytes:
    """Encode text that is UTF-8 already."""
    return long(len(utf8)) + utf8


def double(number: float) -> bytes:
    """Encode a float as IEEE 754 double, little endian."""
    return struct.pack("<d", number)


def optional_string(text: str | None) -> bytes:
    """Encode a value of `["null", "string"]`."""
    return NULL if text is None else PRESENT + string(text.encode())
