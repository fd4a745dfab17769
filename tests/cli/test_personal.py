"""`check --personal`: which personal fields leave the house."""

import json
from pathlib import Path

from tests.cli.conftest import Cli
from tests.settings.test_load import LEAST


def test_the_command_lists_each_field(cli: Cli) -> None:
    rule = '[[privacy.rules]]\nname = "numbers"\nheaders = "CallerIDNum"\n'
    Path("ami-kafka.toml").write_text(f"{LEAST}\n{rule}", "utf-8")
    result = cli("check", "--personal", "--output", "json")
    assert result.exit_code == 0
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    hangup = {row["header"]: row for row in rows if row["event"] == "Hangup"}
    assert (hangup["CallerIDNum"]["told"], hangup["CallerIDNum"]["rule"]) == ("mask", "numbers")
    assert (hangup["CallerIDName"]["told"], hangup["CallerIDName"]["rule"]) == ("leaves as it is", "")
    assert hangup["CallerIDName"]["why"]
    lines = cli("check", "--personal").stdout.splitlines()
    assert len(lines) == len(rows) + 1
    assert any(line.split()[:5] == ["Hangup", "CallerIDNum", "numbers", "mask", "numbers"] for line in lines)
