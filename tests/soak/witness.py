"""A session of the soak's own that only listens, with every right and no filter: what the PBX has said."""

import mmap
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from tests.parts.asterisk import Pbx
from tests.parts.processes import wait_until
from tests.soak.evidence import Sent

_EVENT: Final = re.compile(
    rb"^Event: ([^\r\n]+)\r\nPrivilege: [^\r\n]*\r\nTimestamp: (\d+)\.(\d{6})\r\nSequenceNumber: (\d+)\r\n",
    re.MULTILINE,
)
_NUMBERED: Final = b"\r\nSequenceNumber: "
_ENDED: Final = b"Event: Hangup\r\n"


class Witness:
    """Writes what it reads into a file, and counts meanwhile: events, and channels that have ended."""

    def __init__(self, pbx: Pbx, file: Path) -> None:
        self.events = 0
        self.hangups = 0
        self._file = file
        self._end = b""
        self._socket = socket.create_connection((pbx.host, pbx.port))
        login = f"Action: Login\r\nUsername: {pbx.username}\r\nSecret: {pbx.secret}\r\nEvents: on\r\n\r\n"
        self._socket.sendall(login.encode())
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        wait_until(lambda: self._file.exists() and b"FullyBooted" in self._file.read_bytes(), "the witness")
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def more(self, events: int) -> None:
        """Wait until so many more events came."""
        due = self.events + events
        wait_until(lambda: self.events >= due, f"{events} more events of the PBX", within=180)

    def sent(self) -> Iterator[Sent]:
        """Yield every numbered event, in the order of reading; to be asked when the block has ended."""
        with self._file.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
            for name, seconds, micros, number in _EVENT.findall(text):
                yield Sent(int(number), name.decode(), int(seconds) * 1_000_000 + int(micros))

    def number_of(self, user_event: str) -> int:
        """Return the number of the one UserEvent with this name."""
        frames = self._file.read_bytes().split(b"\r\n\r\n")
        line = f"\r\nUserEvent: {user_event}\r\n".encode()
        (frame,) = (each for each in frames if line in each + b"\r\n")
        return int(frame.partition(_NUMBERED)[2].partition(b"\r\n")[0])

    def _read(self) -> None:
        with self._file.open("wb", buffering=0) as file, suppress(ConnectionError):
            while chunk := self._socket.recv(1 << 18):
                file.write(chunk)
                self.events += self._new(_NUMBERED, chunk)
                self.hangups += self._new(_ENDED, chunk)
                self._end = chunk[-32:] if len(chunk) >= 32 else (self._end + chunk)[-32:]

    def _new(self, mark: bytes, chunk: bytes) -> int:
        """Count a mark in what was read, where it ends in this chunk."""
        return (self._end[-(len(mark) - 1) :] + chunk).count(mark)
