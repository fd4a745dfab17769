"""The way between a client and a server on loopback, on which everything goes wrong that can on a network."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from time import sleep
from typing import Final, Self

from tests.faults.cutting import Cutting
from tests.parts.processes import LOOPBACK, free_port

_READ: Final = 65_536


class Cable:
    """Passes bytes on to a port of loopback, both ways, until the block ends."""

    def __init__(self, port: int) -> None:
        self._to = port
        # Not a port of the kernel's choice: while nobody listens there a client's own end could be given it.
        self.port: int = free_port()
        self._listener = socket.create_server((LOOPBACK, self.port))
        self._lock = threading.Lock()
        self._ends: set[socket.socket] = set()
        self._cutting = Cutting()
        self._passing = threading.Event()
        self._passing.set()
        self._morsel, self._pause_s = _READ, 0.0

    def __enter__(self) -> Self:
        self._listen()
        return self

    def __exit__(self, *_: object) -> None:
        self.refuse()
        self.unmute()
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
        return self._cutting.due

    def cut_after(self, *sizes: int) -> None:
        """Cut when exactly so many bytes have come from the server; then again, after as many as the next says."""
        with self._lock:
            self._cutting.after(*sizes)

    def tear(self, mark: bytes) -> None:
        """Cut right behind the next such bytes from the server, in the middle of what they stand in."""
        with self._lock:
            self._cutting.behind(mark)

    def mute(self) -> None:
        """Pass nothing on, either way, and close nothing: neither end is told."""
        self._passing.clear()

    def unmute(self) -> None:
        """Pass on what has come meanwhile, and what comes."""
        self._passing.set()

    def delay(self, pause_s: float) -> None:
        """Have what is read wait for so long, in seconds, before it goes on; 0: no more of it."""
        self._morsel, self._pause_s = _READ, pause_s

    def drain(self, morsel: int, pause_s: float) -> None:
        """Pass on so few bytes at a time, with so long a pause before each; `delay(0)` ends it."""
        self._morsel, self._pause_s = morsel, pause_s

    def refuse(self) -> None:
        """Let nobody in, as where no server listens; who is in stays."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def welcome(self) -> None:
        """Let clients in again, by the same port."""
        self._listener = socket.create_server((LOOPBACK, self.port))
        self._listen()

    def _listen(self) -> None:
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                here, _ = listener.accept()
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
            while chunk := source.recv(_READ):
                last = False
                if answers:
                    with self._lock:
                        chunk, last = self._cutting.take(chunk)
                for morsel in self._morsels(chunk):
                    self._passing.wait()
                    sink.sendall(morsel)
                if last:
                    self.cut()
        with self._lock:
            self._ends -= {source, sink}
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _morsels(self, chunk: bytes) -> Iterator[bytes]:
        while chunk:
            size, pause_s = self._morsel, self._pause_s
            if pause_s:
                sleep(pause_s)
            morsel, chunk = chunk[:size], chunk[size:]
            yield morsel
