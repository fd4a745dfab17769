"""A member of the group as a process of its own, which tests stop, wake and kill: `python -m tests.real.member`.

It is told what to do by lines of JSON, and tells what happens so.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from typing import Any

from confluent_kafka import Producer

from connector.actions.record import Commit, Notice, Outgoing, Place
from connector.edges.kafka import writer
from tests.real.requests_ends import Ends, member

STEPS = ("begun", "produced", "flushed", "offsets", "committed")
"""Where a transaction may be stopped: before it begins, and behind each of its steps."""


class Stopping(Producer):
    """Signals its own process at a step of its first transaction."""

    step = ""
    how = signal.SIGKILL

    def _at(self, step: str) -> None:
        if Stopping.step == step:
            Stopping.step = ""
            os.kill(os.getpid(), self.how)

    def begin_transaction(self, *given: Any) -> Any:
        self._at("begun")
        return super().begin_transaction(*given)

    def flush(self, *given: Any) -> Any:
        self._at("produced")
        left = super().flush(*given)
        self._at("flushed")
        return left

    def send_offsets_to_transaction(self, *given: Any) -> Any:
        super().send_offsets_to_transaction(*given)
        self._at("offsets")

    def commit_transaction(self, *given: Any) -> Any:
        super().commit_transaction(*given)
        self._at("committed")


def say(**words: Any) -> None:
    """Tell something."""
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def told(notice: Notice) -> dict[str, Any]:
    words: dict[str, Any] = {"notice": type(notice).__name__}
    value = getattr(notice, "value", None)
    return words | ({"value": value.decode()} if value is not None else {})


async def run(plan: Mapping[str, Any]) -> None:
    """Take part until told to go."""
    ends = Ends(**plan["ends"])
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    name, grace_s, timeout_ms = plan["transactional_id"], plan["grace_s"], plan["timeout_ms"]
    async with member(ends, name, grace_s=grace_s, timeout_ms=timeout_ms) as requests:

        async def take() -> None:
            while True:
                for notice in await requests.take():
                    say(**told(notice))

        async def commit(asked: Mapping[str, Any]) -> None:
            records = [Outgoing(topic, 0, text.encode(), text.encode()) for topic, text in asked["records"]]
            settled = await requests.commit(Commit(records, {Place(ends.requests, 0): asked["offset"]}))
            say(settled=type(settled).__name__, words=str(settled))

        tasks = [asyncio.create_task(take())]
        while line := await lines.readline():
            asked = json.loads(line)
            if asked["do"] == "owns":
                say(owns=requests.owns(ends.place()))
            elif asked["do"] == "commit":
                tasks.append(asyncio.create_task(commit(asked)))
        for task in tasks:
            task.cancel()


def main() -> None:
    """Run as the first argument says."""
    plan = json.loads(sys.argv[1])
    Stopping.step, Stopping.how = plan["step"], signal.Signals[plan["how"]]
    vars(writer)["Producer"] = Stopping
    asyncio.run(run(plan))


if __name__ == "__main__":
    main()
