"""A registry's answers: an id, a text, a verdict, or a RegistryError; nothing else whatever the bytes are."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from threading import Thread
from typing import Final, TypeVar

from connector.edges.registry import SchemaRegistry
from connector.errors import RegistryError
from connector.settings.kinds import Secret
from connector.settings.sections import Registry
from tests.fuzz.mutation import Mutator

Answer = TypeVar("Answer")

SECRET: Final = "hunter2"
_REQUEST: Final = 1 << 16


def _http(status: str, body: bytes, *more: str) -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *more])
    return f"{head}\r\n\r\n".encode() + body


_CORPUS: Final = (
    _http("200 OK", b'{"id":7,"version":1}'),
    _http("200 OK", b'{"schema":"{\\"type\\":\\"string\\"}"}'),
    _http("200 OK", b'{"is_compatible":false,"messages":["a field has gone"]}'),
    _http("200 OK", b'["a-value","b-value"]'),
    _http("404 Not Found", b'{"error_code":40401,"message":"Subject not found"}'),
    _http("409 Conflict", b'{"error_code":409,"message":"incompatible"}'),
    _http("401 Unauthorized", b"<html>", "WWW-Authenticate: Basic"),
    _http("307 Temporary Redirect", b"", "Location: http://127.0.0.1:1/"),
    b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{"id":7}\r\n0\r\n\r\n',
)
_WORDS: Final = (
    *(b"\r\n", b"\r\n\r\n", b"\n", b"\x00", b"\xff", b"HTTP/1.0 100 Continue\r\n\r\n", b"HTTP/9", b"A" * 70_000),
    *(b"Content-Length: -1\r\n", b"Content-Length: 99\r\n", b"Content-Encoding: gzip\r\n", b"X: y\r\n" * 150),
    *(b"null", b"[", b"{", b"}", b"[" * 5_000, b'"id":', b'{"id":"7"}', b'{"id":-1}', b'{"id":1e400}', b"9" * 5_000),
    *(b'{"id":true}', b'{"schema":7}', b'{"error_code":"x","message":1}', b'"messages":7', b"\\ud800", b"\xed\xa0\x80"),
)  # fmt: skip


class _Registry:
    """Gives one answer to whatever it is asked, on loopback."""

    def __init__(self) -> None:
        self.answer = b""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: Final = self._listening.getsockname()[1]
        Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            asking, _ = self._listening.accept()
            with asking:
                try:
                    asking.recv(_REQUEST)
                    asking.sendall(self.answer)
                    asking.shutdown(socket.SHUT_WR)
                    while asking.recv(_REQUEST):
                        pass
                except OSError:
                    continue


def target(seed: int) -> Callable[[], None]:
    """Return a function that has one answer given and judges what is made of it."""
    maker, registry = Mutator(_CORPUS, _WORDS, seed), _Registry()

    def once() -> None:
        registry.answer = maker.make()
        judge(registry.port)

    return once


def judge(port: int) -> None:
    """Ask everything that is ever asked; raise what is wrong."""
    asyncio.run(_asked(port))


async def _asked(port: int) -> None:
    settings = Registry(url=f"http://127.0.0.1:{port}", username="u", password=Secret(SECRET), timeout_s=5.0)
    registry = SchemaRegistry(settings)
    number = await _told(registry.schema_id("a-value", "{}"))
    if number is not None and not (type(number) is int and 0 <= number < 1 << 31):
        raise AssertionError(f"an id of {number!r}")
    for asked in (registry.schema_text(7), registry.incompatible("a-value", "{}"), registry.reach()):
        text = await _told(asked)
        if not (text is None or isinstance(text, str)):
            raise AssertionError(f"a text of {text!r}")


async def _told(asked: Coroutine[None, None, Answer]) -> Answer | None:
    try:
        return await asked
    except RegistryError as error:
        if SECRET in str(error) or not str(error).encode("utf-8", "surrogatepass"):
            raise AssertionError(f"an error that may not be told: {error}") from error
        return None
