"""Small values that outlive a process: how far a journal is released, its epoch, and who has it."""

import fcntl
import os
import struct
from pathlib import Path
from typing import Final
from zlib import crc32

from connector.errors import JournalInUse

_SLOT: Final = struct.Struct("<QI")


class Marker:
    """A number that only grows; two slots take turns, so that a torn write spoils the older at most.

    Args:
        path: its file, which is made.

    Raises:
        OSError: the file cannot be made, read or written; `set` raises it too.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        found = [self._read(slot) for slot in range(2)]
        self.value = max(found)
        self._next = found.index(min(found))

    def set(self, value: int) -> None:
        """Set the number."""
        text = struct.pack("<Q", value)
        os.pwrite(self._file, text + struct.pack("<I", crc32(text)), self._next * _SLOT.size)
        self.value, self._next = value, 1 - self._next

    def sync(self) -> None:
        """Have the number outlive a loss of power."""
        os.fsync(self._file)

    def close(self) -> None:
        """Give back the file."""
        os.close(self._file)

    def _read(self, slot: int) -> int:
        data = os.pread(self._file, _SLOT.size, slot * _SLOT.size)
        if len(data) < _SLOT.size:
            return 0
        value, checksum = _SLOT.unpack(data)
        return value if crc32(data[:8]) == checksum else 0


class Lock:
    """A folder in the hands of one process, until that ends.

    Args:
        folder: whose.

    Raises:
        JournalInUse: another process has it.
        OSError: the file of the lock cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(self._file, 32, 0).decode("ascii", "replace").strip()
            os.close(self._file)
            raise JournalInUse(
                f"{folder}: the journal is in use by process {owner or 'unknown'}: "
                "one connector at a time may have it; run --take-over waits for it"
            ) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, b"%d\n" % os.getpid(), 0)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._file)
