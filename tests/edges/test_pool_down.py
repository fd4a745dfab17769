"""A PBX that cannot be had, or not any more: who is told what, and when it is tried again."""

import asyncio

import pytest

from connector.ami.action import AmiAction
from connector.ami.reach import Reach
from connector.facts import ActionLoginRefused, ActionSessionDown
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
from tests.edges.scripted import Peer, scripted, until_closed


def test_a_refused_login_is_told_to_all_who_wait_and_not_tried_again_soon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    delays = Delays(monkeypatch, wait_s=60.0)

    async def run() -> None:
        async with pooled(refuse) as (one, peers):
            results = await asyncio.gather(*(one.ask(PING) for _ in range(5)), one.ask(CALL))
            results += [await one.ask(PING) for _ in range(5)]
            assert {result.reach for result in results} == {Reach.NOT_SENT}
            assert all("Authentication failed" in result.reason for result in results)
            assert all("tried again in 60.0 s" in result.reason for result in results)
            assert not any(result.late for result in results)
            assert len(peers) == 2
            assert one.links == [False]
            refused = [fact for fact in one.facts if isinstance(fact, ActionLoginRefused)]
            assert [(fact.pbx, fact.retry_s) for fact in refused] == [("pbx", 60.0)] * 2

    asyncio.run(run())
    assert delays.refusals == [1, 1]


def test_each_refusal_makes_the_next_wait_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    delays = Delays(monkeypatch)

    async def run() -> None:
        async with pooled(refuse, refuse, refuse, answering(obliging)) as (one, peers):
            assert (await one.ask(PING)).reach is Reach.NOT_SENT
            await until(lambda: one.links == [False, True])
            assert (await one.ask(PING)).reach is Reach.ANSWERED
            assert len(peers) == 4

    asyncio.run(run())
    assert delays.refusals == [1, 2, 3]


def test_no_way_in_is_said_at_once_and_the_way_back_is_found_without_being_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    delays = Delays(monkeypatch, wait_s=0.01)

    async def run() -> None:
        async with scripted(answering(obliging)) as (address, _):
            pass
        one = Pooled(address, 2)
        async with one.pool:
            result = await one.ask(PING)
            assert result.reach is Reach.NOT_SENT
            assert "connection refused" in result.reason
            await until(lambda: len(delays.retries) > 2)
            assert one.links == [False]
            async with scripted(answering(obliging), port=address.port):
                await until(lambda: one.links == [False, True])
                assert (await one.ask(PING)).reach is Reach.ANSWERED

    asyncio.run(run())
    assert delays.retries == [*range(1, len(delays.retries) + 1)]


def test_after_a_loss_it_comes_back_and_nothing_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    delays = Delays(monkeypatch)

    async def run() -> None:
        async with pooled(cut_after_login, answering(obliging)) as (one, peers):
            assert (await one.ask(AmiAction("Reload"))).reach is Reach.SENT
            await until(lambda: one.links == [False, True])
            assert (await one.ask(PING)).reach is Reach.ANSWERED
            assert [asked([peer]) for peer in peers] == [["Reload"], ["Ping"]]
            down = [fact for fact in one.facts if isinstance(fact, ActionSessionDown)]
            assert "closed the connection" in down[0].reason

    asyncio.run(run())
    assert delays.retries == [1]


def test_a_pbx_that_lets_in_and_cuts_is_not_hammered(monkeypatch: pytest.MonkeyPatch) -> None:
    delays = Delays(monkeypatch)

    async def cut(peer: Peer) -> None:
        await peer.let_in()

    async def run() -> None:
        async with pooled(cut) as (one, peers):
            asking = asyncio.create_task(one.ask(PING))
            await until(lambda: len(peers) > 5)
            asking.cancel()

    asyncio.run(run())
    assert delays.retries[:5] == [1, 2, 3, 4, 5]


def test_a_session_that_ends_as_it_is_handed_on_is_not_the_end_of_the_action(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Delays(monkeypatch)

    async def run() -> None:
        async with pooled(answering(obliging), sessions=1) as (one, peers):

            async def ask_and_cut() -> None:
                await one.ask(PING)
                # By now the session is the other's, who does not know it yet.
                for slot in [*one.pool._plain._slots]:
                    slot.connection.close()

            _, result = await asyncio.gather(ask_and_cut(), one.ask(AmiAction("CoreStatus")))
            assert result.reach is Reach.ANSWERED
            assert [asked([peer]) for peer in peers] == [["Ping"], ["CoreStatus"]]

    asyncio.run(run())


def test_a_session_that_falls_silent_while_nothing_is_asked_is_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Delays(monkeypatch)

    async def run() -> None:
        async def mute(peer: Peer) -> None:
            await peer.let_in()
            await peer.hear()
            peer.respond()
            await until_closed(peer)

        async with pooled(mute, answering(obliging), ping_every=0.03, pong=0.03) as (one, peers):
            await one.ask(PING)
            await until(lambda: one.links == [False, True])
            assert (await one.ask(AmiAction("CoreStatus"))).reach is Reach.ANSWERED
            assert asked(peers[1:], "Ping") == ["CoreStatus"]

    asyncio.run(run())
