"""Percent-encoding as in URIs (RFC 3986), of UTF-8."""

import re
from typing import Final

_UNSAFE_IN_KEY: Final = re.compile(r"[^\w/@:.\-;+ ~]", re.ASCII)
_UNSAFE_IN_PATH: Final = re.compile(r"[^\w.\-~]", re.ASCII)
_ESCAPES: Final = re.compile(r"(?:%[0-9A-Fa-f]{2})+", re.ASCII)


def key_part(text: str) -> str:
    """Escape what would make a key of several parts ambiguous; ids and names as Asterisk writes them stay."""
    return _UNSAFE_IN_KEY.sub(_encode, text)


def path_part(text: str) -> str:
    """Escape what may not stand in one segment of a URI's path."""
    return _UNSAFE_IN_PATH.sub(_encode, text)


def unescaped(text: str) -> str:
    """Undo either; what is not UTF-8 then becomes U+FFFD."""
    return _ESCAPES.sub(
        lambda match: bytes.fromhex(match[0].replace("%", "")).decode("utf-8", "replace"), text
    )


def _encode(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode())
