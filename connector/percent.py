"""Percent-encoding as in URIs (RFC 3986), of UTF-8."""

import re
from typing import Final

_UNSAFE_IN_KEY: Final = re.compile(r"[^\w/@:.\-;+ ~]", re.ASCII)
_UNSAFE_IN_PATH: Final = re.compile(r"[^\w.\-~]", re.ASCII)


def key_part(text: str) -> str:
    """Escape what would make a key of several parts ambiguous; ids and names as Asterisk writes them stay."""
    return _UNSAFE_IN_KEY.sub(_encode, text)


def path_part(text: str) -> str:
    """Escape what may not stand in one segment of a URI's path."""
    return _UNSAFE_IN_PATH.sub(_encode, text)


def _encode(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode())
