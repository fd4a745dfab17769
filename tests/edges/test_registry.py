"""The registry's client against a registry of a few lines: what it asks, and what it makes of each answer."""

import asyncio
import base64
import json
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from connector.edges.registry import SchemaRegistry
from connector.errors import RegistryError, SettingsError
from connector.settings.kinds import Secret
from connector.settings.sections import Registry

SCHEMA = '{"type":"record","name":"Hangup","fields":[]}'
SUBJECT = "asterisk.events.hangup-value"


class Scripted:
    """What the registry holds and says, and what it was asked."""

    def __init__(self) -> None:
        self.schemas: dict[str, dict[str, int]] = {}
        self.asked: list[tuple[str, str]] = []
        self.authorization: list[str | None] = []
        self.refusals: dict[tuple[str, str], tuple[int, Any]] = {}
        self.compatible: Any = {"is_compatible": True}

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        self.asked.append((method, path))
        return self.refusals.get((method, path)) or self._say(path, body)

    def _say(self, path: str, body: Any) -> tuple[int, Any]:
        kind, _, rest = path.strip("/").partition("/")
        subject = unquote(rest.removeprefix("subjects/").removesuffix("/versions"))
        held = self.schemas.get(subject)
        if kind == "config" or path == "/subjects":
            return 200, body
        if kind == "subjects" and path.endswith("/versions"):
            return 200, {"id": self.schemas.setdefault(subject, {}).setdefault(body["schema"], 7)}
        if held is None:
            return 404, {"error_code": 40401, "message": f"Subject '{subject}' not found."}
        if kind == "compatibility":
            return 200, self.compatible
        if body["schema"] in held:
            return 200, {"id": held[body["schema"]], "version": 1}
        return 404, {"error_code": 40403, "message": "Schema not found"}


@pytest.fixture
def scripted() -> Scripted:
    return Scripted()


@pytest.fixture
def url(scripted: Scripted) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            scripted.authorization.append(self.headers.get("Authorization"))
            status, said = scripted.answer(self.command, urlsplit(self.path).path, body)
            text = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            if status in (301, 307):
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = do_any  # noqa: N815 (as http.server wants it)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def registry(url: str, **settings: Any) -> SchemaRegistry:
    return SchemaRegistry(Registry(url=url, **settings))


def test_a_known_schema_is_asked_for_once(url: str, scripted: Scripted) -> None:
    scripted.schemas[SUBJECT] = {SCHEMA: 42}

    async def scenario() -> None:
        client = registry(url)
        assert await client.schema_id(SUBJECT, SCHEMA) == 42
        assert await client.schema_id(SUBJECT, SCHEMA) == 42

    asyncio.run(scenario())
    assert scripted.asked == [("POST", f"/subjects/{SUBJECT}")]


@pytest.mark.parametrize("held", [{}, {SUBJECT: {"other": 1}}])
def test_an_unknown_schema_is_an_error_that_says_what_to_do(
    url: str, scripted: Scripted, held: dict[str, dict[str, int]]
) -> None:
    scripted.schemas = held
    with pytest.raises(RegistryError, match=rf"^{SUBJECT}: the registry has no such schema; register"):
        asyncio.run(registry(url).schema_id(SUBJECT, SCHEMA))


def test_a_new_subject_is_registered_and_made_compatible_both_ways(url: str, scripted: Scripted) -> None:
    assert asyncio.run(registry(url, auto_register=True).schema_id(SUBJECT, SCHEMA)) == 7
    assert scripted.asked == [
        ("POST", f"/subjects/{SUBJECT}"),
        ("POST", f"/subjects/{SUBJECT}/versions"),
        ("PUT", f"/config/{SUBJECT}"),
    ]


def test_a_subject_that_is_there_keeps_its_compatibility(url: str, scripted: Scripted) -> None:
    scripted.schemas[SUBJECT] = {"other": 1}
    assert asyncio.run(registry(url).register(SUBJECT, SCHEMA)) == 7
    assert not [path for method, path in scripted.asked if method == "PUT"]


def test_a_registry_that_forbids_setting_compatibility_is_left_alone(url: str, scripted: Scripted) -> None:
    scripted.refusals["PUT", f"/config/{SUBJECT}"] = 403, {"error_code": 403, "message": "no"}
    assert asyncio.run(registry(url).register(SUBJECT, SCHEMA)) == 7


