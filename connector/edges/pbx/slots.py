"""Sessions of one kind at a PBX: opened when needed, handed from one action to the next.

not asked for --> opening --> open --the last is lost--> opening, after a while --> open
                     |  ^
                  no way in: whoever waits is told, and whoever comes, until the next try
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NamedTuple

from connector.ami.reach import Reach, Result
from connector.ami.steps import Welcome, refused_delay, retry_delay
from connector.edges.pbx.asterisk import AsteriskPbx
from connector.edges.pbx.connection import Connection, Take
from connector.errors import LinkLost, LoginRefused
from connector.facts import ActionLoginRefused, ActionSessionDown, ActionSessionUp, Report

STEADY_S: Final = 30.0
"""A session that lasted so long, in seconds, was a good one: the next wait is short again."""


class Kind(NamedTuple):
    """Which sessions these are: the classes of events that they hear, and how many there may be."""

    events: str
    most: int


class Ears(NamedTuple):
    """Who is told: `take` gets what answers nothing, `changed` is called when `up` may be another."""

    report: Report
    take: Take
    changed: Callable[[], None]


class Slot:
    """A session; it takes one action at a time, and of some the results are still to come.

    `doubtful` where nobody knows what Asterisk is doing on it: it takes no action any more, and is
    closed once nobody awaits anything from it.
    """

    def __init__(self, connection: Connection, since: float) -> None:
        self.connection = connection
        self.since = since
        self.users = 0
        self.doubtful = False


class Slots:
    """Hands out sessions, first come, first served.

    Args:
        pbx: where to log in.
        kind: which sessions.
        ears: who is told.
    """

    def __init__(self, pbx: AsteriskPbx, kind: Kind, ears: Ears) -> None:
        self._pbx = pbx.hearing(kind.events)
        self._kind = kind
        self._ears = ears
        self._slots: set[Slot] = set()
        self._retired: set[Slot] = set()
        self._free: list[Slot] = []
        self._waiting: deque[asyncio.Future[Slot | str]] = deque()
        self._group: asyncio.TaskGroup | None = None
        self._opener: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self._down = False
        self._trouble = "it is not running"
        self._failures = 0
        self._refusals = 0

    @property
    def up(self) -> bool | None:
        """Whether there is a session; None where none was asked for so far."""
        return True if self._slots else False if self._down else None

    def open(self, group: asyncio.TaskGroup) -> None:
        """Begin; the sessions live in this group."""
        self._group, self._trouble = group, ""

    async def close(self) -> None:
        """Log off everywhere."""
        self._group = None
        if self._opener is not None:
            self._opener.cancel()
        self._refuse("the connector is stopping")
        slots = [*self._slots, *self._retired]
        for slot in slots:
            slot.connection.leave()
        await asyncio.gather(*(slot.connection.ended() for slot in slots), return_exceptions=True)

    def hurry(self) -> None:
        """Try again now what could not be reached: others can reach it. A refusal stays one, and waits."""
        if self._down and not self._refusals and not self._hurry.is_set():
            self._trouble = ""
            self._hurry.set()

    async def take(self, within: float) -> "Hold | Result":
        """Return a session for one action, or why there is none; waits `within` seconds at most."""
        if self._trouble:
            return self._not_sent(self._trouble)
        while self._free:
            if (slot := self._free.pop()).connection.usable:
                return Hold(self, slot)
        waiter: asyncio.Future[Slot | str] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        self._grow()
        try:
            async with asyncio.timeout(within):
                given = await waiter
        except TimeoutError:
            self._return(waiter)
            busy = f"all {len(self._slots)} are busy" if self._slots else "none is open yet"
            return self._not_sent(f"none came free in time, {busy}", late=True)
        except asyncio.CancelledError:
            self._return(waiter)
            raise
        return self._not_sent(given) if isinstance(given, str) else Hold(self, given)

    def free(self, slot: Slot) -> None:
        """Let the next action have a session: Asterisk is done with the last."""
        if slot.doubtful or not slot.connection.usable:
            return
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(slot)
                return
        self._free.append(slot)

    def doubt(self, slot: Slot) -> None:
        """Let no action have a session any more; another is opened where it is missed."""
        if slot in self._slots and slot.connection.usable:
            slot.doubtful = True
            self._slots.discard(slot)
            self._retired.add(slot)
            if self._waiting or not self._slots:
                self._replace()

    def leave(self, slot: Slot) -> None:
        """Await nothing more from a session on somebody's behalf."""
        slot.users -= 1
        if slot.doubtful and not slot.users:
            slot.connection.close("an action was not answered in time")

    def _not_sent(self, why: str, *, late: bool = False) -> Result:
        return Result(Reach.NOT_SENT, late=late, reason=f"{self._pbx.name}: no session for actions: {why}")

    def _return(self, waiter: "asyncio.Future[Slot | str]") -> None:
        """Wait no more; pass on what was given at the very moment at which nobody waited for it."""
        with suppress(ValueError):
            self._waiting.remove(waiter)
        if waiter.done() and not waiter.cancelled() and isinstance(slot := waiter.result(), Slot):
            self.free(slot)

    def _refuse(self, why: str) -> None:
        self._trouble = why
        while self._waiting:
            if not (waiter := self._waiting.popleft()).done():
                waiter.set_result(why)

    def _grow(self, after: float = 0.0) -> None:
        if self._group is None or (self._opener is not None and not self._opener.done()):
            return
        if len(self._slots) < self._kind.most:
            self._opener = self._group.create_task(self._open(after))

    def _replace(self, after: float = 0.0) -> None:
        self._grow(after)
        if not self._slots:
            # Whoever waits since there could not be one more waits no longer, now that there is none.
            self._hurry.set()

    async def _open(self, after: float) -> None:
        """Open sessions as long as there is none, or somebody waits for one."""
        await self._rest(after)
        while not self._slots or (self._waiting and len(self._slots) < self._kind.most):
            try:
                connection = await self._pbx.login(self._welcome, self._ears.take)
            except (LinkLost, LoginRefused) as error:
                await self._rest(self._failed(error))
            else:
                self._opened(connection)

    async def _rest(self, delay: float) -> None:
        self._hurry.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._hurry.wait()

    def _welcome(self, _: Welcome, address: str, __: int) -> None:
        self._refusals = 0
        count = len(self._slots) + 1
        self._ears.report(ActionSessionUp(self._pbx.name, address, self._kind.events, count))

    def _opened(self, connection: Connection) -> None:
        if self._group is None:
            raise RuntimeError("not running")
        slot = Slot(connection, asyncio.get_running_loop().time())
        self._slots.add(slot)
        self._trouble, self._down = "", False
        self._group.create_task(self._watch(slot))
        self._ears.changed()
        self.free(slot)

    def _failed(self, error: LinkLost | LoginRefused) -> float:
        """Tell that a login failed, and return how long to wait before the next."""
        chance = random.random()  # noqa: S311 (no secret: it keeps many connectors out of step)
        if isinstance(error, LoginRefused):
            self._refusals += 1
            delay = refused_delay(self._refusals, chance)
            self._ears.report(ActionLoginRefused(self._pbx.name, str(error), delay))
        else:
            self._failures += 1
            delay = retry_delay(self._failures, chance)
            self._ears.report(ActionSessionDown(self._pbx.name, str(error), delay))
        if not self._slots:
            self._down = True
            self._ears.changed()
            self._refuse(f"{error}; tried again in {delay:.1f} s")
        return delay

    async def _watch(self, slot: Slot) -> None:
        """Wait for the end of a session, and see to another where it was the last."""
        reason = await slot.connection.ended()
        self._slots.discard(slot)
        self._retired.discard(slot)
        delay = None
        if self._group is not None and not (self._slots or slot.doubtful):
            steady = asyncio.get_running_loop().time() - slot.since >= STEADY_S
            self._failures = 1 if steady else self._failures + 1
            delay = retry_delay(self._failures, random.random())  # noqa: S311 (as above)
            self._down = True
        self._ears.report(ActionSessionDown(self._pbx.name, reason, delay))
        if delay is not None:
            self._ears.changed()
            self._replace(delay)


class Hold:
    """A session in the hands of one action."""

    def __init__(self, slots: Slots, slot: Slot) -> None:
        self.connection = slot.connection
        self._slots = slots
        self._slot = slot
        self._released = False
        slot.users += 1

    def release(self) -> None:
        """Let others have the session; a result may still be to come from it."""
        if not self._released:
            self._released = True
            self._slots.free(self._slot)

    def end(self, *, certain: bool) -> None:
        """Await nothing more; not `certain`: Asterisk may still be busy with the action, or answer it."""
        if not self._released and not certain:
            self._slots.doubt(self._slot)
        self.release()
        self._slots.leave(self._slot)
