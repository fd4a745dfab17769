"""The pool of sessions for actions: what goes where, and when."""

import asyncio

import pytest

from connector.ami.action import AmiAction
from connector.ami.reach import Reach, Result
from connector.errors import ActionError
from tests.edges.pooled import (
    CALL,
    LIST,
    PING,
    Pooled,
    answering,
    asked,
    list_answer,
    obliging,
    originate_response,
    pooled,
    until,
)
from tests.edges.scripted import Peer, scripted, until_closed


def test_logs_in_when_first_asked_and_off_at_the_end() -> None:
    async def run() -> None:
        async with scripted(answering(obliging)) as (address, peers):
            one = Pooled(address, 2)
            before = await one.ask(PING)
            assert (before.reach, before.reason) == (
                Reach.NOT_SENT,
                "pbx: no session for actions: it is not running",
            )
            async with one.pool:
                await asyncio.sleep(0)
                assert peers == []
                result = await one.ask(PING)
                assert result.reach is Reach.ANSWERED
                assert result.answer is not None
                assert result.answer.response.get("Answers") == "Ping"
                await one.ask(PING)
            names = [heard["Action"] for peer in peers for heard in peer.heard]
            assert names == ["Login", "CoreSettings", "Ping", "Ping", "Logoff"]
            after = await one.ask(PING)
            assert after.reach is Reach.NOT_SENT
            assert "stopping" in after.reason

    asyncio.run(run())


def test_sessions_hear_what_they_need() -> None:
    def reply(peer: Peer, heard: dict[str, str]) -> None:
        peer.respond()
        if heard["Action"] == "Originate":
            peer.say(originate_response(heard["ActionID"]))

    async def run() -> None:
        async with pooled(answering(reply)) as (one, peers):
            await one.ask(PING)
            await one.ask(CALL)
            await one.ask(CALL._replace(headers=(("Async", "no"),)))
            masks = {peer.heard[0]["Events"]: asked([peer]) for peer in peers}
            assert masks == {"off": ["Ping", "Originate"], "call,agi": ["Originate"]}

    asyncio.run(run())


def test_an_action_that_blocks_holds_up_no_other_and_more_than_there_are_sessions_wait() -> None:
    async def run() -> None:
        gate = asyncio.Event()

        async def reply(peer: Peer, heard: dict[str, str]) -> None:
            if heard["Action"] == "Reload":
                await gate.wait()
            peer.respond()

        async with pooled(answering(reply), sessions=3) as (one, peers):
            slow = [asyncio.create_task(one.ask(AmiAction("Reload"))) for _ in range(2)]
            quick = await asyncio.gather(*(one.ask(PING) for _ in range(20)))
            assert {result.reach for result in quick} == {Reach.ANSWERED}
            assert not any(task.done() for task in slow)
            third = asyncio.create_task(one.ask(AmiAction("Reload")))
            await until(lambda: asked(peers, "Ping") == ["Reload"] * 3)
            none = await one.ask(PING, 0.05)
            assert none == Result(
                Reach.NOT_SENT,
                late=True,
                reason="pbx: no session for actions: none came free in time, all 3 are busy",
            )
            gate.set()
            await asyncio.gather(*slow, third)
            assert len(peers) == 3

    asyncio.run(run())


def test_one_session_has_one_action_at_a_time() -> None:
    async def run() -> None:
        async def reply(peer: Peer, heard: dict[str, str]) -> None:
            # Whatever else was sent would be in the buffer by now.
            for _ in range(5):
                await asyncio.sleep(0)
            assert not peer._reader._buffer  # type: ignore[attr-defined]
            peer.say(list_answer(heard["ActionID"], 3))

        async with pooled(answering(reply), sessions=1) as (one, peers):
            results = await asyncio.gather(*(one.ask(LIST) for _ in range(10)))
            assert [len(result.answer.events) for result in results if result.answer] == [4] * 10
            assert len(peers) == 1

    asyncio.run(run())


class TestLook:
    def test_where_it_says_no_nothing_is_written(self) -> None:
        async def run() -> None:
            async with pooled(answering(obliging)) as (one, peers):
                result = await one.pool.execute(PING, lambda: False, 5)
                assert result.reach is Reach.NOT_SENT
                await one.ask(AmiAction("CoreStatus"))
                assert asked(peers) == ["CoreStatus"]
                assert len(peers) == 1

        asyncio.run(run())

    def test_it_is_asked_once_when_everything_else_is_ready(self) -> None:
        async def run() -> None:
            looks: list[list[str]] = []
            gate = asyncio.Event()

            async def reply(peer: Peer, heard: dict[str, str]) -> None:
                if heard["Action"] == "Reload":
                    await gate.wait()
                peer.respond()

            async with pooled(answering(reply), sessions=1) as (one, peers):

                def look() -> bool:
                    looks.append(asked(peers))
                    return True

                slow = asyncio.create_task(one.ask(AmiAction("Reload")))
                waiting = asyncio.create_task(one.pool.execute(PING, look, 5))
                await until(lambda: asked(peers) == ["Reload"])
                assert looks == []
                gate.set()
                await asyncio.gather(slow, waiting)
                assert looks == [["Reload"]]

        asyncio.run(run())


class TestRefused:
    @pytest.mark.parametrize(
        "name", ["Login", "logoff", "Challenge", "EVENTS", "Filter", "WaitEvent", "IAXnetstats"]
    )
    def test_what_acts_on_the_session_is_never_sent(self, name: str) -> None:
        async def run() -> None:
            async with pooled(answering(obliging)) as (one, peers):
                with pytest.raises(ActionError, match="never sent"):
                    await one.ask(AmiAction(name))
                assert peers == []

        asyncio.run(run())


def test_what_waits_when_it_closes_is_not_sent() -> None:
    async def run() -> None:
        async def reply(peer: Peer, _: dict[str, str]) -> None:
            await until_closed(peer)

        async with scripted(answering(reply)) as (address, peers):
            one = Pooled(address, 1, farewell=0.05)
            async with one.pool:
                first = asyncio.create_task(one.ask(PING))
                second = asyncio.create_task(one.ask(PING))
                await until(lambda: asked(peers))
            assert (await first).reach is Reach.SENT
            assert (await second).reach is Reach.NOT_SENT
            assert asked(peers) == ["Ping"]

    asyncio.run(run())


def test_it_can_be_closed_while_it_logs_in() -> None:
    async def run() -> None:
        async with scripted(until_closed) as (address, peers):
            one = Pooled(address, 1)
            async with one.pool:
                asking = asyncio.create_task(one.ask(PING))
                await until(lambda: peers)
            assert (await asking).reach is Reach.NOT_SENT
            await until(peers[0].writer.is_closing)

    asyncio.run(run())


def test_what_its_block_raises_stays_what_it_is() -> None:
    class Other(Exception):
        pass

    async def run() -> None:
        async with pooled(answering(obliging)) as (one, _):
            await one.ask(PING)
            raise Other

    with pytest.raises(Other):
        asyncio.run(run())
