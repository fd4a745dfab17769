"""A session at a PBX before its link has begun: what is read is held, and handed over with the session.

run --> logged in --> held, held ... --lost--> forgotten --> again
                        `-- join --> login: the link has the session, and what is behind the joint
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from connector.ami.steps import Welcome, refused_delay, retry_delay
from connector.errors import LinkLost, LoginRefused
from connector.events.entry import Source
from connector.events.gaps.joining import Joint
from connector.events.gaps.predecessor import Held, Read
from connector.facts import LinkDown, LoginWasRefused, Report
from connector.roads.link import Clock, Connection, Pbx

_OVERHEAD: Final = 100
"""Bytes that a frame takes beside its own."""

Up = Callable[[Welcome, str, int], None]
Take = Callable[[list[bytes], int], None]


class _Arrival(NamedTuple):
    welcome: Welcome
    address: str
    at_us: int


class Hold:
    """A PBX with a session at it, for the link that logs in later.

    Args:
        pbx: where to log in.
        max_bytes: about how much is held; beyond it the oldest goes.
        report: told of each try that fails, and of each session's end.
        clock: time and chance.
    """

    def __init__(self, pbx: Pbx, max_bytes: int, report: Report, clock: Clock) -> None:
        self._pbx = pbx
        self._max_bytes = max_bytes
        self._report = report
        self._clock = clock
        self._arrival: _Arrival | None = None
        self._connection: Connection | None = None
        self._reads: deque[Read] = deque()
        self._bytes = 0
        self._whole = True
        self._up_us = 0
        self._take: Take = self._hold
        self._task: asyncio.Task[None] | None = None
        self.tried = asyncio.Event()
        """Set once the first try has ended, well or not."""

    @property
    def name(self) -> str:
        """What the settings call it."""
        return self._pbx.name

    @property
    def address(self) -> str:
        """Where it is, for texts."""
        return self._pbx.address

    @property
    def is_up(self) -> bool:
        """Whether there is a session."""
        return self._connection is not None

    def begin(self) -> "asyncio.Task[None]":
        """Keep a session up from now on, until `join` or `close`; what is no trouble of the link ends the task."""
        self._task = asyncio.create_task(self._keep())
        return self._task

    def join(self, joined: Callable[[Held], Joint]) -> Joint | None:
        """Leave of what is held what `joined` says, for the link; None: there is no session, and nothing held."""
        self._stop_keeping()
        if self._arrival is None or self._connection is None:
            self._forget()
            return None
        welcome, address, at_us = self._arrival
        source = Source(self.name, 0, welcome.system_name, welcome.asterisk_version, welcome.ami_version)
        since_us = at_us if self._whole or not self._reads else self._reads[0].received_us
        joint = joined(Held(source, address, since_us, self._reads, self._whole))
        self._reads, self._up_us = deque(joint.reads), joint.up_us
        return joint

    async def login(self, up: Up, take: Take) -> Connection:
        """Hand over the session, once, with what it has read; without one, log in.

        Raises:
            LoginRefused: it said no.
            LinkLost: it could not be reached.
        """
        if self._connection is None or self._arrival is None:
            return await self._pbx.login(up, take)
        connection, arrival = self._connection, self._arrival
        try:
            up(self._aged(arrival), arrival.address, self._up_us)
            for frames, received_us in self._reads:
                take([*frames], received_us)
        except BaseException:
            connection.close()
            raise
        self._forget()
        self._take = take
        return connection

    async def close(self) -> None:
        """Log off where the session has not been handed over."""
        self._stop_keeping()
        connection = self._connection
        if connection is not None:
            connection.leave()
            try:
                await connection.ended()
            finally:
                connection.close()
                self._forget()

    async def _keep(self) -> None:
        failures = 0
        while True:
            try:
                loss = await self._see_through()
                failures = 0
            except LoginRefused as refusal:
                failures += 1
                delay = refused_delay(failures, self._clock.chance())
                self._report(LoginWasRefused(self.name, self.address, str(refusal), delay))
            else:
                failures += 1
                delay = retry_delay(failures, self._clock.chance())
                self._report(LinkDown(self.name, self.address, loss, delay))
            self.tried.set()
            self._forget()
            await self._clock.sleep(delay)

    async def _see_through(self) -> str:
        """Log in and wait for the end of the session; return why it ended."""
        try:
            self._connection = await self._pbx.login(self._welcomed, self._read)
        except LinkLost as loss:
            return str(loss)
        self.tried.set()
        reason = await self._connection.ended()
        self._connection.close()
        return reason

    def _stop_keeping(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _welcomed(self, welcome: Welcome, address: str, now_us: int) -> None:
        self._arrival = _Arrival(welcome, address, now_us)

    def _read(self, frames: list[bytes], received_us: int) -> None:
        self._take(frames, received_us)

    def _hold(self, frames: list[bytes], received_us: int) -> None:
        self._reads.append(Read(frames, received_us))
        self._bytes += _size(frames)
        while self._bytes > self._max_bytes:
            self._bytes -= _size(self._reads.popleft().frames)
            self._whole = False

    def _forget(self) -> None:
        self._arrival = self._connection = None
        self._reads.clear()
        self._bytes, self._whole = 0, True

    def _aged(self, arrival: _Arrival) -> Welcome:
        """Return the welcome as it would be now: an Uptime is told as of the login."""
        start = arrival.welcome.start
        if start.uptime_s is None:
            return arrival.welcome
        passed_s = (self._up_us - arrival.at_us) // 1_000_000
        return arrival.welcome._replace(start=start._replace(uptime_s=start.uptime_s + passed_s))


def _size(frames: Sequence[bytes]) -> int:
    return sum(len(frame) + _OVERHEAD for frame in frames)
