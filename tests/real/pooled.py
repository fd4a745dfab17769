"""The pool of sessions for actions at a real Asterisk, and a bare socket that asks the same."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from connector.ami.action import AmiAction
from connector.ami.message import AmiMessage
from connector.ami.reach import Reach, Result
from connector.ami.steps import Account
from connector.edges.pbx import Address, AsteriskPbx
from connector.edges.pbx.pool import ActionPool
from connector.facts import ActionSessionUp, Fact
from tests.parts.ami import Manager, Message
from tests.parts.asterisk import Pbx

Lines = tuple[tuple[str, str], ...]


class Pooled:
    """A pool, and what it told."""

    def __init__(self, pbx: Pbx, username: str, sessions: int) -> None:
        self.facts: list[Fact] = []
        self.links: list[bool] = []
        there = AsteriskPbx("pbx", [Address(pbx.host, pbx.port)], Account(username, pbx.secret))
        self.pool = ActionPool(there, sessions, self.facts.append, self.links.append)

    @property
    def sessions(self) -> list[str]:
        """What each session hears, in the order in which they were opened."""
        return [fact.events for fact in self.facts if isinstance(fact, ActionSessionUp)]

    async def result(self, name: str, *headers: tuple[str, str], timeout_s: float = 20.0) -> Result:
        return await self.pool.execute(AmiAction(name, headers), lambda: True, timeout_s)

    async def ask(self, name: str, *headers: tuple[str, str]) -> list[AmiMessage]:
        """Give every message of the whole answer."""
        result = await self.result(name, *headers)
        assert result.reach is Reach.ANSWERED, (name, result)
        assert result.answer is not None
        return [result.answer.response, *result.answer.events]


@asynccontextmanager
async def pool_at(pbx: Pbx, username: str = "full", sessions: int = 2) -> AsyncIterator[Pooled]:
    one = Pooled(pbx, username, sessions)
    async with one.pool:
        yield one


def bare(session: Manager, name: str, *headers: tuple[str, str]) -> list[Lines]:
    """Ask over a socket that knows nothing of the connector; every message of the answer, its headers in order."""
    grouped: dict[str, list[str]] = {}
    for header, value in headers:
        grouped.setdefault(header, []).append(value)
    answer = session.ask(name, **grouped)
    if answer["EventList"].lower() == "start":
        session.await_end_of_list(answer["ActionID"])
    elif name in {"FAXStats", "FAXSession"} and answer["Response"] == "Success":
        session.expect(name, ActionID=answer["ActionID"])
    return [message.headers for message in (answer, *_mine(session, answer))]


def _mine(session: Manager, answer: Message) -> list[Message]:
    return [event for event in session.events if event["ActionID"] == answer["ActionID"]]
