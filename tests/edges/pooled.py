"""A pool of sessions for actions at a scripted PBX."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from connector.ami.action import AmiAction
from connector.ami.reach import Result
from connector.ami.steps import Deadlines
from connector.edges.pbx import Address, AsteriskPbx
from connector.edges.pbx.pool import ActionPool
from connector.facts import Fact
from tests.edges.scripted import ACCOUNT, END, GREETING, Peer, Scene, scripted, until_closed

Reply = Callable[[Peer, dict[str, str]], Awaitable[None] | None]

PING = AmiAction("Ping")
LIST = AmiAction("CoreShowChannels")
CALL = AmiAction("Originate", (("Channel", "Local/1@a"), ("Async", "true")))


def yes() -> bool:
    return True


class Pooled:
    """A pool, and what it told."""

    def __init__(self, address: Address, sessions: int, **deadlines: float) -> None:
        self.facts: list[Fact] = []
        self.links: list[bool] = []
        pbx = AsteriskPbx("pbx", [address], ACCOUNT, Deadlines()._replace(**deadlines))
        self.pool = ActionPool(pbx, sessions, self.facts.append, self.links.append)

    async def ask(self, action: AmiAction, timeout_s: float = 10.0) -> Result:
        return await self.pool.execute(action, yes, timeout_s)


@asynccontextmanager
async def pooled(
    *scenes: Scene, sessions: int = 2, **deadlines: float
) -> AsyncIterator[tuple[Pooled, list[Peer]]]:
    async with scripted(*scenes) as (address, peers):
        one = Pooled(address, sessions, **deadlines)
        async with one.pool:
            yield one, peers


def answering(reply: Reply) -> Scene:
    """Let in, answer each action by `reply`, and say goodbye."""

    async def scene(peer: Peer) -> None:
        await peer.let_in()
        while (heard := await peer.hear())["Action"] != "Logoff":
            waits = reply(peer, heard)
            if waits is not None:
                await waits
        peer.respond(status="Goodbye")
        await until_closed(peer)

    return scene


def obliging(peer: Peer, heard: dict[str, str]) -> None:
    """Answer Success to everything."""
    peer.respond(f"Answers: {heard['Action']}")


def list_answer(action_id: str, items: int, complete: str = "CoreShowChannelsComplete") -> bytes:
    head = f"Response: Success\r\nActionID: {action_id}\r\nEventList: start\r\nMessage: will follow"
    rows = [f"Event: CoreShowChannel\r\nActionID: {action_id}\r\nChannel: {row}" for row in range(items)]
    last = f"Event: {complete}\r\nActionID: {action_id}\r\nEventList: Complete\r\nListItems: {items}"
    return END.join(text.encode() for text in [head, *rows, last, ""])


def originate_response(action_id: str, response: str = "Success", reason: int = 4) -> bytes:
    lines = "Event: OriginateResponse", "Privilege: call,all", f"ActionID: {action_id}"
    return "\r\n".join([*lines, f"Response: {response}", f"Reason: {reason}", "", ""]).encode()


def asked(peers: list[Peer], *but: str) -> list[str]:
    """Give the names of all actions after the logins, in order by session."""
    own = {"Login", "CoreSettings", "Logoff", *but}
    return [heard["Action"] for peer in peers for heard in peer.heard if heard["Action"] not in own]


async def until(condition: Callable[[], object], within: float = 10.0) -> None:
    """Look again and again until something is so."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 (what makes it so has no event to wait for)
            await asyncio.sleep(0.001)


async def refuse(peer: Peer) -> None:
    peer.say(GREETING)
    await peer.hear()
    peer.respond("Message: Authentication failed", status="Error")
    await until_closed(peer)


async def cut_after_login(peer: Peer) -> None:
    await peer.let_in()
    await peer.hear()


class Delays:
    """Stands for the waits between logins: says how many failed in a row, and waits for as long as it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, wait_s: float = 0.0) -> None:
        self.retries: list[int] = []
        self.refusals: list[int] = []
        self.wait_s = wait_s
        monkeypatch.setattr("connector.edges.pbx.slots.retry_delay", self._note(self.retries))
        monkeypatch.setattr("connector.edges.pbx.slots.refused_delay", self._note(self.refusals))

    def _note(self, attempts: list[int]) -> Callable[[int, float], float]:
        def delay(attempt: int, chance: float) -> float:
            assert 0 <= chance <= 1
            attempts.append(attempt)
            return self.wait_s

        return delay
