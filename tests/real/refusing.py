"""A way to a broker that refuses the first records of a topic itself, as brokers do that are not their leader yet.

What follows them on the same connection goes through: brokers up to 4.4 append it, though the producer's numbers
do not begin with 0 (KAFKA-15591).
"""

import socket
import struct
import threading
from contextlib import suppress
from typing import Final, Self

from tests.parts.processes import LOOPBACK

_PRODUCE: Final = 0
_NOT_LEADER: Final = 6


class Refusing:
    """Passes bytes on, and answers one Produce request for each topic instead of the broker."""

    def __init__(self, port: int, broker: int) -> None:
        self._broker = broker
        self._listener = socket.create_server((LOOPBACK, port))
        self.refused: list[str] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                broker = socket.create_connection((LOOPBACK, self._broker))
                for work in (self._ask, self._answer):
                    threading.Thread(target=work, args=(client, broker), daemon=True).start()

    def _ask(self, client: socket.socket, broker: socket.socket) -> None:
        held: bytes | None = None
        with client, broker, suppress(OSError, EOFError):
            while True:
                request = _message(client)
                if held is None and _is_produce(request) and _topic(request)[0].decode() not in self.refused:
                    # Answered only when more is on its way.
                    held = request
                    continue
                if held is not None:
                    self.refused.append(_topic(held)[0].decode())
                    client.sendall(_refusal(held))
                    held = None
                broker.sendall(request)

    def _answer(self, client: socket.socket, broker: socket.socket) -> None:
        with suppress(OSError):
            while data := broker.recv(65_536):
                client.sendall(data)


def _message(peer: socket.socket) -> bytes:
    """Return one message with its length in front."""
    head = _exactly(peer, 4)
    return head + _exactly(peer, *struct.unpack(">i", head))


def _exactly(peer: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = peer.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def _is_produce(request: bytes) -> bool:
    key, version = struct.unpack_from(">hh", request, 4)
    if key == _PRODUCE:
        assert version in (9, 10), "a Produce request of a form that this cannot read"
    return bool(key == _PRODUCE)


def _topic(request: bytes) -> tuple[bytes, int]:
    """Return the first topic of a Produce request, and its first partition."""
    place = 12
    (length,) = struct.unpack_from(">h", request, place)
    # Behind the client's id and the tags: a transactional id, acks, a timeout, and a count of topics.
    place += 2 + max(length, 0) + 1
    place += max(request[place], 1) + 2 + 4 + 1
    size = request[place] - 1
    name = request[place + 1 : place + 1 + size]
    (partition,) = struct.unpack_from(">i", request, place + 1 + size + 1)
    return name, partition


def _refusal(request: bytes) -> bytes:
    name, partition = _topic(request)
    (correlation,) = struct.unpack_from(">i", request, 8)
    answer = struct.pack(">iB", correlation, 0)
    answer += bytes([2, len(name) + 1]) + name + bytes([2])
    answer += struct.pack(">ihqqq", partition, _NOT_LEADER, -1, -1, -1) + bytes([1, 0, 0])
    answer += bytes([0]) + struct.pack(">i", 0) + bytes([0])
    return struct.pack(">i", len(answer)) + answer
