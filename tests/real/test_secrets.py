"""Every secret that the programs are given, looked for in everything that they print and write.

All ways are secured: AMI by TLS with a pinned certificate, Kafka by SASL_SSL with the printed ACLs, the registry by TLS.
"""

import base64
import re
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from connector.cli import app
from tests.parts import front
from tests.parts.asterisk import Asterisk
from tests.parts.certificates import Authority, fingerprint
from tests.parts.kafka import Kafka
from tests.parts.registry import Registry, Service
from tests.real import guarded, reading
from tests.real.asking import Inbox, ask
from tests.real.bridge import Tables, bridge, command, fresh, toml
from tests.real.story import mark

MANY = 10
NAMES = ("events", "actions", "kafka", "registry")
DEBUG = "generic,conf,security,feature,broker,admin,cgrp,eos"
ACCOUNT = "[of-{0}]\nsecret = {1}\nread = all\nwrite = all\n"
FAILING = """
import sys
import connector.app.parts as parts
async def fail(settings, *others):
    raise RuntimeError(f"unforeseen: {settings!r} {settings.pbx['main'].account()!r} {others!r}")
parts.inspect_ends = fail
from connector.cli import main
sys.argv = ["ami-kafka", "run", "--config", sys.argv[1]]
main()
"""
"""A fault that nobody foresees, told with all that is at hand."""


class Told:
    """What was printed and written, and which secrets are not to be in it."""

    def __init__(self) -> None:
        self.secrets: set[str] = set()
        self.texts: dict[str, str] = {}

    def keep(self, where: str, text: str) -> None:
        self.texts[f"{len(self.texts)} {where}"] = text

    def assert_silent(self) -> None:
        forms = set()
        for secret in self.secrets:
            pair = f"bridge:{secret}".encode()
            forms |= {secret, *(base64.b64encode(each).decode() for each in (secret.encode(), pair))}
        for where, text in self.texts.items():
            for form in forms:
                place = text.find(form)
                assert place < 0, (where, form, text[max(0, place - 300) : place + 60])


