"""Small values that outlive a process: how far a journal is released, its epoch, and who has it."""

import fcntl
import os
import re
import struct
from pathlib import Path
from typing import Final
from zlib import crc32

from connector.errors import JournalInUse

_SLOT: Final = struct.Struct("<QI")
_LOCK: Final = "lock"
_LOCKS: Final = Path("/proc/locks")
_HELD: Final = re.compile(r"\d+: FLOCK +\w+ +\w+ +(\d+) ([0-9a-f]+:[0-9a-f]+):(\d+) ", re.ASCII)
"""A lock of a whole file: process, device, inode; of one who waits for it an arrow comes first."""


class Marker:
    """A number that only grows; two slots take turns, so that a torn write spoils the older at most.

    Args:
        path: its file, which is made.

    Raises:
        OSError: the file cannot be made, read or written; `set` raises it too.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        found = _slots(os.pread(self._file, 2 * _SLOT.size, 0))
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


def number_in(path: Path) -> int:
    """Return a marker's number without opening it for writing; 0 where there is none.

    Raises:
        OSError: it cannot be read.
    """
    try:
        return max(_slots(path.read_bytes()))
    except FileNotFoundError:
        return 0


def _slots(data: bytes) -> list[int]:
    return [_value(data[start : start + _SLOT.size]) for start in (0, _SLOT.size)]


def _value(slot: bytes) -> int:
    if len(slot) < _SLOT.size:
        return 0
    value, checksum = _SLOT.unpack(slot)
    return value if crc32(slot[:8]) == checksum else 0


class Lock:
    """A folder in the hands of one process, until that ends.

    Args:
        folder: whose.

    Raises:
        JournalInUse: another process has it.
        OSError: the file of the lock cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
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


def owner_of(folder: Path, locks: Path = _LOCKS) -> int | None:
    """Return the process that has a folder, without asking for it; None where none has.

    Who holds a lock is told by Linux (proc(5): device and inode of each). Its numbers of processes are those of
    the asker's namespace, and some file systems have another device there: then the number in the file counts.

    Args:
        folder: whose.
        locks: the kernel's list; where it is not there, the process named in the folder's file must be alive.

    Raises:
        OSError: the folder's file cannot be read.
    """
    try:
        said = (folder / _LOCK).read_text("ascii", "replace").strip()
        found = (folder / _LOCK).stat()
    except FileNotFoundError:
        return None
    named = int(said) if said.isdecimal() else 0
    try:
        lines = locks.read_text().splitlines()
    except OSError:
        return named if named and _is_alive(named) else None
    device = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}"
    for holder, place, inode in (found_in.groups() for line in lines if (found_in := _HELD.match(line))):
        if int(inode) == found.st_ino and (place == device or int(holder) == named):
            return int(holder)
    return None


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
