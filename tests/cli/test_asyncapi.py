"""The AsyncAPI document at the command line; that it is one is proved in tests/real."""

import json
from pathlib import Path
from typing import Any

from tests.cli.conftest import Cli
from tests.cli.test_usage import KAFKA_AND_PBX


def document(cli: Cli, *options: str, env: dict[str, str] | None = None) -> dict[str, Any]:
    result = cli("asyncapi", *options, env=env)
    assert (result.exit_code, result.stderr) == (0, "")
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_without_settings_it_tells_the_defaults(cli: Cli) -> None:
    found = document(cli)
    assert found["asyncapi"] == "3.0.0"
    assert found["servers"] == {}
    assert {"asterisk.events.hangup", "asterisk.dlq", "asterisk.connector"} <= found["channels"].keys()
    assert "unused" not in json.dumps(found)


def test_the_settings_hold(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "ami-kafka.toml").write_text(
        KAFKA_AND_PBX + '[events]\nselect = ["Hangup"]\ntopic_prefix = "x"\n'
    )
    found = document(cli, env={"AMI_KAFKA__ACTIONS__FORMAT": "json"})
    assert found["channels"].keys() == {
        *("x.connector", "x.dlq", "x.events.hangup", "x.events.core-show-channel"),
        *("x.actions.json", "x.responses.json", "x.claims.json"),
    }
    assert found["servers"]["kafka-1"]["host"] == "127.0.0.1:1"
    assert "hunter2" not in json.dumps(found)


def test_a_file_need_not_speak_of_kafka(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "ami-kafka.toml").write_text('[events]\ntopic_prefix = "x"\n')
    assert "x.dlq" in document(cli)["channels"]
    by_environment = {"AMI_KAFKA__KAFKA__BOOTSTRAP_SERVERS": "k:1"}
    assert document(cli, env=by_environment)["servers"]["kafka-1"]["host"] == "k:1"


def test_on_one_line_for_programs(cli: Cli) -> None:
    (line,) = cli("asyncapi", "--output", "json").stdout.splitlines()
    assert json.loads(line) == document(cli)
