"""Several sessions, and not all of them to be had: which are replaced, and when."""

import asyncio

import pytest

from connector.ami.action import AmiAction
from connector.ami.reach import Reach
from connector.facts import ActionLoginRefused
from tests.edges.pooled import (
    CALL,
    PING,
    Delays,
    Pooled,
    answering,
    asked,
    cut_after_login,
    obliging,
    pooled,
    refuse,
    until,
)
from tests.edges.scripted import GREETING, Peer, scripted, until_closed


def test_once_the_pbx_is_reached_again_all_sessions_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those for calls wait no longer, once those for the rest are there."""
    delays = Delays(monkeypatch)

    def later(attempt: int, chance: float) -> float:
        # The calls' session fails last, and would wait for long.
        delays.retries.append(attempt)
        return 60.0 if len(delays.retries) > 1 else 0.2 + 0 * chance

    monkeypatch.setattr("connector.edges.pbx.slots.retry_delay", later)

    async def run() -> None:
        async with scripted(until_closed) as (address, _):
            pass
        one = Pooled(address, 1)
        async with one.pool:
            assert (await one.ask(PING)).reach is Reach.NOT_SENT
            assert (await one.ask(CALL)).reach is Reach.NOT_SENT
            async with scripted(answering(obliging), port=address.port) as (_, peers):
                await until(lambda: one.links == [False, True])
                call = asyncio.create_task(one.ask(CALL))
                await until(lambda: "Originate" in asked(peers))
                call.cancel()

    asyncio.run(run())
    assert delays.retries[:2] == [1, 1]


def test_a_refusal_is_not_hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    Delays(monkeypatch, wait_s=60.0)

    async def run() -> None:
        async with pooled(refuse, answering(obliging)) as (one, peers):
            assert (await one.ask(CALL)).reach is Reach.NOT_SENT
            assert (await one.ask(PING)).reach is Reach.ANSWERED
            assert (await one.ask(CALL)).reach is Reach.NOT_SENT
            assert len(peers) == 2
            assert one.links == [False, True]

    asyncio.run(run())


def test_a_session_in_doubt_is_replaced_although_one_more_was_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Delays(monkeypatch, wait_s=60.0)

    async def run() -> None:
        async def reply(peer: Peer, heard: dict[str, str]) -> None:
            if heard["Action"] != "Reload":
                peer.respond()

        async with pooled(answering(reply), refuse, answering(obliging)) as (one, peers):
            stuck = asyncio.create_task(one.ask(AmiAction("Reload"), 0.2))
            await until(lambda: asked(peers))
            waiting = asyncio.create_task(one.ask(PING))
            assert (await stuck).late
            assert (await waiting).reach is Reach.ANSWERED
            assert len(peers) == 3

    asyncio.run(run())


def test_a_session_lost_is_replaced_although_one_more_was_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    Delays(monkeypatch, wait_s=60.0)

    async def run() -> None:
        gate = asyncio.Event()

        async def lost(peer: Peer) -> None:
            await peer.let_in()
            await peer.hear()
            await gate.wait()

        async with pooled(lost, refuse, answering(obliging)) as (one, peers):
            first = asyncio.create_task(one.ask(PING))
            await until(lambda: asked(peers))
            second = asyncio.create_task(one.ask(AmiAction("CoreStatus")))
            await until(lambda: any(isinstance(fact, ActionLoginRefused) for fact in one.facts))
            gate.set()
            assert (await first).reach is Reach.SENT
            assert (await second).reach is Reach.ANSWERED
            assert len(peers) == 3

    asyncio.run(run())


def test_once_let_in_the_next_refusal_is_the_first_again(monkeypatch: pytest.MonkeyPatch) -> None:
    delays = Delays(monkeypatch)

    async def run() -> None:
        async with pooled(refuse, cut_after_login, refuse, answering(obliging)) as (one, _):
            await one.ask(PING)
            await until(lambda: one.links == [False, True])
            assert (await one.ask(PING)).reach is Reach.SENT
            await until(lambda: one.links == [False, True, False, True])

    asyncio.run(run())
    assert delays.refusals == [1, 1]


def test_one_session_lost_of_several_is_no_loss_of_the_pbx(monkeypatch: pytest.MonkeyPatch) -> None:
    delays = Delays(monkeypatch)

    async def run() -> None:
        gate = asyncio.Event()

        async def slow(peer: Peer, _: dict[str, str]) -> None:
            await gate.wait()
            peer.respond()

        async with pooled(answering(slow), cut_after_login) as (one, peers):
            first = asyncio.create_task(one.ask(PING))
            await until(lambda: asked(peers))
            assert (await one.ask(PING)).reach is Reach.SENT
            gate.set()
            assert (await first).reach is Reach.ANSWERED
            assert (await one.ask(PING)).reach is Reach.ANSWERED
            assert one.links == []
            assert len(peers) == 2

    asyncio.run(run())
    assert delays.retries == []


def test_where_a_second_session_is_refused_the_first_serves_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with `allowmultiplelogin = no`; it is not asked for again at every turn."""
    delays = Delays(monkeypatch, wait_s=60.0)

    async def in_use(peer: Peer) -> None:
        peer.say(GREETING)
        await peer.hear()
        peer.respond("Message: Login Already In Use", status="Error")
        await until_closed(peer)

    async def run() -> None:
        async def reply(peer: Peer, _: dict[str, str]) -> None:
            # Long enough for others to ask.
            await until(lambda: len(peers) > 1)
            peer.respond()

        async with pooled(answering(reply), in_use, sessions=3) as (one, peers):
            for _ in range(2):
                results = await asyncio.gather(*(one.ask(PING) for _ in range(20)))
                assert {result.reach for result in results} == {Reach.ANSWERED}
            assert len(peers) == 2
            assert one.links == []
            call = await one.ask(CALL)
            assert call.reach is Reach.NOT_SENT
            assert "allowmultiplelogin" in call.reason
            assert one.links == []

    asyncio.run(run())
    assert delays.retries == [1, 1]


def test_no_one_more_is_asked_for_when_nobody_waits_for_it_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    Delays(monkeypatch)

    async def run() -> None:
        async def stuck(peer: Peer, _: dict[str, str]) -> None:
            await until_closed(peer)

        async def in_use(peer: Peer) -> None:
            peer.say(GREETING)
            await peer.hear()
            peer.respond("Message: Login Already In Use", status="Error")

        async with pooled(answering(stuck), in_use, farewell=0.01) as (one, peers):
            first = asyncio.create_task(one.ask(PING))
            await until(lambda: asked(peers))
            assert (await one.ask(PING, 0.05)).reach is Reach.NOT_SENT
            tried = len(peers)
            for _ in range(500):
                await asyncio.sleep(0)
            assert tried > 1
            assert len(peers) <= tried + 1
            first.cancel()

    asyncio.run(run())
