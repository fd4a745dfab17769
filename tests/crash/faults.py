"""Which faults come in which order: each at least once, the order by the seed."""

import random
from collections.abc import Iterator
from typing import NamedTuple

from tests.crash import steps

BESIDE = (
    *(("broker", "stop"), ("broker", "kill"), ("broker", "stop")),
    *(("pbx", "restart"), ("pbx", "kill")),
    *(("link", "cut"), ("link", "cut")),
    ("member", ""),
)


class Blow(NamedTuple):
    """A fault to come: a connector hits itself at a `step`, the `times`-th time it comes there; or another `kind`."""

    kind: str
    step: str = ""
    victim: int = 0
    times: int = 1


def plan(seed: int) -> Iterator[Blow]:
    """Yield faults for ever; every `round_length` of them hold each kind and step."""
    chance = random.Random(seed)
    while True:
        blows = [
            Blow(kind, step, chance.randrange(2), chance.randint(1, 3))
            for kind in ("kill", "stop")
            for step in steps.ALL
        ]
        blows += [Blow(kind, step) for kind, step in BESIDE]
        chance.shuffle(blows)
        yield from blows


def round_length() -> int:
    return 2 * len(steps.ALL) + len(BESIDE)
