"""From the request topics to the PBXs and back.

notices -> dispatcher -> transactions -> Kafka
             ^---> actions -> PBX --+
             +----- results <-------+
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, NamedTuple, Protocol

from connector.actions.dispatch.dispatcher import Dispatcher
from connector.actions.dispatch.lifecycle import Execute
from connector.actions.dispatch.ticket import Ticket
from connector.actions.record import Aborted, Assigned, Committed, Fenced, Incoming, Lost, Notice, Revoking
from connector.ami.reach import Reach
from connector.errors import ActionError, BrokerError, RegistryError
from connector.facts import ClaimsRead, RegistryTrouble, Report, RequestsFenced, TransactionAborted
from connector.roads.ports import Executor, Requests, WriterSchemas

RETRY_S: Final = 0.5
"""Wait before a transaction that came to nothing is tried again, the registry or the ownership asked again."""

CLAIMS_AT_ONCE: Final = 256
"""Claims read without a break: the longest that the PBXs' sessions wait, some 10 ms."""


class Timer(Protocol):
    """A call that is still to come."""

    def cancel(self) -> None:
        """Let it not come."""
        ...


def _later(delay_s: float, call: Callable[[], None]) -> Timer:
    return asyncio.get_running_loop().call_later(delay_s, call)


class Clock(NamedTuple):
    """Time: milliseconds since 1970 (UTC), a wait in seconds, a call after so many seconds."""

    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    sleep: Callable[[float], Coroutine[Any, Any, None]] = asyncio.sleep
    later: Callable[[float, Callable[[], None]], Timer] = _later


class Ways(NamedTuple):
    """Where the road leads: Kafka, the PBXs by name, and the registry."""

    requests: Requests
    executors: Mapping[str, Executor]
    schemas: WriterSchemas


