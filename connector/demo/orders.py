"""What the simulated PBX does when it is told to, as Asterisk 22 does and says it."""

import time
from collections.abc import Callable
from typing import Final, NamedTuple

from connector.demo.answers import Request, respond
from connector.demo.channels import Channel, Event, Phone, device, on
from connector.demo.scenes import Scene, hang_up, join, part, pick_up, ring, step
from connector.demo.world import PHONES, World

_ANSWERED: Final = 4
_NO_SUCH: Final = 0
_TRUE: Final = frozenset({"yes", "true", "y", "t", "1", "on"})


class Stage(NamedTuple):
    """Where actions are done: the PBX, a way to tell everybody of an event, a way to begin a story."""

    world: World
    tell: Callable[[Event], None]
    play: Callable[[Scene[None]], None]


def originate(request: Request, stage: Stage) -> bytes:
    """Have a phone called, and tell how it ended by an OriginateResponse; always as if Async were set."""
    technology, _, number = request.get("Channel").partition("/")
    if not technology:
        return respond(request, "Error", "Message: Channel not specified")
    if not number:
        return respond(request, "Error", "Message: Invalid channel")
    stage.play(_originated(request, stage.world, _phone(number) if technology == "PJSIP" else None))
    return respond(request, "Success", "Message: Originate successfully queued")


def queue_pause(request: Request, stage: Stage) -> bytes:
    """Let an agent of the queue have a break, or end it."""
    interface, paused = request.get("Interface"), request.get("Paused")
    if not interface or not paused:
        return respond(request, "Error", "Message: Need 'Interface' and 'Paused' parameters.")
    for member in stage.world.agents:
        if interface == f"PJSIP/{member.phone.number}":
            wanted, now = paused.lower() in _TRUE, stage.world.exchange.now
            stage.tell(member.pause(request.get("Reason"), now, paused=wanted))
            done = "paused" if member.paused else "unpaused"
            return respond(request, "Success", f"Message: Interface {done} successfully")
    return respond(request, "Error", "Message: Interface not found")


def command(request: Request, stage: Stage) -> bytes:
    """Run a command of the CLI; this PBX knows `core show uptime` alone."""
    text = request.get("Command")
    if not text:
        return respond(request, "Error", "Message: No command provided")
    if " ".join(text.split()) != "core show uptime":
        shown = f"Output: No such command '{text}' (type 'core show help {text}' for other possible commands)"
        return respond(request, "Error", "Message: Command output follows", shown)
    up = _span(max(0, int(time.time()) - stage.world.exchange.started))
    output = f"Output: System uptime: {up}", f"Output: Last reload: {up}"
    return respond(request, "Success", "Message: Command output follows", *output)


def _originated(request: Request, world: World, phone: Phone | None) -> Scene[None]:
    if phone is None:
        yield _response(request, None)
        return
    exchange, exten = world.exchange, request.get("Exten")
    unique = request.get("ChannelId") or None
    caller = exchange.channel(phone, request.get("Context") or "default", exten or "s", unique=unique)
    exchange.calls += 1
    yield on("Newchannel", caller)
    caller.party, caller.state = phone, 5
    yield on("Newstate", caller)
    yield device(phone, "RINGING")
    yield world.some(0.5, 2)
    caller.state, caller.answered = 6, exchange.now
    yield on("Newstate", caller)
    yield device(phone, "INUSE")
    yield _response(request, caller)
    other = _phone(exten) or world.chance.choice(PHONES[:-4])
    yield step(caller, "Dial", f"PJSIP/{other.number},30")
    callee = yield from ring(exchange, caller, other)
    yield world.some(1, 3)
    yield from pick_up(exchange, caller, callee)
    bridge = yield from join(exchange, callee, caller)
    yield world.some(4, 12)
    yield from part(bridge, callee, caller)
    yield from hang_up(exchange, caller, callee)


def _response(request: Request, channel: Channel | None) -> Event:
    """Write what an Originate has come to; it has the ActionID of the action."""
    own = [f"ActionID: {request.get('ActionID')}"] if request.get("ActionID") else []
    lines = (
        f"Response: {'Success' if channel else 'Failure'}",
        f"Channel: {channel.name if channel else request.get('Channel')}",
        f"Context: {request.get('Context')}",
        f"Exten: {request.get('Exten')}",
        f"Reason: {_ANSWERED if channel else _NO_SUCH}",
        f"Uniqueid: {channel.unique if channel else '<null>'}",
        f"CallerIDNum: {channel.phone.number if channel else '<unknown>'}",
        f"CallerIDName: {channel.phone.owner if channel else '<unknown>'}",
    )
    return Event("OriginateResponse", "call", [*own, *lines])


def _phone(number: str) -> Phone | None:
    return next((phone for phone in PHONES if phone.number == number), None)


def _span(seconds: int) -> str:
    units = (seconds // 3600, "hour"), (seconds // 60 % 60, "minute"), (seconds % 60, "second")
    said = [f"{count} {unit}{'s' if count != 1 else ''}" for count, unit in units if count]
    return ", ".join(said) or "0 seconds"
