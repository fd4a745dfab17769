"""What panoramisk 1.4 gets wrong, by the numbers of the project's list: actions, deadlines, reconnects, secrets."""

import asyncio
import logging

import pytest

from connector.ami.action import AmiAction
from connector.ami.session import Session
from connector.ami.steps import Deadlines
from connector.edges.pbx import Connection
from connector.errors import ActionError, LinkLost, LoginRefused
from tests.edges.scripted import (
    ACCOUNT,
    GREETING,
    SECRET,
    Ear,
    Peer,
    pbx_at,
    scripted,
    until_closed,
)


async def idle(peer: Peer) -> None:
    """Answer nothing but the login and the Logoff."""
    await peer.let_in()
    while (await peer.hear())["Action"] != "Logoff":
        pass
    peer.respond(status="Goodbye")


@pytest.mark.parametrize(
    ("action", "headers"),
    [
        ("Originate", ()),
        ("Originate", (("Async", "no"),)),
        ("PlayDTMF", (("Digit", "1"),)),
        ("Atxfer", ()),
        ("CancelAtxfer", ()),
    ],
)
def test_p3_p4_what_is_successfully_queued_is_answered(
    action: str, headers: tuple[tuple[str, str], ...]
) -> None:
    async def scene(peer: Peer) -> None:
        await peer.let_in()
        await peer.hear()
        peer.respond(f"Message: {action} successfully queued")
        await until_closed(peer)

    async def run() -> None:
        async with scripted(scene) as (address, _):
            connection = await pbx_at(address).login(Ear().up, Ear().take)
            assert (await connection.ask(AmiAction(action, headers), within=5)).success
            connection.close()

    asyncio.run(run())


def test_p11_p12_p13_nothing_is_sent_again_on_a_new_connection() -> None:
    async def cut(peer: Peer) -> None:
        await peer.let_in()
        await peer.hear()
        await peer.hear()

    async def run() -> None:
        async with scripted(cut, idle) as (address, peers):
            pbx = pbx_at(address)
            connection = await pbx.login(Ear().up, Ear().take)
            asked = [
                asyncio.create_task(connection.ask(action, within=5))
                for action in (
                    AmiAction("Originate"),
                    AmiAction("Command", (("Command", "core show uptime"),)),
                )
            ]
            await connection.ended()
            for task in asked:
                with pytest.raises(LinkLost):
                    await task
            with pytest.raises(LinkLost, match="not sent"):
                await connection.ask(AmiAction("Originate"), within=5)
            again = await pbx.login(Ear().up, Ear().take)
            again.leave()
            assert await again.ended() == "logged off"
            assert [heard["Action"] for heard in peers[0].heard].count("Originate") == 1
            assert [heard["Action"] for heard in peers[1].heard] == ["Login", "CoreSettings", "Logoff"]

    asyncio.run(run())


def test_p14_a_list_cut_midway_fails_its_asker() -> None:
    async def scene(peer: Peer) -> None:
        await peer.let_in()
        action_id = (await peer.hear())["ActionID"]
        peer.respond("EventList: start")
        peer.say(f"Event: CoreShowChannel\r\nActionID: {action_id}\r\n\r\nEvent: CoreSh".encode())

    async def run() -> None:
        async with scripted(scene) as (address, _):
            connection = await pbx_at(address).login(Ear().up, Ear().take)
            with pytest.raises(LinkLost, match="CoreShowChannels was not answered"):
                await connection.ask(AmiAction("CoreShowChannels"), within=30)
            assert "13 bytes into a message" in await connection.ended()

    asyncio.run(run())


def test_p15_every_action_has_a_deadline() -> None:
    async def run() -> None:
        async with scripted(idle) as (address, _):
            connection = await pbx_at(address).login(Ear().up, Ear().take)
            with pytest.raises(LinkLost, match=r"not answered in 0\.02 s"):
                await connection.ask(AmiAction("Reload"), within=0.02)
            connection.close()

    asyncio.run(run())


def test_p16_every_action_has_an_id_of_its_own() -> None:
    async def scene(peer: Peer) -> None:
        await peer.let_in()
        for _ in range(2):
            await peer.hear()
        for heard in peer.heard[:1:-1]:
            peer.say(
                f"Response: Success\r\nActionID: {heard['ActionID']}\r\nAnswers: {heard['Action']}\r\n\r\n".encode()
            )
        await until_closed(peer)

    async def run() -> None:
        async with scripted(scene) as (address, _):
            connection = await pbx_at(address).login(Ear().up, Ear().take)
            same = [AmiAction(name, (), "same") for name in ("CoreStatus", "Ping")]
            answers = await asyncio.gather(*(connection.ask(action, within=5) for action in same))
            assert [answer.response.get("Answers") for answer in answers] == ["CoreStatus", "Ping"]
            connection.close()

    asyncio.run(run())


