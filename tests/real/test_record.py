"""A real PBX recorded while it has a call: what `replay` makes of the file, and what rules have left of it."""

import json
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.parts.asterisk import Asterisk
from tests.parts.processes import wait_until
from tests.parts.scenarios.steps import bridged_call, hang_up
from tests.real.bridge import command, pbx_table, toml

CALLER = b"1001"
"""The number of whoever calls in the scenarios."""
COUNTED = {"Newchannel", "BridgeEnter", "Hangup", "Cdr", "VarSet"}


def settings(pbx: Asterisk, folder: Path) -> Path:
    path = folder / "settings.toml"
    tables = {
        "pbx.main": pbx_table(pbx.host, pbx.port, pbx.username, pbx.secret),
        "events": {"select": ["@all"]},
        "[privacy.rules]": {"name": "callers", "headers": ["*CallerID*", "*ConnectedLine*", "Source"]},
    }
    path.write_text(toml(tables))
    return path


@pytest.mark.parametrize("version", [22, 16])
def test_a_call_is_recorded_whole_and_sanitised(
    start_asterisk: Callable[..., Asterisk], tmp_path: Path, version: int
) -> None:
    pbx = start_asterisk(version)
    config = str(settings(pbx, tmp_path))
    into = [tmp_path / "raw.ami", tmp_path / "clean.ami"]
    with pbx.manager() as ami:
        recorders = [record(into[0], config), record(into[1], config, "--sanitise")]
        try:
            for path in into:
                wait_until(path.exists, f"{path} begun")
            _, callee = bridged_call(ami)
            hang_up(ami, callee)
            ami.expect("Cdr", Disposition="ANSWERED")
            ami.ask("UserEvent", UserEvent="RecordingEnds")
            for path in into:
                wait_until(partial(holds, path, b"RecordingEnds"), f"the call in {path}")
        finally:
            for each in recorders:
                each.terminate()
        told = [json.loads(each.communicate(timeout=30)[0]) for each in recorders]
    assert [(each["ended"], each["failed"], each["left_out"]) for each in told] == [("stopped", False, 0)] * 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in into} == {0o600}
    raw, clean = (replayed(path, config) for path in into)
    assert count(raw) == count(clean)
    assert set(count(raw)) == COUNTED
    assert b"CallerIDNum: " + CALLER in into[0].read_bytes()
    assert b"CallerIDNum: " + CALLER not in into[1].read_bytes()
    assert b"CallerIDNum: ***" in into[1].read_bytes()


def holds(path: Path, text: bytes) -> bool:
    return text in path.read_bytes()


def record(into: Path, config: str, *options: str) -> "subprocess.Popen[bytes]":
    words = ["record", str(into), "--config", config, "--output", "json", *options]
    return subprocess.Popen([sys.executable, "-m", "connector", *words], stdout=subprocess.PIPE)


def replayed(path: Path, config: str) -> list[dict[str, Any]]:
    done = command("replay", str(path), "--config", config)
    assert done.returncode == 0, done.stderr
    assert " 0 dead letters" in done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def count(records: list[dict[str, Any]]) -> Counter[str]:
    names = (record["headers"]["ce_type"].rpartition(".")[2] for record in records)
    return Counter(name for name in names if name in COUNTED)
