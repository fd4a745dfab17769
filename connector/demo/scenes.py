"""The scenes that calls are made of: events in Asterisk's order, and how long nothing happens between them."""

import time
from collections.abc import Generator
from typing import Final, TypeVar

from connector.demo.channels import Bridge, Channel, Event, Exchange, Phone, between, device, escaped, on

_T = TypeVar("_T")

Scene = Generator[Event | float, None, _T]
"""Yields events and waits, in seconds, and returns who or what it brought about."""

_CAUSES: Final = {16: "Normal Clearing", 17: "User busy", 0: "Unknown", 26: "Answered elsewhere"}


def step(channel: Channel, application: str, data: str = "") -> Event:
    """Let the dialplan take a channel one step on."""
    channel.application, channel.data = application, data
    lines = f"Extension: {channel.exten}", f"Application: {application}", f"AppData: {data}"
    event = on("Newexten", channel, *lines, event_class="dialplan")
    channel.priority += 1
    return event


def arrive(exchange: Exchange, phone: Phone, dialled: str) -> Scene[Channel]:
    """Let a phone call in."""
    channel = exchange.channel(phone, "internal", dialled)
    channel.state, channel.party = 4, phone
    exchange.calls += 1
    yield on("Newchannel", channel)
    yield device(phone, "INUSE")
    return channel


def take(exchange: Exchange, channel: Channel) -> Scene[None]:
    """Let the dialplan answer a caller."""
    yield step(channel, "Answer")
    channel.state, channel.answered = 6, exchange.now
    yield on("Newstate", channel)


def ring(exchange: Exchange, caller: Channel, phone: Phone, *, queue: tuple[str, ...] = ()) -> Scene[Channel]:
    """Call a phone on behalf of a caller, out of a queue where its lines are given."""
    callee = exchange.channel(phone, "internal", caller.exten, caller.linked)
    yield on("Newchannel", callee)
    callee.party, callee.connected, caller.connected = phone, caller.party, phone
    application = "AppQueue" if queue else "AppDial"
    yield step(callee, application, "(Outgoing Line)")
    yield on("NewCallerid", callee, "CID-CallingPres: 0 (Presentation Allowed, Not Screened)")
    yield on("NewConnectedLine", callee)
    if queue:
        yield between("AgentCalled", caller, callee, *queue, event_class="agent")
    yield between("DialBegin", caller, callee, f"DialString: {phone.number}")
    yield device(phone, "RINGING")
    callee.state = 5
    yield on("Newstate", callee)
    yield between("DialState", caller, callee, "DialStatus: RINGING")
    return callee


def pick_up(exchange: Exchange, caller: Channel, callee: Channel) -> Scene[None]:
    """Let the called phone answer."""
    callee.state, callee.answered = 6, exchange.now
    yield on("Newstate", callee)
    yield device(callee.phone, "INUSE")
    yield between("DialEnd", caller, callee, "DialStatus: ANSWER")
    if caller.answered is None:
        caller.state, caller.answered = 6, exchange.now
        yield on("Newstate", caller)


def join(exchange: Exchange, *channels: Channel) -> Scene[Bridge]:
    """Open a bridge and let channels in."""
    bridge = exchange.bridge()
    yield Event("BridgeCreate", "call", bridge.snapshot())
    for channel in channels:
        yield enter(bridge, channel)
    return bridge


def enter(bridge: Bridge, channel: Channel) -> Event:
    """Let a channel into a bridge."""
    bridge.members += 1
    channel.bridge = bridge.unique
    return Event("BridgeEnter", "call", [*bridge.snapshot(), *channel.snapshot()])


def leave(bridge: Bridge, channel: Channel) -> Event:
    """Let a channel out of a bridge."""
    bridge.members -= 1
    channel.bridge = ""
    return Event("BridgeLeave", "call", [*bridge.snapshot(), *channel.snapshot()])


def part(bridge: Bridge, *channels: Channel) -> Scene[None]:
    """Empty a bridge and take it away."""
    for channel in channels:
        yield leave(bridge, channel)
    yield Event("BridgeDestroy", "call", bridge.snapshot())


def end(exchange: Exchange, channel: Channel, cause: int = 16) -> Scene[None]:
    """Hang a channel up."""
    yield on("HangupRequest", channel, f"Cause: {cause}")
    yield on("Hangup", channel, f"Cause: {cause}", f"Cause-txt: {_CAUSES[cause]}")
    yield device(channel.phone, "NOT_INUSE")
    exchange.gone(channel)


def hang_up(exchange: Exchange, caller: Channel, callee: Channel) -> Scene[None]:
    """End an answered call, the called side first."""
    yield from end(exchange, callee)
    yield bill(exchange, caller, callee, "ANSWERED")
    yield from end(exchange, caller)


def bill(exchange: Exchange, caller: Channel, callee: Channel | None, disposition: str) -> Event:
    """Write the Cdr of a call; its times are the PBX's local ones."""
    talked = callee.answered if callee is not None and disposition == "ANSWERED" else caller.answered
    lines = (
        "AccountCode: ",
        f"Source: {caller.phone.number}",
        f"Destination: {caller.exten}",
        f"DestinationContext: {caller.context}",
        f'CallerID: "{caller.phone.owner}" <{caller.phone.number}>',
        f"Channel: {caller.name}",
        f"DestinationChannel: {callee.name if callee else ''}",
        f"LastApplication: {caller.application}",
        f"LastData: {caller.data}",
        f"StartTime: {_local(caller.began)}",
        f"AnswerTime: {_local(talked) if talked else ''}",
        f"EndTime: {_local(exchange.now)}",
        f"Duration: {int(exchange.now) - int(caller.began)}",
        f"BillableSeconds: {int(exchange.now) - int(talked) if talked else 0}",
        f"Disposition: {disposition}",
        "AMAFlags: DOCUMENTATION",
        f"UniqueID: {caller.unique}",
        "UserField: ",
    )
    return Event("Cdr", "cdr", lines)


def variable(channel: Channel, name: str, value: str) -> Event:
    """Set a channel variable."""
    return on("VarSet", channel, f"Variable: {name}", f"Value: {escaped(value)}", event_class="dialplan")


def _local(when: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(when))
