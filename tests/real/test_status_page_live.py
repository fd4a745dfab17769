"""The status page of a connector at real parts: what is asked, what the PBX says, and that it dies and comes back."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.parts import scenarios
from tests.parts.asterisk import Asterisk
from tests.parts.kafka import Cluster, Kafka
from tests.real import reading
from tests.real.asking import ask
from tests.real.bridge import MEASURED, Bridge, bridge, fresh, pbx_table
from tests.real.browser import Page, browsing

STATE = "document.getElementById('state').textContent"
CARD = "document.querySelector('#pbxs .card').textContent"
WITHIN_S = 90


def rows(table: str) -> str:
    return f"[...document.querySelectorAll('#{table} tbody tr')].map(row => row.textContent)"


def some(table: str, *words: str) -> str:
    """Return what is true in the page when a row of a table has these words."""
    return f"{rows(table)}.some(row => {' && '.join(f'row.includes({word!r})' for word in words)})"


def test_what_happens_at_a_pbx_is_on_the_page(
    start_asterisk: Callable[..., Asterisk], kafka: Cluster | Kafka, tmp_path: Path
) -> None:
    pbx, prefix = start_asterisk(22), fresh("page")
    tables = {
        "pbx.main": pbx_table(pbx.host, pbx.port, pbx.username, pbx.secret),
        "pbx.main.actions": {"username": "actions", "secret": pbx.secret},
        "connector": {"heartbeat_s": 1.0},
        "kafka": {"bootstrap_servers": [kafka.bootstrap]},
        "events": {"topic_prefix": prefix, "format": "json"},
        "topics": {"partitions": 1},
        "actions": {"format": "json"},
        "http": MEASURED,
    }
    with ExitStack() as stack:
        stack.callback(reading.remove, kafka.bootstrap, prefix)
        running = stack.enter_context(bridge(tmp_path, tables))
        running.expect("ClaimsRead")
        asyncio.run(watch(running, pbx, kafka.bootstrap, prefix, tmp_path / "profile"))
        assert running.stop() == 0, running.text()


async def watch(running: Bridge, pbx: Asterisk, bootstrap: str, prefix: str, profile: Path) -> None:
    async with asyncio.timeout(WITHIN_S), browsing(profile, running.address()) as page:
        await page.until(f"{STATE}.includes('✓ Ready') && {CARD}.includes('✓ Logged in')")
        await asyncio.to_thread(work, pbx, bootstrap, prefix)
        await page.until(some("topics", f"{prefix}.events.hangup"))
        await choose_actions(page)
        await asyncio.to_thread(pbx.kill)
        await page.until(f"{STATE}.includes('✕ Not ready') && {CARD}.includes('✕ Not logged in')")
        await page.until("document.getElementById('conditions').textContent.includes('pbx.main.session')")
        await asyncio.to_thread(pbx.start)
        await page.until(f"{STATE}.includes('✓ Ready') && {CARD}.includes('✓ Logged in')")
        await page.until(some("gaps", "main", "session-lost"))
        assert not page.complaints
        assert pbx.secret not in await page.ask("document.documentElement.outerHTML")


def work(pbx: Asterisk, bootstrap: str, prefix: str) -> None:
    """Have calls made, and two actions asked for, of which one is forbidden."""
    scenarios.run(pbx, "dial")
    requests: dict[str, dict[str, Any]] = {
        "done": {"request_id": "done", "action": "CoreSettings"},
        "forbidden": {"request_id": "forbidden", "action": "Originate", "headers": {"Channel": "PJSIP/1"}},
    }
    ask(bootstrap, f"{prefix}.actions.json", requests)


async def choose_actions(page: Page) -> None:
    """See both, then by a click the one that was refused, then both again."""
    await page.until(f"{some('actions', 'CoreSettings')} && {some('actions', 'Originate')}")
    await page.ask("document.querySelector('[data-show=refused]').click()")
    assert await page.ask(f"{some('actions', 'Originate')} && !{some('actions', 'CoreSettings')}")
    await page.ask("document.querySelector('[data-show=all]').click()")
    assert await page.ask(some("actions", "CoreSettings"))
