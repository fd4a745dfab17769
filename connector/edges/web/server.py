"""The server, in the loop of the roads: it only reads, and nothing of theirs waits for it."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any, Final, NamedTuple

from aiohttp import web

from connector.edges.telemetry import LOGGER
from connector.edges.web.auth import admits, challenge, is_ours
from connector.errors import SettingsError
from connector.settings.http import Http

_PATIENCE_S: Final = 0.25
_CLOSE_S: Final = 0.5
"""Seconds that answers under way have when the server ends."""

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Server": "ami-kafka",
}
_PAGE: Final = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/plot.js": ("plot.js", "text/javascript"),
}
_PROBES: Final = ("/livez", "/readyz")


class Told(NamedTuple):
    """The answer to a question: whether all is well, and a JSON document."""

    well: bool
    document: Mapping[str, Any]


class Rendered(NamedTuple):
    """Metrics as text, and its content type."""

    body: bytes
    content_type: str


class Sights(NamedTuple):
    """What there is to see, made anew at each question; `metrics` is given the Accept header, None: there are none."""

    live: Callable[[], Told]
    ready: Callable[[], Told]
    status: Callable[[], Mapping[str, Any]]
    metrics: Callable[[str], Rendered] | None = None


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(http: Http, sights: Sights, patience_s: float = 0.0) -> AsyncIterator[str]:
    """Serve for as long as the block lasts; give the page's address.

    Args:
        http: where, and to whom.
        sights: what is served.
        patience_s: how long a port that is busy is tried again: another process is about to leave it.

    Raises:
        SettingsError: the address or port cannot be had.
    """
    runner = web.AppRunner(
        _application(http, sights), access_log=None, handle_signals=False, shutdown_timeout=_CLOSE_S
    )
    await runner.setup()
    try:
        await _listen(runner, http, patience_s)
        host, port = runner.addresses[0][:2]
        shown = f"[{host}]" if ":" in host else host
        yield f"http://{shown}:{port}/"
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, http: Http, patience_s: float) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + patience_s
    while True:
        try:
            await web.TCPSite(runner, http.host.strip("[]"), http.port).start()
        except OSError as error:
            if loop.time() >= until:
                reason = error.strerror or str(error)
                raise SettingsError(
                    f"http.port: cannot listen at {http.host}:{http.port}: {reason}; "
                    "set another http.port, or http.host"
                ) from error
            await asyncio.sleep(_PATIENCE_S)
        else:
            return


def _application(http: Http, sights: Sights) -> web.Application:
    app = web.Application(middlewares=[_guard(http)], client_max_size=1024)
    app.router.add_get("/livez", _probe(sights.live))
    app.router.add_get("/readyz", _probe(sights.ready))
    app.router.add_get("/status", _status(sights.status))
    if sights.metrics is not None:
        app.router.add_get("/metrics", _metrics(sights.metrics))
    for path, (name, kind) in _PAGE.items():
        app.router.add_get(path, _file(name, kind))
    return app


def _json(code: int, document: Mapping[str, Any]) -> web.Response:
    text = json.dumps(document, ensure_ascii=True)
    return web.Response(status=code, text=text, content_type="application/json")


def _probe(ask: Callable[[], Told]) -> Handler:
    async def answer(_: web.Request) -> web.Response:
        told = ask()
        return _json(200 if told.well else 503, told.document)

    return answer


def _status(ask: Callable[[], Mapping[str, Any]]) -> Handler:
    async def answer(_: web.Request) -> web.Response:
        return _json(200, ask())

    return answer


def _metrics(render: Callable[[str], Rendered]) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        rendered = render(request.headers.get("Accept", ""))
        return web.Response(body=rendered.body, headers={"Content-Type": rendered.content_type})

    return answer


def _file(name: str, kind: str) -> Handler:
    text = files(__package__).joinpath("page", name).read_text("utf-8")

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=text, content_type=kind, charset="utf-8")

    return answer


def _guard(http: Http) -> Any:
    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await _answer(http, request, handler)
        response.headers.update(_HEADERS)
        return response

    return guard


async def _answer(http: Http, request: web.Request, handler: Handler) -> web.StreamResponse:
    if not is_ours(http, request.headers.get("Host", "")):
        return web.Response(status=421, text="not a name of this server; see http.hosts\n")
    free = http.open_probes and request.path in _PROBES
    if not free and not admits(http, request.headers.get("Authorization", "")):
        return web.Response(
            status=401, text="not authorised\n", headers={"WWW-Authenticate": challenge(http)}
        )
    if request.method not in ("GET", "HEAD"):
        return web.Response(status=405, text="only GET and HEAD\n", headers={"Allow": "GET, HEAD"})
    try:
        return await handler(request)
    except web.HTTPException as refused:
        return web.Response(status=refused.status, text=f"{refused.reason}\n")
    except Exception:
        logging.getLogger(LOGGER).exception("%s could not be answered", request.path)
        return web.Response(status=500, text="this could not be put together; the log says why\n")
