"""The status page in a real Chromium, while a PBX goes down and comes back."""

import asyncio
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from connector.app import serving
from connector.app.local import LocalIds
from connector.app.parts import open_embedded
from connector.app.running import run
from connector.app.serving import watching
from connector.app.signals import Stop
from connector.demo.broker import EmbeddedBroker
from connector.demo.pbx import SimulatedPbx
from connector.demo.traffic import Traffic
from connector.edges.telemetry import Telemetry
from connector.facts import ActionAnswered, ActionRefused, EventQuarantined, EventsLost
from connector.settings.http import Http
from connector.settings.kinds import Address, Secret
from connector.settings.sections import Events, Kafka, Pbx, Settings
from tests.real.browser import browsing

pytestmark = pytest.mark.real

MARKUP = "<img src=x onerror=alert(1)>"


def pbx(port: int = 0) -> SimulatedPbx:
    return SimulatedPbx({"demo": "demo-secret"}, Traffic(int(time.time())), speed=20, port=port)


def settings(address: tuple[str, int], broker: EmbeddedBroker) -> Settings:
    account = Pbx(address=(Address(*address),), username="demo", secret=Secret("demo-secret"))
    return Settings(
        pbx={"berlin": account, "hamburg": replace(account, address=(Address("127.0.0.1", 1),))},
        events=Events(format="avro"),
        kafka=Kafka(bootstrap_servers=(broker.bootstrap_servers,)),
        http=Http(enabled=True, port=0, ready="any"),
    )


def happen(telemetry: Telemetry) -> None:
    """Let things happen that a PBX that behaves does not bring about."""
    for number in range(8):
        action = f"r-{number}", "berlin", MARKUP if number == 7 else "Originate", "requests", 0, number
        telemetry(ActionRefused(*action, status="FORBIDDEN", rule="default", reason="no rule allows it"))
        telemetry(
            ActionAnswered(
                f"a-{number}", "berlin", "CoreStatus", *action[3:], status="SUCCESS", executed="YES",
                replayed=False, took_ms=12 + number, consumed_at_ms=0,
            )
        )  # fmt: skip
    telemetry(EventsLost("berlin", 120, 160, 41, "the journal is full"))
    telemetry(EventQuarantined("berlin", "Newchannel", "suspect", "two heads"))


async def scene(broker: EmbeddedBroker, folder: Path, shots: Path) -> None:
    stop, telemetry, ids = Stop(), Telemetry(), LocalIds()
    first = pbx()
    await first.__aenter__()
    port = first.address[1]
    chosen = settings(first.address, broker)
    async with (
        open_embedded(chosen, broker, telemetry, ids) as shared,
        watching(chosen, shared) as address,
    ):
        assert address is not None
        bridging = asyncio.create_task(run(chosen, shared, stop))
        async with browsing(folder, address) as page:
            card = "document.querySelector('#pbxs .card')"
            state = "document.getElementById('state').textContent"
            await page.until(f"{state}.includes('✓ Ready')")
            await page.until(f"{card}.textContent.includes('✓ Logged in')")
            happen(telemetry)
            await page.until("document.querySelectorAll('#actions tbody tr').length === 16")
            await page.until(
                f"({card}.querySelector('svg .one').getAttribute('d') || '').split('L').length > 20"
            )
            assert MARKUP in await page.ask("document.getElementById('actions').textContent")
            assert await page.ask("document.querySelectorAll('main img').length") == 0
            await page.ask("document.querySelector('[data-show=refused]').click()")
            assert await page.ask("document.querySelectorAll('#actions tbody tr').length") == 8
            await page.ask("document.querySelector('[data-show=all]').click()")
            for name, width, scheme in (
                ("light", 1280, "light"),
                ("dark", 1280, "dark"),
                ("narrow", 390, "light"),
            ):
                await page.look(shots / f"{name}.png", width, 900, scheme)
                assert await page.ask("document.documentElement.scrollWidth <= innerWidth"), name
            await first.__aexit__()
            await page.until(
                f"{state}.includes('✕ Not ready') && {card}.textContent.includes('✕ Not logged in')"
            )
            await page.look(shots / "down.png", 1280, 900, "light")
            assert "pbx.berlin.session" in await page.ask("document.getElementById('conditions').textContent")
            async with pbx(port):
                await page.until(f"{state}.includes('✓ Ready') && {card}.textContent.includes('✓ Logged in')")
                stop.ask("seen enough")
                await bridging
            assert not page.complaints
            assert "demo-secret" not in await page.ask("document.documentElement.outerHTML")
            await page.ask("fetch = () => Promise.reject(new Error('connection refused'))")
            await page.until("!document.getElementById('silent').hidden")
            assert "does not answer" in await page.ask("document.getElementById('silent').textContent")
            await page.look(shots / "silent.png", 390, 900, "dark")


def test_the_page_follows_a_pbx_that_goes_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "SAMPLE_S", 0.2)
    shots = Path(os.environ.get("AMI_KAFKA_TEST_SHOTS", tmp_path))

    async def whole() -> None:
        with EmbeddedBroker() as broker:
            async with asyncio.timeout(60):
                await scene(broker, tmp_path / "profile", shots)

    asyncio.run(whole())
