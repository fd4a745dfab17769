"""The walk from nothing to events and an answered action, TLS on both sides, as its page has it but for addresses and folders."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.parts import doors
from tests.parts.asterisk import Asterisk
from tests.parts.kafka import Kafka
from tests.real import guarded
from tests.real.bridge import Bridge

DOCS = Path(__file__).parents[2] / "docs"
SECRET = "walked-hunter2"
PRINCIPAL = ("--principal", "User:CN=ami-kafka")
WITHIN_S = 90

AclTool = Callable[[str, Path], "CompletedProcess[str]"]


def blocks(page: str, language: str) -> list[str]:
    text = (DOCS / page).read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def moved(text: str, places: Mapping[str, str]) -> str:
    for old, new in places.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


class Walk:
    """Somebody at a shell, in a folder of his own where `ami-kafka` is a command."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.config = folder / "ami-kafka.toml"
        command = folder / "bin" / "ami-kafka"
        command.parent.mkdir()
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m connector "$@"\n')
        command.chmod(0o755)
        monkeypatch.chdir(folder)
        monkeypatch.setenv("AMI_SECRET", SECRET)
        monkeypatch.setenv("AMI_KAFKA__LOG__FORMAT", "json")
        monkeypatch.setenv("PATH", f"{command.parent}:{os.environ['PATH']}")

    def shell(self, script: str) -> str:
        done = subprocess.run(
            ["sh", "-e", "-c", script], check=False, capture_output=True, text=True, timeout=WITHIN_S
        )
        assert done.returncode == 0, (script, done.stdout, done.stderr)
        return done.stdout

    def certified_by_kafka(self, cluster: Kafka) -> None:
        """Take what whoever runs Kafka gives."""
        assert cluster.doors is not None
        pair = cluster.doors.authority.issue("ami-kafka")
        shutil.copy(cluster.doors.authority.certificate, self.folder / "kafka-authority.pem")
        shutil.copy(pair.certificate, self.folder / "ami-kafka.pem")
        shutil.copy(pair.key, self.folder / "ami-kafka.key")

    def account(self) -> str:
        (lines,) = [block for block in blocks("getting-started.md", "sh") if "manager-conf" in block]
        section = self.shell(moved(lines, {"export AMI_SECRET=...\n": ""}))
        return moved(
            section, {"<the secret of the settings>": SECRET, "<the connector's address>": "127.0.0.1"}
        )


@pytest.fixture
def running(walk: Walk) -> Iterator[Callable[[], Bridge]]:
    begun: list[Bridge] = []

    def run() -> Bridge:
        begun.append(Bridge(walk.config))
        return begun[-1]

    yield run
    for each in begun:
        each.end()


@pytest.fixture
def walk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Walk:
    return Walk(tmp_path, monkeypatch)


def test_from_nothing_to_events_and_an_answer(
    walk: Walk,
    running: Callable[[], Bridge],
    start_kafka: Callable[..., Kafka],
    start_asterisk: Callable[..., Asterisk],
    acl_tool: AclTool,
) -> None:
    cluster = start_kafka(users={"nobody": "nothing"})
    *_, rights, run, ask = blocks("getting-started.md", "sh")
    (certificates,) = [block for block in blocks("security.md", "sh") if block.startswith("openssl req")]
    walk.shell(certificates)
    walk.certified_by_kafka(cluster)
    (settings,) = blocks("getting-started.md", "toml")
    walk.config.write_text(settings)

    pbx = start_asterisk(manager_extra=walk.account(), tls=True)
    shutil.copy("pbx.pem", pbx.certificate)
    shutil.copy("pbx.key", pbx.certificate.with_name("key.pem"))
    # Asterisk looks at the certificate where the file is newer.
    (pbx.folder / "etc" / "manager.conf").touch()
    pbx.cli("manager reload")
    places = {
        '"pbx.example.net:5039"': f'"127.0.0.1:{pbx.tls_port}"',
        "kafka.example.net:9093": cluster.behind(doors.MUTUAL),
        # The certificate is for the name that is dialled elsewhere.
        "[pbx.main.tls]": '[pbx.main.tls]\nserver_name = "pbx.example.net"',
    }
    walk.config.write_text(moved(settings, places))

    first, *more = rights.splitlines()
    walk.shell(first)
    printed = guarded.printed(walk.config, *PRINCIPAL)
    assert Path("rights.sh").read_text().count("\nkafka-acls --bootstrap-server ") > 1
    # That these commands are Kafka's own is for another test: each takes seconds.
    guarded.allow(cluster, printed)
    Path("admin.properties").write_text("")
    granted = acl_tool(moved("\n".join(more[1:]), {"kafka.example.net:9093": cluster.bootstrap}), walk.folder)
    assert granted.returncode == 0, granted.stderr

    check, _ = run.splitlines()
    found = walk.shell(check)
    assert "main" in found
    bridge = running()
    bridge.expect("LinkUp", pbx="main")
    bridge.expect("ClaimsRead")
    bridge.expect("SnapshotTaken", pbx="main")
    send, tail = ask.splitlines()
    assert "SUCCESS" in walk.shell(send)
    assert len(walk.shell(tail).splitlines()) == 5
    assert bridge.stop() == 0, bridge.text()
