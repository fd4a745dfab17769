"""A journal that a connector has left: told, and delivered without a PBX."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.app import parts
from connector.app.running import open_journals
from connector.demo.broker import EmbeddedBroker
from connector.edges.journal.marker import Lock
from tests.cli.conftest import Cli
from tests.cli.test_kafka import SETTINGS, objects
from tests.edges.journal.given import SMALL, entries, opened

WAITING = 20


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """Entries of a PBX in a journal, which nobody has; the settings name it, and no Kafka."""
    folder = tmp_path / "journal" / "main"
    store = opened(folder, SMALL)
    for first in range(1, WAITING + 1, 5):
        store.write(store.pack(first, entries(first, first + 4)))
    store.close()
    text = SETTINGS.format(servers="127.0.0.1:1").replace(
        "[topics]", f'[journal]\npath = "{folder.parent}"\n[topics]'
    )
    (tmp_path / "ami-kafka.toml").write_text(text.replace("[kafka]", "[kafka]\nreach_timeout_s = 0.2"))
    return folder


@pytest.fixture
def broker(left: Path, tmp_path: Path) -> Iterator[EmbeddedBroker]:
    assert left.is_dir()
    with EmbeddedBroker() as running:
        path = tmp_path / "ami-kafka.toml"
        text = path.read_text().replace('127.0.0.1:1"]\n[kafka.c', f'{running.bootstrap_servers}"]\n[kafka.c')
        path.write_text(text.replace("reach_timeout_s = 0.2", "reach_timeout_s = 10.0"))
        for topic in ("connector", "dlq", "events.core-show-channel", "events.hangup", "events.unknown"):
            running.create_topic(f"asterisk.{topic}", 1)
        yield running


def told(cli: Cli, code: int = 0) -> dict[str, Any]:
    result = cli("journal", "status", "--output", "json")
    assert result.exit_code == code
    (one,) = objects(result.stdout)
    return one


def test_status_says_what_waits(cli: Cli, left: Path) -> None:
    files = [*left.glob("*.journal")]
    assert told(cli) == {
        "pbx": "main",
        "folder": str(left),
        "waiting": WAITING,
        "oldest": "1970-01-01T00:00:01.000+00:00",
        "newest": "1970-01-01T00:00:01.000+00:00",
        "bytes": sum(path.stat().st_size for path in files),
        "segments": len(files),
        "epoch": None,
        "damaged_bytes": 0,
        "owner": None,
    }
    head, row = cli("journal", "status").stdout.splitlines()
    assert head.split()[:3] == ["PBX", "Waiting", "Bytes"]
    assert row.split()[:2] == ["main", str(WAITING)]
    assert row.endswith("none")


def test_damage_is_an_exit_code(cli: Cli, left: Path) -> None:
    with max(left.glob("*.journal")).open("ab") as file:
        file.write(b"torn")
    assert told(cli, code=3)["damaged_bytes"] == 4


def test_a_pbx_that_is_gone_from_the_settings_is_told_and_left(
    cli: Cli, broker: EmbeddedBroker, tmp_path: Path
) -> None:
    assert broker.bootstrap_servers
    path = tmp_path / "ami-kafka.toml"
    path.write_text(path.read_text().replace("[pbx.main]", "[pbx.other]"))
    status = cli("journal", "status")
    assert (status.exit_code, status.stderr) == (0, "ami-kafka: main: is no PBX of the settings\n")
    drained = cli("journal", "drain")
    assert (drained.exit_code, drained.stdout) == (0, "")
    assert "main: has a journal and is no PBX of the settings: left as it is" in drained.stderr
    named = cli("journal", "drain", "main")
    assert (named.exit_code, named.stdout) == (2, "")
    assert "pbx.main: no such PBX" in named.stderr
    assert "other: there is no journal of it" in cli("journal", "drain", "other").stderr
    assert told(cli)["waiting"] == WAITING


@pytest.mark.parametrize("words", [["status"], ["drain"]])
def test_a_journal_in_memory_is_nobodys(cli: Cli, tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "ami-kafka.toml").write_text(SETTINGS.format(servers="127.0.0.1:1"))
    result = cli("journal", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "journal.path: must be set" in result.stderr
    empty = cli("journal", *words, env={"AMI_KAFKA__JOURNAL__PATH": str(tmp_path / "nowhere")})
    assert (empty.exit_code, empty.stdout) == (0, "")


def records(cli: Cli, topic: str, count: int) -> list[dict[str, Any]]:
    return objects(cli("tail", topic, "--from-beginning", "-n", str(count), "-o", "json").stdout)


@pytest.mark.usefixtures("broker")
def test_all_that_waits_is_delivered_and_nothing_is_left(cli: Cli) -> None:
    result = cli("journal", "drain", "-o", "json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert objects(result.stdout) == [{"pbx": "main", "delivered": WAITING, "losses": 0, "left": 0}]
    found = records(cli, "asterisk.events.hangup", WAITING)
    assert [each["headers"]["ce_id"] for each in found] == [f"main/1/{n}" for n in range(1, WAITING + 1)]
    assert all(each["value"]["source"]["recovered"] for each in found)
    after = told(cli)
    assert (after["waiting"], after["oldest"], after["segments"]) == (0, None, 1)
    assert cli("journal", "drain").stdout == "main: 0 records delivered; nothing is left\n"


@pytest.mark.usefixtures("broker")
def test_what_cannot_be_read_is_told_in_kafka_at_the_time_of_the_last_event(cli: Cli, left: Path) -> None:
    path = sorted(left.glob("*.journal"))[1]
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    result = cli("journal", "drain")
    assert result.exit_code == 0
    assert "among them 1 that tell what the journal has lost; nothing is left" in result.stdout
    (gap,) = records(cli, "asterisk.connector", 1)
    value = gap["value"]
    assert (value["type"], value["reason"]) == ("gap", "journal-damaged")
    # The next start's gap begins at the journal's last entry, which must not be younger than what was read last.
    assert value["received_time_us"] == 1_000_000 + WAITING
    assert told(cli)["newest"] == "1970-01-01T00:00:01.000+00:00"


@pytest.mark.usefixtures("broker")
def test_it_refuses_while_a_connector_has_the_journal(cli: Cli, left: Path) -> None:
    connector = Lock(left)
    try:
        result = cli("journal", "drain")
        assert (result.exit_code, result.stdout) == (1, "")
        assert "the journal is in use by process" in result.stderr
        assert told(cli)["owner"]
    finally:
        connector.close()
    assert told(cli)["waiting"] == WAITING


def test_without_kafka_nothing_is_touched(cli: Cli, left: Path) -> None:
    before = {path.name: path.read_bytes() for path in left.iterdir()}
    result = cli("journal", "drain")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "are the brokers up" in result.stderr
    assert {path.name: path.read_bytes() for path in left.iterdir()} == before


def test_what_kafka_does_not_take_in_time_is_left(
    cli: Cli, broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "CLOSE_S", 0.1)

    def cut(*arguments: Any) -> Any:
        broker.down()
        return open_journals(*arguments)

    monkeypatch.setattr("connector.app.draining.open_journals", cut)
    result = cli("journal", "drain", "--within", "1", "-o", "json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["left"] == WAITING
    assert told(cli)["waiting"] == WAITING


@pytest.mark.usefixtures("broker")
def test_a_folder_that_cannot_be_used_is_no_empty_journal(cli: Cli, left: Path) -> None:
    (left / "epoch").mkdir()
    result = cli("journal", "drain")
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"journal.path: {left / 'epoch'}: Is a directory" in result.stderr
