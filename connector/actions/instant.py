"""Instants as RFC 3339 writes them, to and from milliseconds since 1970."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from connector.errors import ActionError

MAX_MS: Final = 253_402_300_799_999
"""The last millisecond of the year 9999, after which no clock of ours can tell the time."""

_FORM: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def milliseconds(place: str, text: str) -> int:
    """Read a date-time with its offset from UTC; fractions of a millisecond are cut.

    Raises:
        ActionError: it is none; the text names the place.
    """
    if not _FORM.fullmatch(text):
        raise ActionError(f"{place}: not a time as RFC 3339 writes it (2026-01-31T12:00:00Z)")
    try:
        return (datetime.fromisoformat(text.upper()) - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        raise ActionError(f"{place}: there is no such time") from None


def rfc3339(at_ms: int) -> str:
    """Write an instant in UTC, with milliseconds."""
    text = (_EPOCH + timedelta(milliseconds=at_ms)).isoformat(timespec="milliseconds")
    return f"{text.removesuffix('+00:00')}Z"
