"""The simulated PBX: a socket that speaks AMI as Asterisk 22 does, and plays calls.

It always behaves; what goes wrong between a PBX and its readers, tests put between them.
"""

import asyncio
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import Final, Self

from connector.demo.channels import Event
from connector.demo.orders import Stage
from connector.demo.scenes import Scene
from connector.demo.session import ServedSession
from connector.demo.traffic import Traffic

_GULP: Final = 256
"""Events between two looks at whether the readers keep up, when playing as fast as possible."""


class SimulatedPbx:
    """Listens on loopback for as long as the block lasts; plays from the first login on.

    Args:
        accounts: usernames and their secrets; every account may read and ask everything.
        traffic: what happens; None: nothing but what `tell` says.
        speed: 1: in real time; 10: ten times as fast; math.inf: as fast as it is read.
        events: how many events there are; None: no end.
        port: 0: any.
        tls: speaks TLS with this context.
    """

    def __init__(
        self,
        accounts: Mapping[str, str],
        traffic: Traffic | None = None,
        *,
        speed: float = 1.0,
        events: int | None = None,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._accounts = accounts
        self._traffic = traffic
        self._speed = speed
        self._events = events
        self._listen = partial(asyncio.start_server, host="127.0.0.1", port=port, ssl=tls)
        self.world = (traffic or Traffic(int(time.time()))).world
        self._sessions: set[ServedSession] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stories: set[asyncio.Task[None]] = set()
        self._player: asyncio.Task[None] | None = None
        self._finished = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._server = await self._listen(self._serve)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        if self._player is not None:
            self._player.cancel()
            await asyncio.wait([self._player])
        for story in self._stories:
            story.cancel()
        for session in self._sessions:
            session.close()
        if self._tasks:
            await asyncio.wait(self._tasks)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens: host and port."""
        host, port = self._server.sockets[0].getsockname()
        return host, port

    @property
    def logins(self) -> int:
        """How many sessions are logged in."""
        return sum(session.logged_in for session in self._sessions)

    def tell(self, event: Event) -> None:
        """Send an event to every session that reads its class."""
        frame = event.frame(time.time())
        for session in self._sessions:
            if session.reads(event.event_class):
                session.write(frame)

    def play(self, story: Scene[None]) -> None:
        """Let a story happen beside the traffic, from now on."""
        task = asyncio.create_task(self._tell_story(story))
        self._stories.add(task)
        task.add_done_callback(self._stories.discard)

    async def _tell_story(self, story: Scene[None]) -> None:
        exchange = self.world.exchange
        for happening in story:
            if isinstance(happening, Event):
                self.tell(happening)
                continue
            await asyncio.sleep(happening / self._speed)
            if self._traffic is None:
                exchange.now = time.time()

    async def finished(self) -> None:
        """Wait until the last of a bounded number of events is sent."""
        await self._finished.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = ServedSession(self._accounts, Stage(self.world, self.tell, self.play), writer)
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 (for the type checker)
        self._tasks.add(task)
        self._sessions.add(session)
        try:
            with suppress(ConnectionError):
                await session.run(reader, self._begin)
        finally:
            self._sessions.discard(session)
            self._tasks.discard(task)
            writer.close()

    def _begin(self) -> None:
        if self._player is None:
            self._player = asyncio.create_task(self._play())

    async def _play(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number, (at, event) in enumerate(islice(self._traffic or (), self._events), 1):
            early = began + at / self._speed - loop.time()
            if early > 0:
                await asyncio.sleep(early)
            self.tell(event)
            if number % _GULP == 0:
                await self._drain()
        self._finished.set()

    async def _drain(self) -> None:
        for session in [*self._sessions]:
            with suppress(ConnectionError):
                await session.drain()
        await asyncio.sleep(0)
