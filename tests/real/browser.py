"""A real Chromium, driven by its own protocol over a websocket."""

import asyncio
import base64
import itertools
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

SWITCHES = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--no-proxy-server",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--remote-debugging-port=0",
)  # fmt: skip

HASTE = "{ const later = setTimeout; window.setTimeout = (call, ms) => later(call, ms / 10); }"
"""Time runs ten times as fast for a page that waits."""


def chromium() -> str:
    """Return where Chromium is; the test is skipped where it is not, and fails where it must be."""
    found = shutil.which("chromium")
    if found is None:
        missing = pytest.fail if os.environ.get("AMI_KAFKA_REQUIRE_REAL") else pytest.skip
        missing("chromium is not installed")
    return str(found)


class Page:
    """One page, by the DevTools protocol."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.complaints: list[str] = []

    async def call(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        while True:
            told = await self._socket.receive_json()
            if told.get("id") == number:
                assert "error" not in told, told
                return told["result"]
            self._note(told)

    def _note(self, told: dict[str, Any]) -> None:
        if told.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(told["params"]))
        if told.get("method") == "Log.entryAdded" and told["params"]["entry"]["source"] != "network":
            self.complaints.append(told["params"]["entry"]["text"])

    async def ask(self, expression: str) -> Any:
        """Return the value of an expression in the page."""
        found = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def until(self, expression: str) -> None:
        """Return when an expression is true in the page."""
        while not await self.ask(expression):  # noqa: ASYNC110 (the page tells nothing by itself)
            await asyncio.sleep(0.05)

    async def look(self, path: Path, width: int, height: int, scheme: str) -> None:
        """Write a picture of the whole page."""
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        await self.call("Emulation.setEmulatedMedia", features=features)
        shot = await self.call("Page.captureScreenshot", captureBeyondViewport=True)
        await asyncio.to_thread(path.write_bytes, base64.b64decode(shot["data"]))


@asynccontextmanager
async def browsing(folder: Path, address: str) -> AsyncIterator[Page]:
    """Open a page at an address; the browser's profile is in the folder."""
    process = await asyncio.create_subprocess_exec(
        chromium(), *SWITCHES, f"--user-data-dir={folder}", "about:blank", stderr=asyncio.subprocess.DEVNULL
    )
    try:
        debugged = await _port(folder / "DevToolsActivePort")
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{debugged}/json/list") as answer:
                targets = await answer.json()
            place = next(each["webSocketDebuggerUrl"] for each in targets if each["type"] == "page")
            async with session.ws_connect(place, max_msg_size=64 << 20) as socket:
                page = Page(socket)
                for domain in ("Page", "Runtime", "Log"):
                    await page.call(f"{domain}.enable")
                await page.call("Page.addScriptToEvaluateOnNewDocument", source=HASTE)
                await page.call("Page.navigate", url=address)
                await page.until(f"document.readyState === 'complete' && location.href === {address!r}")
                yield page
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _port(written: Path) -> int:
    while True:
        with suppress(FileNotFoundError, IndexError, ValueError):
            return int((await asyncio.to_thread(written.read_text, "utf-8")).splitlines()[0])
        await asyncio.sleep(0.05)
