"""Capture files: raw bytes as read from an AMI socket."""

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from connector.errors import CaptureError, SettingsError

CHUNK: Final = 1 << 16
"""Bytes of one read, as a socket may give them."""

_OURS_ALONE: Final = 0o600


def read_chunks(path: Path, size: int = CHUNK) -> Iterator[bytes]:
    """Yield a capture's bytes in order, `size` at a time; the cuts fall anywhere.

    Raises:
        SettingsError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            while chunk := file.read(size):
                yield chunk
    except OSError as error:
        raise SettingsError(f"cannot read the capture {path}: {error.strerror}") from error


class CaptureFile:
    """A capture that is being written, for its owner's eyes alone; it is there from the first bytes on.

    Args:
        path: where.
        force: whether a file that is there already may be written anew.

    Raises:
        SettingsError: there is a file already.
    """

    def __init__(self, path: Path, *, force: bool = False) -> None:
        self.path = path
        self.size = 0
        self._force = force
        self._file: int | None = None
        if not force and os.path.lexists(path):
            raise _there_already(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def write(self, data: bytes) -> None:
        """Append whole frames with their ends; where the disk fails, none of these.

        Raises:
            CaptureError: the file cannot be written.
            SettingsError: there is a file by now.
        """
        file = self._open() if self._file is None else self._file
        written = 0
        try:
            while written < len(data):
                written += os.write(file, memoryview(data)[written:])
        except OSError as error:
            os.ftruncate(file, self.size)
            raise CaptureError(f"{self.path}: {error.strerror}") from error
        self.size += len(data)

    def _open(self) -> int:
        anew = os.O_TRUNC if self._force else os.O_EXCL
        try:
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | anew, _OURS_ALONE)
            # One that was there keeps the rights it had.
            os.fchmod(self._file, _OURS_ALONE)
        except FileExistsError as error:
            raise _there_already(self.path) from error
        except OSError as error:
            raise CaptureError(f"{self.path}: {error.strerror}") from error
        return self._file


def _there_already(path: Path) -> SettingsError:
    return SettingsError(f"{path} is there already; --force writes it anew")
