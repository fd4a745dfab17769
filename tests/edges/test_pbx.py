"""Connections to a PBX: the simulated one, scripted ones, and none at all."""

import asyncio
import socket
import time
from contextlib import suppress
from dataclasses import replace

import pytest

from connector.ami.action import AmiAction
from connector.ami.steps import Account, Start, Welcome
from connector.demo.channels import Event
from connector.demo.pbx import SimulatedPbx
from connector.edges.pbx import Address
from connector.errors import LinkLost, LoginRefused
from tests.edges.scripted import ACCOUNT, END, HANGUP, SECRET, Ear, Peer, pbx_at, scripted, until_closed

ACCOUNTS = {"kafka": SECRET}


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("md5", [True, False])
def test_logs_in_hears_events_and_leaves(*, md5: bool) -> None:
    async def run() -> None:
        ear = Ear()
        async with SimulatedPbx(ACCOUNTS) as pbx:
            address = Address(*pbx.address)
            before_us = time.time_ns() // 1000
            connection = await pbx_at(address, account=Account("kafka", SECRET, md5=md5)).login(
                ear.up, ear.take
            )
            (told,) = ear.welcomes
            assert told._replace(start=Start()) == Welcome("11.0.0", "22.10.1-simulated", "demo")
            assert told.start.uptime_s is not None
            assert connection.address == str(address)
            await ear.heard.wait()
            assert ear.frames[0].startswith(b"Event: FullyBooted\r\n")
            assert before_us <= ear.batches[0][1] <= time.time_ns() // 1000
            ear.heard.clear()
            pbx.tell(Event("Hello", "call", ["A: 1"]))
            await ear.heard.wait()
            assert ear.frames[-1].endswith(b"\r\nA: 1")
            connection.leave()
            assert await connection.ended() == "logged off"
            await asyncio.sleep(0)
            assert pbx.logins == 0

    asyncio.run(run())


def test_events_of_one_read_come_in_one_call() -> None:
    async def scene(peer: Peer) -> None:
        await peer.let_in()
        peer.say(END.join([HANGUP] * 5) + END)
        await until_closed(peer)

    async def run() -> None:
        ear = Ear()
        async with scripted(scene) as (address, _):
            connection = await pbx_at(address).login(ear.up, ear.take)
            await ear.heard.wait()
            connection.close()
        assert [frames for frames, _ in ear.batches] == [[HANGUP] * 5]

    asyncio.run(run())


def test_what_is_on_the_way_while_leaving_is_still_read() -> None:
    async def scene(peer: Peer) -> None:
        await peer.let_in()
        await peer.hear()
        peer.say(HANGUP + END)
        peer.respond(status="Goodbye")

    async def run() -> None:
        ear = Ear()
        async with scripted(scene) as (address, _):
            connection = await pbx_at(address).login(ear.up, ear.take)
            connection.leave()
            assert await connection.ended() == "logged off"
        assert ear.frames == [HANGUP]

    asyncio.run(run())


def test_a_pbx_that_is_mute_when_left_is_not_waited_for() -> None:
    async def scene(peer: Peer) -> None:
        await peer.let_in()
        await until_closed(peer)

    async def run() -> None:
        async with scripted(scene) as (address, _):
            connection = await pbx_at(address, farewell=0.02).login(Ear().up, Ear().take)
            connection.leave()
            assert await connection.ended() == "logged off"

    asyncio.run(run())


def test_asks_and_is_answered() -> None:
    async def run() -> None:
        async with SimulatedPbx(ACCOUNTS) as pbx:
            connection = await pbx_at(Address(*pbx.address)).login(Ear().up, Ear().take)
            answers = await asyncio.gather(
                *(connection.ask(AmiAction(name), within=5) for name in ("Ping", "QueueStatus", "Nonesuch"))
            )
            assert [answer.success for answer in answers] == [True, True, False]
            assert len(answers[1].events) == 6
            connection.close()

    asyncio.run(run())


def test_a_cancelled_question_leaves_nothing_behind() -> None:
    async def scene(peer: Peer) -> None:
        await peer.let_in()
        await peer.hear()
        await peer.hear()
        for heard in peer.heard[-2:]:
            peer.say(f"Response: Success\r\nActionID: {heard['ActionID']}\r\n\r\n".encode())
        await until_closed(peer)

    async def run() -> None:
        async with scripted(scene) as (address, _):
            connection = await pbx_at(address).login(Ear().up, Ear().take)
            first = asyncio.create_task(connection.ask(AmiAction("Reload"), within=5))
            await asyncio.sleep(0)
            first.cancel()
            assert (await connection.ask(AmiAction("Ping"), within=5)).success
            connection.close()

    asyncio.run(run())


class TestAddresses:
    def test_are_tried_in_turn(self) -> None:
        async def run() -> None:
            async with SimulatedPbx(ACCOUNTS) as pbx:
                second = Address(*pbx.address)
                ear = Ear()
                connection = await pbx_at(Address("127.0.0.1", closed_port()), second).login(ear.up, ear.take)
                assert connection.address == str(second)
                connection.close()

        asyncio.run(run())

    def test_the_error_names_each_with_its_reason(self) -> None:
        first, second = (Address("127.0.0.1", closed_port()) for _ in range(2))

        async def run() -> None:
            await pbx_at(first, second).login(Ear().up, Ear().take)

        with pytest.raises(LinkLost) as caught:
            asyncio.run(run())
        for address in (first, second):
            assert f"{address}: connection refused: is Asterisk running" in str(caught.value)

    def test_a_refusal_outweighs_a_loss(self) -> None:
        async def run() -> None:
            async with SimulatedPbx({"kafka": "another"}) as pbx:
                away = Address("127.0.0.1", closed_port())
                await pbx_at(Address(*pbx.address), away).login(Ear().up, Ear().take)

        with pytest.raises(LoginRefused, match="Authentication failed"):
            asyncio.run(run())

    @pytest.mark.parametrize(("host", "text"), [("10.0.0.1", "10.0.0.1:5038"), ("fd00::1", "[fd00::1]:5038")])
    def test_as_text(self, host: str, text: str) -> None:
        assert str(Address(host)) == text


