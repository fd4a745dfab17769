"""What panoramisk 1.4 gets wrong, by the numbers of the project's list: none of it happens here.

The defects that cost events. Each test plays a PBX on loopback that provokes the defect.
"""

import asyncio

import pytest

from connector.ami.action import AmiAction
from connector.ami.message import parse
from tests.edges.scripted import (
    END,
    HANGUP,
    Ear,
    Peer,
    pbx_at,
    read,
    scripted,
    until_closed,
)


def test_p1_a_character_cut_by_a_read_and_bytes_that_are_no_utf8_are_kept() -> None:
    event = "Event: Newchannel\r\nCallerIDName: Żółw".encode()
    latin = "Event: Newchannel\r\nCallerIDName: José".encode("latin-1")
    pieces = [(event + END)[place : place + 1] for place in range(len(event) + 4)]
    frames, _ = asyncio.run(read(*pieces, latin + END))
    assert frames == [event, latin]


def test_p2_no_event_however_odd_costs_the_link() -> None:
    odd = [b"Event: ", b"Event: X\r\n: \r\n::\r\n\xff\xfe", b"no colon at all", b"Event: " + b"x" * 100_000]
    frames, _ = asyncio.run(read(END.join([HANGUP, *odd, HANGUP, b""])))
    assert frames == [HANGUP, *odd, HANGUP]


def test_p2_what_the_receiver_raises_is_told_and_not_swallowed() -> None:
    class Broken(Exception):
        pass

    def take(*_: object) -> None:
        raise Broken

    async def scene(peer: Peer) -> None:
        await peer.let_in()
        peer.say(HANGUP + END)
        await until_closed(peer)

    async def run() -> None:
        async with scripted(scene) as (address, _):
            with pytest.raises(Broken):
                await (await pbx_at(address).login(Ear().up, take)).ended()

    asyncio.run(run())


def test_p5_a_second_event_header_costs_nothing() -> None:
    event = b"Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: a\r\nEvent: b"
    frames, _ = asyncio.run(read(END.join([event, HANGUP, b""])))
    assert frames == [event, HANGUP]
    assert [name for name, _ in parse(frames[0]).headers].count("Event") == 2


def test_p6_the_short_terminator_swallows_nothing() -> None:
    item = b"Event: CoreShowChannelMap\r\nChannel: A\r\nConnectedChannel: B"
    frames, _ = asyncio.run(read(item + b"\r\n\n" + HANGUP + END))
    assert frames == [item, HANGUP]


def test_p7_empty_headers_are_kept() -> None:
    event = b"Event: Newexten\r\nVersion:\r\nApplication: Answer\r\nAppData: "
    frames, _ = asyncio.run(read(event + END))
    assert parse(frames[0]).headers[1:] == (("Version", ""), ("Application", "Answer"), ("AppData", ""))


def test_p8_names_and_values_are_as_they_were_sent() -> None:
    event = b"Event: X\r\nContent: mine\r\nResult: 200%20ok\r\nuniqueid: a\r\nUniqueid: b"
    frames, _ = asyncio.run(read(event + END))
    assert parse(frames[0]).headers[1:] == (
        ("Content", "mine"),
        ("Result", "200%20ok"),
        ("uniqueid", "a"),
        ("Uniqueid", "b"),
    )


def test_p9_an_event_with_the_id_of_a_pending_action_is_an_event_too() -> None:
    async def scene(peer: Peer) -> None:
        await peer.let_in()
        action_id = (await peer.hear())["ActionID"]
        peer.respond("Message: Originate successfully queued")
        peer.say(f"Event: OriginateResponse\r\nActionID: {action_id}\r\nReason: 4\r\n\r\n".encode())
        await until_closed(peer)

    async def run() -> None:
        ear = Ear()
        async with scripted(scene) as (address, _):
            connection = await pbx_at(address).login(ear.up, ear.take)
            answer = await connection.ask(AmiAction("Originate", (("Async", "true"),)), within=5)
            assert answer.events[0].get("Reason") == "4"
            assert [parse(frame).headers[0][1] for frame in ear.frames] == ["OriginateResponse"]
            connection.close()

    asyncio.run(run())


def test_p10_responses_that_nobody_waits_for_are_passed_on() -> None:
    late = b"Response: Success\r\nActionID: long-gone"
    anonymous = b"Response: Error\r\nMessage: Too many lines in message"
    frames, _ = asyncio.run(read(END.join([late, HANGUP, anonymous, b""])))
    assert frames == [late, HANGUP, anonymous]


def test_p21_an_account_that_gets_no_fully_booted_is_ready() -> None:
    frames, reason = asyncio.run(read())
    assert frames == []
    assert "closed the connection" in reason


def test_p23_order_is_kept_and_no_event_makes_a_task() -> None:
    events = [b"Event: Newexten\r\nNumber: %d" % number for number in range(9000)]
    frames: list[bytes] = []
    most = 0

    def take(batch: list[bytes], _: int) -> None:
        nonlocal most
        frames.extend(batch)
        most = max(most, len(asyncio.all_tasks()))

    async def scene(peer: Peer) -> None:
        await peer.let_in()
        peer.say(END.join([*events, b""]))
        await peer.writer.drain()

    async def run() -> None:
        async with scripted(scene) as (address, _):
            await (await pbx_at(address).login(Ear().up, take)).ended()

    asyncio.run(run())
    assert frames == events
    assert most <= 2


def test_p24_reading_is_never_paused(monkeypatch: pytest.MonkeyPatch) -> None:
    def pause(*_: object) -> None:
        raise AssertionError("reading was paused")

    monkeypatch.setattr("asyncio.selector_events._SelectorSocketTransport.pause_reading", pause)
    frames, _ = asyncio.run(read(END.join([HANGUP] * 50_000) + END))
    assert len(frames) == 50_000