def test_p17_a_half_open_link_is_noticed() -> None:
    async def run() -> None:
        async with scripted(idle) as (address, peers):
            pbx = pbx_at(address, ping_every=0.02, pong=0.03)
            connection = await pbx.login(Ear().up, Ear().take)
            assert "silent" in await connection.ended()
            assert [heard["Action"] for heard in peers[0].heard] == ["Login", "CoreSettings", "Ping"]

    asyncio.run(run())


def test_p18_a_mute_peer_is_no_connection() -> None:
    async def greet_only(peer: Peer) -> None:
        peer.say(GREETING)
        await until_closed(peer)

    async def run() -> None:
        async with scripted(until_closed, greet_only) as (address, _):
            with pytest.raises(LinkLost, match=r"no greeting in 0\.03 s"):
                await pbx_at(address, greeting=0.03).login(Ear().up, Ear().take)
            with pytest.raises(LinkLost, match="no answer to Login"):
                await pbx_at(address, login=0.03).login(Ear().up, Ear().take)

    asyncio.run(run())


def test_p19_a_refused_login_is_an_error_of_its_own_and_is_not_retried_here() -> None:
    async def refuse(peer: Peer) -> None:
        peer.say(GREETING)
        await peer.hear()
        peer.respond("Message: Authentication failed", status="Error")

    async def run() -> None:
        async with scripted(refuse) as (address, peers):
            with pytest.raises(LoginRefused, match="Authentication failed"):
                await pbx_at(address).login(Ear().up, Ear().take)
            await asyncio.sleep(0)
            assert len(peers) == 1

    asyncio.run(run())


def test_p20_nothing_is_scheduled_after_the_end() -> None:
    async def run() -> None:
        async with scripted(idle) as (address, peers):
            connection = await pbx_at(address, ping_every=0.05, pong=0.05).login(Ear().up, Ear().take)
            connection.close()
            assert await connection.ended() == "closed here"
            await asyncio.sleep(0.12)
            assert len(peers) == 1
            assert len(peers[0].heard) == 2

    asyncio.run(run())


def test_p22_nothing_can_be_slipped_into_an_action() -> None:
    async def run() -> None:
        async with scripted(idle) as (address, peers):
            connection = await pbx_at(address).login(Ear().up, Ear().take)
            for value in ("1\r\nAction: Command", "1\nAction: Command", "1\0", "x" * 1023):
                with pytest.raises(ActionError):
                    await connection.ask(AmiAction("Getvar", (("Variable", value),)), within=1)
            connection.leave()
            await connection.ended()
            assert [heard["Action"] for heard in peers[0].heard] == ["Login", "CoreSettings", "Logoff"]

    asyncio.run(run())


def test_p25_an_action_before_the_login_is_an_error_that_says_so() -> None:
    async def run() -> None:
        connection = Connection("pbx:5038", Session(ACCOUNT, Deadlines(), "t"), Ear().up, Ear().take)
        with pytest.raises(LinkLost, match="Ping was not sent: not logged in"):
            await connection.ask(AmiAction("Ping"), within=1)
        connection.close()

    asyncio.run(run())


def test_p26_a_list_is_whole_whatever_its_messages_say() -> None:
    async def scene(peer: Peer) -> None:
        await peer.let_in()
        action_id = (await peer.hear())["ActionID"]
        peer.respond("EventList: start", "Message: nothing that is known")
        for number in range(3):
            peer.say(f"Event: BridgeListItem\r\nActionID: {action_id}\r\nNumber: {number}\r\n\r\n".encode())
        peer.say(
            f"Event: BridgeListComplete\r\nActionID: {action_id}\r\nEventList: Complete\r\n\r\n".encode()
        )
        await until_closed(peer)

    async def run() -> None:
        async with scripted(scene) as (address, _):
            connection = await pbx_at(address).login(Ear().up, Ear().take)
            answer = await connection.ask(AmiAction("BridgeList"), within=5)
            assert [event.get("Number") for event in answer.events] == ["0", "1", "2", ""]
            connection.close()

    asyncio.run(run())


def test_p27_no_secret_reaches_a_log_or_an_error(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    async def cut(peer: Peer) -> None:
        peer.say(GREETING)
        peer.writer.transport.abort()

    async def refuse(peer: Peer) -> None:
        peer.say(GREETING)
        await peer.hear()
        peer.respond("Message: Authentication failed", status="Error")

    async def run() -> list[str]:
        asyncio.get_running_loop().set_debug(True)
        texts = []
        for scene in (cut, refuse, idle):
            async with scripted(scene) as (address, _):
                pbx = pbx_at(address)
                try:
                    connection = await pbx.login(Ear().up, Ear().take)
                    connection.close()
                except (LinkLost, LoginRefused) as error:
                    texts += [repr(error), repr(error.__cause__)]
                texts += [repr(pbx), repr(ACCOUNT)]
        return texts

    with caplog.at_level(logging.DEBUG):
        texts = asyncio.run(run())
    output = capfd.readouterr()
    assert SECRET not in "".join([*texts, caplog.text, output.out, output.err])
