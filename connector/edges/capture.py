"""Capture files: raw bytes as read from an AMI socket."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from connector.errors import SettingsError

CHUNK: Final = 1 << 16
"""Bytes of one read, as a socket may give them."""


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
