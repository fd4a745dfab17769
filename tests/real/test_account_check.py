"""The printed accounts and `check`, each held against a real Asterisk."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.parts.asterisk import Asterisk
from tests.real.bridge import command, toml

NO_CDR = "[general]\nenabled = no\n"
NO_CEL = "[general]\nenable = no\n"
SETTINGS = {"events": {"select": ["@default", "@cel"]}, "kafka": {"bootstrap_servers": ["127.0.0.1:1"]}}


def written(folder: Path, *pbxs: tuple[str, Asterisk, str, str]) -> Path:
    """Write settings for PBXs, each with a name, an account and its secret."""
    tables = {
        f"pbx.{name}": {
            "address": [f"{pbx.host}:{pbx.port}"],
            "username": username,
            "secret": secret,
            "timezone": "UTC",
        }
        for name, pbx, username, secret in pbxs
    }
    config = folder / "settings.toml"
    kafka = {**SETTINGS["kafka"], "reach_timeout_s": 0.1}
    config.write_text(toml({**tables, **SETTINGS, "kafka": kafka}))
    return config


def findings(config: Path) -> dict[str, list[Mapping[str, str]]]:
    done = command("check", "--config", str(config), "--output", "json")
    found: dict[str, list[Mapping[str, str]]] = {}
    for line in done.stdout.splitlines():
        finding = json.loads(line)
        found.setdefault(finding["what"], []).append(finding)
    return found


def states(found: list[Mapping[str, str]]) -> list[str]:
    return [finding["state"] for finding in found]


@pytest.mark.parametrize(("version", "words"), [(22, []), (16, ["--old"])])
def test_what_is_printed_is_what_check_asks_for(
    version: int, words: list[str], start_asterisk: Callable[..., Asterisk], tmp_path: Path
) -> None:
    text = "[pbx.main]\naddress = '127.0.0.1'\nusername = 'kafka'\nsecret = 'its-own-hunter2'\n"
    (tmp_path / "first.toml").write_text(text)
    printed = command("manager-conf", *words, "--config", str(tmp_path / "first.toml")).stdout
    printed = printed.replace("<the secret of the settings>", "its-own-hunter2")
    printed = printed.replace("<the connector's address>", "127.0.0.1")
    # As behind [general] of a PBX that does not stamp its events.
    pbx = start_asterisk(version, manager_extra=f"timestampevents = no\n{printed}")
    assert re.search(r"Timestamp events: +Yes", pbx.cli("manager show settings"))
    found = findings(written(tmp_path, ("main", pbx, "kafka", "its-own-hunter2")))
    assert states(found["main login"]) == ["ok"]
    assert "main account" not in found
    assert states(found["main snapshot"]) == ["ok"]
    assert "PJSIPShowContacts" in found["main snapshot"][0]["seen"]
    assert states(found["main writetimeout"]) == ["unproven"]
    assert states(found["main Cdr"]) == states(found["main CEL"]) == ["unproven"]


@pytest.mark.parametrize(
    ("version", "system", "told"),
    [(22, "", "not set"), (16, "same", "little and much both call themselves same")],
)
def test_check_warns_of_what_a_pbx_does_not_give(
    version: int, system: str, told: str, start_asterisk: Callable[..., Asterisk], tmp_path: Path
) -> None:
    account = "deny = 0.0.0.0/0.0.0.0\npermit = 127.0.0.0/255.0.0.0\nsecret = hunter2\nread = all\n"
    extra = f"timestampevents = no\n[little]\n{account}write = reporting\n[much]\n{account}write = all\nwritetimeout = 5000\n"
    pbx = start_asterisk(
        version,
        system_name=system,
        manager_extra=extra,
        overrides={"cdr_manager.conf": NO_CDR, "cel.conf": NO_CEL},
    )
    config = written(tmp_path, ("little", pbx, "little", "hunter2"), ("much", pbx, "much", "hunter2"))
    found = findings(config)
    assert states(found["little, much system name"]) == ["warning"]
    assert found["little, much system name"][0]["seen"] == told
    assert "warning" in states(found["little snapshot"])
    assert "Agents needs agent" in found["little snapshot"][0]["seen"]
    assert states(found["little Cdr"]) == states(found["little CEL"]) == ["unproven"]
    assert states(found["much Cdr"]) == states(found["much CEL"]) == ["warning"]
    assert "cdr_manager.conf" in found["much Cdr"][0]["remedy"]
    assert "command" in found["much account"][0]["seen"]
    assert "5000 ms" in found["much writetimeout"][0]["seen"]
    assert states(found["much timestampevents"]) == ["warning"]
    assert "hunter2" not in json.dumps(found)
