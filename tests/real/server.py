"""A manager port on loopback that lets anybody in and then says what a test gives it, cut as it likes."""

import socket
import threading
from collections.abc import Iterable
from contextlib import suppress
from typing import Self

from tests.parts.processes import LOOPBACK

GREETING = b"Asterisk Call Manager/11.0.0\r\n"
BOOTED = b"Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\n\r\n"


class Server:
    """Serves one session: answers each action with Success, and after the login says the pieces."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        self._turn = threading.Lock()
        self._client: socket.socket | None = None
        self._threads = [threading.Thread(target=self._serve, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if self._client is not None:
            with suppress(OSError):
                self._client.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        with suppress(OSError):
            self._client, _ = self._listener.accept()
            with self._client as client:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                client.sendall(GREETING)
                self._answer(client)

    def _answer(self, client: socket.socket) -> None:
        heard, asked = b"", 0
        while chunk := client.recv(65536):
            *actions, heard = (heard + chunk).split(b"\r\n\r\n")
            for action in actions:
                headers = dict(line.split(b": ", 1) for line in action.split(b"\r\n"))
                self._say(client, b"Response: Success\r\nActionID: %b\r\n\r\n" % headers[b"ActionID"])
                if headers[b"Action"] == b"Logoff":
                    return
            asked += len(actions)
            # The login and one question come before the session counts as up.
            if asked >= 2 and len(self._threads) == 1:
                self._threads.append(threading.Thread(target=self._talk, args=(client,), daemon=True))
                self._threads[1].start()

    def _talk(self, client: socket.socket) -> None:
        with suppress(OSError), self._turn:
            for piece in self._pieces:
                client.sendall(piece)

    def _say(self, client: socket.socket, answer: bytes) -> None:
        # An answer must not fall into the middle of an event that is given in pieces.
        with self._turn:
            client.sendall(answer)