class TestNoConnection:
    def test_a_host_that_is_none(self) -> None:
        with pytest.raises(LinkLost, match="no such host"):
            asyncio.run(pbx_at(Address("pbx.invalid")).login(Ear().up, Ear().take))

    def test_a_host_that_does_not_answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def never(*_: object, **__: object) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", never)
        with pytest.raises(LinkLost, match=r"no connection in 0\.01 s: is a firewall between"):
            asyncio.run(pbx_at(Address("192.0.2.1"), connect=0.01).login(Ear().up, Ear().take))

    def test_something_else_listens_there(self) -> None:
        async def banner(peer: Peer) -> None:
            peer.say(b"SSH-2.0-OpenSSH_9.2p1\r\n")
            await until_closed(peer)

        async def run() -> None:
            async with scripted(banner) as (address, _):
                await pbx_at(address).login(Ear().up, Ear().take)

        with pytest.raises(LinkLost, match="not Asterisk's manager: it begins with b'SSH-"):
            asyncio.run(run())

    def test_closed_before_the_greeting(self) -> None:
        async def close(peer: Peer) -> None:
            peer.writer.close()

        async def run() -> None:
            async with scripted(close) as (address, _):
                await pbx_at(address).login(Ear().up, Ear().take)

        with pytest.raises(LinkLost, match="without a greeting: has it reached authlimit"):
            asyncio.run(run())

    @pytest.mark.parametrize("moment", range(12))
    def test_cancelled_at_any_moment_it_leaves_no_socket(self, moment: int) -> None:
        async def run() -> None:
            gone = asyncio.Event()

            async def scene(peer: Peer) -> None:
                try:
                    await peer.let_in()
                    await until_closed(peer)
                finally:
                    gone.set()

            async with scripted(scene) as (address, peers):
                login = asyncio.create_task(pbx_at(address).login(Ear().up, Ear().take))
                for _ in range(moment):
                    await asyncio.sleep(0)
                login.cancel()
                with suppress(asyncio.CancelledError):
                    (await login).close()
                if peers:
                    await asyncio.wait_for(gone.wait(), 5)

        # A socket that is left open is a ResourceWarning, and warnings are errors here.
        asyncio.run(run())


def test_the_kernel_watches_the_peer_too() -> None:
    async def run() -> None:
        async with SimulatedPbx(ACCOUNTS) as pbx:
            connection = await pbx_at(Address(*pbx.address)).login(Ear().up, Ear().take)
            assert connection._transport is not None
            opened = connection._transport.get_extra_info("socket")
            assert opened.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000
            connection.close()

    asyncio.run(run())


def test_items_of_a_list_come_in_order_with_events_and_not_as_events() -> None:
    item = b"Event: CoreShowChannel\r\nActionID: %s\r\nUniqueid: 1.2"
    heard: list[tuple[str, bytes]] = []

    async def scene(peer: Peer) -> None:
        await peer.let_in()
        mine = (await peer.hear())["ActionID"].encode()
        peer.say(HANGUP + END)
        peer.respond("EventList: start")
        complete = b"Event: Complete\r\nActionID: %s\r\nEventList: Complete\r\nListItems: 2" % mine
        first, second = item % mine, item % mine + b"2"
        peer.say(END.join([first, HANGUP, second, complete, HANGUP]) + END)
        await until_closed(peer)

    async def run() -> None:
        async with asyncio.timeout(20), scripted(scene) as (address, _):
            connection = await pbx_at(address).login(
                lambda *_: None, lambda frames, _: heard.extend(("event", frame) for frame in frames)
            )
            result = await connection.begin(
                AmiAction("CoreShowChannels"),
                within=5,
                items=lambda frames, _: heard.extend(("item", frame) for frame in frames),
            )
            assert result.answer is not None
            assert len(result.answer.events) == 1
            while len(heard) < 5:  # noqa: ASYNC110 (looked at on every turn of the loop)
                await asyncio.sleep(0)
            connection.close()

    asyncio.run(run())
    assert [kind for kind, _ in heard] == ["event", "item", "event", "item", "event"]
    assert [frame[-1:] for kind, frame in heard if kind == "item"] == [b"2", b"2"]
    assert heard[3][1].endswith(b"1.22")


def test_a_session_for_actions_does_not_ask_since_when_the_pbx_runs() -> None:
    async def scene(peer: Peer) -> None:
        await peer.let_in()
        await until_closed(peer)

    async def run() -> list[str]:
        async with asyncio.timeout(20), scripted(scene) as (address, peers):
            there = pbx_at(address, account=replace(ACCOUNT, asks_start=True))
            (await there.hearing("off").login(lambda *_: None, lambda *_: None)).close()
            return [heard["Action"] for heard in peers[0].heard]

    assert asyncio.run(run()) == ["Login", "CoreSettings"]
