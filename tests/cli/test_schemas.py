"""The schemas as the command line shows, writes and proves them."""

import json
import shutil
from pathlib import Path

import pytest

from connector.edges.schemas import directory
from tests.cli.conftest import Cli

SALE = (
    b"Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: Sale\r\nAmount: 12\r\n\r\n"
    b"Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: Sale\r\nAmount: 7\r\n\r\n"
)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    folder = tmp_path / "schemas"
    shutil.copytree(directory(), folder)
    return folder


def test_list_as_text_and_as_json_agree(cli: Cli) -> None:
    lines = [json.loads(line) for line in cli("schemas", "list", "--output", "json").stdout.splitlines()]
    rows = cli("schemas", "list").stdout.splitlines()[1:]
    assert [row.split()[2] for row in rows] == [line["topic"] for line in lines]
    assert len(lines) > 250


def test_list_by_family_and_selection(cli: Cli) -> None:
    output = cli("schemas", "list", "--family", "queue", "--selected", "-o", "json").stdout
    lines = [json.loads(line) for line in output.splitlines()]
    assert lines
    assert {(line["family"], line["published"]) for line in lines} == {("queue", True)}


def test_list_refuses_a_family_that_is_none(cli: Cli) -> None:
    refused = cli("schemas", "list", "--family", "nix")
    assert refused.exit_code == 2
    assert "'nix' is none of" in refused.stderr


@pytest.mark.parametrize("name", ["Hangup", "hangup", "org.amikafka.events.Hangup"])
def test_show_finds_an_event_by_any_of_its_names(cli: Cli, name: str) -> None:
    shown = cli("schemas", "show", name)
    assert shown.stdout.startswith("Hangup (org.amikafka.events.Hangup)")
    assert "Cause-txt" in shown.stdout


def test_show_as_json_is_the_avsc(cli: Cli) -> None:
    shown = json.loads(cli("schemas", "show", "Hangup", "--output", "json").stdout)
    assert shown == json.loads((directory() / "events" / "hangup.avsc").read_text())


def test_show_suggests_what_may_be_meant(cli: Cli) -> None:
    result = cli("schemas", "show", "Hangp")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "did you mean Hangup" in result.stderr


def test_what_is_written_is_what_the_catalogue_says(cli: Cli) -> None:
    result = cli("schemas", "generate", "--check")
    assert (result.exit_code, result.stdout) == (0, "")


def test_generate_mends_a_file(cli: Cli, copy: Path) -> None:
    path = copy / "events" / "hangup.avsc"
    good = path.read_text()
    path.write_text(good.replace("A channel has ended", "A channel is gone"))
    check = cli("schemas", "generate", "--check", "--dir", copy)
    assert (check.exit_code, check.stdout) == (1, "events/hangup.avsc: not as the catalogue says\n")
    written = cli("schemas", "generate", "--dir", copy)
    assert written.stdout.startswith("1 written, ")
    assert path.read_text() == good


def test_check_finds_a_broken_promise(cli: Cli, copy: Path) -> None:
    assert cli("schemas", "check", "--dir", copy).exit_code == 0
    path = copy / "events" / "hangup.avsc"
    path.write_text(path.read_text().replace('"cause_txt"', '"cause_text"'))
    broken = cli("schemas", "check", "--dir", copy, "--output", "json")
    assert broken.exit_code == 1
    rules = {json.loads(line)["rule"] for line in broken.stdout.splitlines()}
    assert "field-removed" in rules


@pytest.mark.parametrize(
    ("name", "change", "rule"),
    [
        ("request", ('"timeout_ms", "type": ["null", "long"]', '"timeout_ms", "type": ["null", "string"]'), "type-changed"),
        ("response", ("Asterisk's text, or why it ended so.", ""), "doc-missing"),
        ("claim", ("digest", "hash"), "field-removed"),
    ],
)  # fmt: skip
def test_check_finds_a_broken_promise_of_the_road_back(
    cli: Cli, copy: Path, name: str, change: tuple[str, str], rule: str
) -> None:
    path = copy / "actions" / f"{name}.avsc"
    text = path.read_text()
    assert change[0] in text
    path.write_text(text.replace(*change))
    broken = cli("schemas", "check", "--dir", copy, "--output", "json")
    assert broken.exit_code == 1
    assert rule in {json.loads(line)["rule"] for line in broken.stdout.splitlines()}


def test_a_schema_that_is_no_json_is_named(cli: Cli, copy: Path) -> None:
    (copy / "actions" / "claim.avsc").write_text("{")
    broken = cli("schemas", "check", "--dir", copy)
    assert broken.exit_code == 2
    assert "claim.avsc: no JSON" in broken.stderr


def test_release_notes_what_is_new_once(cli: Cli, copy: Path) -> None:
    (copy / "released.jsonl").unlink()
    assert cli("schemas", "release", "9.0.0", "--dir", copy).exit_code == 0
    lines = (copy / "released.jsonl").read_text().splitlines()
    named = {(noted["name"], noted["version"]) for noted in map(json.loads, lines)}
    whole = {f"org.amikafka.actions.Action{name}" for name in ("Request", "Response", "Claim")}
    assert {(name, "9.0.0") for name in (*whole, "org.amikafka.events.Hangup")} <= named
    again = cli("schemas", "release", "9.0.0", "--dir", copy)
    assert again.exit_code == 2
    assert "released already" in again.stderr


def test_propose_from_a_capture(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "sale.ami"
    path.write_bytes(SALE)
    row = json.loads(cli("schemas", "propose", path).stdout)["Sale"]
    assert {"name": "Amount", "type": "int"}.items() <= row["headers"][-1].items()


def test_a_proposed_schema_can_be_used(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "sale.ami"
    path.write_bytes(SALE)
    assert cli("schemas", "propose", path, "--out", "own").exit_code == 0
    (tmp_path / "ami-kafka.toml").write_text('[events]\nuser_schemas = "own"\nselect = ["@user"]\n')
    records = [json.loads(line) for line in cli("replay", path).stdout.splitlines()]
    assert [record["value"]["amount"] for record in records] == [12, 7]


def test_register_needs_a_registry(cli: Cli) -> None:
    result = cli("schemas", "register")
    assert result.exit_code == 2
    assert "registry.url: must be set" in result.stderr
