"""Actions whose results come later: many of them share one session."""

import asyncio

from connector.ami.action import AmiAction
from connector.ami.reach import Reach
from tests.edges.pooled import (
    CALL,
    answering,
    asked,
    originate_response,
    pooled,
    until,
)
from tests.edges.scripted import Peer


def test_two_hundred_calls_ring_on_one_session() -> None:
    async def run() -> None:
        ringing: list[str] = []
        all_ring = asyncio.Event()

        def reply(peer: Peer, heard: dict[str, str]) -> None:
            peer.respond("Message: Originate successfully queued")
            ringing.append(heard["ActionID"])
            if len(ringing) == 200:
                all_ring.set()

        async with pooled(answering(reply)) as (one, peers):
            calls = [asyncio.create_task(one.ask(CALL)) for _ in range(200)]
            await all_ring.wait()
            assert not any(call.done() for call in calls)
            for number, action_id in enumerate(reversed(ringing)):
                peers[0].say(b"Event: Newchannel\r\nPrivilege: call,all\r\nUniqueid: 1\r\n\r\n")
                peers[0].say(originate_response(action_id, reason=number))
            results = await asyncio.gather(*calls)
            reasons = [result.answer.events[-1].get("Reason") for result in results if result.answer]
            assert reasons == [str(number) for number in reversed(range(200))]
            assert len(peers) == 1

    asyncio.run(run())


def test_a_call_whose_session_is_lost_was_sent() -> None:
    async def lost(peer: Peer) -> None:
        await peer.let_in()
        await peer.hear()
        peer.respond()

    async def run() -> None:
        async with pooled(lost) as (one, _):
            result = await one.ask(CALL)
            assert (result.reach, result.late) == (Reach.SENT, False)
            assert result.answer is not None
            assert result.answer.success

    asyncio.run(run())


def test_a_call_without_a_result_in_time_costs_its_session_nothing() -> None:
    def reply(peer: Peer, heard: dict[str, str]) -> None:
        peer.respond()
        if len(asked([peer])) > 1:
            peer.say(originate_response(heard["ActionID"]))

    async def run() -> None:
        async with pooled(answering(reply)) as (one, peers):
            late = await one.ask(CALL, 0.05)
            assert (late.reach, late.late) == (Reach.SENT, True)
            assert late.reason == "Asterisk took it, and its result did not come in 0.05 s"
            assert (await one.ask(CALL)).reach is Reach.ANSWERED
            assert len(peers) == 1

    asyncio.run(run())


def test_calls_that_ring_outlive_a_call_that_was_not_taken_in_time() -> None:
    async def run() -> None:
        def reply(peer: Peer, heard: dict[str, str]) -> None:
            if heard.get("Channel") != "Local/stuck@a":
                peer.respond()

        async with pooled(answering(reply)) as (one, peers):
            rings = asyncio.create_task(one.ask(CALL))
            await until(lambda: asked(peers))
            stuck = AmiAction("Originate", (("Channel", "Local/stuck@a"), ("Async", "1")))
            assert (await one.ask(stuck, 0.05)).late
            other = asyncio.create_task(one.ask(CALL))
            await until(lambda: asked(peers[1:]))
            for peer in peers:
                peer.say(originate_response(peer.heard[2]["ActionID"]))
            assert {(await task).reach for task in (rings, other)} == {Reach.ANSWERED}
            await until(peers[0].writer.is_closing)

    asyncio.run(run())


def test_a_refused_call_is_answered_at_once() -> None:
    def reply(peer: Peer, _: dict[str, str]) -> None:
        peer.respond("Message: Permission denied", status="Error")

    async def run() -> None:
        async with pooled(answering(reply)) as (one, peers):
            results = await asyncio.gather(one.ask(CALL), one.ask(CALL))
            assert {result.reach for result in results} == {Reach.ANSWERED}
            assert len(peers) == 1

    asyncio.run(run())


def test_an_agi_command_ends_with_its_own_event() -> None:
    """By CommandID and channel: two channels may count their commands alike."""

    def event(channel: str, command_id: str) -> bytes:
        lines = "Event: AsyncAGIExec", f"Channel: {channel}", f"Uniqueid: {channel}-id"
        return "\r\n".join([*lines, f"CommandId: {command_id}", f"Result: of {channel}", "", ""]).encode()

    async def run() -> None:
        def reply(peer: Peer, _: dict[str, str]) -> None:
            peer.respond("Message: Added AGI command to queue")
            if len(asked([peer])) == 3:
                peer.say(event("C", "1"))
                for heard in peer.heard[:1:-1]:
                    peer.say(event(heard["Channel"].removesuffix("-id"), heard["CommandID"]))

        async with pooled(answering(reply)) as (one, peers):
            named = (("CommandID", "1"), ("Command", "x"))
            actions = [
                AmiAction("AGI", (("Channel", "A"), *named)),
                AmiAction("AGI", (("Channel", "B-id"), *named)),
                AmiAction("agi", (("Channel", "D"), ("Command", "y"))),
            ]
            results = await asyncio.gather(*map(one.ask, actions))
            told = [result.answer.events[-1].get("Result") for result in results if result.answer]
            assert told == ["of A", "of B", "of D"]
            assert peers[0].heard[4]["CommandID"] == peers[0].heard[4]["ActionID"]

    asyncio.run(run())
