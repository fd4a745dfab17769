"""What is asked of the simulated PBX while it plays: a choice by chance, the like of which programs ask."""

from collections.abc import Sequence
from random import Random
from typing import Final, NamedTuple

from connector.demo.world import PHONES, QUEUE

CONTEXT: Final = "internal"
"""The only context that calls may be sent to; now and then another is asked for, and refused."""

_OTHER: Final = "outbound"


class Wish(NamedTuple):
    """An action and its headers."""

    action: str
    headers: Sequence[tuple[str, str]] = ()


class Requester:
    """Chooses what is asked next; the same seed chooses the same."""

    def __init__(self, seed: int = 0) -> None:
        self._chance = Random(seed)  # noqa: S311 (it decides what is asked)
        self._resting: str | None = None

    def next(self) -> Wish:
        """Return the next wish."""
        kinds = (self._look, self._call, self._rest, self._refused)
        return self._chance.choices(kinds, weights=(5, 3, 2, 1))[0]()

    def pause_s(self) -> float:
        """Return the seconds until the next."""
        return self._chance.uniform(0.5, 2)

    def _look(self) -> Wish:
        return self._chance.choice(
            (Wish("Ping"), Wish("CoreShowChannels"), Wish("QueueStatus", [("Queue", QUEUE)]))
        )

    def _call(self, context: str = CONTEXT) -> Wish:
        one, other = self._chance.sample(PHONES[:-4], 2)
        where = ("Context", context), ("Exten", other.number), ("Priority", "1")
        return Wish("Originate", [("Channel", f"PJSIP/{one.number}"), *where])

    def _rest(self) -> Wish:
        """Let an agent have a break, or the one who has one come back."""
        if self._resting is None:
            self._resting = f"PJSIP/{self._chance.choice(PHONES[-4:]).number}"
            return Wish("QueuePause", [("Interface", self._resting), ("Paused", "true"), ("Reason", "lunch")])
        back, self._resting = self._resting, None
        return Wish("QueuePause", [("Interface", back), ("Paused", "false")])

    def _refused(self) -> Wish:
        return self._chance.choice((self._call(_OTHER), Wish("Command", [("Command", "core stop now")])))
