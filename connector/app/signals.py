"""Ctrl-C and SIGTERM: the first one ends in order, a second one at once; or the first one does so."""

import asyncio
import os
import signal
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

AT_ONCE: Final = 130
"""What a process ends with that ends at once; shells show the same for Ctrl-C."""


class Stop:
    """Says when to end; listens to signals for as long as the block lasts.

    Args:
        last_words: called before the process ends at once.
        at_once: whether the first one ends it so.
    """

    def __init__(self, last_words: Callable[[], object] = lambda: None, *, at_once: bool = False) -> None:
        self._last_words = last_words
        self._at_once = at_once
        self._asked = asyncio.Event()
        self.reason = ""

    async def wait(self) -> None:
        """Return when it is time to end."""
        await self._asked.wait()

    def ask(self, reason: str) -> None:
        """Say that it is time to end."""
        self.reason = self.reason or reason
        self._asked.set()

    def __enter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._signalled, number)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

    def _signalled(self, number: int) -> None:
        if self._at_once or self._asked.is_set():
            self._last_words()
            # Threads may wait for a broker that does not answer: nothing orderly is left to do.
            os._exit(AT_ONCE)
        self.ask(signal.Signals(number).name)
