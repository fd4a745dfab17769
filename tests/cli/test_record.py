"""`record`: whole frames in a file of one's own, never over another, sanitised on demand."""

import asyncio
import json
import os
import signal
import stat
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from connector.ami.framing import Framer
from connector.ami.message import event_name
from connector.demo.channels import Event
from connector.demo.pbx import SimulatedPbx
from tests.cli.conftest import SECONDS, Cli
from tests.cli.test_run import settings, started

PRIVACY = '[[privacy.rules]]\nname = "numbers"\nheaders = ["*CallerIDNum"]\nkeep = 2\n'
NUMBER = "4930123456"


def told(number: int) -> Event:
    lines = ("UserEvent: Told", f"Number: {number}", f"CallerIDNum: {NUMBER}")
    return Event("UserEvent", "user", lines)


def frames(path: Path) -> list[bytes]:
    framer = Framer()
    found = framer.feed(path.read_bytes())
    assert not framer.pending
    return found


async def recorded(
    pbx: SimulatedPbx, tmp_path: Path, *options: str | Path, extra: str = ""
) -> tuple[int, str, str]:
    config = settings(tmp_path, pbx)
    config.write_text(config.read_text() + extra)
    async with started("record", *options, "--config", config) as process:
        out, err = await asyncio.wait_for(process.communicate(), SECONDS)
    return process.returncode or 0, out.decode(), err.decode()


async def stream(pbx: SimulatedPbx) -> None:
    """Tell events for as long as anybody listens."""
    number = 0
    while True:
        pbx.tell(told(number := number + 1))
        await asyncio.sleep(0.01)


def with_stream(tmp_path: Path, *options: str | Path, extra: str = "") -> tuple[int, str, str]:
    async def both() -> tuple[int, str, str]:
        async with SimulatedPbx({"demo": "demo"}) as pbx:
            telling = asyncio.create_task(stream(pbx))
            try:
                return await recorded(pbx, tmp_path, *options, extra=extra)
            finally:
                telling.cancel()

    return asyncio.run(both())