def test_an_incompatible_schema_is_refused_with_the_registrys_words(url: str, scripted: Scripted) -> None:
    scripted.refusals["POST", f"/subjects/{SUBJECT}/versions"] = (
        409,
        {"error_code": 409, "message": "field x removed"},
    )
    with pytest.raises(RegistryError, match=rf"^{SUBJECT}: incompatible with .*field x removed"):
        asyncio.run(registry(url).register(SUBJECT, SCHEMA))


def test_compatibility_is_compared(url: str, scripted: Scripted) -> None:
    async def scenario() -> None:
        client = registry(url)
        assert await client.incompatible(SUBJECT, SCHEMA) == ""
        scripted.schemas[SUBJECT] = {"other": 1}
        assert await client.incompatible(SUBJECT, SCHEMA) == ""
        scripted.compatible = {"is_compatible": False, "messages": ["one", "two"]}
        assert await client.incompatible(SUBJECT, SCHEMA) == "one; two"
        scripted.compatible = {"is_compatible": False}
        assert await client.incompatible(SUBJECT, SCHEMA) == "the registry does not say why"

    asyncio.run(scenario())


def test_a_name_with_odd_characters_stays_one_part_of_the_path(url: str, scripted: Scripted) -> None:
    scripted.schemas["a/b?c"] = {SCHEMA: 3}
    assert asyncio.run(registry(url).schema_id("a/b?c", SCHEMA)) == 3


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, None),
        ({"username": "u", "password": Secret("p")}, "Basic " + base64.b64encode(b"u:p").decode()),
        ({"token": Secret("t")}, "Bearer t"),
    ],
)
def test_credentials_are_sent(
    url: str, scripted: Scripted, settings: dict[str, Any], expected: str | None
) -> None:
    asyncio.run(registry(url, **settings).reach())
    assert scripted.authorization == [expected]


@pytest.mark.parametrize(
    ("status", "said", "expected"),
    [
        (401, {"error_code": 401, "message": "who"}, "check registry.username"),
        (403, b"<html>no</html>", "lacks the right"),
        (404, b"not here", "is the path in registry.url right"),
        (307, b"", "HTTP 307"),
        (500, {"error_code": 50001, "message": "store down"}, "store down"),
        (200, b"<html>a login page</html>", "no answer from the schema registry"),
    ],
)
def test_each_refusal_says_what_to_look_at(
    url: str, scripted: Scripted, status: int, said: Any, expected: str
) -> None:
    scripted.refusals["GET", "/subjects"] = status, said
    with pytest.raises(RegistryError, match=expected):
        asyncio.run(registry(url, token=Secret("deep")).reach())
    assert ("GET", "/elsewhere") not in scripted.asked


@pytest.mark.parametrize(
    "said",
    [[7], 7, None, {}, {"id": "7"}, {"id": True}, {"id": -1}, {"id": 1 << 31}, b"[" * 5_000, b'{"id":1e999}'],
)
def test_an_answer_that_is_none_is_an_error_of_ours(url: str, scripted: Scripted, said: Any) -> None:
    scripted.refusals["POST", f"/subjects/{SUBJECT}"] = 200, said
    scripted.refusals["GET", "/schemas/ids/7"] = 200, said
    with pytest.raises(RegistryError):
        asyncio.run(registry(url).schema_id(SUBJECT, SCHEMA))
    with pytest.raises(RegistryError):
        asyncio.run(registry(url).schema_text(7))


def test_what_is_no_http_is_an_error_of_ours() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            asking, _ = listening.accept()
            with asking:
                asking.recv(1 << 16)
                asking.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")

        thread = Thread(target=answer)
        thread.start()
        with pytest.raises(RegistryError, match="no answer from the schema registry"):
            asyncio.run(registry(f"http://127.0.0.1:{listening.getsockname()[1]}").reach())
        thread.join()


def test_a_registry_that_is_away_is_named() -> None:
    with pytest.raises(RegistryError, match=r"^http://127\.0\.0\.1:9: no answer .*Connection refused"):
        asyncio.run(registry("http://127.0.0.1:9").reach())


def test_a_certificate_file_that_cannot_be_read_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^registry\.ca_file: "):
        registry("https://h", ca_file=str(tmp_path / "none.pem"))
    (tmp_path / "text.pem").write_text("no certificate")
    with pytest.raises(SettingsError, match=r"^registry\.ca_file: "):
        registry("https://h", ca_file=str(tmp_path / "text.pem"))
