"""One PBX's session kept up: connect, log in, hand over what is read, and after a loss again.

login --refused-----> wait, slowly, longer each time ---> again
      --no way in---> wait, longer each time -----------> again
      --> up --> frames, frames ... --lost--> down -----> again
             `-> a snapshot among them
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from connector.ami.action import AmiAction
from connector.ami.reach import Result
from connector.ami.steps import Welcome, refused_delay, retry_delay
from connector.errors import LinkLost, LoginRefused
from connector.events.entry import Entry, Source
from connector.events.gaps.losses import GivenUp
from connector.events.intake import Intake
from connector.events.lists import List
from connector.events.notices import told
from connector.events.snapshot import Snapshot, Snapshots
from connector.facts import EventsLost, GapTold, LinkDown, LinkUp, LoginWasRefused, Report, SnapshotTaken
from connector.roads.ports import Journal

_T = TypeVar("_T")

_STEADY_US: Final = 30_000_000
"""A session that lasted so long, in microseconds, was a good one: the next wait is short again."""


_LIST_S: Final = 60.0
"""Seconds that one list may take; no events come while Asterisk writes it."""

_PAUSE_S: Final = 0.1
"""Seconds between two questions, for the events that wait behind each."""

_SETTLE_S: Final = 1.0
"""Seconds behind the last list in which a Hangup may come that was under way when channels were listed."""


class Connection(Protocol):
    """A session at a PBX that is logged in."""

    async def ended(self) -> str:
        """Wait until it is over and return why; raises what taking a frame has raised."""
        ...

    def begin(
        self, action: AmiAction, within: float, *, items: Callable[[list[bytes], int], None]
    ) -> Awaitable[Result]:
        """Ask for a list, whose items go to `items` in order with the frames; tell what became of it.

        Raises:
            LinkLost: the session is over.
        """
        ...

    def leave(self) -> None:
        """Log off; `ended` returns soon."""
        ...

    def close(self, reason: str = ...) -> None:
        """Cut it now; `ended` returns the reason."""
        ...


class Pbx(Protocol):
    """A PBX that can be logged in at."""

    @property
    def name(self) -> str:
        """What the settings call it."""
        ...

    @property
    def address(self) -> str:
        """Where it is, for texts."""
        ...

    async def login(
        self, up: Callable[[Welcome, str, int], None], take: Callable[[list[bytes], int], None]
    ) -> Connection:
        """Log in; call `up` once with the welcome, the address and the time, then `take` for what each read gives.

        Raises:
            LoginRefused: it said no.
            LinkLost: it could not be reached.
        """
        ...


class Clock(NamedTuple):
    """Time and chance: microseconds since 1970 (UTC), a wait in seconds, a random number from 0 to 1."""

    chance: Callable[[], float]
    now_us: Callable[[], int] = lambda: time.time_ns() // 1000
    sleep: Callable[[float], Coroutine[Any, Any, None]] = asyncio.sleep


class Link:
    """Keeps one PBX's session up, until it is stopped.

    Args:
        pbx: where to log in.
        intake: takes the frames; it is told of each begin and end of a session.
        journal: takes the entries.
        epoch: tells this start of the connector from the ones before it; higher than theirs.
        report: told of every session, its end, and what a full journal let go.
        clock: time and chance.
        lists: what is asked after each login.
        joined: whether the first session goes on where a process before has ended; nothing is asked then.
    """

    def __init__(
        self,
        pbx: Pbx,
        intake: Intake,
        journal: Journal,
        epoch: int,
        report: Report,
        *,
        clock: Clock,
        lists: Sequence[List] = (),
        joined: bool = False,
    ) -> None:
        self._pbx = pbx
        self._intake = intake
        self._journal = journal
        self._epoch = epoch
        self._report = report
        self._clock = clock
        self._snapshots = Snapshots(intake, lists)
        self._joined = joined
        self._stopping = False
        self._patience: asyncio.Timeout | None = None
        self._connection: Connection | None = None
        self._address = pbx.address
        self._up_since: int | None = None
        self._listing = False
        self._failures = 0
        self._refusals = 0
        self._lost: Sequence[GivenUp] = ()

    async def run(self) -> None:
        """Keep the session up until `stop`; an error that is no trouble of the link ends it too."""
        while not self._stopping:
            try:
                delay = self._after_loss(await self._attend())
            except LoginRefused as refusal:
                delay = self._after_refusal(str(refusal))
            except LinkLost as loss:
                delay = self._after_loss(str(loss))
            if not self._stopping:
                await self._unless_stopped(self._clock.sleep(delay))

    def stop(self) -> None:
        """End in order: no new session, Logoff at the present one; `run` returns."""
        self._stopping = True
        if self._connection is not None:
            self._connection.leave()
        elif self._patience is not None:
            self._patience.reschedule(0)

    @property
    def attentive(self) -> bool:
        """Whether events come as they happen: there is a session, and no list holds them up."""
        return self._connection is not None and self._up_since is not None and not self._listing

    def renew(self, reason: str) -> None:
        """Cut the present session for this reason, and make another."""
        if self._connection is not None:
            self._connection.close(reason)

    def append(self, entries: Sequence[Entry]) -> None:
        """Journal entries of the intake, whose numbers follow on each other."""
        # A full journal gives up something for each thing it takes: its losses are named with the next append.
        if self._lost:
            now_us = self._clock.now_us()
            entries = [*entries, *(self._intake.lost(loss, now_us) for loss in self._lost)]
        self._lost = self._journal.append(entries)
        for loss in self._lost:
            self._report(EventsLost(self._pbx.name, loss.first, loss.last, loss.events, loss.reason))

    async def _attend(self) -> str:
        """See one session through, and return why it ended."""
        reason = "stopped"
        try:
            self._connection = await self._unless_stopped(self._pbx.login(self._up, self._take))
            if self._connection is not None:
                if self._stopping:
                    self._connection.leave()
                reason = await self._see_through(self._connection)
        finally:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            self._down(reason)
        return reason

    async def _see_through(self, connection: Connection) -> str:
        """Wait for the end of a session, and take a snapshot in it; return why it ended."""
        try:
            async with asyncio.TaskGroup() as tasks:
                snapshot = tasks.create_task(self._take_snapshot(connection))
                reason = await connection.ended()
                snapshot.cancel()
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return reason

    async def _take_snapshot(self, connection: Connection) -> None:
        if self._joined or not self._snapshots:
            return
        snapshot, begin = self._snapshots.begin(self._clock.now_us())
        self.append(begin)
        end: list[Entry] = []
        try:
            with suppress(LinkLost):
                await self._ask_lists(snapshot, connection)
                await self._clock.sleep(_SETTLE_S)
                end = snapshot.end(self._clock.now_us())
                self._report(SnapshotTaken(self._pbx.name, snapshot.read, tuple(snapshot.missing)))
        finally:
            self.append(end or snapshot.interrupted(self._clock.now_us()))
            self._snapshots.learn(snapshot)
            self._listing = False

    async def _ask_lists(self, snapshot: Snapshot, connection: Connection) -> None:
        def take(frames: list[bytes], received_us: int) -> None:
            if entries := snapshot.items(frames, received_us):
                self.append(entries)

        while (action := snapshot.ask()) is not None:
            result = await connection.begin(action, _LIST_S, items=take)
            if entries := snapshot.answered(result, self._clock.now_us()):
                self.append(entries)
            await self._clock.sleep(_PAUSE_S)

    async def _unless_stopped(self, work: Awaitable[_T]) -> _T | None:
        """Await something that `stop` may cut short; None if it did."""
        try:
            async with asyncio.timeout(None) as self._patience:
                return await work
        except TimeoutError:
            if self._patience is None or not self._patience.expired():
                raise
            return None
        finally:
            self._patience = None

    def _up(self, welcome: Welcome, address: str, now_us: int) -> None:
        self._address, self._up_since, self._refusals = address, now_us, 0
        self._listing = bool(self._snapshots)
        versions = welcome.ami_version, welcome.asterisk_version
        self._report(LinkUp(self._pbx.name, address, *versions, welcome.start.text))
        source = Source(
            self._pbx.name,
            self._epoch,
            system_name=welcome.system_name,
            asterisk_version=welcome.asterisk_version,
            ami_version=welcome.ami_version,
        )
        entries = self._intake.up(source, now_us, address, welcome.start)
        self.append(entries)
        for gap in filter(None, (told(entry.frame) for entry in entries)):
            self._report(GapTold(self._pbx.name, gap.reason, gap.loss, gap.lasted_us / 1_000_000))

    def _take(self, frames: list[bytes], received_us: int) -> None:
        entries = self._intake.frames(frames, received_us)
        if entries:
            self.append(entries)

    def _down(self, reason: str) -> None:
        if self._up_since is None:
            return
        now_us = self._clock.now_us()
        if now_us - self._up_since >= _STEADY_US:
            self._failures = 0
        self._up_since, self._joined = None, False
        self.append(self._intake.down(now_us, reason, orderly=self._stopping))

    def _after_loss(self, reason: str) -> float:
        self._failures += 1
        delay = retry_delay(self._failures, self._clock.chance())
        self._report(LinkDown(self._pbx.name, self._address, reason, None if self._stopping else delay))
        self._address = self._pbx.address
        return delay

    def _after_refusal(self, reason: str) -> float:
        self._refusals += 1
        delay = refused_delay(self._refusals, self._clock.chance())
        self._report(LoginWasRefused(self._pbx.name, self._address, reason, delay))
        return delay