class Place:
    """Settings with four secrets, each told in another way: a file, the file itself, two variables."""

    def __init__(self, tables: Tables, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tables = tables
        self.told = Told()
        self.folder = folder
        self._monkeypatch = monkeypatch

    def give(self, **values: str) -> None:
        self.told.secrets |= set(values.values())
        (self.folder / "secret").write_text(values["events"] + "\n")
        self.tables["pbx.main.actions"]["secret"] = values["actions"]
        self._monkeypatch.setenv("AMI_KAFKA__KAFKA__LIBRDKAFKA__SASL_PASSWORD", values["kafka"])
        self._monkeypatch.setenv("REGISTRY_PASSWORD", values["registry"])

    def config(self) -> Path:
        path = self.folder / "settings.toml"
        path.write_text(toml(self.tables))
        return path

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        done = command(*words, "--config", str(self.config()))
        self.told.keep(" ".join(words), f"{done.stdout}\n{done.stderr}")
        return done

    def written(self, bootstrap: str, prefix: str) -> int:
        """Keep what is on disk and in Kafka; return how many records there are."""
        for path in (each for each in (self.folder / "journal").rglob("*") if each.is_file()):
            self.told.keep(str(path), path.read_bytes().decode("latin-1"))
        records = reading.read_all(bootstrap, prefix)
        for got in records:
            self.told.keep(got.topic, f"{got.key!r} {got.headers} {got.value.decode('latin-1')}")
        return len(records)


class World:
    """The real parts, with the secrets that they know."""

    def __init__(self, right: dict[str, str], kafka: Kafka, pbx: Asterisk, door: front.Front) -> None:
        self.right, self.kafka, self.pbx, self.door = right, kafka, pbx, door
        self.prefix = fresh("secret")

    def tables(self, folder: Path) -> Tables:
        options = guarded.by_scram(self.kafka, self.prefix)
        del options["sasl.password"]
        return guarded.tables(self.kafka, self.prefix, options | {"debug": DEBUG}) | {
            "pbx.main": {
                "address": [f"{self.pbx.host}:{self.pbx.tls_port}"],
                "username": "of-events",
                "secret": f"${{file:{folder}/secret}}",
                "auth": "plain",
                "event_classes": ["all"],
                "timezone": "UTC",
            },
            "pbx.main.tls": {"fingerprint": fingerprint(self.pbx.certificate)},
            "pbx.main.actions": {"username": "of-actions"},
            "registry": {
                "url": self.door.url,
                "username": "bridge",
                "password": "${env:REGISTRY_PASSWORD}",
                "ca_file": str(folder / "authority.pem"),
                "auto_register": True,
            },
            "events": {"topic_prefix": self.prefix, "select": ["@default", "@security"]},
            "actions": {"instance_id": "one", "format": "json"},
            "actions.policy": {"profile": "full"},
            "journal": {"path": str(folder / "journal")},
            "log": {"format": "json", "level": "debug"},
        }


@pytest.fixture
def world(
    guarded_kafka: Kafka,
    registry: Service | Registry,
    start_asterisk: Callable[..., Asterisk],
    tmp_path: Path,
) -> Iterator[World]:
    right = {name: f"{name}-{secrets.token_hex(8)}" for name in NAMES}
    accounts = "".join(ACCOUNT.format(name, right[name]) for name in ("events", "actions"))
    pbx = start_asterisk(22, tls=True, manager_extra=accounts)
    pair = Authority(tmp_path).issue("front")
    with front.start(registry.url, "bridge", right["registry"], pair) as door:
        one = World(right, guarded_kafka, pbx, door)
        guarded.enrol(guarded_kafka, one.prefix, right["kafka"])
        yield one
        reading.remove(guarded_kafka.bootstrap, one.prefix)


@pytest.fixture
def place(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    one = Place(world.tables(tmp_path), tmp_path, monkeypatch)
    one.give(**world.right)
    guarded.allow(world.kafka, guarded.printed(one.config()))
    # For `send` and `tail`, which people run.
    topics = {"resource_type": "TOPIC", "resource_name": world.prefix, "pattern_type": "PREFIXED"}
    groups = {"resource_type": "GROUP", "resource_name": "*", "pattern_type": "LITERAL"}
    who = {"principal": f"User:{world.prefix}", "host": "*", "operation": "ALL", "permission_type": "ALLOW"}
    guarded.allow(world.kafka, [topics | who, groups | who])
    return one


def test_no_secret_is_printed_logged_journaled_or_published(world: World, place: Place) -> None:
    for words in (["check"], ["check", "--output", "json"], ["check", "--print-acls"], ["manager-conf"]):
        assert place.command(*words).returncode == 0, place.told.texts
    assert place.command("schemas", "register").returncode == 0
    assert place.command("topics", "plan").returncode == 0
    with bridge(place.folder, place.tables) as running:
        running.expect("LinkUp", pbx="main")
        running.expect("ClaimsRead")
        place.told.keep("process list", running.command_line())
        mark(world.pbx, "Secrets")
        stolen = "AST_CONFIG(manager.conf,of-events,secret)"
        requests: dict[str, dict[str, Any]] = {
            "ping": {"request_id": "ping", "action": "Ping"},
            "steal": {"request_id": "steal", "action": "Getvar", "headers": {"Variable": stolen}},
        }
        ask(world.kafka.bootstrap, f"{world.prefix}.actions.json", requests)
        inbox = Inbox(world.kafka.bootstrap, f"{world.prefix}.responses.json", 1)
        try:
            inbox.expect(requests)
        finally:
            inbox.close()
        reading.expect(world.kafka.bootstrap, world.prefix, b"Secrets")
        assert place.written(world.kafka.bootstrap, world.prefix) > MANY
        assert place.command("send", "Ping").returncode == 0, place.told.texts
        assert place.command("tail", "-b", "-n", "10").returncode == 0, place.told.texts
        assert running.stop() == 0, running.text()
        place.told.keep("log", running.text())
        assert "SCRAM" in running.text(), "librdkafka's own words are among them"
    place.told.assert_silent()


def test_no_secret_is_told_when_something_is_wrong(world: World, place: Place) -> None:
    # `bridge` has its lines in JSON.
    place.tables["log"]["format"] = "console"
    place.tables["kafka"]["reach_timeout_s"] = 3
    for wrong in NAMES:
        place.give(**{**world.right, wrong: f"wrong-{secrets.token_hex(8)}"})
        check = place.command("check")
        assert check.returncode == 1, (wrong, check.stdout)
        if wrong in ("kafka", "registry"):
            assert place.command("run").returncode == 1
            continue
        with bridge(place.folder, place.tables) as running:
            if wrong == "events":
                running.expect("LoginWasRefused", pbx="main")
            else:
                running.expect("LinkUp", pbx="main")
            assert running.stop() == 0, running.text()
            place.told.keep(f"wrong {wrong}", running.text())
    place.give(**world.right)
    words = [sys.executable, "-c", FAILING, str(place.config())]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=60)
    assert "RuntimeError: unforeseen: Settings(" in done.stderr
    place.told.keep("traceback", done.stderr)
    place.told.assert_silent()


def parameters(command: Any) -> Iterator[str]:
    """Give every option and argument, of commands below too."""
    for parameter in command.params:
        yield from (*parameter.opts, parameter.name or "")
    for below in getattr(command, "commands", {}).values():
        yield from parameters(below)


def test_no_command_takes_a_secret_where_a_process_list_shows_it() -> None:
    found = [*parameters(get_command(app))]
    assert "--config" in found
    assert not [each for each in found if re.search("secret|password|token|credential", each)]
