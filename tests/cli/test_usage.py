"""What every command has in common: help, mistakes, exit codes, a reader that goes away."""

import re
import subprocess
from pathlib import Path

import pytest

from connector import __version__
from tests.cli.conftest import SECONDS, Cli, Program

COMMANDS = (
    ["run"],
    ["demo"],
    ["check"],
    ["tail"],
    ["record"],
    ["replay"],
    ["manager-conf"],
    ["topics", "plan"],
    ["topics", "apply"],
    ["send"],
    ["asyncapi"],
    ["dlq", "list"],
    ["dlq", "show"],
    ["dlq", "replay"],
    ["journal", "status"],
    ["journal", "drain"],
    ["schemas", "list"],
    ["schemas", "show"],
    ["schemas", "generate"],
    ["schemas", "propose"],
    ["schemas", "check"],
    ["schemas", "release"],
    ["schemas", "register"],
)

KAFKA_AND_PBX = """
[pbx.main]
address = ["127.0.0.1:1"]
username = "u"
secret = "hunter2"
[kafka]
bootstrap_servers = ["127.0.0.1:1"]
reach_timeout_s = 0.2
"""


def test_version(cli: Cli) -> None:
    assert cli("--version").stdout == f"ami-kafka {__version__}\n"


@pytest.mark.parametrize("command", [[], *COMMANDS], ids=" ".join)
def test_help(cli: Cli, command: list[str]) -> None:
    result = cli(*command, "--help")
    assert result.exit_code == 0
    assert "Usage" in result.stdout


def test_every_command_is_in_this_list(cli: Cli) -> None:
    listed = {command[0] for command in COMMANDS}
    shown = cli("--help").stdout.split("Commands")[1].split("Exit codes")[0]
    assert {line.split()[1] for line in shown.splitlines() if line[2:3].isalpha()} == listed


def test_a_mistyped_command_gets_a_suggestion(cli: Cli) -> None:
    result = cli("shemas")
    assert result.exit_code == 2
    assert "Did you mean 'schemas'?" in result.stderr


def test_a_mistyped_option_gets_a_suggestion(cli: Cli) -> None:
    result = cli("schemas", "list", "--famly", "call")
    assert result.exit_code == 2
    assert "--family" in result.stderr


