"""Which faults come in which order: each at least once, the order by the seed."""

import random
from collections.abc import Collection, Iterator
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


KINDS = ("kill", "stop", "broker", "pbx", "link", "member")


def plan(seed: int, kinds: Collection[str] = KINDS) -> Iterator[Blow]:
    """Yield faults of some kinds for ever, in rounds that hold each of their steps."""
    chance = random.Random(seed)
    while True:
        blows = [
            Blow(kind, step, chance.randrange(2), chance.randint(1, 3))
            for kind in ("kill", "stop")
            for step in steps.ALL
        ]
        blows += [Blow(kind, step) for kind, step in BESIDE]
        chance.shuffle(blows)
        yield from (each for each in blows if each.kind in kinds)


def round_length() -> int:
    return 2 * len(steps.ALL) + len(BESIDE)
