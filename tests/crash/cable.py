"""The way between connectors and a PBX, which can be cut."""

import socket
import threading
from contextlib import suppress
from typing import Self

from tests.parts.processes import LOOPBACK


class Cable:
    """Passes bytes on to a port of loopback, both ways, until the block ends."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._ends: set[socket.socket] = set()
        self._cuts: list[int] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> int:
        """End every connection; new ones are let through. Return how many there were."""
        with self._lock:
            ends, self._ends = self._ends, set()
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        return len(ends) // 2

    def lead_to(self, port: int) -> None:
        """Pass new connections on to another port."""
        self._to = port

    @property
    def armed(self) -> bool:
        """Whether a cut is still to come."""
        return bool(self._cuts)

    def cut_after(self, *sizes: int) -> None:
        """Cut as soon as so many bytes have come from the PBX; then again, after as many as the next says."""
        with self._lock:
            self._cuts = [*sizes]

    def _is_due(self, size: int) -> bool:
        with self._lock:
            if not self._cuts:
                return False
            self._cuts[0] -= size
            due = self._cuts[0] <= 0
            if due:
                del self._cuts[0]
            return due

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                try:
                    there = socket.create_connection((LOOPBACK, self._to), timeout=5)
                except OSError:
                    here.close()
                    continue
                there.settimeout(None)
                with self._lock:
                    self._ends |= {here, there}
                threading.Thread(target=self._pass, args=(here, there, False), daemon=True).start()
                threading.Thread(target=self._pass, args=(there, here, True), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        with suppress(OSError):
            while chunk := source.recv(65536):
                sink.sendall(chunk)
                if answers and self._is_due(len(chunk)):
                    self.cut()
        with self._lock:
            self._ends -= {source, sink}
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
