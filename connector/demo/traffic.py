"""Many stories at once, as one stream of events in the order of time."""

import heapq
import itertools
from collections.abc import Iterator
from random import Random
from typing import Final

from connector.demo import flows
from connector.demo.channels import Event, Exchange
from connector.demo.scenes import Scene
from connector.demo.world import World

BREAK_S: Final = 3.0
"""The longest that a place for a call stays empty."""

STORIES: Final[dict[flows.Story, int]] = {
    flows.answered_call: 6,
    flows.unanswered_call: 2,
    flows.queue_call: 5,
    flows.abandoned_call: 1,
    flows.held_call: 2,
    flows.blind_transfer: 1,
    flows.attended_transfer: 1,
    flows.registration: 1,
    flows.order: 1,
}
"""How often each is told."""


class Traffic:
    """An endless stream of calls; the same seed tells the same stories.

    Args:
        started: when the PBX booted, in seconds since 1970 (UTC).
        calls_at_once: how many stories run beside each other.
        seed: of chance.
    """

    def __init__(self, started: int, calls_at_once: int = 6, seed: int = 0) -> None:
        self.world = World(Exchange(started), Random(seed))  # noqa: S311 (it decides who calls whom)
        self._calls_at_once = calls_at_once

    def __iter__(self) -> Iterator[tuple[float, Event]]:
        """Yield events, each with when it happens, in seconds since the start."""
        exchange, serial = self.world.exchange, itertools.count()
        due = [(self._break(), next(serial), self._story()) for _ in range(self._calls_at_once)]
        heapq.heapify(due)
        while True:
            now, _, story = heapq.heappop(due)
            exchange.now = exchange.started + now
            for happening in story:
                if isinstance(happening, Event):
                    yield now, happening
                else:
                    heapq.heappush(due, (now + happening, next(serial), story))
                    break
            else:
                heapq.heappush(due, (now + self._break(), next(serial), self._story()))

    def _story(self) -> Scene[None]:
        chosen = self.world.chance.choices([*STORIES], weights=[*STORIES.values()])[0]
        return chosen(self.world)

    def _break(self) -> float:
        return self.world.some(0, BREAK_S)
