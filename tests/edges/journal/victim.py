"""A journal's folder through the hands of processes that are killed at one step after the other.

    python -m tests.edges.journal.victim FOLDER

The n-th process, in the folder FOLDER/n, kills itself right before the n-th call that changes a file, until
one comes through. Into FOLDER/n.progress each writes what it was about to do and what it had done.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from connector.edges.journal.store import Bounds
from tests.edges.journal.given import entry, opened
from tests.edges.journal.test_store import RANKS

BOUNDS = Bounds(4_000, 500)
GROUPS = 15
EVENTS = ("Hangup", "Cdr", "Newchannel")


class Trap:
    """Counts calls, and kills the process before one of them."""

    def __init__(self, at: int) -> None:
        self._left = at

    def around(self, owner: Any, name: str) -> None:
        """Have a function be such a call; half of what is to be written may be written before."""
        call: Callable[..., Any] = getattr(owner, name)

        def trapped(*args: Any, **more: Any) -> Any:
            self._left -= 1
            if not self._left:
                if name == "pwrite":
                    file, data, offset = args
                    call(file, data[: len(data) // 2], offset)
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **more)

        setattr(owner, name, trapped)


def course(folder: Path, progress: int) -> None:
    """Write, release, give up, and begin again."""
    sequence = released = 0
    for _ in range(2):
        store = opened(folder, BOUNDS)
        store.next_epoch(1)
        for group in range(GROUPS):
            first = store.written + 1
            new = [entry(sequence + nth, event=EVENTS[nth % 3]) for nth in range(1, 4)]
            sequence += 3
            os.write(progress, f"writing {sequence}\n".encode())
            store.write(store.pack(first, new))
            os.write(progress, f"written {sequence}\n".encode())
            if group % 4 == 0:
                store.sync()
            if group % 5 == 4:
                os.write(progress, f"remembering {sequence}\n".encode())
                store.remember(b"%d" % sequence)
                os.write(progress, f"remembered {sequence}\n".encode())
            if group % 9 == 8:
                released += 5
                os.write(progress, f"releasing {released}\n".encode())
                store.release(released)
            [*store.purge(released + 10, store.written - 6, RANKS)]
        store.close()


def main(folder: Path, stride: int) -> None:
    number = 1 - stride
    while True:
        number += stride
        child = os.fork()
        if not child:
            trap = Trap(number)
            for owner, names in (
                (os, ("open", "pwrite", "fsync", "ftruncate")),
                (Path, ("unlink", "replace", "mkdir", "write_bytes")),
            ):
                for name in names:
                    trap.around(owner, name)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            trap._left += 1
            course(folder / f"{number}", os.open(f"{folder}/{number}.progress", flags))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            sys.exit(os.WEXITSTATUS(status))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
