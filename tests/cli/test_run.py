"""`run` and `check` as processes beside a simulated PBX; `run` with the embedded broker."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from connector.demo.channels import Event
from connector.demo.pbx import SimulatedPbx
from tests.cli.conftest import ROOT, SECONDS

SETTINGS = """
[pbx.main]
address = ["127.0.0.1:{port}"]
username = "demo"
secret = "{secret}"
snapshot = "{snapshot}"
[log]
format = "json"
"""

Process = asyncio.subprocess.Process
OTHERS = ("session_up", "fully booted", "session_down")


def settings(folder: Path, pbx: SimulatedPbx, secret: str = "demo", snapshot: str = "off") -> Path:
    path = folder / "settings.toml"
    path.write_text(SETTINGS.format(port=pbx.address[1], secret=secret, snapshot=snapshot))
    return path


@asynccontextmanager
async def started(*arguments: str | Path) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "connector", *map(str, arguments)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        # Read to their ends, or its pipes would be left to the collector.
        await process.communicate()


async def line_with(process: Process, fact: str) -> dict[str, object]:
    """Read the log up to a fact."""
    assert process.stderr is not None
    async for raw in process.stderr:
        if raw.startswith(b"{") and (line := json.loads(raw)).get("fact") == fact:
            return dict(line)
    raise AssertionError(f"ended without {fact}")


def play(scene: Callable[[SimulatedPbx], Awaitable[None]]) -> None:
    async def run() -> None:
        async with asyncio.timeout(SECONDS), SimulatedPbx({"demo": "demo"}) as pbx:
            await scene(pbx)

    asyncio.run(run())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(tmp_path: Path, number: signal.Signals) -> None:
    async def scene(pbx: SimulatedPbx) -> None:
        async with started("run", "--embedded", "--config", settings(tmp_path, pbx)) as process:
            up = await line_with(process, "LinkUp")
            assert up["pbx"] == "main"
            for count in range(200):
                pbx.tell(Event("UserEvent", "user", ["UserEvent: Beat", f"Count: {count}"]))
            process.send_signal(number)
            published = await line_with(process, "EventsPublished")
            assert await process.wait() == 0
            assert re.match(rf"published {200 + len(OTHERS)} records", str(published["message"]))
            assert pbx.logins == 0

    play(scene)


def test_a_login_is_followed_by_a_snapshot(tmp_path: Path) -> None:
    async def scene(pbx: SimulatedPbx) -> None:
        config = settings(tmp_path, pbx, snapshot="after-login")
        async with started("run", "--embedded", "--config", config) as process:
            taken = await line_with(process, "SnapshotTaken")
            process.terminate()
            assert await process.wait() == 0
            # A queue and its members; of lists the simulated PBX knows two.
            assert (taken["pbx"], taken["items"]) == ("main", 1 + len(pbx.world.agents))
            assert "QueueStatus" not in str(taken["missing"])
            assert "BridgeList" in str(taken["missing"])

    play(scene)


def test_where_one_pbx_has_snapshots_another_may_have_none(tmp_path: Path) -> None:
    async def scene(pbx: SimulatedPbx) -> None:
        config = settings(tmp_path, pbx)
        first = config.read_text()
        second = first.partition("[log]")[0].replace("pbx.main", "pbx.other").replace("off", "after-login")
        config.write_text(first + second)
        async with started("run", "--embedded", "--config", config) as process:
            assert (await line_with(process, "SnapshotTaken"))["pbx"] == "other"
            process.terminate()
            assert await process.wait() == 0

    play(scene)


def test_only_events_is_accepted(tmp_path: Path) -> None:
    async def scene(pbx: SimulatedPbx) -> None:
        options = ("--embedded", "--only", "events", "--config", settings(tmp_path, pbx))
        async with started("run", *options) as process:
            await line_with(process, "LinkUp")
            process.terminate()
            assert await process.wait() == 0

    play(scene)


def test_a_refused_login_is_loud_and_goes_on(tmp_path: Path) -> None:
    async def scene(pbx: SimulatedPbx) -> None:
        path = settings(tmp_path, pbx, secret="hunter2")
        async with started("run", "--embedded", "--config", path) as process:
            refused = await line_with(process, "LoginWasRefused")
            assert refused["level"] == "error"
            assert "see the account's secret" in str(refused["message"])
            assert "hunter2" not in str(refused)
            process.terminate()
            assert await process.wait() == 0

    play(scene)


def test_check_tells_which_actions_the_account_may_run(tmp_path: Path) -> None:
    async def scene(pbx: SimulatedPbx) -> None:
        path = settings(tmp_path, pbx)
        path.write_text(
            path.read_text()
            + '[kafka]\nbootstrap_servers = ["127.0.0.1:1"]\nreach_timeout_s = 0.2\n'
            + '[[actions.rules]]\nname = "typo"\nactions = ["Orignate"]\n'
        )
        async with started("check", "--output", "json", "--config", path) as process:
            printed, _ = await process.communicate()
        findings = list(map(json.loads, printed.splitlines()))
        seen = {each["what"]: each["seen"] for each in findings}
        assert seen["main policy"].startswith("profile read-only: ")
        assert "did you mean 'Originate'?" in seen["rules"]
        allowed = [each["seen"] for each in findings if each["what"] == "main actions allowed"]
        assert re.match("the account may run .*Ping", allowed[0])

    play(scene)


def test_check_names_what_is_wrong(tmp_path: Path) -> None:
    async def scene(pbx: SimulatedPbx) -> None:
        path = settings(tmp_path, pbx, secret="hunter2")
        path.write_text(
            path.read_text() + '[kafka]\nbootstrap_servers = ["127.0.0.1:1"]\nreach_timeout_s = 0.2\n'
        )
        async with started("check", "--output", "json", "--config", path) as process:
            printed, logged = await process.communicate()
        findings = {each["what"]: each for each in map(json.loads, printed.splitlines())}
        assert process.returncode == 1
        assert findings["main login"]["state"] == "failed"
        assert "login refused" in findings["main login"]["seen"]
        assert findings["Kafka"]["fatal"] is True
        assert b"hunter2" not in printed + logged

    play(scene)
