"""sipp, step by step.

sipp plays a script against the clock, but where two of them play one call together ("3PCC") they tell each
other by TCP when to go on. Here the driver is the other one: at each `sendCmd` the script says which step it
has reached, and at the `recvCmd` behind it waits until the PBX's events have shown that step.
"""

import shutil
import socket
import struct
from contextlib import suppress
from pathlib import Path
from typing import Self

from tests.parts.asterisk import Asterisk
from tests.parts.debian import tool
from tests.parts.processes import LOOPBACK, Child, TooLate, free_port, free_ports, wait_until

SCRIPTS = Path(__file__).parent / "conf" / "sipp"
END = b"\x1b"
SOUND = "sound.pcap"
WITHIN = 20


def provided() -> str:
    """Give the path of sipp, installed where we may."""
    return tool("sipp", "sip-tester")


class Script:
    """A script that sipp plays on loopback, from its first step."""

    def __init__(self, pbx: Asterisk, name: str, service: str, user: str = "", password: str = "") -> None:
        self.name = name
        self._folder = pbx.folder / "sipp" / name
        self._folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(SCRIPTS / f"{name}.xml", self._folder)
        (self._folder / SOUND).write_bytes(sound())
        self._server = socket.create_server((LOOPBACK, 0))
        self._server.settimeout(WITHIN)
        self._twin: socket.socket | None = None
        self._call = b""
        driver = f"{LOOPBACK}:{self._server.getsockname()[1]}"
        command = [provided(), f"{LOOPBACK}:{pbx.sip_port}", "-sf", f"{self._folder}/{name}.xml"]
        command += ["-m", "1", "-nostdin", "-cid_str", f"{name}-%u-%p", "-s", service]
        command += ["-i", LOOPBACK, "-p", str(free_port(socket.SOCK_DGRAM))]
        command += ["-mi", LOOPBACK, "-mp", str(free_ports(4, socket.SOCK_DGRAM)), "-3pcc", driver]
        command += ["-au", user, "-ap", password] if user else []
        command += ["-trace_err", "-error_file", f"{self._folder}/errors"]
        self._child = Child(command, self._folder / "screen")

    def __enter__(self) -> Self:
        try:
            self._twin, _ = self._server.accept()
        except TimeoutError as error:
            self._child.kill()
            raise TooLate(f"sipp did not begin {self.name}: {self._child.tail()}") from error
        self._twin.settimeout(WITHIN)
        return self

    def __exit__(self, *_: object) -> None:
        self._child.kill()
        self._server.close()
        if self._twin is not None:
            self._twin.close()

    def to(self, step: str) -> None:
        """Let the script go on, and return when it has reached this step."""
        self._go_on()
        said = self._read()
        self._call = next(line for line in said.splitlines() if line.startswith(b"Call-ID:"))
        if f"Step: {step}".encode() not in said:
            raise RuntimeError(f"{self.name} is not at {step} but said {said!r}")

    def to_end(self) -> None:
        """Let the script go on to its end; raise with sipp's reasons when it did not go as written."""
        self._go_on()
        wait_until(self._child.ended, f"sipp at the end of {self.name}", within=WITHIN)
        if self._child.code() != 0:
            raise RuntimeError(f"sipp failed at {self.name}: {self._errors()}")

    def _go_on(self) -> None:
        if self._call and self._twin is not None:
            self._twin.sendall(self._call + b"\r\n\r\n" + END)
            self._call = b""

    def _read(self) -> bytes:
        said = b""
        with suppress(TimeoutError):
            while self._twin is not None and not said.endswith(END):
                chunk = self._twin.recv(4096)
                if not chunk:
                    break
                said += chunk
        if not said.endswith(END):
            raise TooLate(f"sipp did not reach the next step of {self.name}: {self._errors()}")
        return said

    def _errors(self) -> str:
        errors = self._folder / "errors"
        return errors.read_text(errors="replace")[-2000:] if errors.exists() else self._child.tail()


def sound(packets: int = 10) -> bytes:
    """Give a pcap of some sound and a report about it; sipp puts its own addresses and ports in."""
    source = 0x0A1B2C3D
    recorded = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)]
    for number in range(packets):
        head = struct.pack("!BBHII", 0x80, 0, number, number * 160, source)
        recorded.append(_datagram(head + b"\x7f" * 160, 40000, number))
    numbers = (packets * 160, packets, packets * 160)
    report = struct.pack("!BBHIIIIII", 0x80, 200, 6, source, 3900000000, 0, *numbers)
    recorded.append(_datagram(report, 40001, packets))
    return b"".join(recorded)


def _datagram(payload: bytes, port: int, number: int) -> bytes:
    """Wrap what one UDP packet carries in all that a recording has around it."""
    udp = struct.pack("!HHHH", port, port, 8 + len(payload), 0) + payload
    here = socket.inet_aton(LOOPBACK)
    packet = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), number, 0, 64, 17, 0, here, here) + udp
    frame = b"\0" * 12 + b"\x08\0" + packet
    return struct.pack("<IIII", 0, number * 20_000, len(frame), len(frame)) + frame
