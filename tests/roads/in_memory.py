"""A PBX, a journal and a clock in memory, for the tests of the link."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from connector.ami.action import AmiAction
from connector.ami.reach import Result
from connector.ami.steps import Welcome
from connector.errors import LinkLost
from connector.events.entry import Entry, Origin
from connector.events.gaps.losses import GivenUp, let_go
from connector.events.lists import List
from connector.facts import Fact
from connector.roads.link import Clock, Link
from tests.events.frames import event, intake, snapshot

CALL = event("Hangup", snapshot("1.1", "1.1"), "Cause: 16", "Cause-txt: Normal Clearing")
WELCOME = Welcome("11.0.0", "22.10.1", "sys")
BOTH = "one:5038, two:5038"
F = TypeVar("F", bound=Fact)


Reply = tuple[list[bytes], Result] | Exception
"""What a list is answered with: items and an answer, or that the session is over."""


class Visit:
    """A session at a PBX: what it reads, and how it ends (None: when it is left).

    Lists without an answer of their own are never answered.
    """

    def __init__(
        self, *frames: bytes, end: str | Exception | None = None, answers: Mapping[str, Reply] | None = None
    ) -> None:
        self.frames = frames
        self.end = end
        self.answers = answers or {}
        self.asked: list[str] = []
        self.closed = False
        self.reason = "logged off"
        self.left = asyncio.Event()

    async def ended(self) -> str:
        await asyncio.sleep(0)
        if self.end is None:
            await self.left.wait()
            return self.reason
        if isinstance(self.end, Exception):
            raise self.end
        return self.end

    def begin(
        self, action: AmiAction, within: float, *, items: Callable[[list[bytes], int], None]
    ) -> asyncio.Future[Result]:
        assert within > 0
        if self.left.is_set():
            raise LinkLost(f"{action.name} was not sent: not logged in")
        self.asked.append(" ".join([action.name, *(value for _, value in action.headers)]))
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        reply = self.answers.get(action.name)
        if isinstance(reply, Exception):
            raise reply
        if reply is not None:
            items(reply[0], 9)
            future.set_result(reply[1])
        return future

    def leave(self) -> None:
        self.left.set()

    def close(self, reason: str = "closed here") -> None:
        if not self.left.is_set():
            self.reason = reason
            self.left.set()
        self.closed = True


class Pbx:
    """Lets in by turns as the test says; behind the last turn nobody answers."""

    name = "pbx1"
    address = BOTH

    def __init__(self, now_us: Callable[[], int], *turns: Visit | Exception) -> None:
        self.now_us = now_us
        self.turns = list(turns)
        self.tries = 0

    async def login(
        self, up: Callable[[Welcome, str, int], None], take: Callable[[list[bytes], int], None]
    ) -> Visit:
        self.tries += 1
        await asyncio.sleep(0)
        if not self.turns:
            await asyncio.Event().wait()
        turn = self.turns.pop(0)
        if isinstance(turn, Exception):
            raise turn
        up(WELCOME, "two:5038", self.now_us())
        if turn.frames:
            take(list(turn.frames), 7)
        await asyncio.sleep(0)
        return turn


class Books:
    """A journal that keeps everything, or gives up the oldest beyond `room`."""

    def __init__(self, room: int = 10_000) -> None:
        self.room = room
        self.entries: list[Entry] = []

    def append(self, entries: Sequence[Entry]) -> Sequence[GivenUp]:
        assert entries
        self.entries += entries
        gone, self.entries = self.entries[: -self.room], self.entries[-self.room :]
        return let_go(gone)

    async def read(self, after: int, limit: int) -> tuple[int, Sequence[Entry]]:
        raise NotImplementedError

    async def kept(self, through: int) -> None:
        raise NotImplementedError

    def release(self, through: int) -> None:
        raise NotImplementedError

    @property
    def kinds(self) -> list[str]:
        """Give the connector's own records by type, and events by name."""
        return [kind(entry) for entry in self.entries]


def kind(entry: Entry) -> str:
    words = entry.frame.decode().split("\r\n")[0].split(": ")
    return words[-1] if entry.origin is Origin.CONNECTOR else words[1]


class Bench:
    """A link with everything around it in the test's hands."""

    def __init__(self, *turns: Visit | Exception, room: int = 10_000, lists: Sequence[List] = ()) -> None:
        self.pbx = Pbx(lambda: self.now_us, *turns)
        self.books = Books(room)
        self.facts: list[Fact] = []
        self.delays: list[float] = []
        self.now_us = 1_000_000
        clock = Clock(chance=lambda: 1.0, now_us=lambda: self.now_us, sleep=self.sleep)
        self.link = Link(self.pbx, intake(), self.books, 1, self.facts.append, clock=clock, lists=lists)

    async def sleep(self, delay: float) -> None:
        self.delays.append(delay)
        self.now_us += int(delay * 1e6)
        await asyncio.sleep(0)

    def of(self, wanted: type[F]) -> list[F]:
        return [fact for fact in self.facts if isinstance(fact, wanted)]

    async def run_until(self, condition: Callable[[], bool]) -> None:
        """Run until a condition holds, then stop in order."""
        async with asyncio.timeout(5):
            task = asyncio.create_task(self.link.run())
            while not condition() and not task.done():  # noqa: ASYNC110 (looked at on every turn of the loop)
                await asyncio.sleep(0)
            self.link.stop()
            await task
