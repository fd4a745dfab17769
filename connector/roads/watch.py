"""Canaries at one PBX: sent at intervals over the sessions for actions, looked for on the session for events."""

from collections.abc import Callable
from typing import Final, Protocol

from connector.events.watching.canary import Canary, Verdict
from connector.roads.link import Clock
from connector.roads.ports import Executor

_SLICES: Final = 4
"""The time of a canary goes by in pieces: a process that was stopped itself reads before it judges."""


class Watched(Protocol):
    """The session for events at a PBX."""

    @property
    def attentive(self) -> bool:
        """Whether events come as they happen."""
        ...

    def renew(self, reason: str) -> None:
        """Cut the present session for this reason, and make another."""
        ...


class Watch:
    """Sends canaries until it is cancelled, and has the session for events renewed where one was missed.

    Args:
        canary: knows what is awaited; who reads the events tells it what was seen.
        watched: the session for events.
        executor: the sessions for actions at the same PBX.
        every_s: seconds between two canaries.
        within_s: seconds in which one must be seen.
        clock: time.
        nonce: returns a text that nobody can guess.
    """

    def __init__(
        self,
        canary: Canary,
        watched: Watched,
        executor: Executor,
        *,
        every_s: float,
        within_s: float,
        clock: Clock,
        nonce: Callable[[], str],
    ) -> None:
        self._canary = canary
        self._watched = watched
        self._executor = executor
        self._every_s = every_s
        self._within_s = within_s
        self._clock = clock
        self._nonce = nonce

    async def run(self) -> None:
        """Watch for ever."""
        while True:
            await self._clock.sleep(self._every_s)
            # Behind a list events wait, and a canary with them.
            if self._watched.attentive:
                await self._try()

    async def _try(self) -> None:
        canary = self._canary
        action = canary.send(self._nonce(), self._clock.now_us())
        canary.taken(await self._executor.execute(action, lambda: canary.pending, self._within_s))
        while canary.pending:
            for _ in range(_SLICES):
                if canary.pending:
                    await self._clock.sleep(self._within_s / _SLICES)
            if canary.judge() is Verdict.RENEW:
                self._watched.renew(f"a canary was not seen in {self._within_s:g} s")
