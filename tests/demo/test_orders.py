"""What the simulated PBX does when it is told to, held against what a real Asterisk 22 said."""

import math

import pytest

from connector.ami.message import AmiMessage, Kind
from connector.demo.pbx import SimulatedPbx
from tests.demo.test_flows import layout, on_the_wire, real_layouts
from tests.demo.test_pbx import ACCOUNTS, Client, talk


def at_once() -> SimulatedPbx:
    """Give a PBX whose stories take no time."""
    return SimulatedPbx(ACCOUNTS, speed=math.inf)


async def until(one: Client, event: str, number: int = 1) -> list[AmiMessage]:
    """Read up to the event's `number`th coming."""
    seen: list[AmiMessage] = []
    while number and (message := await one.next()) is not None:
        seen.append(message)
        number -= message.headers[0] == ("Event", event)
    return seen


def test_an_originate_is_queued_answered_and_becomes_a_call() -> None:
    async def scene(_: SimulatedPbx, one: Client) -> None:
        await one.log_in()
        where = "Context: internal", "Exten: 1005", "Priority: 1"
        told = await one.ask(
            "Action: Originate",
            "ActionID: o-1",
            "Channel: PJSIP/1003",
            *where,
            "Async: true",
            "ChannelId: ours-1",
        )
        assert told == {"Response": "Success", "ActionID": "o-1", "Message": "Originate successfully queued"}
        seen = [message for message in await until(one, "Cdr") if message.get("SystemName")]
        names = [message.headers[0][1] for message in seen]
        assert names.index("Newchannel") < names.index("OriginateResponse") < names.index("BridgeEnter")
        (answer,) = (message for message in seen if message.headers[0][1] == "OriginateResponse")
        assert dict(answer.headers) | {"Timestamp": ""} == {
            "Event": "OriginateResponse",
            "Privilege": "call,all",
            "Timestamp": "",
            "SystemName": "demo",
            "ActionID": "o-1",
            "Response": "Success",
            "Channel": "PJSIP/1003-00000000",
            "Context": "internal",
            "Exten": "1005",
            "Reason": "4",
            "Uniqueid": "ours-1",
            "CallerIDNum": "1003",
            "CallerIDName": "Liam O'Brien",
        }
        for message in seen:
            assert layout(message) in real_layouts()[message.headers[0][1]], message.headers[0]
            if message.get("Linkedid"):
                assert message.get("Linkedid") == "ours-1"

    talk(scene, at_once())


def test_a_phone_that_is_not_there_is_told_later() -> None:
    async def scene(_: SimulatedPbx, one: Client) -> None:
        await one.log_in("call")
        told = await one.ask("Action: Originate", "ActionID: o-2", "Channel: PJSIP/9", "Async: true")
        assert told["Response"] == "Success"
        answer = (await until(one, "OriginateResponse"))[-1]
        assert (answer.get("Response"), answer.get("Reason"), answer.get("ActionID")) == (
            "Failure",
            "0",
            "o-2",
        )

    talk(scene, at_once())


@pytest.mark.parametrize(("channel", "why"), [("", "Channel not specified"), ("PJSIP", "Invalid channel")])
def test_a_channel_that_is_none_is_refused(channel: str, why: str) -> None:
    async def scene(_: SimulatedPbx, one: Client) -> None:
        await one.log_in("off")
        assert (await one.ask("Action: Originate", f"Channel: {channel}"))["Message"] == why

    talk(scene, at_once())


def test_a_break_is_told_and_listed() -> None:
    async def scene(_: SimulatedPbx, one: Client) -> None:
        await one.log_in("agent")
        agent = "Action: QueuePause", "Interface: PJSIP/1013"
        told = await one.ask(*agent, "Paused: true", "Reason: lunch")
        assert told == {"Response": "Success", "Message": "Interface paused successfully"}
        one.send("Action: QueueStatus")
        seen = await until(one, "QueueStatusComplete")
        listed = [message for message in seen if message.get("Location") == "PJSIP/1013"]
        assert [(each.get("Paused"), each.get("PausedReason")) for each in listed] == [("1", "lunch")]
        assert (await one.ask(*agent, "Paused: false"))["Message"] == "Interface unpaused successfully"

    talk(scene, at_once())


def test_the_event_of_a_break_is_as_a_real_asterisk_tells_it() -> None:
    event = SimulatedPbx(ACCOUNTS).world.agents[0].pause("lunch", 1_700_000_000.0)
    assert (event.name, event.event_class) == ("QueueMemberPause", "agent")
    assert layout(on_the_wire(event)) in real_layouts()["QueueMemberPause"]


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (("Interface: PJSIP/1",), "Need 'Interface' and 'Paused' parameters."),
        (("Interface: PJSIP/1", "Paused: 1"), "Interface not found"),
    ],
)
def test_who_is_no_agent_has_no_break(lines: tuple[str, ...], why: str) -> None:
    async def scene(_: SimulatedPbx, one: Client) -> None:
        await one.log_in("off")
        told = await one.ask("Action: QueuePause", *lines)
        assert told == {"Response": "Error", "Message": why}

    talk(scene, at_once())


def test_a_command_prints() -> None:
    async def scene(_: SimulatedPbx, one: Client) -> None:
        await one.log_in("off")
        one.send("Action: Command", "ActionID: c", "Command: core show uptime")
        told = await one.next()
        assert told is not None
        assert told.kind is Kind.RESPONSE
        assert [name for name, _ in told.headers] == ["Response", "ActionID", "Message", "Output", "Output"]
        assert told.get("Message") == "Command output follows"
        refused = await one.ask("Action: Command", "Command: nonesuch")
        assert refused["Response"] == "Error"

    talk(scene, at_once())
