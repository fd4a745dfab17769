"""Children that die with their parent, free ports, and waiting for conditions."""

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from tests.parts import Unavailable

LOOPBACK = "127.0.0.1"
Answer = TypeVar("Answer")

_STARTER = ThreadPoolExecutor(1, "starter")
"""The kernel takes the death of the thread that started a child for its parent's: this one never ends."""


class TooLate(Exception):
    """A condition did not come true before its deadline."""


class Ended(Exception):
    """A child ended by itself while it was needed."""


def wait_until(condition: Callable[[], Answer | None], what: str, *, within: float = 30.0) -> Answer:
    """Ask again and again; give the first answer that counts as true."""
    deadline = time.monotonic() + within
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise TooLate(f"not within {within:g} s: {what}")
        time.sleep(0.02)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Give a port of loopback that nobody holds at this moment."""
    return free_ports(1, kind)


def free_ports(size: int, kind: socket.SocketKind) -> int:
    """Give the first of so many free ports in a row, an even one.

    They lie below the range from which the kernel gives ports to clients: a client that tries again and
    again to reach a stopped server there would in the end be given the server's own port, and keep it.
    """
    for _ in range(1000):
        first = random.randrange(10000, 32000, 2)
        if all(is_free(port, kind) for port in range(first, first + size)):
            return first
    raise Unavailable(f"no {size} free ports in a row on loopback")


def is_free(port: int, kind: socket.SocketKind) -> bool:
    """Tell whether the port could be bound on loopback."""
    with socket.socket(type=kind) as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def listens(host: str, port: int) -> bool:
    """Tell whether somebody accepts connections there."""
    with suppress(OSError), socket.create_connection((host, port), timeout=1):
        return True
    return False


class Child:
    """One server process with its log.

    It leads a process group, so that what it forks goes with it. The kernel kills it when this process
    dies (a test run that is killed leaves nothing behind), unless it `outlives` its starter.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        outlives: bool = False,
    ) -> None:
        guard = [] if outlives else ["setpriv", "--pdeathsig", "KILL"]
        self.log = log
        with log.open("ab") as out:
            self._process = _STARTER.submit(
                subprocess.Popen,
                [*guard, *command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            ).result()

    @property
    def pid(self) -> int:
        """The process id, which is also the id of its group."""
        return self._process.pid

    def ended(self) -> bool:
        """Tell whether the process is gone."""
        return self._process.poll() is not None

    def code(self) -> int | None:
        """Give what the process ended with, None while it runs."""
        return self._process.poll()

    def must_live(self) -> None:
        """Raise with the log's end when the process is gone."""
        if self.ended():
            raise Ended(f"ended with {self._process.returncode}: {self._process.args!r}\n{self.tail()}")

    def tail(self) -> str:
        """Give the log's end, where the reason usually stands."""
        return self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""

    def stop(self, how: signal.Signals = signal.SIGTERM, *, grace: float = 15.0) -> None:
        """Ask the process to end, and make it when it does not."""
        end_group(self.pid, how)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(grace)
        self.kill()

    def kill(self) -> None:
        """End the group at once."""
        end_group(self.pid, signal.SIGKILL)
        self._process.wait()


def end_group(group: int, how: signal.Signals) -> None:
    """Signal a process group that may be gone already."""
    with suppress(ProcessLookupError):
        os.killpg(group, how)
