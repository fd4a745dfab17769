"""Which faults come, in an order that a seed chooses."""

import random
from collections.abc import Iterator
from typing import Final

CUTS: Final = 10
ROUND: Final = (
    *("kill",) * 5,
    *("cut",) * CUTS,
    *("broker 1", "broker 2", "broker 3"),
    *("outage", "mute", "drain", "freeze"),
)
"""The faults of one round; a soak has one at least."""

INTERRUPTIONS: Final = frozenset({"kill", "cut", "mute", "drain", "freeze"})
"""What can keep a connector from reading; nothing else explains a gap."""


def plan(seed: int) -> Iterator[tuple[str, ...]]:
    """Yield one round after the other, each in an order of its own."""
    chance = random.Random(seed)
    while True:
        yield tuple(chance.sample(ROUND, len(ROUND)))
