"""The bytes that an AMI events session reads while scenarios run."""

import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Self

from tests.parts import scenarios
from tests.parts.asterisk import Asterisk
from tests.parts.processes import wait_until
from tests.parts.scenarios.busy import busy, questions

LAST = "CaptureEnd"


class Recorder:
    """An events session with every class; stores what it reads, never what it sends (the secret)."""

    def __init__(self, pbx: Asterisk) -> None:
        self.received = bytearray()
        self._socket = socket.create_connection((pbx.host, pbx.port))
        login = f"Action: Login\r\nActionID: login-1\r\nUsername: {pbx.username}\r\nSecret: {pbx.secret}\r\n"
        self._socket.sendall(f"{login}Events: on\r\n\r\n".encode())
        self._reader = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._reader.start()
        wait_until(lambda: b"FullyBooted" in self.received, "FullyBooted after the login")
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._reader.join()
        self._socket.close()

    def _read(self) -> None:
        while chunk := self._socket.recv(65536):
            self.received += chunk

    def until_closed(self) -> None:
        """Wait until the PBX closes the session."""
        self._reader.join(30)

    def up_to_mark(self, pbx: Asterisk) -> bytes:
        """Send a mark through the PBX, and give what came before it."""
        with pbx.manager(events="off") as ami:
            ami.action("UserEvent", UserEvent=LAST)
        mark = b"UserEvent: " + LAST.encode()
        wait_until(lambda: mark in self.received, "the mark that ends the capture")
        before = bytes(self.received[: self.received.index(mark)])
        return before[: before.rindex(b"\r\n\r\n") + 4]


def capture_group(pbx: Asterisk, name: str) -> bytes:
    """Run a group of scenarios and give what an events session read."""
    with Recorder(pbx) as recorder:
        scenarios.run(pbx, name)
        return recorder.up_to_mark(pbx)


def capture_lists(pbx: Asterisk) -> bytes:
    """Ask every question that has a list for an answer, and give all that the asking session read."""
    with pbx.manager(events="off") as ami:
        talking = [item for item in ami.items("CoreShowChannels") if item["Application"] == "Dial"]
    channel, bridge = (talking[0]["Channel"], talking[0]["BridgeId"]) if talking else ("nobody", "none")
    with pbx.manager() as session:
        session.expect("FullyBooted")
        for action, headers in questions(channel, bridge):
            answer = session.ask(action, **headers)
            if answer["EventList"].lower() == "start":
                session.await_end_of_list(answer["ActionID"])
        session.ask("Logoff")
        return bytes(session.received)


def capture_end(pbx: Asterisk) -> bytes:
    """Shut the PBX down, and give what an events session read until it was closed."""
    with Recorder(pbx) as recorder:
        with suppress(ConnectionError):
            pbx.cli("core stop gracefully")
        recorder.until_closed()
        return bytes(recorder.received)


def write(pbx: Asterisk, folder: Path) -> None:
    """Write a capture for each group of scenarios, for lists of an idle and a busy PBX, and for its end."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lists-idle.ami").write_bytes(capture_lists(pbx))
    for name in scenarios.ALL:
        (folder / f"{name}.ami").write_bytes(capture_group(pbx, name))
    with busy(pbx):
        (folder / "lists.ami").write_bytes(capture_lists(pbx))
    (folder / "shutdown.ami").write_bytes(capture_end(pbx))
