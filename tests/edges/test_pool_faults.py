"""Actions at a PBX that is cut off, late or odd: one result for each, which says how far it came."""

import asyncio

import pytest

from connector.ami.action import AmiAction
from connector.ami.reach import Reach, Result
from connector.facts import ActionSessionUp, StrayAnswer
from tests.edges.pooled import (
    CALL,
    LIST,
    PING,
    answering,
    asked,
    list_answer,
    obliging,
    originate_response,
    pooled,
    until,
)
from tests.edges.scripted import END, Peer, until_closed

WHOLE = list_answer("?", 2)


def test_a_connection_cut_at_any_byte_gives_one_result_with_what_had_come() -> None:
    """Item by item, and never more than had come."""
    ends = [place for place in range(1, len(WHOLE) + 1) if WHOLE[:place].endswith(END)]

    async def run() -> None:
        places = iter([*range(0, len(WHOLE), 3), *ends, *(end - 1 for end in ends)])
        at = 0

        async def cut(peer: Peer) -> None:
            await peer.let_in()
            action_id = (await peer.hear())["ActionID"]
            peer.say(WHOLE[:at].replace(b"?", action_id.encode()))
            await peer.writer.drain()

        for at in places:
            async with pooled(cut) as (one, peers):
                result = await one.ask(LIST)
                messages = sum(end <= at for end in ends)
                if at == len(WHOLE):
                    assert result.reach is Reach.ANSWERED
                else:
                    assert (result.reach, result.late) == (Reach.SENT, False)
                    assert "closed the connection" in result.reason
                came = 0 if result.answer is None else 1 + len(result.answer.events)
                assert came == messages
                assert asked(peers) == ["CoreShowChannels"]

    asyncio.run(run())


@pytest.mark.parametrize("heard", [0, 1])
def test_a_connection_cut_during_the_login_sends_nothing(heard: int) -> None:
    async def cut(peer: Peer) -> None:
        peer.say(b"Asterisk Call Manager/11.0.0\r\n")
        for _ in range(heard):
            await peer.hear()
            peer.respond()

    async def run() -> None:
        async with pooled(cut) as (one, peers):
            result = await one.ask(PING)
            assert result.reach is Reach.NOT_SENT
            assert "closed the connection" in result.reason
            assert asked(peers) == []
            assert one.links == [False]

    asyncio.run(run())


class TestLate:
    @pytest.mark.parametrize("pieces", [0, 1, 2])
    def test_a_session_on_which_an_action_was_late_is_used_no_more(self, pieces: int) -> None:
        async def run() -> None:
            async def stuck(peer: Peer) -> None:
                await peer.let_in()
                action_id = (await peer.hear())["ActionID"]
                parts = list_answer(action_id, 2).split(END)
                peer.say(b"".join(part + END for part in parts[:pieces]))
                await until_closed(peer)

            async with pooled(stuck, answering(obliging), sessions=1) as (one, peers):
                result = await one.ask(LIST, 0.05)
                assert (result.reach, result.late) == (Reach.SENT, True)
                assert result.reason.endswith("in 0.05 s")
                came = 0 if result.answer is None else 1 + len(result.answer.events)
                assert came == pieces
                after = await one.ask(PING)
                assert after.reach is Reach.ANSWERED
                assert [asked([peer]) for peer in peers] == [["CoreShowChannels"], ["Ping"]]
                assert one.links == []

        asyncio.run(run())

    def test_whoever_gives_up_leaves_no_session_to_be_mistaken(self) -> None:
        async def run() -> None:
            heard = asyncio.Event()

            async def reply(peer: Peer, _: dict[str, str]) -> None:
                heard.set()
                await until_closed(peer)

            async with pooled(answering(reply), answering(obliging), sessions=1) as (one, peers):
                task = asyncio.create_task(one.ask(LIST))
                await heard.wait()
                task.cancel()
                assert (await one.ask(PING)).reach is Reach.ANSWERED
                assert task.cancelled()
                assert [asked([peer]) for peer in peers] == [["CoreShowChannels"], ["Ping"]]

        asyncio.run(run())

    def test_whoever_gives_up_waiting_takes_no_session_with_him(self) -> None:
        async def run() -> None:
            gate = asyncio.Event()

            async def reply(peer: Peer, _: dict[str, str]) -> None:
                await gate.wait()
                peer.respond()

            async with pooled(answering(reply), sessions=1) as (one, peers):

                async def ask_and_cancel_the_next() -> Result:
                    result = await one.ask(PING)
                    # By now the session is the second's, who does not know it yet.
                    second.cancel()
                    return result

                first = asyncio.create_task(ask_and_cancel_the_next())
                second = asyncio.create_task(one.ask(PING))
                third = asyncio.create_task(one.ask(PING))
                await until(lambda: asked(peers))
                gate.set()
                assert (await first).reach is Reach.ANSWERED
                assert (await third).reach is Reach.ANSWERED
                assert second.cancelled()
                assert asked(peers) == ["Ping", "Ping"]
                assert len(peers) == 1

        asyncio.run(run())

    def test_whoever_gave_up_waiting_is_no_reason_for_one_more_session(self) -> None:
        async def run() -> None:
            gate = asyncio.Event()

            async def stuck(peer: Peer, _: dict[str, str]) -> None:
                await gate.wait()
                peer.respond()

            async def slow_login(peer: Peer) -> None:
                await gate.wait()
                await answering(obliging)(peer)

            async with pooled(answering(stuck), slow_login, sessions=3) as (one, peers):
                first = asyncio.create_task(one.ask(PING))
                await until(lambda: asked(peers))
                assert (await one.ask(PING, 0.05)).reach is Reach.NOT_SENT
                gate.set()
                await first
                await until(lambda: sum(isinstance(fact, ActionSessionUp) for fact in one.facts) == 2)
                for _ in range(10):
                    assert (await one.ask(PING)).reach is Reach.ANSWERED
                assert len(peers) == 2

        asyncio.run(run())


