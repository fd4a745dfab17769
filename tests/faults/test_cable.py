"""Each fault of a cable, seen by a plain client and a plain server at its ends."""

import errno
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.faults.cable import Cable
from tests.parts.processes import LOOPBACK, wait_until


class Echo:
    """Says again what it hears, to everybody."""

    def __init__(self) -> None:
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        self.heard = bytearray()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            while chunk := client.recv(1_000):
                self.heard += chunk
                client.sendall(chunk)


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


@pytest.fixture
def cable(echo: Echo) -> Iterator[Cable]:
    with Cable(echo.port) as cable:
        yield cable


@pytest.fixture
def client(cable: Cable) -> Iterator[socket.socket]:
    with socket.create_connection((LOOPBACK, cable.port), timeout=30) as client:
        yield client


def to_the_end(client: socket.socket) -> bytes:
    heard = b""
    with suppress(ConnectionError):
        while chunk := client.recv(1_000):
            heard += chunk
    return heard


def hear(client: socket.socket, size: int) -> bytes:
    heard = b""
    while len(heard) < size:
        heard += client.recv(size - len(heard))
    return heard


def test_what_is_whole_passes_both_ways(client: socket.socket) -> None:
    client.sendall(b"hello")
    assert hear(client, 5) == b"hello"


def test_a_cut_ends_who_is_in_and_lets_the_next_through(cable: Cable, client: socket.socket) -> None:
    client.sendall(b"hello")
    hear(client, 5)
    assert cable.cut() == 1
    assert to_the_end(client) == b""
    with socket.create_connection((LOOPBACK, cable.port), timeout=30) as again:
        again.sendall(b"again")
        assert hear(again, 5) == b"again"


def test_a_cut_comes_behind_the_byte_that_was_said(cable: Cable, client: socket.socket) -> None:
    cable.cut_after(7)
    client.sendall(b"0123456789")
    assert to_the_end(client) == b"0123456"
    assert not cable.armed


def test_a_message_is_torn(cable: Cable, client: socket.socket) -> None:
    cable.tear(b"Uniqueid:")
    client.sendall(b"Event: Hangup\r\nUniqueid: 1.2\r\n\r\n")
    assert to_the_end(client) == b"Event: Hangup\r\nUniqueid:"


def test_a_mute_cable_closes_nothing_and_keeps_what_it_took(
    cable: Cable, echo: Echo, client: socket.socket
) -> None:
    cable.mute()
    client.sendall(b"hello")
    client.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.recv(1)
    assert not echo.heard
    cable.unmute()
    client.settimeout(30)
    assert hear(client, 5) == b"hello"


def test_a_mute_cable_is_cut_all_the_same(cable: Cable, client: socket.socket) -> None:
    client.sendall(b"hello")
    hear(client, 5)
    cable.mute()
    assert cable.cut() == 1
    assert to_the_end(client) == b""


def test_a_delay_keeps_bytes_back_and_loses_none(
    cable: Cable, client: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("tests.faults.cable.sleep", pauses.append)
    cable.delay(0.25)
    client.sendall(b"hello")
    assert hear(client, 5) == b"hello"
    assert {*pauses} == {0.25}


def test_a_slow_drain_passes_a_few_bytes_at_a_time(
    cable: Cable, echo: Echo, client: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = threading.Semaphore(0)
    monkeypatch.setattr("tests.faults.cable.sleep", lambda _: turns.acquire())
    cable.drain(3, 0.01)
    client.sendall(b"0123456789")
    turns.release()
    wait_until(lambda: echo.heard, "the first morsel")
    assert echo.heard == b"012"
    turns.release(50)
    assert hear(client, 10) == b"0123456789"


def test_who_is_refused_is_told_so_and_who_is_in_stays(cable: Cable, client: socket.socket) -> None:
    client.sendall(b"hello")
    hear(client, 5)
    cable.refuse()
    with pytest.raises(ConnectionRefusedError) as refused:
        socket.create_connection((LOOPBACK, cable.port), timeout=30)
    assert refused.value.errno == errno.ECONNREFUSED
    client.sendall(b"still here")
    assert hear(client, 10) == b"still here"
    cable.welcome()
    with socket.create_connection((LOOPBACK, cable.port), timeout=30) as again:
        again.sendall(b"again")
        assert hear(again, 5) == b"again"


def test_it_leads_elsewhere(cable: Cable) -> None:
    other = Echo()
    cable.lead_to(other.port)
    with socket.create_connection((LOOPBACK, cable.port), timeout=30) as client:
        client.sendall(b"hello")
        assert hear(client, 5) == b"hello"
    assert other.heard == b"hello"
    other.close()
