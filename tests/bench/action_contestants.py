"""Those that are measured for actions, each in a process of its own.

`python -m tests.bench.action_contestants NAME COUNT BOOTSTRAP PREFIX FETCH_MS PORT` prints one line of JSON:
latencies p50 and p99 in milliseconds, rates in actions/s; what a contestant does not measure is not there.
"""

import json
import sys
from collections.abc import Callable

from tests.bench import yardsticks
from tests.bench.requesters import Bare, Session, ThroughKafka
from tests.bench.scene import Scene

Measured = dict[str, float]

SHARE = 10
"""Latencies are of a tenth as many requests as rates."""


def percentiles(latencies: list[float]) -> Measured:
    ordered = sorted(latencies)
    return {"p50": ordered[len(ordered) // 2], "p99": ordered[len(ordered) * 99 // 100]}


def bare(action: str, scene: Scene, count: int) -> Measured:
    session = Bare(scene)
    return {
        **percentiles(session.latencies(action, count // SHARE)),
        "rate": session.rate(action, count),
    }


def through_kafka(action: str, scene: Scene, count: int) -> Measured:
    requester = ThroughKafka(scene)
    return {
        **percentiles(requester.latencies(action, count // SHARE)),
        "rate": requester.rate(action, count),
    }


CONTESTANTS: dict[str, Callable[[Scene, int], Measured]] = {
    "hop": lambda scene, count: percentiles(yardsticks.hops(scene, count // SHARE)),
    "commit": lambda scene, count: percentiles(yardsticks.commits(scene, count // SHARE)),
    "bare read": lambda scene, count: bare("Ping", scene, count),
    "bare effect": lambda scene, count: bare("QueuePause", scene, count),
    "session": lambda scene, count: {"rate": Session(scene).rate("Ping", count * 2)},
    "read": lambda scene, count: through_kafka("Ping", scene, count),
    "effect": lambda scene, count: through_kafka("QueuePause", scene, count),
}

if __name__ == "__main__":
    name, requests, *where = sys.argv[1:]
    print(json.dumps(CONTESTANTS[name](Scene.read(where), int(requests))))