def test_a_wrong_choice_names_the_right_ones(cli: Cli) -> None:
    result = cli("schemas", "list", "--output", "jsn")
    assert result.exit_code == 2
    assert "'text', 'json'" in result.stderr


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("[kafka]\nbootstrap_server = 'k'", "kafka.bootstrap_server: no such setting; did you mean"),
        ("[kafka]\nbootstrap_servers = ['k']\nreach_timeout_s = 'soon'", "kafka.reach_timeout_s"),
        ("[kafka", "the settings are no TOML"),
        ("", "kafka.bootstrap_servers: must be set"),
    ],
)
def test_wrong_settings_name_the_key(cli: Cli, tmp_path: Path, settings: str, told: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(settings)
    result = cli("check", "--config", path)
    assert result.exit_code == 2
    assert told in result.stderr
    assert "Traceback" not in result.stderr
    assert all(line.startswith("ami-kafka: ") for line in result.stderr.splitlines())


def test_a_missing_file_is_named(cli: Cli) -> None:
    result = cli("check", "--config", "nowhere.toml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "nowhere.toml: cannot be read: No such file" in result.stderr


def test_the_usual_file_and_the_environment_are_read(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "ami-kafka.toml").write_text(KAFKA_AND_PBX)
    result = cli("schemas", "show", "Hangup", env={"AMI_KAFKA__EVENTS__TOPIC_PREFIX": "mine"})
    assert "topic mine.events.hangup" in result.stdout
    elsewhere = cli("schemas", "show", "Hangup", env={"AMI_KAFKA_CONFIG": "nowhere.toml"})
    assert elsewhere.exit_code == 2


@pytest.mark.parametrize("command", [["tail"], ["tail", "-o", "json", "calls"]])
def test_tail_without_kafka_says_so_in_one_line(cli: Cli, tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "ami-kafka.toml").write_text(KAFKA_AND_PBX)
    result = cli(*command)
    assert (result.exit_code, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("ami-kafka: Kafka at ")


@pytest.mark.parametrize(
    "command", [["run"], ["topics", "plan"], ["tail"], ["replay", "capture.ami", "-o", "kafka"]]
)
def test_kafka_down_is_one_clear_line(cli: Cli, tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "ami-kafka.toml").write_text(KAFKA_AND_PBX)
    (tmp_path / "capture.ami").write_bytes(b"")
    result = cli(*command)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "are the brokers up, and is kafka.bootstrap_servers right" in result.stderr
    assert "Traceback" not in result.stderr


def test_only_a_journal_on_disk_can_be_taken_over(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "ami-kafka.toml").write_text(KAFKA_AND_PBX)
    result = cli("run", "--take-over")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "journal.path: must be set for run --take-over" in result.stderr
    on = {"AMI_KAFKA__JOURNAL__PATH": str(tmp_path), "AMI_KAFKA__ACTIONS__POLICY__PROFILE": "read-only"}
    result = cli("run", "--take-over", "--only", "actions", env=on)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "not with --only actions" in result.stderr


def test_the_account_for_manager_conf(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "ami-kafka.toml").write_text(KAFKA_AND_PBX)
    printed = cli("manager-conf", "main").stdout
    assert printed.startswith(
        "; main: for manager.conf, where FreePBX is for manager_custom.conf\n[general](+)\n"
    )
    assert "\n[u]\nsecret = <" in printed
    wrong = cli("manager-conf", "mian")
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert "did you mean main?" in wrong.stderr


def test_the_accounts_for_actions_for_manager_conf(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "ami-kafka.toml").write_text(KAFKA_AND_PBX)
    on = {"AMI_KAFKA__ACTIONS__POLICY__PROFILE": "read-only"}
    (one,) = re.findall(r"^write = (.*)$", cli("manager-conf", env=on).stdout, re.MULTILINE)
    assert one == "call,agent,reporting"
    own = {f"AMI_KAFKA__PBX__MAIN__ACTIONS__{key}": "doer" for key in ("USERNAME", "SECRET")}
    printed = cli("manager-conf", env=on | own).stdout
    assert re.findall(r"^\[(.*)\]$", printed, re.MULTILINE) == ["u", "doer"]
    assert re.findall(r"^write = (.*)$", printed, re.MULTILINE) == ["call,agent,reporting"] * 2


def test_who_sends_canaries_needs_the_right_without_the_road_back_too(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "ami-kafka.toml").write_text(KAFKA_AND_PBX)
    on = {"AMI_KAFKA__PBX__MAIN__CANARY_S": "60"}
    printed = cli("manager-conf", env=on).stdout
    assert "\nwrite = call,agent,user,reporting\n" in printed
    assert "\nallowmultiplelogin = yes\n" in printed
    own = {f"AMI_KAFKA__PBX__MAIN__ACTIONS__{key}": "doer" for key in ("USERNAME", "SECRET")}
    printed = cli("manager-conf", env=on | own).stdout
    assert re.findall(r"^write = (.*)$", printed, re.MULTILINE) == ["call,agent,reporting", "user"]


CALLS_ALONE = """
[pbx.main.actions]
username = "doer"
secret = "s"
[[actions.rules]]
name = "dialler"
actions = ["Originate"]
channels = ["PJSIP/.*"]
[[actions.rules]]
name = "nothing else"
effect = "deny"
"""


def test_who_may_originate_needs_what_the_connector_asks_itself(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "ami-kafka.toml").write_text(KAFKA_AND_PBX + CALLS_ALONE)
    printed = cli("manager-conf").stdout.partition("[doer]\n")[2]
    assert "\nread = call\nwrite = reporting,originate\n" in printed
    assert "\nallowmultiplelogin = yes\n" in printed


def test_no_secret_is_printed(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "ami-kafka.toml").write_text(KAFKA_AND_PBX)
    for command in (["check"], ["check", "--output", "json"], ["run"], ["manager-conf"]):
        result = cli(*command)
        assert "hunter2" not in result.output


def test_data_is_utf8_whatever_the_locale(program: Program, tmp_path: Path) -> None:
    path = tmp_path / "capture.ami"
    path.write_bytes("Event: Reload\r\nPrivilege: system,all\r\nModule: Żółw → 龜\r\n\r\n".encode())
    replay = program("replay", path, env={"PYTHONIOENCODING": "ascii", "LC_ALL": "C"})
    printed, _ = replay.communicate(timeout=SECONDS)
    assert '"module":"Żółw → 龜"' in printed
    assert replay.returncode == 0


def test_a_reader_that_goes_away_is_no_error(program: Program) -> None:
    listing = program("schemas", "list", "--output", "json")
    assert listing.stdout is not None
    assert listing.stdout.readline().startswith("{")
    listing.stdout.close()
    assert listing.wait(SECONDS) == 0
    assert listing.stderr is not None
    assert listing.stderr.read() == ""
    listing.stderr.close()


def test_a_pipe_to_head(program: Program, captures: Path) -> None:
    replay = program("replay", captures / "features.ami")
    head = subprocess.Popen(["head", "-c", "10"], stdin=replay.stdout, stdout=subprocess.PIPE)
    assert replay.stdout is not None
    replay.stdout.close()
    assert head.communicate(timeout=SECONDS)[0] == b'{"topic":"'
    assert replay.wait(SECONDS) == 0
    assert replay.stderr is not None
    assert "Traceback" not in replay.stderr.read()
    replay.stderr.close()
