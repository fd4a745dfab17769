"""What is found out about a call after its requester was told UNKNOWN: the glue between the roads.

The road back tells that a call is unresolved; the events' road of its PBX looks whether its channel was
seen, or is; where it was not, the PBX is asked once whether the channel is there.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from connector.ami.action import AmiAction
from connector.ami.message import AmiMessage
from connector.ami.reach import Reach, Result
from connector.events.entry import Entry
from connector.events.intake import Intake
from connector.events.unresolved import Doubt, seen_alive
from connector.facts import CallUnresolved, Fact, Report
from connector.roads.execution import Clock, Execution
from connector.roads.ports import Executor

ANSWER_S: Final = 30.0
"""Seconds that the PBX has to answer, and as long that a session at it may take to be free."""

RETRY_S: Final = 15.0
"""Seconds between two tries to ask a PBX that is down."""

TRIES: Final = 40
"""How often that is tried: for some ten minutes."""


class EventLog(NamedTuple):
    """Where the events' road of a PBX takes what is not an event: its intake, and what journals entries."""

    intake: Intake
    append: Callable[[Sequence[Entry]], None]


class UnknownCalls:
    """Takes the facts of the road back, and passes them on; knows where to look when a call is unresolved.

    Args:
        report: told of every fact.
        executors: the PBXs' sessions for actions, by name.
        clock: time.
    """

    def __init__(self, report: Report, executors: Mapping[str, Executor], clock: Clock | None = None) -> None:
        self._report = report
        self._executors = executors
        self._clock = clock or Clock()
        self._logs: dict[str, EventLog] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._asking: set[asyncio.Task[None]] = set()

    def watch(self, pbx: str, log: EventLog) -> None:
        """Look into a PBX's events; calls of others stay unresolved."""
        self._logs[pbx] = log

    def __call__(self, fact: Fact) -> None:
        """Take a fact."""
        self._report(fact)
        if not isinstance(fact, CallUnresolved) or fact.pbx not in self._logs:
            return
        record = f"{fact.topic}/{fact.partition}/{fact.offset}"
        log = self._logs[fact.pbx]
        doubt = Doubt(fact.call_id, fact.request_id, fact.action, record)
        seen, entries = log.intake.doubt(doubt, self._now_us())
        if entries:
            log.append(entries)
        if not seen:
            task = asyncio.create_task(self._ask(fact.pbx, fact.call_id))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)

    def executor(self, pbx: str) -> Executor:
        """Return the sessions for actions at a PBX."""
        return self._executors[pbx]

    async def close(self) -> None:
        """Ask no more."""
        for task in self._asking:
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)

    async def _ask(self, pbx: str, call_id: str) -> None:
        # One at a time: requests need the sessions more.
        async with self._turns[pbx]:
            result = await self._answer(pbx, AmiAction("Status", (("Channel", call_id),)))
        log = self._logs[pbx]
        for status in _channels(result):
            if status.get("Uniqueid") == call_id:
                log.append(log.intake.saw(call_id, seen_alive(status), self._now_us()))

    async def _answer(self, pbx: str, question: AmiAction) -> Result:
        """Ask once; whether the PBX answers or not, it is not asked again, but while it is down it is waited for."""
        for _ in range(TRIES - 1):
            result = await self._executors[pbx].execute(question, lambda: True, ANSWER_S)
            if result.reach is not Reach.NOT_SENT:
                return result
            await self._clock.sleep(RETRY_S)
        return await self._executors[pbx].execute(question, lambda: True, ANSWER_S)

    def _now_us(self) -> int:
        return self._clock.now_ms() * 1_000


class RoadBack:
    """The road back, with what it may find out afterwards."""

    def __init__(self, execution: Execution, unknown_calls: UnknownCalls) -> None:
        self._execution = execution
        self._unknown_calls = unknown_calls

    def watch(self, pbx: str, log: EventLog) -> None:
        """Have what is found out about the calls at a PBX published."""
        self._unknown_calls.watch(pbx, log)

    def executor(self, pbx: str) -> Executor:
        """Return the sessions for actions at a PBX."""
        return self._unknown_calls.executor(pbx)

    async def run(self, grace_s: float) -> None:
        """Answer requests until `stop`; what was begun by then may take `grace_s` seconds more.

        Raises:
            BrokerError: nothing can be taken or committed any more.
        """
        try:
            await self._execution.run(grace_s)
        finally:
            await self._unknown_calls.close()

    def stop(self) -> None:
        """End in order: `run` returns when what was begun is final, or the grace is over."""
        self._execution.stop()


def _channels(result: Result) -> Sequence[AmiMessage]:
    return result.answer.events if result.reach is Reach.ANSWERED and result.answer is not None else ()
