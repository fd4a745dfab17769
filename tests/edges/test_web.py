"""The HTTP server: who is let in, what is answered, and what every answer carries."""

import asyncio
import base64
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
import pytest

from connector.edges.web.auth import admits, is_ours
from connector.edges.web.server import Rendered, Sights, Told, serving
from connector.errors import SettingsError
from connector.settings.http import Http
from connector.settings.kinds import Secret

PATHS = ("/", "/page.css", "/page.js", "/plot.js", "/livez", "/readyz", "/status", "/metrics")
OPEN = Http(port=0)
BASIC = Http(port=0, username="eve", password=Secret("open: sesame"))
TOKEN = Http(port=0, token=Secret("t0ken"))


def sights(*, well: bool = True, status: Callable[[], Mapping[str, Any]] = lambda: {"name": "x"}) -> Sights:
    return Sights(
        live=lambda: Told(well=True, document={"live": True}),
        ready=lambda: Told(well=well, document={"ready": well}),
        status=status,
        metrics=lambda accept: Rendered(accept.encode(), "text/plain; version=0.0.4; charset=utf-8"),
    )


def asked(
    http: Http, scene: Callable[[aiohttp.ClientSession, str], Awaitable[None]], seen: Sights | None = None
) -> None:
    async def whole() -> None:
        async with (
            asyncio.timeout(20),
            serving(http, seen or sights()) as address,
            aiohttp.ClientSession() as session,
        ):
            await scene(session, address.rstrip("/"))

    asyncio.run(whole())


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_every_answer_is_guarded_against_what_a_browser_may_do_with_it() -> None:
    async def scene(session: aiohttp.ClientSession, address: str) -> None:
        for path in (*PATHS, "/nowhere"):
            async with session.get(address + path) as answer:
                assert answer.status == (404 if path == "/nowhere" else 200)
                policy = answer.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                assert "frame-ancestors 'none'" in policy
                assert "unsafe" not in policy
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["Cache-Control"] == "no-store"
                assert answer.headers["Server"] == "ami-kafka"
                assert "Access-Control-Allow-Origin" not in answer.headers

    asked(OPEN, scene)


def test_it_only_reads() -> None:
    async def scene(session: aiohttp.ClientSession, address: str) -> None:
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
            async with session.request(method, address + "/status") as answer:
                assert answer.status == 405
                assert answer.headers["Allow"] == "GET, HEAD"
        for path in PATHS:
            async with session.head(address + path) as answer:
                assert answer.status == 200
                assert await answer.read() == b""

    asked(OPEN, scene)


def test_no_path_leads_out_of_the_page() -> None:
    async def scene(session: aiohttp.ClientSession, address: str) -> None:
        for path in ("/../server.py", "/..%2fserver.py", "/page/index.html", "//etc/passwd", "/page.css/"):
            async with session.get(address + path) as answer:
                assert answer.status == 404

    asked(OPEN, scene)


def test_a_probe_that_is_not_well_says_503_and_why() -> None:
    async def scene(session: aiohttp.ClientSession, address: str) -> None:
        async with session.get(address + "/readyz") as answer:
            assert answer.status == 503
            assert await answer.json() == {"ready": False}
        async with session.get(address + "/livez") as answer:
            assert answer.status == 200

    asked(OPEN, scene, sights(well=False))


def test_metrics_are_rendered_as_they_are_asked_for() -> None:
    async def scene(session: aiohttp.ClientSession, address: str) -> None:
        async with session.get(
            address + "/metrics", headers={"Accept": "application/openmetrics-text"}
        ) as answer:
            assert await answer.text() == "application/openmetrics-text"
            assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"

    asked(OPEN, scene)


