"""One private Asterisk: its own configuration, state, ports and log, all on loopback.

Several run side by side from one folder of binaries. They share the machine's network, so each listens on
ports of its own; everything that would listen on a fixed port is not loaded (`conf/modules.conf`).
"""

import os
import re
import secrets
import shutil
import signal
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.parts import Unavailable, certificates, debian
from tests.parts.ami import Manager, Refused
from tests.parts.processes import LOOPBACK, Child, TooLate, free_port, free_ports, listens, wait_until

TEMPLATES = Path(__file__).parent / "conf"
RTP_PORTS = 40
OLD = 600.0
PHONE_SECRET = "no-secret"
"""Lists of SIP accounts show it, and captures keep it: unlike the AMI's it protects nothing."""
ENTER = """
hostname pbx
mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" || exit 1
exec chroot "$0" /usr/sbin/asterisk -f -n -C "$1/etc/asterisk.conf"
"""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a test may choose about its PBX."""

    version: int = 22
    system_name: str = "pbx-a"
    debug: bool = False
    manager_extra: str = ""
    cel_events: str = "ALL"
    tls: bool = False
    overrides: dict[str, str] = field(default_factory=dict)
    """Whole configuration files in place of ours, by name."""


class Pbx:
    """An Asterisk whose AMI we may use; perhaps somebody else runs it."""

    def __init__(self, host: str, port: int, username: str, secret: str) -> None:
        self.host = host
        self.port = port
        self.username = username
        self.secret = secret

    def manager(self, username: str | None = None, *, events: str = "on") -> Manager:
        """Open an AMI session of the tests' own."""
        return Manager(self.host, self.port, username or self.username, self.secret, events=events)

    def cli(self, command: str) -> str:
        """Run a command of Asterisk's console and give what it prints."""
        with self.manager(events="off") as session:
            answer = session.ask("Command", Command=command)
        return "\n".join(value for name, value in answer.headers if name == "Output")


class Asterisk(Pbx):
    """A running PBX of ours; `with start(...) as pbx`."""

    def __init__(self, plan: Plan, root: Path, *, outlives: bool = False) -> None:
        super().__init__(LOOPBACK, free_port(), "full", secrets.token_hex(12))
        self.plan = plan
        self.version = plan.version
        self.system_name = plan.system_name
        self.tls_port = free_port()
        self.sip_port = free_port(socket.SOCK_DGRAM)
        self.desk_port = free_port(socket.SOCK_DGRAM)
        self.rtp_port = free_ports(RTP_PORTS, socket.SOCK_DGRAM)
        self._root = root
        self._inside = f"/srv/{uuid.uuid4().hex[:12]}"
        self.folder = root / self._inside[1:]
        self._outlives = outlives
        self._child: Child | None = None
        self._write_configuration()

    @property
    def certificate(self) -> Path:
        """The certificate that AMI over TLS shows; it is its own authority."""
        return self.folder / "etc" / "certificate.pem"

    @property
    def pid(self) -> int:
        """The process id, for tests that stop the world (SIGSTOP) or look at memory."""
        return self._running().pid

    def start(self) -> None:
        """Start, and return when every module is up."""
        command = ["unshare", "--mount", "--uts", "--propagation", "private"]
        command += ["sh", "-c", ENTER, str(self._root), self._inside]
        self._child = Child(command, self.folder / "log" / "console", outlives=self._outlives)
        wait_until(self._booted, f"Asterisk {self.version} fully booted", within=90)

    def stop(self) -> None:
        """End in order: channels are hung up, a Shutdown event may be sent."""
        with suppress(OSError, Refused, TooLate):
            self.cli("core stop now")
        self._running().stop()

    def kill(self) -> None:
        """End at once, as a crash or a power cut would."""
        self._running().kill()

    def restart(self) -> None:
        """Stop and start with the same ports and state."""
        self.stop()
        self.start()

    def remove(self) -> None:
        """End and leave nothing behind."""
        if self._child is not None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def suspend(self) -> None:
        """Freeze the process: its sockets stay open and nobody answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen process go on."""
        os.kill(self.pid, signal.SIGCONT)

    def _running(self) -> Child:
        if self._child is None:
            raise RuntimeError("not started")
        return self._child

    def _booted(self) -> bool:
        self._running().must_live()
        if not listens(self.host, self.port):
            return False
        with suppress(OSError, Refused, TooLate):
            return "fully booted" in self.cli("core waitfullybooted").lower()
        return False

    def _write_configuration(self) -> None:
        for name in ("etc", "lib", "spool", "run", "log"):
            (self.folder / name).mkdir(parents=True)
        for template in sorted(TEMPLATES.glob("*.conf")):
            text = self.plan.overrides.get(template.name, template.read_text())
            (self.folder / "etc" / template.name).write_text(self._fill(text))
        for name in ("indications.conf", "acl.conf", "codecs.conf"):
            shutil.copy(self._root / "etc" / "asterisk" / name, self.folder / "etc" / name)

        if self.plan.tls:
            certificates.make(self.certificate, self.folder / "etc" / "key.pem")

    def _fill(self, text: str) -> str:
        modules = next(self._root.glob("usr/lib/**/asterisk/modules"))
        values = {
            "HOME": self._inside,
            "MODULES": f"/{modules.relative_to(self._root)}",
            "SYSTEM_NAME": self.system_name,
            "AMI_PORT": str(self.port),
            "TLS": "yes" if self.plan.tls else "no",
            "TLS_PORT": str(self.tls_port),
            "DEBUG": "on" if self.plan.debug else "off",
            "CEL_EVENTS": self.plan.cel_events,
            "MANAGER_EXTRA": self.plan.manager_extra,
            "SECRET": self.secret,
            "PHONE_SECRET": PHONE_SECRET,
            "SIP_PORT": str(self.sip_port),
            "DESK_PORT": str(self.desk_port),
            "RTP_FIRST": str(self.rtp_port),
            "RTP_LAST": str(self.rtp_port + RTP_PORTS - 1),
        }
        return re.sub(r"@([A-Z_]+)@", lambda found: values[found[1]], text)


def start(
    version: int = 22, *, system_name: str = "pbx-a", debug: bool = False
) -> AbstractContextManager[Asterisk]:
    """Run a private PBX for as long as the block lasts."""
    return run(Plan(version=version, system_name=system_name, debug=debug))


@contextmanager
def run(plan: Plan) -> Iterator[Asterisk]:
    """Run a private PBX of any kind for as long as the block lasts."""
    pbx = prepare(plan)
    try:
        pbx.start()
        yield pbx
    finally:
        pbx.remove()


def given(address: str) -> Pbx:
    """Read `username:secret@host:port`, as `python -m tests.parts env` prints it."""
    account, _, place = address.rpartition("@")
    username, _, secret = account.partition(":")
    host, _, port = place.rpartition(":")
    return Pbx(host, int(port), username, secret)


def prepare(plan: Plan, *, outlives: bool = False) -> Asterisk:
    """Lay out a private PBX without starting it."""
    if os.geteuid() != 0:
        raise Unavailable("not root: chroot needs it to run an Asterisk of Debian's")
    root = debian.root_folder(plan.version)
    _sweep(root / "srv")
    return Asterisk(plan, root, outlives=outlives)


def _sweep(instances: Path) -> None:
    """Remove what killed test runs left behind."""
    for folder in instances.iterdir():
        with suppress(OSError, ValueError):
            pid = (folder / "run" / "asterisk.pid").read_text().strip()
            if not Path(f"/proc/{int(pid)}").exists() and time.time() - folder.stat().st_mtime > OLD:
                shutil.rmtree(folder, ignore_errors=True)
