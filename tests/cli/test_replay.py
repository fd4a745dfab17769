"""A file goes down the road: every frame is accounted for, and the same file gives the same records."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli

HEAD = b"Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nActionID: 1\r\nMessage: Authentication accepted\r\n\r\n"
RELOAD = (
    b"Event: Reload\r\nPrivilege: system,all\r\nTimestamp: 1700000000.250000\r\n"
    b"SystemName: a\r\nModule: All\r\nStatus: 0\r\n\r\n"
)


def replayed(cli: Cli, path: Path, *options: str) -> list[dict[str, Any]]:
    result = cli("replay", path, *options)
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize("name", ["dial", "queue", "transfer", "states"])
def test_the_same_file_gives_the_same_lines(cli: Cli, captures: Path, name: str) -> None:
    first = cli("replay", captures / f"{name}.ami")
    assert first.stdout == cli("replay", captures / f"{name}.ami").stdout
    for line in first.stdout.splitlines():
        record = json.loads(line)
        assert list(record) == ["topic", "key", "headers", "value"]
        assert record["headers"]["ce_id"]


def test_every_frame_is_accounted_for(cli: Cli, captures: Path) -> None:
    result = cli("replay", captures / "states.ami")
    words = result.stderr.replace(",", "").splitlines()[-1].split()
    frames, records, letters, left_out = (
        int(words[words.index(name) - 1]) for name in ("frames:", "records", "dead", "left")
    )
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    own = sum(line["topic"] == "asterisk.connector" for line in lines)
    greeting = 1
    assert len(lines) == records + letters
    assert records - own + letters + left_out + greeting == frames


def test_times_and_ids_come_from_the_capture(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "reload.ami"
    path.write_bytes(HEAD + RELOAD)
    (record,) = replayed(cli, path, "--pbx", "site-a")
    assert record["topic"] == "asterisk.events.reload"
    assert record["key"].startswith("site-a")
    assert record["headers"]["ce_id"] == "site-a/1700000000250/1"
    assert record["value"]["received_time_us"] == 1_700_000_000_250_000
    assert record["value"]["source"]["ami_version"] == "11.0.0"
    assert record["value"]["module"] == "All"


def test_what_is_no_message_is_a_dead_letter(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "odd.ami"
    path.write_bytes(HEAD + RELOAD + b"left: over\r\n\r\n" + b"bad: \xff\r\n\r\n" + RELOAD)
    records = replayed(cli, path)
    assert [record["topic"].rpartition(".")[2] for record in records] == ["reload", "dlq", "dlq", "reload"]
    assert records[1]["value"] == "left: over"
    assert records[2]["value"] == {"base64": "YmFkOiD/"}
    assert records[1]["headers"]["__connect.errors.exception.class.name"] == "orphan"


def test_a_torn_end_is_told(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "torn.ami"
    path.write_bytes(HEAD + RELOAD + b"Event: Hangup\r\nPriv")
    result = cli("replay", path)
    assert len(result.stdout.splitlines()) == 1
    assert "the file ends 19 bytes into a message" in result.stderr


def test_the_selection_and_the_prefix_hold(cli: Cli, captures: Path, tmp_path: Path) -> None:
    (tmp_path / "ami-kafka.toml").write_text('[events]\nselect = ["Hangup"]\ntopic_prefix = "pbx"\n')
    records = replayed(cli, captures / "dial.ami")
    assert {record["topic"] for record in records} == {"pbx.events.hangup"}


def test_a_file_that_is_not_there(cli: Cli) -> None:
    result = cli("replay", "nowhere.ami")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "cannot read the capture nowhere.ami" in result.stderr


def test_an_empty_file_is_no_error(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "empty.ami"
    path.write_bytes(b"")
    assert replayed(cli, path) == []


def digits(cli: Cli, capture: Path) -> set[str]:
    return {record["value"]["digit"] for record in replayed(cli, capture) if "digit" in record["value"]}


def test_rules_of_privacy_hold(cli: Cli, captures: Path, tmp_path: Path) -> None:
    config, capture = tmp_path / "ami-kafka.toml", captures / "features.ami"
    config.write_text('[events]\nselect = ["DTMFEnd"]\n')
    assert digits(cli, capture) == {"***"}
    config.write_text('[events]\nselect = ["DTMFEnd"]\n[privacy]\ndefaults = false\n')
    assert "***" not in digits(cli, capture)
    rule = '[[privacy.rules]]\nname = "a"\nheaders = "*Num"\nkeep = 1\n'
    config.write_text(f'[events]\nselect = ["Newchannel", "Hangup"]\n{rule}')
    numbers = {record["value"].get("caller_id_num") for record in replayed(cli, captures / "dial.ami")}
    assert len(numbers) > 2
    assert all(len(number) == len("***1") for number in numbers - {None})
