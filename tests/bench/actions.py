"""Actions: through Kafka and over a bare socket, beside what Kafka itself takes, in one run."""

import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from json import loads

from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined] # its public names

from tests.bench.action_contestants import CONTESTANTS, Measured
from tests.bench.action_report import Results, report
from tests.bench.scene import Scene, process
from tests.parts import kafka

TOPICS = ("actions.json", "responses.json", "claims.json", "yard")
PARTITIONS = 4
KAFKAS_FETCH_MS = 500
MOCKS_FETCH_MS = 1
"""A real Kafka answers a fetch as soon as there is a record; the mock cluster always waits until its end."""


def measure(requests: int, rounds: int, bootstrap: str | None, *, real: bool) -> None:
    """Measure `requests` requests a round and print what came of it, and of which broker."""
    with _broker(bootstrap, real=real) as (where, fetch_ms, said), process("pbx") as port:
        scene = Scene(where, f"bench-{uuid.uuid4().hex[:8]}", fetch_ms, int(port))
        with _topics(scene, real=fetch_ms == KAFKAS_FETCH_MS), process("connector", *scene.words()):
            results: Results = {name: [] for name in CONTESTANTS}
            for name in CONTESTANTS:
                # A broker that has just begun answers several times as slowly.
                _run(name, requests, scene)
            for _ in range(rounds):
                for name, runs in results.items():
                    runs.append(_run(name, requests, scene))
    report(results, said)


@contextmanager
def _broker(bootstrap: str | None, *, real: bool) -> Iterator[tuple[str, int, str]]:
    """Yield a broker's address, how long its fetches may wait, and in words which it is."""
    if bootstrap:
        yield bootstrap, KAFKAS_FETCH_MS, f"the Kafka at {bootstrap}"
    elif real:
        with kafka.start(1) as started:
            yield started.bootstrap, KAFKAS_FETCH_MS, "a real Kafka of one node on this machine"
    else:
        with process("broker") as address:
            yield (
                address,
                MOCKS_FETCH_MS,
                "librdkafka's mock cluster (no disk, no isolation; fetches wait 1 ms, of all)",
            )


@contextmanager
def _topics(scene: Scene, *, real: bool) -> Iterator[None]:
    """Have the topics there for as long as the block lasts; the mock cluster makes those that are asked for."""
    admin, names = AdminClient({"bootstrap.servers": scene.bootstrap}), [scene.topic(name) for name in TOPICS]
    if not real:
        for name in names:
            admin.list_topics(name, 10)
        yield
        return
    for made in admin.create_topics([NewTopic(name, PARTITIONS, -1) for name in names]).values():
        made.result(30)
    try:
        yield
    finally:
        for gone in admin.delete_topics(names).values():
            gone.result(30)


def _run(name: str, requests: int, scene: Scene) -> Measured:
    command = [sys.executable, "-m", "tests.bench.action_contestants", name, str(requests), *scene.words()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        sys.exit(f"{name} failed:\n{done.stderr}")
    measured: Measured = loads(done.stdout.splitlines()[-1])
    return measured
