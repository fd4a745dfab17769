"""Calls as fast as a PBX makes them, with a bound on how many are alive."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Final, Self

from tests.parts.asterisk import Pbx

_CHANNELS: Final = 2
"""Channels of a call: the two ends of a Local one."""


class Calls:
    """Originates from a session of its own until it is stopped; `hangups` says how many channels have ended."""

    def __init__(self, pbx: Pbx, hangups: Callable[[], int], at_once: int) -> None:
        self.made = 0
        self._hangups = hangups
        self._at_once = at_once
        self._stopping = threading.Event()
        self._resting = False
        self._socket = socket.create_connection((pbx.host, pbx.port))
        login = f"Action: Login\r\nUsername: {pbx.username}\r\nSecret: {pbx.secret}\r\nEvents: off\r\n\r\n"
        self._socket.sendall(login.encode())
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._socket.close()

    @property
    def alive(self) -> int:
        """How many calls have not ended."""
        return self.made - self._hangups() // _CHANNELS

    @contextmanager
    def rest(self) -> Iterator[None]:
        """Begin none while the block lasts; those that are alive go on."""
        self._resting = True
        yield
        self._resting = False

    def stop(self) -> None:
        """Make no more; those that were made go on to their ends."""
        self._stopping.set()
        self._thread.join()

    def _must_wait(self) -> bool:
        return self._resting or self.alive >= self._at_once

    def _run(self) -> None:
        answers = b""
        with suppress(OSError):
            for number in count(1):
                while self._must_wait() and not self._stopping.wait(0.005):
                    pass
                if self._stopping.is_set():
                    return
                self._socket.sendall(
                    b"Action: Originate\r\nActionID: call-%d\r\nChannel: Local/brief@parties/n\r\n"
                    b"Application: Wait\r\nData: 1\r\nAsync: true\r\n\r\n" % number
                )
                while b"ActionID: call-%d\r\n" % number not in answers:
                    answers = answers[-200:] + self._socket.recv(65_536)
                self.made = number
