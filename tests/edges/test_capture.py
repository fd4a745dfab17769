"""Capture files."""

from pathlib import Path

import pytest

from connector.edges.capture import read_chunks
from connector.errors import SettingsError


@pytest.mark.parametrize("size", [1, 3, 1 << 16])
def test_gives_every_byte_in_order(tmp_path: Path, size: int) -> None:
    data = bytes(range(256)) * 3
    (tmp_path / "a.ami").write_bytes(data)
    chunks = list(read_chunks(tmp_path / "a.ami", size))
    assert b"".join(chunks) == data
    assert {len(chunk) for chunk in chunks[:-1]} <= {size}


def test_an_empty_file_gives_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.ami").touch()
    assert list(read_chunks(tmp_path / "a.ami")) == []


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.ami: No such file"):
        list(read_chunks(tmp_path / "none.ami"))
