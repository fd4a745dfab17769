"""What panoramisk 1.4 gets wrong with actions, by the numbers of the project's list: the pool does not."""

import asyncio
import logging
from collections.abc import Callable

import pytest

from connector.ami.action import AmiAction
from connector.ami.reach import Reach
from connector.errors import ActionError
from connector.facts import StrayAnswer
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
from tests.edges.scripted import GREETING, SECRET, Peer, scripted, until_closed


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a lost session be opened again at once."""

    def no_wait(attempt: int, chance: float) -> float:
        return 0.0 * attempt * chance

    monkeypatch.setattr("connector.edges.pbx.slots.retry_delay", no_wait)


async def cut(peer: Peer) -> None:
    await peer.let_in()
    await peer.hear()


@pytest.mark.parametrize("flag", ["true", "no", "false", None])
@pytest.mark.parametrize("name", ["Originate", "PlayDTMF", "Atxfer", "CancelAtxfer", "SendFlash", "PlayMF"])
def test_p3_p4_what_is_successfully_queued_ends_and_costs_no_session(name: str, flag: str | None) -> None:
    def reply(peer: Peer, heard: dict[str, str]) -> None:
        peer.respond(f"Message: {name} successfully queued")
        if (heard["Action"], heard.get("Async")) == ("Originate", "true"):
            peer.say(originate_response(heard["ActionID"]))

    async def run() -> None:
        async with pooled(answering(reply)) as (one, peers):
            action = AmiAction(name, (("Async", flag),) if flag else ())
            for _ in range(2):
                assert (await one.ask(action)).reach is Reach.ANSWERED
            assert len(peers) == 1

    asyncio.run(run())


def test_p10_an_answer_that_nobody_waits_for_is_told() -> None:
    def reply(peer: Peer, _: dict[str, str]) -> None:
        peer.say(b"Response: Success\r\nActionID: long-gone\r\nMessage: late\r\n\r\n")
        peer.respond()

    async def run() -> None:
        async with pooled(answering(reply)) as (one, _):
            await one.ask(PING)
            assert StrayAnswer("pbx", "Success: late") in one.facts

    asyncio.run(run())


@pytest.mark.parametrize(
    "action",
    [CALL, AmiAction("Command", (("Command", "core show uptime"),)), AmiAction("AGI", (("Channel", "a"),))],
)
def test_p11_p12_what_was_sent_is_never_sent_again(action: AmiAction) -> None:
    async def run() -> None:
        async with pooled(cut, answering(obliging)) as (one, peers):
            result = await one.ask(action)
            assert (result.reach, result.late) == (Reach.SENT, False)
            await until(lambda: one.links == [False, True])
            # What had been sent before would have been heard before.
            assert (await one.ask(PING)).reach is Reach.ANSWERED
            assert asked(peers) == [action.name, "Ping"]

    asyncio.run(run())


def test_p13_p25_what_is_asked_while_the_pbx_is_away_does_not_run_later() -> None:
    async def run() -> None:
        async with scripted(until_closed) as (address, _):
            pass
        one = Pooled(address, 1)
        async with one.pool:
            result = await one.ask(CALL)
            assert result.reach is Reach.NOT_SENT
            async with scripted(answering(obliging), port=address.port) as (_, peers):
                await until(lambda: True in one.links)
                assert (await one.ask(PING)).reach is Reach.ANSWERED
                assert asked(peers) == ["Ping"]

    asyncio.run(run())


def test_p14_a_list_cut_midway_ends_with_what_had_come() -> None:
    async def scene(peer: Peer) -> None:
        await peer.let_in()
        action_id = (await peer.hear())["ActionID"]
        peer.say(list_answer(action_id, 10)[:-150])

    async def run() -> None:
        async with pooled(scene) as (one, _):
            result = await one.ask(LIST)
            assert result.reach is Reach.SENT
            assert result.answer is not None
            assert len(result.answer.events) == 9
            assert "bytes into a message" in result.reason

    asyncio.run(run())


def test_p15_every_action_has_an_end_and_an_error_without_an_id_has_an_owner() -> None:
    def reply(peer: Peer, heard: dict[str, str]) -> None:
        if heard["Action"] == "Getvar":
            peer.say(b"Response: Error\r\nMessage: Too many lines in message, dropping\r\n\r\n")

    async def run() -> None:
        async with pooled(answering(reply), farewell=0.01) as (one, _):
            error = await one.ask(AmiAction("Getvar"))
            assert error.reach is Reach.ANSWERED
            late = await one.ask(AmiAction("Reload"), 0.02)
            assert (late.reach, late.late) == (Reach.SENT, True)

    asyncio.run(run())


def test_p16_the_same_id_twice_is_two_ids_on_the_wire() -> None:
    async def run() -> None:
        async with pooled(answering(obliging)) as (one, peers):
            same = [AmiAction(name, (), "same") for name in ("CoreStatus", "Ping")]
            results = await asyncio.gather(*map(one.ask, same))
            told = [result.answer.response.get("Answers") for result in results if result.answer]
            assert told == ["CoreStatus", "Ping"]
            ids = [heard["ActionID"] for peer in peers for heard in peer.heard]
            assert len(set(ids)) == len(ids)
            assert "same" not in ids

    asyncio.run(run())


def test_p21_no_fully_booted_is_waited_for() -> None:
    async def run() -> None:
        async with pooled(answering(obliging)) as (one, peers):
            assert (await one.ask(PING)).reach is Reach.ANSWERED
            assert peers[0].heard[0]["Events"] == "off"

    asyncio.run(run())


def test_p26_a_list_is_one_by_its_answer_whatever_it_is_called() -> None:
    def reply(peer: Peer, heard: dict[str, str]) -> None:
        peer.say(list_answer(heard["ActionID"], 3, complete="SomethingElse"))

    async def run() -> None:
        async with pooled(answering(reply)) as (one, _):
            result = await one.ask(AmiAction("VendorsOwnList"))
            assert result.answer is not None
            assert len(result.answer.events) == 4

    asyncio.run(run())


def test_p27_neither_secret_nor_parameter_is_logged_or_told(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    private = "4111-private-1111"
    action = AmiAction("Setvar", (("Variable", "CARD"), ("Value", private)))

    async def refuse(peer: Peer) -> None:
        peer.say(GREETING)
        await peer.hear()
        peer.respond("Message: Authentication failed", status="Error")

    async def greet_and_go(peer: Peer) -> None:
        peer.say(GREETING)

    def told(one: Pooled, *more: object) -> str:
        return repr([one.facts, *more])

    async def run() -> str:
        asyncio.get_running_loop().set_debug(True)
        texts = ""
        for scene in (refuse, greet_and_go, cut, answering(lambda peer, _: peer.respond(status="Error"))):
            async with pooled(scene, until_closed) as (one, _):
                texts += told(one, await one.ask(action), one.pool)
                with pytest.raises(ActionError) as caught:
                    await one.ask(action._replace(headers=(("Value", f"{private}\n"),)))
                texts += told(one, caught.value)
        return texts

    with caplog.at_level(logging.DEBUG):
        texts = asyncio.run(run())
    output = capfd.readouterr()
    everything = f"{texts}{caplog.text}{output.out}{output.err}"
    assert SECRET not in everything
    assert private not in everything


Place = Callable[[str], AmiAction]

EVIL = [
    *("x\r\nAction: Originate", "x\nAction: Originate", "x\rAction: Originate", "x\r\n\r\nAction: Ping"),
    *("x\0Action: Ping", "\0", "\n", "\r", "x\x1b[2J", "x\x7f", "x" * 1_023, "ż" * 512, "\ud800"),
]

PLACES: dict[str, Place] = {
    "the action's name": lambda evil: AmiAction(f"Ping{evil}"),
    "a header's name": lambda evil: AmiAction("Getvar", ((f"Variable{evil}", "x"),)),
    "a header's name alone": lambda evil: AmiAction("Getvar", ((evil, "x"),)),
    "a header's value": lambda evil: AmiAction("Getvar", (("Variable", evil),)),
    "the value of the last of many": lambda evil: AmiAction("Getvar", (*[("V", "1")] * 50, ("V", evil))),
    "a call's own id": lambda evil: AmiAction("AGI", (("Channel", "a"), ("CommandID", evil))),
    "a call's channel": lambda evil: AmiAction("Originate", (("Channel", evil), ("Async", "true"))),
}


@pytest.mark.parametrize("place", PLACES)
def test_p22_nothing_slips_onto_the_wire(place: str) -> None:
    """What the PBX hears is read byte for byte: the actions of the logins, and one Ping."""

    async def run() -> None:
        wire = bytearray()

        async def scene(peer: Peer) -> None:
            read = peer._reader.feed_data

            def listen(data: bytes) -> None:
                wire.extend(data)
                read(data)

            peer._reader.feed_data = listen  # type: ignore[assignment,method-assign]
            await answering(obliging)(peer)

        async with pooled(scene) as (one, peers):
            await one.ask(PING)
            before = bytes(wire)
            for evil in EVIL:
                with pytest.raises(ActionError) as caught:
                    await one.ask(PLACES[place](evil))
                assert "\n" not in str(caught.value)
            assert bytes(wire) == before
            assert before.count(b"\r\n\r\n") == 3
            assert len(peers) == 1

    asyncio.run(run())


@pytest.mark.parametrize("name", ["Action", "actionid", "SECRET", "Key", "Username", "AuthType", "Events"])
def test_p22_no_parameter_speaks_for_the_session(name: str) -> None:
    async def run() -> None:
        async with pooled(answering(obliging)) as (one, peers):
            with pytest.raises(ActionError, match="reserved"):
                await one.ask(AmiAction("Ping", ((name, "x"),)))
            assert peers == []

    asyncio.run(run())


def test_p22_an_action_has_128_lines_at_most() -> None:
    async def run() -> None:
        async with pooled(answering(obliging)) as (one, peers):
            for action, lines in ((AmiAction("Ping"), 127), (AmiAction("AGI"), 126)):
                with pytest.raises(ActionError, match="129 lines"):
                    await one.ask(action._replace(headers=(("V", "x"),) * lines))
            assert asked(peers) == []
            assert (await one.ask(AmiAction("Ping", (("V", "x"),) * 126))).reach is Reach.ANSWERED
            call = asyncio.create_task(one.ask(AmiAction("AGI")))
            await until(lambda: "AGI" in asked(peers))
            call.cancel()

    asyncio.run(run())
