"""Capture files."""

import os
import stat
from pathlib import Path

import pytest

from connector.edges.capture import CaptureFile, read_chunks
from connector.errors import CaptureError, SettingsError


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


class TestWriting:
    def test_appends_for_its_owner_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "a.ami"
        with CaptureFile(path) as file:
            assert not path.exists(), "nothing was read yet"
            file.write(b"one")
            file.write(b"two")
        assert (path.read_bytes(), file.size) == (b"onetwo", 6)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_never_writes_over_what_is_there(self, tmp_path: Path) -> None:
        path = tmp_path / "a.ami"
        file = CaptureFile(path)
        path.write_text("another's")
        with file, pytest.raises(SettingsError, match="--force"):
            file.write(b"x")
        with pytest.raises(SettingsError, match="--force"):
            CaptureFile(path)
        (tmp_path / "b.ami").symlink_to(tmp_path / "nowhere")
        with pytest.raises(SettingsError, match="--force"):
            CaptureFile(tmp_path / "b.ami")
        assert path.read_text() == "another's"

    def test_a_full_disk_tears_no_frame(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path, write = tmp_path / "a.ami", os.write
        with CaptureFile(path) as file:
            file.write(b"whole")

            def half(descriptor: int, data: bytes) -> int:
                if len(data) < 4:
                    raise OSError(28, "No space left on device")
                return write(descriptor, data[:2])

            monkeypatch.setattr(os, "write", half)
            with pytest.raises(CaptureError, match=r"a\.ami: No space left"):
                file.write(b"torn!")
        assert path.read_bytes() == b"whole"

    def test_a_place_that_cannot_be_written_is_named(self, tmp_path: Path) -> None:
        with (
            CaptureFile(tmp_path / "no" / "a.ami") as file,
            pytest.raises(CaptureError, match="No such file"),
        ):
            file.write(b"x")
