"""One connection to a PBX: carries bytes into the session, and the session's steps out."""

import asyncio
import math
import socket
import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from panoramisk.ami_protocol import AMIProtocol

from connector.ami.action import AmiAction
from connector.ami.clock import Pong
from connector.ami.completion import Answer
from connector.ami.reach import Reach, Result
from connector.ami.session import Session
from connector.ami.steps import (
    Accepted,
    Answered,
    Items,
    Left,
    Lost,
    Messages,
    Ready,
    Refused,
    Send,
    Step,
    Welcome,
)
from connector.errors import LinkLost, LoginRefused

Up = Callable[[Welcome, str, int], None]
"""Is told once, before the first frame: what the PBX said of itself, at which address, and when.

The time is that of the read that made the session ready, in microseconds since 1970 (UTC): no frame's is earlier.
"""

Take = Callable[[list[bytes], int], None]
"""Gets the frames of one read, and the time of receipt in microseconds since 1970 (UTC)."""

Ponged = Callable[[Pong, int], None]
"""Is told of each answer to a Ping, with the time of receipt in microseconds since 1970 (UTC)."""

_KEEPALIVE: Final = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 30_000}
"""Seconds, seconds, tries, milliseconds: the kernel's own watch over a peer that is gone."""


class _Asked(NamedTuple):
    result: asyncio.Future[Result]
    accepted: Callable[[], None] | None
    items: Take | None