@pytest.mark.parametrize(
    ("http", "right", "wrong"),
    [
        (
            BASIC,
            basic("eve:open: sesame"),
            [basic("eve:no"), basic("adam:open: sesame"), "Basic !", "Bearer t0ken", ""],
        ),
        (TOKEN, "Bearer t0ken", ["Bearer t0ke", "Bearer t0kenx", basic("t0ken:"), "t0ken", "Bearer", ""]),
    ],
)
def test_only_who_shows_the_right_thing_is_let_in(http: Http, right: str, wrong: list[str]) -> None:
    async def scene(session: aiohttp.ClientSession, address: str) -> None:
        for shown in wrong:
            for path in ("/", "/status", "/metrics", "/nowhere"):
                async with session.get(address + path, headers={"Authorization": shown}) as answer:
                    assert answer.status == 401, (path, shown)
                    assert "ami-kafka" in answer.headers["WWW-Authenticate"]
        for path in ("/livez", "/readyz"):
            async with session.get(address + path) as answer:
                assert answer.status == 200
        async with session.get(address + "/status", headers={"Authorization": right}) as answer:
            assert answer.status == 200

    asked(http, scene)


def test_probes_may_be_closed_too() -> None:
    async def scene(session: aiohttp.ClientSession, address: str) -> None:
        async with session.get(address + "/livez") as answer:
            assert answer.status == 401

    asked(Http(port=0, token=Secret("t"), open_probes=False), scene)


def test_a_byte_that_is_no_text_is_no_password() -> None:
    shown = "Basic " + base64.b64encode(b"eve:\xff\xfe").decode()
    assert not admits(BASIC, shown)
    assert not admits(TOKEN, "Bearer \udcff".encode("utf-8", "surrogateescape").decode("latin-1"))


@pytest.mark.parametrize("host", ["127.0.0.1:9464", "localhost", "LOCALHOST:1", "[::1]:9464", "127.1.2.3"])
def test_on_loopback_the_names_of_this_machine_are_ours(host: str) -> None:
    assert is_ours(OPEN, host)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:9464", "", "localhost.evil.example", "10.0.0.1"]
)
def test_on_loopback_no_other_name_is_ours(host: str) -> None:
    assert not is_ours(OPEN, host)
    assert is_ours(Http(host="0.0.0.0"), host)

    async def scene(session: aiohttp.ClientSession, address: str) -> None:
        async with session.get(address + "/status", headers={"Host": host}) as answer:
            assert answer.status == 421

    if host:
        asked(OPEN, scene)


def test_names_that_are_set_are_ours() -> None:
    assert is_ours(Http(hosts=("bridge.example",)), "Bridge.Example:9464")
    assert not is_ours(Http(host="0.0.0.0", hosts=("bridge.example",)), "other.example")


def test_a_busy_port_is_told_with_its_setting() -> None:
    async def scene() -> None:
        told = r"http\.port: cannot listen at 127\.0\.0\.1:\d+"
        with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(SettingsError, match=told):
            async with serving(Http(port=other.getsockname()[1]), sights()):
                pass

    asyncio.run(scene())


def test_a_port_that_is_about_to_be_left_is_waited_for() -> None:
    async def scene() -> None:
        other = socket.create_server(("127.0.0.1", 0))
        asyncio.get_running_loop().call_later(0.3, other.close)
        async with asyncio.timeout(20), serving(Http(port=other.getsockname()[1]), sights(), 15) as address:
            assert address.startswith("http://127.0.0.1:")

    asyncio.run(scene())


def test_what_nobody_foresaw_is_one_answer_and_no_end() -> None:
    def broken() -> Mapping[str, Any]:
        raise ZeroDivisionError("secret")

    async def scene(session: aiohttp.ClientSession, address: str) -> None:
        async with session.get(address + "/status") as answer:
            assert answer.status == 500
            assert "secret" not in await answer.text()
        async with session.get(address + "/livez") as answer:
            assert answer.status == 200

    asked(OPEN, scene, sights(status=broken))


def test_large_tables_are_answered_whole() -> None:
    many = {f"topic-{n}": n for n in range(20_000)}

    async def scene(session: aiohttp.ClientSession, address: str) -> None:
        async with session.get(address + "/status") as answer:
            assert await answer.json() == many

    asked(OPEN, scene, sights(status=lambda: many))


def test_the_page_asks_nobody_else() -> None:
    async def scene(session: aiohttp.ClientSession, address: str) -> None:
        for path in PATHS[:4]:
            async with session.get(address + path) as answer:
                text = await answer.text()
                assert "https://" not in text
                assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
                assert "innerHTML" not in text

    asked(OPEN, scene)
