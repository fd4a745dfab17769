"""What happens to request topics, from the consumer's thread to the event loop, in order."""

import asyncio
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple

from connector.actions.record import Assigned, Lost, Notice, Revoking


class Happened(NamedTuple):
    """A notice; of an assignment, the number of the term that begins."""

    notice: Notice
    term: int = 0


class Notices:
    """A queue from any thread to the loop in which it is made."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._waiting: list[Happened] = []
        self._failed: Exception | None = None
        self._arrived = asyncio.Event()

    def put(self, happened: Iterable[Happened]) -> None:
        """Hand over what happened, from any thread."""
        with self._lock:
            idle = not self._waiting
            self._waiting += happened
            wake = idle and bool(self._waiting)
        if wake:
            self._wake()

    def fail(self, error: Exception) -> None:
        """Say that nothing comes any more, from any thread; what came before is still taken."""
        with self._lock:
            self._failed = self._failed or error
        self._wake()

    def __len__(self) -> int:
        """Return how much waits to be taken."""
        return len(self._waiting)

    async def take(self) -> Sequence[Happened]:
        """Wait for what happens next: one notice at least.

        No partition is assigned in what also tells that partitions went: who takes it must be done
        with an old term before a new one begins.

        Raises:
            Exception: what was given to `fail`: nothing will come any more.
        """
        while True:
            self._arrived.clear()
            with self._lock:
                waiting = self._waiting
                if waiting:
                    whole = _before_new_terms(waiting)
                    self._waiting = waiting[whole:]
                    return waiting[:whole]
                if self._failed:
                    raise self._failed
            await self._arrived.wait()

    def _wake(self) -> None:
        # A loop that is closed has nobody left to be told.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._arrived.set)


def _before_new_terms(waiting: Sequence[Happened]) -> int:
    gone = False
    for place, (notice, _) in enumerate(waiting):
        if gone and isinstance(notice, Assigned):
            return place
        gone = gone or isinstance(notice, Lost | Revoking)
    return len(waiting)
