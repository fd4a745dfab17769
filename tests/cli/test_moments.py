"""Times as a person writes them."""

from datetime import UTC, datetime

import pytest
import typer

from connector.cli.moments import local, since_ms, utc

NOW = 1_700_000_000_000


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("", 0),
        ("90s", NOW - 90_000),
        ("15m", NOW - 900_000),
        ("2h", NOW - 7_200_000),
        ("7d", NOW - 604_800_000),
        ("2023-11-14T22:13:20Z", NOW),
        ("2023-11-14T23:13:20+01:00", NOW),
        ("2023-11-14", int(datetime(2023, 11, 14).astimezone().timestamp()) * 1_000),
    ],
)
def test_so_long_ago_or_a_time(text: str, at_ms: int) -> None:
    assert since_ms(text, NOW) == at_ms


@pytest.mark.parametrize("text", ["soon", "2", "h", "-2h", "2w", "25:00", "1e3s"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is neither"):
        since_ms(text, NOW)


def test_times_are_told_for_people_and_programs() -> None:
    assert utc(NOW + 7) == "2023-11-14T22:13:20.007+00:00"
    assert datetime.strptime(local(NOW), "%Y-%m-%d %H:%M:%S").astimezone(UTC).timestamp() * 1_000 == NOW
    assert (utc(None), utc(-1), local(-1)) == (None, None, "")