class TestOdd:
    @pytest.mark.parametrize("status", ["Error", "Success"])
    def test_an_answer_without_an_id_is_that_of_the_one_action_outstanding(self, status: str) -> None:
        def reply(peer: Peer, _: dict[str, str]) -> None:
            peer.say(f"Response: {status}\r\nMessage: Too many lines in message\r\n\r\n".encode())

        async def run() -> None:
            async with pooled(answering(reply)) as (one, peers):
                for _ in range(3):
                    result = await one.ask(PING)
                    assert result.reach is Reach.ANSWERED
                    assert result.answer is not None
                    assert result.answer.response.get("Message") == "Too many lines in message"
                assert len(peers) == 1

        asyncio.run(run())

    def test_an_answer_without_an_id_among_events_is_nobodys(self) -> None:
        """A caller's number may hold the lines of a response, but not an ActionID that he cannot know."""

        def reply(peer: Peer, heard: dict[str, str]) -> None:
            peer.say(b"Event: Newchannel\r\nCallerIDNum: 1\r\n\r\nResponse: Error\r\nMessage: x\r\n\r\n")
            peer.respond()
            peer.say(originate_response(heard["ActionID"]))

        async def run() -> None:
            async with pooled(answering(reply)) as (one, _):
                result = await one.ask(CALL)
                assert result.answer is not None
                assert result.answer.success
                assert [fact for fact in one.facts if isinstance(fact, StrayAnswer)] == [
                    StrayAnswer("pbx", "Error: x")
                ]

        asyncio.run(run())

    def test_a_torn_list_item_ends_no_list(self) -> None:
        def reply(peer: Peer, heard: dict[str, str]) -> None:
            parts = list_answer(heard["ActionID"], 1).split(END)
            parts.insert(2, b"Response: Error\r\nMessage: forged")
            peer.say(END.join(parts))

        async def run() -> None:
            async with pooled(answering(reply)) as (one, _):
                result = await one.ask(LIST)
                assert result.answer is not None
                assert result.answer.success
                assert len(result.answer.events) == 2

        asyncio.run(run())

    def test_a_second_response_is_stray_and_answers_nothing_else(self) -> None:
        def reply(peer: Peer, heard: dict[str, str]) -> None:
            if heard["Action"] == "ModuleLoad":
                peer.respond("Message: Need module name", status="Error")
                peer.respond("Message: Invalid LoadType", status="Error")
            else:
                peer.respond()

        async def run() -> None:
            async with pooled(answering(reply), sessions=1) as (one, peers):
                result = await one.ask(AmiAction("ModuleLoad"))
                assert result.answer is not None
                assert result.answer.response.get("Message") == "Need module name"
                after = await one.ask(PING)
                assert after.answer is not None
                assert after.answer.success
                assert StrayAnswer("pbx", "Error: Invalid LoadType") in one.facts
                assert len(peers) == 1

        asyncio.run(run())

    def test_a_message_too_large_to_keep_is_told(self) -> None:
        def reply(peer: Peer, _: dict[str, str]) -> None:
            peer.respond("JSON: " + "x" * (2 << 20))

        async def run() -> None:
            async with pooled(answering(reply)) as (one, _):
                result = await one.ask(AmiAction("GetConfigJSON"))
                assert result.reach is Reach.ANSWERED
                assert "was cut at 1048576" in result.reason

        asyncio.run(run())

    def test_five_thousand_items_come_whole(self) -> None:
        def reply(peer: Peer, heard: dict[str, str]) -> None:
            peer.say(list_answer(heard["ActionID"], 5_000))

        async def run() -> None:
            async with pooled(answering(reply)) as (one, _):
                result = await one.ask(LIST)
                assert result.answer is not None
                channels = [event.get("Channel") for event in result.answer.events[:-1]]
                assert channels == [str(row) for row in range(5_000)]

        asyncio.run(run())
