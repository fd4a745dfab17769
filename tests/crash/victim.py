"""The connector's command line, which kills or stops itself where it is told to.

    python -m tests.crash.victim [--unclaimed] MARKS run --config FILE

Each line of its standard input, `STEP kill|stop TIMES`, arms it once: the so-manieth time that it comes to
this step it notes that in the file MARKS, and sends itself the signal. `--unclaimed` breaks the promise
on purpose: what has effects is sent without a claim, as a read is. SIGUSR1 has it write down where it is.
"""
# ruff: noqa: PLC0415 (the connector must find the producer as it is changed here)

import faulthandler
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import confluent_kafka

from tests.crash.steps import ALL

SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}
CALL = "Originate"


class Trap:
    """Waits for a step."""

    def __init__(self, marks: Path) -> None:
        self._marks = os.open(marks, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._lock = threading.Lock()
        self._step, self._how, self._left = "", "", 0

    def listen(self) -> None:
        """Take orders until the input ends."""
        for line in sys.stdin:
            step, how, times = line.split()
            with self._lock:
                self._step, self._how, self._left = step, how, int(times)

    def reach(self, step: str) -> None:
        """Come to a step."""
        assert step in ALL, step
        with self._lock:
            if step != self._step:
                return
            self._left -= 1
            if self._left:
                return
            self._step = ""
        self._spring(step)

    def _spring(self, step: str) -> None:
        mark = {"pid": os.getpid(), "step": step, "how": self._how, "at_ms": time.time_ns() // 1_000_000}
        os.write(self._marks, json.dumps(mark).encode() + b"\n")
        # Sent to this very thread, it takes effect before anything else is done here.
        signal.pthread_kill(threading.get_ident(), SIGNALS[self._how])


def kinds(records: Sequence[tuple[str, bytes | None]]) -> list[str]:
    """Return what a transaction tells, by the topics and values of its records."""
    begun = any(".claims" in topic and b'"outcome":null' in (value or b"") for topic, value in records)
    told = any(".claims" not in topic for topic, _ in records)
    return [kind for kind, there in (("claim", begun), ("response", told)) if there]


def trap_transactions(trap: Trap) -> None:
    """Have every producer come to the steps within a transaction; before anybody has imported it."""

    class Trapped(confluent_kafka.Producer):
        def begin_transaction(self, *args: Any) -> None:
            self.records: list[tuple[str, bytes | None]] = []
            super().begin_transaction(*args)

        def produce(self, topic: str, value: Any = None, *args: Any, **more: Any) -> None:
            self.records.append((topic, value))
            super().produce(topic, value, *args, **more)

        def flush(self, *args: Any) -> int:
            self._reach("produced")
            left = super().flush(*args)
            self._reach("flushed")
            return left

        def send_offsets_to_transaction(self, *args: Any) -> None:
            super().send_offsets_to_transaction(*args)
            self._reach("offsets")

        def commit_transaction(self, *args: Any) -> None:
            super().commit_transaction(*args)
            self._reach("committed")

        def _reach(self, step: str) -> None:
            for kind in kinds(getattr(self, "records", [])):
                trap.reach(f"{kind}.{step}")

    confluent_kafka.Producer = Trapped  # type: ignore[misc]


def trap_road(trap: Trap) -> None:
    """Wrap what takes the other steps."""
    from connector.edges.kafka.requests import KafkaRequests
    from connector.edges.pbx.connection import Connection
    from connector.edges.pbx.pool import ActionPool

    commit, execute, begin = KafkaRequests.commit, ActionPool.execute, Connection.begin

    async def trapped_commit(self: KafkaRequests, work: Any) -> Any:
        for kind in kinds([(record.topic, record.value) for record in work.records]):
            trap.reach(f"{kind}.due")
        return await commit(self, work)

    async def trapped_execute(
        self: ActionPool, action: Any, look: Callable[[], bool], timeout_s: float
    ) -> Any:
        if action.name != CALL:
            return await execute(self, action, look, timeout_s)

        def trapped_look() -> bool:
            may = look()
            if may:
                trap.reach("send.looked")
            return may

        trap.reach("send.due")
        result = await execute(self, action, trapped_look, timeout_s)
        trap.reach("send.answered")
        return result

    def trapped_begin(self: Connection, action: Any, *args: Any) -> Any:
        result = begin(self, action, *args)
        if action.name == CALL:
            trap.reach("send.sent")
        return result

    KafkaRequests.commit = trapped_commit  # type: ignore[method-assign]
    ActionPool.execute = trapped_execute  # type: ignore[method-assign]
    Connection.begin = trapped_begin  # type: ignore[method-assign,assignment]


def claim_nothing() -> None:
    """Break the promise: an effect needs no claim any more."""
    from connector.actions.dispatch.lifecycle import Lifecycle

    approach = Lifecycle._approach

    def broken(self: Lifecycle, ticket: Any, now_ms: int) -> None:
        ticket.judged = ticket.job._replace(effect=False)
        approach(self, ticket, now_ms)

    Lifecycle._approach = broken  # type: ignore[method-assign]


def run(words: list[str]) -> None:
    faulthandler.register(signal.SIGUSR1)
    broken = words[0] == "--unclaimed"
    trap = Trap(Path(words[broken]))
    trap_transactions(trap)
    trap_road(trap)
    if broken:
        claim_nothing()
    threading.Thread(target=trap.listen, daemon=True).start()
    from connector.cli import main

    sys.argv = ["ami-kafka", *words[1 + broken :]]
    main()


if __name__ == "__main__":
    run(sys.argv[1:])