class Connection(AMIProtocol):
    """A login at a PBX from connecting to its end; reading is never paused.

    Args:
        address: for texts.
        session: the machine.
        up: see `Up`.
        take: see `Take`; no call follows the end of `ended`.
        ponged: see `Ponged`.
    """

    def __init__(
        self, address: str, session: Session, up: Up, take: Take, ponged: Ponged = lambda *_: None
    ) -> None:
        self.address = address
        self._session = session
        self._up = up
        self._take = take
        self._ponged = ponged
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._asked: dict[str, _Asked] = {}
        self._ready = asyncio.Event()
        self._over = asyncio.Event()
        self._end: str | Exception = ""

    async def established(self) -> None:
        """Wait until logged in.

        Raises:
            LoginRefused: the PBX said no.
            LinkLost: the connection ended before.
        """
        await self._ready.wait()
        if isinstance(self._end, Exception):
            raise self._end

    async def ended(self) -> str:
        """Wait until the session is over and return why; what a callback raised is raised here."""
        await self._over.wait()
        if isinstance(self._end, Exception):
            raise self._end
        return self._end

    @property
    def usable(self) -> bool:
        """Say whether an action can be sent."""
        closing = self._transport is None or self._transport.is_closing()
        return self._ready.is_set() and not (self._over.is_set() or closing)

    def begin(
        self,
        action: AmiAction,
        within: float,
        accepted: Callable[[], None] | None = None,
        items: Take | None = None,
    ) -> asyncio.Future[Result]:
        """Write an action now; the future tells what became of it, `within` seconds from now at the latest.

        `accepted` is called where Asterisk has taken the action and is free for others, while its
        result is still to come. `items` gets the frames of the action's list as they are read, between
        calls of `take` and in order with them; the answer then has the list's end alone.

        Raises:
            ActionError: the action must not go on the wire.
            LinkLost: there is no session: nothing was written.
        """
        if not self.usable:
            raise LinkLost(f"{self.address}: {action.name} was not sent: not logged in")
        action_id, steps = self._session.ask(action, self._loop.time(), within, streamed=items is not None)
        result: asyncio.Future[Result] = self._loop.create_future()
        self._asked[action_id] = _Asked(result, accepted, items)
        self._perform(steps)
        return result

    async def ask(self, action: AmiAction, within: float) -> Answer:
        """Send an action and return its answer, waiting `within` seconds at most.

        Raises:
            ActionError: the action must not go on the wire.
            LinkLost: it was not answered in time, or the session is over.
        """
        result = await self.begin(action, within)
        if result.reach is not Reach.ANSWERED or result.answer is None:
            raise LinkLost(
                f"{self.address}: {action.name} was not answered in {within:g} s or before the end"
            )
        return result.answer

    def leave(self) -> None:
        """Log off; `ended` returns once the PBX has said goodbye, or its time for that is over."""
        self._perform(self._session.leave(self._loop.time()))

    def close(self, reason: str = "closed here") -> None:
        """Cut the connection now, if it is there."""
        self._finish(reason)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the session, unless the connection came too late."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (asyncio's promise, for the type checker)
        self._transport = transport
        if self._over.is_set():
            transport.abort()
            return
        _keep_alive(transport)
        self._session.opened(self._loop.time())
        self._arm()

    def data_received(self, data: bytes) -> None:
        """Take what a read gave; whatever it holds, the connection stays."""
        received_us = time.time_ns() // 1000
        self._perform(self._session.receive(data, self._loop.time()), received_us)

    def eof_received(self) -> None:
        """Let the transport close."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the session."""
        self._perform(self._session.closed(str(exc) if exc else ""))

    def _tick(self) -> None:
        self._timer = None
        self._perform(self._session.tick(self._loop.time()))

    def _perform(self, steps: Sequence[Step], received_us: int | None = None) -> None:
        try:
            for step in steps:
                self._do(step, received_us)
        except Exception as error:  # noqa: BLE001 (whoever waits for the end gets it, whatever it is)
            self._finish(error)
        if len(steps) != 1 or type(steps[0]) is not Messages:
            self._arm()

    def _do(self, step: Step, received_us: int | None) -> None:
        match step:
            case Messages(frames):
                self._take(frames, received_us or time.time_ns() // 1000)
            case Send(data):
                if self._transport is not None:
                    self._transport.write(data)
            case Ready(welcome):
                self._up(welcome, self.address, received_us or time.time_ns() // 1000)
                self._ready.set()
            case Items() | Accepted() | Answered():
                self._inform(step, received_us)
            case Pong():
                self._ponged(step, received_us or time.time_ns() // 1000)
            case Refused(reason):
                self._finish(LoginRefused(f"{self.address}: {reason}"))
            case Lost(reason):
                self._finish(reason)
            case Left():
                self._finish("logged off")

    def _finish(self, end: str | Exception) -> None:
        if self._over.is_set():
            return
        lost_early = isinstance(end, str) and not self._ready.is_set()
        self._end = LinkLost(f"{self.address}: {end}") if lost_early else end
        self._ready.set()
        self._over.set()
        if self._timer is not None:
            self._timer.cancel()
        for action_id in [*self._asked]:
            # Closed here, or a callback has raised: else the session has told each of them.
            self._tell(action_id, Result(Reach.SENT, reason=str(end)))
        if self._transport is not None:
            self._transport.abort()

    def _inform(self, step: Items | Accepted | Answered, received_us: int | None) -> None:
        """Tell who asked what has come of it."""
        asked = self._asked.get(step.action_id)
        match step:
            case Items(_, frames) if asked and asked.items:
                asked.items(frames, received_us or time.time_ns() // 1000)
            case Accepted() if asked and asked.accepted:
                asked.accepted()
            case Answered(action_id, result):
                self._tell(action_id, result)

    def _tell(self, action_id: str, result: Result) -> None:
        asked = self._asked.pop(action_id, None)
        if asked and not asked.result.done():
            asked.result.set_result(result)

    def _arm(self) -> None:
        """Set the alarm for the session's deadline, where that has come nearer; too early an alarm does no harm."""
        due = self._session.due
        if self._over.is_set() or math.isinf(due) or (self._timer and self._timer.when() <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._tick)


def _keep_alive(transport: asyncio.Transport) -> None:
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEEPALIVE.items():
        if hasattr(socket, option):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