def test_so_many_events_are_what_replay_reads(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "calls.ami"
    code, out, _ = with_stream(tmp_path, path, "--events", "20", "--output", "json")
    assert code == 0
    summary = json.loads(out)
    assert (summary["pbx"], summary["events"], summary["left_out"]) == ("main", 20, 0)
    assert (summary["ended"], summary["failed"]) == ("after 20 events", False)
    assert summary["bytes"] == path.stat().st_size
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    greeting, *events = frames(path)
    assert greeting.startswith(b"Asterisk Call Manager/")
    numbers = [
        int(frame.partition(b"Number: ")[2].split(b"\r\n")[0]) for frame in events if b"Number: " in frame
    ]
    assert len(events) == 20
    assert numbers == [*range(numbers[0], numbers[0] + len(numbers))]
    result = cli("replay", path)
    values = [json.loads(line)["value"] for line in result.stdout.splitlines()]
    assert sum(value.get("user_event") == "Told" for value in values) == len(numbers)
    assert values[0]["source"]["ami_version"]


def test_a_time_ends_it_too(tmp_path: Path) -> None:
    code, out, _ = with_stream(tmp_path, tmp_path / "a.ami", "--for", "0.5", "--output", "json")
    assert code == 0
    assert json.loads(out)["ended"] == "after 0.5 s"
    assert frames(tmp_path / "a.ami")


def test_ctrl_c_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "a.ami"

    async def interrupted() -> tuple[int | None, str]:
        async with SimulatedPbx({"demo": "demo"}) as pbx:
            telling = asyncio.create_task(stream(pbx))
            async with started("record", path, "--config", settings(tmp_path, pbx), "-o", "json") as process:
                while not (path.exists() and path.stat().st_size > 2_000):
                    assert process.returncode is None
                    await asyncio.sleep(0.05)
                process.send_signal(signal.SIGINT)
                out, _ = await asyncio.wait_for(process.communicate(), SECONDS)
            telling.cancel()
            return process.returncode, out.decode()

    code, out = asyncio.run(interrupted())
    assert (code, json.loads(out)["ended"]) == (0, "stopped")
    assert len(frames(path)) == json.loads(out)["events"] + 1


def test_sanitised_it_has_no_covered_value(tmp_path: Path) -> None:
    path = tmp_path / "a.ami"
    code, _, _ = with_stream(tmp_path, path, "--events", "5", "--sanitise", extra=PRIVACY)
    assert code == 0
    assert NUMBER.encode() not in path.read_bytes()
    assert b"CallerIDNum: ***56" in path.read_bytes()


def test_of_several_pbxs_each_has_a_file(tmp_path: Path) -> None:
    async def both() -> tuple[int, str, str]:
        async with SimulatedPbx({"demo": "demo"}) as pbx:
            telling = asyncio.create_task(stream(pbx))
            other = (
                f'[pbx.other]\naddress = "127.0.0.1:{pbx.address[1]}"\nusername = "demo"\nsecret = "wrong"\n'
            )
            try:
                return await recorded(pbx, tmp_path, tmp_path / "a.ami", "-n", "5", "-o", "json", extra=other)
            finally:
                telling.cancel()

    code, out, _ = asyncio.run(both())
    main, other = (json.loads(line) for line in out.splitlines())
    assert (main["file"], main["events"], main["failed"]) == (str(tmp_path / "a-main.ami"), 5, False)
    assert other["failed"]
    assert "refused" in other["ended"] or "Authentication" in other["ended"]
    assert not (tmp_path / "a-other.ami").exists(), "nothing was read there"
    assert code == 1


def test_a_session_that_ends_by_itself_is_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "a.ami"

    async def cut() -> tuple[int | None, str]:
        async with AsyncExitStack() as stack:
            pbx = await stack.enter_async_context(SimulatedPbx({"demo": "demo"}))
            telling = asyncio.create_task(stream(pbx))
            async with started("record", path, "--config", settings(tmp_path, pbx), "-o", "json") as process:
                while not (path.exists() and path.stat().st_size > 500):
                    assert process.returncode is None
                    await asyncio.sleep(0.05)
                telling.cancel()
                await stack.aclose()
                out, _ = await asyncio.wait_for(process.communicate(), SECONDS)
            return process.returncode, out.decode()

    code, out = asyncio.run(cut())
    assert code == 1
    assert json.loads(out)["failed"]
    assert frames(path)


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "a.ami"
    path.write_text("mine")
    path.chmod(0o644)
    code, _, err = with_stream(tmp_path, path, "--events", "1")
    assert (code, path.read_text()) == (2, "mine")
    assert "is there already; --force" in err
    code, _, _ = with_stream(tmp_path, path, "--events", "1", "--force")
    assert code == 0
    assert len(frames(path)) == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def with_rules(tmp_path: Path, rules: str = PRIVACY) -> Path:
    config = tmp_path / "rules.toml"
    config.write_text(rules)
    return config


def test_an_older_capture_is_sanitised(cli: Cli, tmp_path: Path, captures: Path) -> None:
    source, into, config = captures / "dial.ami", tmp_path / "clean.ami", with_rules(tmp_path)
    result = cli("record", into, "--from", source, "--sanitise", "--config", config, "-o", "json")
    assert result.exit_code == 0, result.stderr
    before, after = frames(source), frames(into)
    summary = json.loads(result.stdout)
    assert len(before) - len(after) == summary["left_out"]
    assert Counter(map(event_name, after)) <= Counter(map(event_name, before))
    for old, new in zip(before, after, strict=True):
        lines = zip(old.split(b"\r\n"), new.split(b"\r\n"), strict=True)
        changed = {one.partition(b":")[0] for one, other in lines if one != other}
        assert all(name.lower().endswith(b"calleridnum") for name in changed)
    assert stat.S_IMODE(into.stat().st_mode) == 0o600
    again = cli("record", tmp_path / "b.ami", "--from", into, "--sanitise", "--config", config)
    assert again.exit_code == 0
    assert (tmp_path / "b.ami").read_bytes() == into.read_bytes()


def test_what_rules_cannot_read_is_left_out(cli: Cli, tmp_path: Path, captures: Path) -> None:
    genuine = frames(captures / "dial.ami")
    torn = next(frame for frame in genuine if b"Event: Newchannel" in frame)
    torn = torn.replace(b"\r\nCallerIDName", b"\r\n0151777: 1\r\nCallerIDName", 1)
    source = tmp_path / "torn.ami"
    source.write_bytes(torn + b"\r\n\r\n0151777\r\n\r\nEvent: Newchannel\r\nChan")
    result = cli(
        "record",
        tmp_path / "b.ami",
        "--from",
        source,
        "--sanitise",
        "--config",
        with_rules(tmp_path),
        "-o",
        "json",
    )
    summary = json.loads(result.stdout)
    assert (summary["events"], summary["left_out"], summary["bytes"]) == (0, 2, 0)
    assert "ends 23 bytes into a message" in summary["ended"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--from", "x.ami"], "goes with --sanitise"),
        (["--from", "x.ami", "--sanitise", "--events", "3"], "no PBX or limit"),
        (["--from", "x.ami", "--sanitise"], "cannot read the capture"),
        (["--pbx", "nobody"], "no PBX 'nobody'"),
    ],
)
def test_what_cannot_be_meant_is_refused(cli: Cli, tmp_path: Path, options: list[str], said: str) -> None:
    result = cli("record", tmp_path / "a.ami", *options, "--config", with_rules(tmp_path, _pbx() + PRIVACY))
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())
    assert not (tmp_path / "a.ami").exists()


def _pbx() -> str:
    return '[pbx.main]\naddress = "127.0.0.1:1"\nusername = "a"\nsecret = "b"\n'


def test_without_rules_nothing_is_sanitised(cli: Cli, tmp_path: Path, captures: Path) -> None:
    config = with_rules(tmp_path, "[privacy]\ndefaults = false\n")
    result = cli(
        "record", tmp_path / "a.ami", "--from", captures / "dial.ami", "--sanitise", "--config", config
    )
    assert result.exit_code == 2
    assert "nothing would be covered" in result.stderr


def test_a_capture_is_never_written_over_itself(cli: Cli, tmp_path: Path, captures: Path) -> None:
    path, other = tmp_path / "a.ami", tmp_path / "link.ami"
    path.write_bytes((captures / "states.ami").read_bytes())
    os.link(path, other)
    result = cli("record", other, "--from", path, "--sanitise", "--force", "--config", with_rules(tmp_path))
    assert result.exit_code == 2
    assert path.read_bytes() == (captures / "states.ami").read_bytes()
