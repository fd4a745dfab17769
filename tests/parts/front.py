"""A way in before a schema registry: TLS with any certificate, and a password, as companies have it."""

import base64
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.parts.certificates import Pair
from tests.parts.processes import LOOPBACK

_PASSED = ("Content-Type", "Accept")


class Front(ThreadingHTTPServer):
    """Passes on what comes with the right name and password."""

    daemon_threads = True

    def __init__(self, upstream: str, user: str, password: str, pair: Pair) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        root, _, self.path = upstream.removeprefix("http://").partition("/")
        self.upstream = f"http://{root}"
        self.wanted = f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        # The handshake belongs to the thread of the request: one that fails must hold up nobody.
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def url(self) -> str:
        """What `registry.url` is set to."""
        return f"https://{LOOPBACK}:{self.server_address[1]}/{self.path}"

    def handle_error(self, *_: object) -> None:
        """Say nothing: clients that do not trust us hang up."""


class _Handler(BaseHTTPRequestHandler):
    server: Front

    def do_GET(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def do_PUT(self) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Authorization") != self.server.wanted:
            self._answer(HTTPStatus.UNAUTHORIZED, b"")
            return
        headers = {name: self.headers[name] for name in _PASSED if name in self.headers}
        request = urllib.request.Request(
            self.server.upstream + self.path, body or None, headers, method=self.command
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                self._answer(answer.status, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                self._answer(error.code, error.read())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def start(upstream: str, user: str, password: str, pair: Pair) -> Iterator[Front]:
    """Run it for as long as the block lasts."""
    with Front(upstream, user, password, pair) as front:
        threading.Thread(target=front.serve_forever, daemon=True).start()
        try:
            yield front
        finally:
            front.shutdown()
