"""What a rule does to a value.

A value that says nothing (empty, or a sentinel such as `<unknown>`) stays as it is: it covers nobody, and a
pseudonym of it would join all who are unknown.
"""

import hmac
from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple

MASK: Final = "***"

_PSEUDONYM_HEX: Final = 32
"""Digits of a pseudonym: 128 bits, the least to which RFC 2104 lets an HMAC-SHA-256 be cut."""

_MAX_KEPT: Final = 16_384
"""Pseudonyms remembered by a way; a call writes its numbers into each of its events."""

Change = Callable[[bytes], bytes | None]
"""A value to what is told of it; None: its whole line is left out."""


class Do(StrEnum):
    """What a rule does."""

    DROP = "drop"
    MASK = "mask"
    HMAC = "hmac"
    TRUNCATE = "truncate"
    LEAVE = "leave"


class Key(NamedTuple):
    """What pseudonyms are made with, and the name by which they tell so."""

    name: str
    secret: bytes


def drop(value: bytes) -> bytes | None:
    """Leave the line out."""
    return None if value else value


def mask(keep: int) -> Change:
    """Return what keeps the last characters alone; of a value that has no more, nothing."""

    def change(value: bytes) -> bytes:
        text = _text(value)
        if not text or text == MASK:
            return value
        return _bytes(MASK + text[-keep:] if 0 < keep < len(text) else MASK)

    return change


def truncate(keep: int) -> Change:
    """Return what keeps the first characters alone."""
    return lambda value: _bytes(_text(value)[:keep])


def pseudonym(key: Key) -> Change:
    """Return what makes equal values equal pseudonyms, `<key's name>:<HMAC-SHA-256, in hex>`."""
    known: dict[bytes, bytes] = {}

    def change(value: bytes) -> bytes:
        told = known.get(value)
        if told is None:
            if len(known) >= _MAX_KEPT:
                known.clear()
            told = known[value] = digest(key, value) if value else value
        return told

    return change


def digest(key: Key, value: bytes) -> bytes:
    """Return a keyed digest, which nobody without the key can try out."""
    found = hmac.digest(key.secret, value, "sha256").hex()[:_PSEUDONYM_HEX]
    return f"{key.name}:{found}".encode()


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
