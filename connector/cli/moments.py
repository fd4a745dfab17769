"""Times as a person writes and reads them."""

import re
from datetime import UTC, datetime
from typing import Final

import typer

_AGO: Final = re.compile(r"(\d{1,6})([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def since_ms(text: str, now_ms: int) -> int:
    """Return what `--since` means, in milliseconds since 1970: so long ago, or a time; 0 for "".

    Raises:
        typer.BadParameter: it is neither.
    """
    if not text:
        return 0
    if ago := _AGO.fullmatch(text):
        return now_ms - int(ago[1]) * _SECONDS[ago[2]] * 1_000
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        told = f"{text!r} is neither 90s, 15m, 2h, 7d nor a time like 2026-01-31T10:00"
        raise typer.BadParameter(told, param_hint="--since") from None
    return int(moment.astimezone().timestamp() * 1_000)


def local(time_ms: int) -> str:
    """Return a time by the local clock, to the second; "" for one that is not known."""
    return datetime.fromtimestamp(time_ms / 1_000).astimezone().strftime("%F %T") if time_ms >= 0 else ""


def utc(time_ms: int | None) -> str | None:
    """Return a time for programs, RFC 3339; None for one that is not known."""
    if time_ms is None or time_ms < 0:
        return None
    return datetime.fromtimestamp(time_ms / 1_000, UTC).isoformat(timespec="milliseconds")