class Execution:
    """Drives the dispatcher until it is stopped.

    Args:
        dispatcher: decides everything.
        ways: where the road leads.
        report: told of transactions that fail, and of claims read.
        clock: time.
    """

    def __init__(
        self, dispatcher: Dispatcher, ways: Ways, report: Report, clock: Clock | None = None
    ) -> None:
        self._dispatcher = dispatcher
        self._requests, self._executors, self._schemas = ways
        self._report = report
        self._clock = clock or Clock()
        self._group: asyncio.TaskGroup | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._stopping = asyncio.Event()
        self._idle = asyncio.Event()
        self._timer: tuple[int, Timer] | None = None

    async def run(self, grace_s: float) -> None:
        """Answer requests until `stop`; what was begun by then may take `grace_s` seconds more.

        Raises:
            BrokerError: nothing can be taken or committed any more.
        """
        failures: list[BrokerError] = []
        try:
            async with asyncio.TaskGroup() as self._group:
                self._start(self._take())
                self._start(self._commit())
                await self._stopping.wait()
                await self._drain(grace_s)
                for task in self._tasks:
                    task.cancel()
        except* BrokerError as errors:
            failures += [each for each in errors.exceptions if isinstance(each, BrokerError)]
        finally:
            self._group = None
            self._disarm()
        if failures:
            raise failures[0]

    def stop(self) -> None:
        """End in order: nothing new is begun; `run` returns when what was begun is final, or the grace is over."""
        self._stopping.set()

    def link(self, pbx: str, *, up: bool) -> None:
        """Take whether there is a session for actions at a PBX; until this is told there is."""
        self._dispatcher.link(pbx, self._clock.now_ms(), up=up)
        self._go_on()

    async def _drain(self, grace_s: float) -> None:
        self._dispatcher.close(self._clock.now_ms())
        self._go_on()
        grace = self._clock.later(grace_s, self._idle.set)
        try:
            await self._idle.wait()
        finally:
            grace.cancel()

    async def _take(self) -> None:
        while True:
            for notice in await self._requests.take():
                await self._notice(notice)
            self._go_on()

    async def _notice(self, notice: Notice) -> None:
        now_ms = self._clock.now_ms()
        match notice:
            case Incoming():
                self._dispatcher.requested(notice, now_ms)
            case Assigned():
                await self._assigned(notice)
            case Revoking(places):
                self._dispatcher.revoking(places, now_ms)
            case Lost(places):
                self._dispatcher.lost(places, now_ms)

    async def _assigned(self, notice: Assigned) -> None:
        place, claims, note = notice
        for schema_id in self._dispatcher.missing(claims):
            await self._learn(schema_id)
        self._dispatcher.assigned(place, note)
        for start in range(0, len(claims), CLAIMS_AT_ONCE):
            self._dispatcher.remember(place, claims[start : start + CLAIMS_AT_ONCE], self._clock.now_ms())
            await asyncio.sleep(0)
        self._report(ClaimsRead(place.topic, place.partition, len(claims)))

    async def _commit(self) -> None:
        while True:
            self._changed.clear()
            work = self._dispatcher.work(self._clock.now_ms())
            if work is None:
                self._arm()
                await self._changed.wait()
                continue
            settled = await self._requests.commit(work)
            self._dispatcher.settled(settled, self._clock.now_ms())
            self._go_on()
            match settled:
                case Committed():
                    continue
                case Aborted(refused, reason):
                    if refused:
                        continue
                    self._report(TransactionAborted(reason, RETRY_S))
                case Fenced(reason):
                    self._report(RequestsFenced(reason))
            await self._clock.sleep(RETRY_S)

    async def _execute(self, execute: Execute) -> None:
        ticket, dispatcher = execute.ticket, self._dispatcher

        def look() -> bool:
            return self._is_safe(ticket) and dispatcher.may_send(ticket, self._clock.now_ms())

        executor = self._executors[execute.pbx]
        try:
            result = await executor.execute(execute.action, look, execute.timeout_s)
            while result.reach is Reach.NOT_SENT and self._is_in_doubt(ticket):
                await self._clock.sleep(RETRY_S)
                result = await executor.execute(execute.action, look, execute.timeout_s)
        except ActionError as error:
            dispatcher.spurned(ticket, str(error), self._clock.now_ms())
        else:
            dispatcher.answered(ticket, result, self._clock.now_ms())
        self._go_on()

    def _is_safe(self, ticket: Ticket) -> bool:
        """Say whether no other owner of the partition can come to harm: a read may be done by anybody."""
        return not ticket.job.effect or self._requests.owns(ticket.place)

    def _is_in_doubt(self, ticket: Ticket) -> bool:
        """Say whether nothing but the ownership, of which nobody can tell now, keeps an action from being sent."""
        return not self._is_safe(ticket) and self._dispatcher.may_send(ticket, self._clock.now_ms())

    async def _learn(self, schema_id: int) -> None:
        while True:
            try:
                text = await self._schemas.schema_text(schema_id)
            except RegistryError as error:
                self._report(RegistryTrouble(f"schema {schema_id}", str(error), RETRY_S))
                await self._clock.sleep(RETRY_S)
            else:
                self._dispatcher.learned(schema_id, text, self._clock.now_ms())
                self._go_on()
                return

    def _go_on(self) -> None:
        """Do what the dispatcher wants done now."""
        if self._group is None:
            return
        for execute in self._dispatcher.begin(self._clock.now_ms()):
            self._start(self._execute(execute))
        for schema_id in self._dispatcher.wanted():
            self._start(self._learn(schema_id))
        pause, resume = self._dispatcher.flow()
        if pause:
            self._requests.pause(pause)
        if resume:
            self._requests.resume(resume)
        if released := self._dispatcher.released():
            self._requests.released(released)
        if self._stopping.is_set() and self._dispatcher.idle:
            self._idle.set()
        self._arm()
        self._changed.set()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        if self._group is None:
            raise RuntimeError("not running")
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _arm(self) -> None:
        """Have time pass at the dispatcher when it is due there."""
        now_ms = self._clock.now_ms()
        due_ms = self._dispatcher.due(now_ms)
        if due_ms is None or (self._timer is not None and self._timer[0] <= due_ms):
            return
        self._disarm()
        delay_s = max(due_ms - now_ms, 1) / 1_000
        self._timer = due_ms, self._clock.later(delay_s, self._tick)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer[1].cancel()
            self._timer = None

    def _tick(self) -> None:
        self._timer = None
        self._dispatcher.tick(self._clock.now_ms())
        self._go_on()
