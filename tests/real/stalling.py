"""A way to a PBX on which events may stay away while answers come."""

import socket
import threading
from contextlib import suppress
from typing import Final, Self

from tests.parts.processes import LOOPBACK

_END: Final = b"\r\n\r\n"


class Stalling:
    """Passes connections on to a port of loopback, until the block ends."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._stalled: set[socket.socket] = set()
        self._door = threading.Event()
        self._door.set()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._door.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for end in self._open:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def stall(self) -> None:
        """Let no event through any more on the connections that there are; answers pass, new connections wait."""
        with self._lock:
            self._stalled = {*self._open}
        self._door.clear()

    def welcome(self) -> None:
        """Let new connections pass."""
        self._door.set()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                self._door.wait()
                there = socket.create_connection((LOOPBACK, self._to))
                with self._lock:
                    self._open |= {here, there}
                threading.Thread(target=self._ask, args=(here, there), daemon=True).start()
                threading.Thread(target=self._answer, args=(there, here), daemon=True).start()

    def _ask(self, here: socket.socket, there: socket.socket) -> None:
        with suppress(OSError):
            while chunk := here.recv(65_536):
                there.sendall(chunk)
        self._close(here, there)

    def _answer(self, there: socket.socket, here: socket.socket) -> None:
        begun, passed = b"", 0
        with suppress(OSError):
            while chunk := there.recv(65_536):
                *frames, rest = (begun + chunk).split(_END)
                for frame in frames:
                    if passed or there not in self._stalled or not frame.startswith(b"Event: "):
                        here.sendall((frame + _END)[passed:])
                    passed = 0
                # What is no whole frame passes at once: the greeting is none.
                if there not in self._stalled:
                    here.sendall(rest[passed:])
                    passed = len(rest)
                begun = rest
        self._close(here, there)

    def _close(self, *ends: socket.socket) -> None:
        with self._lock:
            self._open -= {*ends}
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
