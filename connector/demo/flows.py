"""Whole calls, and what else happens on a PBX, as stories from the first event to the last."""

from collections.abc import Callable

from connector.demo.channels import Channel, Event, Phone, between, on
from connector.demo.scenes import (
    Scene,
    arrive,
    bill,
    end,
    enter,
    hang_up,
    join,
    leave,
    part,
    pick_up,
    ring,
    step,
    take,
    variable,
)
from connector.demo.world import PHONES, QUEUE, World

Story = Callable[[World], Scene[None]]


def answered_call(world: World) -> Scene[None]:
    """Ring, answer, talk, hang up."""
    exchange, (one, other) = world.exchange, world.two()
    caller = yield from arrive(exchange, one, other.number)
    yield step(caller, "Dial", f"PJSIP/{other.number},30")
    callee = yield from ring(exchange, caller, other)
    yield world.some(1, 6)
    yield from pick_up(exchange, caller, callee)
    bridge = yield from join(exchange, callee, caller)
    yield world.some(4, 25)
    yield from part(bridge, callee, caller)
    yield from hang_up(exchange, caller, callee)


def unanswered_call(world: World) -> Scene[None]:
    """Ring in vain, or find the line busy."""
    exchange, (one, other) = world.exchange, world.two()
    busy = world.chance.choice([True, False])
    caller = yield from arrive(exchange, one, other.number)
    yield step(caller, "Dial", f"PJSIP/{other.number},30")
    callee = yield from ring(exchange, caller, other)
    yield world.some(1, 3) if busy else world.some(8, 15)
    status, cause = ("BUSY", 17) if busy else ("NOANSWER", 0)
    yield between("DialEnd", caller, callee, f"DialStatus: {status}")
    yield variable(caller, "DIALSTATUS", status)
    yield from end(exchange, callee, cause)
    yield bill(exchange, caller, callee, "BUSY" if busy else "NO ANSWER")
    yield from end(exchange, caller, cause)


def queue_call(world: World) -> Scene[None]:
    """Wait in the queue, be served, hang up."""
    exchange, (one, _) = world.exchange, world.two()
    caller = yield from _enter_queue(world, one)
    yield world.some(0.5, 8)
    agent = world.idle_agent()
    agent.in_call += 1
    callee = yield from ring(exchange, caller, agent.phone, queue=agent.lines)
    yield agent.news(6, exchange.now)
    rang = world.some(1, 5)
    yield rang
    yield from pick_up(exchange, caller, callee)
    yield on("MusicOnHoldStop", caller)
    yield _leave_queue(world, caller)
    held = f"HoldTime: {int(exchange.now - caller.began)}"
    lines = *agent.lines, held, f"RingTime: {int(rang)}"
    yield between("AgentConnect", caller, callee, *lines, event_class="agent")
    yield agent.news(2, exchange.now)
    bridge = yield from join(exchange, callee, caller)
    talk = world.some(5, 30)
    yield talk
    yield from part(bridge, caller, callee)
    world.has_served(agent)
    lines = *agent.lines, held, f"TalkTime: {int(talk)}", "Reason: caller"
    yield between("AgentComplete", caller, callee, *lines, event_class="agent")
    yield from hang_up(exchange, caller, callee)
    yield agent.news(1, exchange.now)


def abandoned_call(world: World) -> Scene[None]:
    """Wait in the queue until patience ends."""
    exchange, (one, _) = world.exchange, world.two()
    caller = yield from _enter_queue(world, one)
    original = len(world.waiting)
    yield world.some(6, 15)
    yield on("MusicOnHoldStop", caller)
    place = world.waiting.index(caller) + 1
    held = int(exchange.now - caller.began)
    lines = f"Queue: {QUEUE}", f"Position: {place}", f"OriginalPosition: {original}", f"HoldTime: {held}"
    yield on("QueueCallerAbandon", caller, *lines, event_class="agent")
    yield _leave_queue(world, caller)
    world.given_up += 1
    yield bill(exchange, caller, None, "ANSWERED")
    yield from end(exchange, caller)


def held_call(world: World) -> Scene[None]:
    """Talk, be put on hold, talk again."""
    exchange, (one, other) = world.exchange, world.two()
    caller, callee = yield from _connect(world, one, other)
    bridge = yield from join(exchange, callee, caller)
    yield world.some(2, 8)
    yield on("Hold", callee)
    yield on("MusicOnHoldStart", caller, "Class: default")
    yield world.some(2, 10)
    yield on("Unhold", callee)
    yield on("MusicOnHoldStop", caller)
    yield world.some(2, 8)
    yield from part(bridge, callee, caller)
    yield from hang_up(exchange, caller, callee)


def blind_transfer(world: World) -> Scene[None]:
    """Talk, and be sent on to a third."""
    exchange, (one, other), third = world.exchange, world.two(), world.chance.choice(PHONES[-4:])
    caller, callee = yield from _connect(world, one, other)
    bridge = yield from join(exchange, callee, caller)
    yield world.some(2, 8)
    blocks = [*callee.snapshot("Transferer"), *caller.snapshot("Transferee"), *bridge.snapshot()]
    target = "IsExternal: Yes", "Context: internal", f"Extension: {third.number}"
    yield Event("BlindTransfer", "call", ["Result: Success", *blocks, *target])
    yield from part(bridge, caller, callee)
    yield from end(exchange, callee)
    yield bill(exchange, caller, callee, "ANSWERED")
    caller.exten, caller.priority = third.number, 1
    yield step(caller, "Dial", f"PJSIP/{third.number},30")
    new = yield from ring(exchange, caller, third)
    yield world.some(1, 4)
    yield from pick_up(exchange, caller, new)
    bridge = yield from join(exchange, new, caller)
    yield world.some(3, 15)
    yield from part(bridge, new, caller)
    yield from hang_up(exchange, caller, new)


def attended_transfer(world: World) -> Scene[None]:
    """Talk, wait while a third is asked, and be handed over."""
    exchange, (one, other), third = world.exchange, world.two(), world.chance.choice(PHONES[-4:])
    caller, callee = yield from _connect(world, one, other)
    bridge = yield from join(exchange, callee, caller)
    yield world.some(2, 6)
    yield on("Hold", callee)
    yield on("MusicOnHoldStart", caller, "Class: default")
    asking, asked = yield from _connect(world, other, third)
    second = yield from join(exchange, asked, asking)
    yield world.some(2, 6)
    yield on("MusicOnHoldStop", caller)
    yield leave(second, asked)
    first_leg = [*callee.snapshot("OrigTransferer"), *bridge.snapshot("Orig")]
    second_leg = [*asking.snapshot("SecondTransferer"), *second.snapshot("Second")]
    handed_over = [*caller.snapshot("Transferee"), *asked.snapshot("TransferTarget")]
    target = "IsExternal: No", "DestType: Bridge", f"DestBridgeUniqueid: {bridge.unique}"
    lines = ["Result: Success", *first_leg, *second_leg, *handed_over, *target]
    yield Event("AttendedTransfer", "call", lines)
    asked.linked = asking.linked = caller.linked
    yield leave(bridge, callee)
    yield enter(bridge, asked)
    yield from part(second, asking)
    yield from hang_up(exchange, callee, asking)
    yield world.some(3, 15)
    yield from part(bridge, asked, caller)
    yield from hang_up(exchange, caller, asked)


def registration(world: World) -> Scene[None]:
    """Let a phone register, and be reachable."""
    phone = world.chance.choice(PHONES)
    uri = f"sip:{phone.number}@192.0.2.{int(phone.number) % 250}:5060"
    lines = f"URI: {uri}", "ContactStatus: Reachable", f"AOR: {phone.number}", f"EndpointName: {phone.number}"
    yield Event(
        "PeerStatus", "system", ["ChannelType: PJSIP", f"Peer: PJSIP/{phone.number}", "PeerStatus: Reachable"]
    )
    yield Event("ContactStatus", "system", [*lines, f"RoundtripUsec: {world.chance.randint(800, 40_000)}"])
    yield world.some(1, 2)


def order(world: World) -> Scene[None]:
    """Let the dialplan say something of its own in the middle of a call."""
    exchange, (one, other) = world.exchange, world.two()
    caller = yield from arrive(exchange, one, other.number)
    yield from take(exchange, caller)
    lines = "UserEvent: OrderPlaced", f"Order: {world.chance.randint(1000, 9999)}", f"Customer: {one.owner}"
    yield step(caller, "UserEvent", "OrderPlaced")
    yield on("UserEvent", caller, *lines, event_class="user")
    yield world.some(1, 3)
    yield bill(exchange, caller, None, "ANSWERED")
    yield from end(exchange, caller)


def _connect(world: World, one: Phone, other: Phone) -> Scene[tuple[Channel, Channel]]:
    caller = yield from arrive(world.exchange, one, other.number)
    yield step(caller, "Dial", f"PJSIP/{other.number},30,tT")
    callee = yield from ring(world.exchange, caller, other)
    yield world.some(1, 4)
    yield from pick_up(world.exchange, caller, callee)
    return caller, callee


def _enter_queue(world: World, phone: Phone) -> Scene[Channel]:
    caller = yield from arrive(world.exchange, phone, "200")
    yield from take(world.exchange, caller)
    yield step(caller, "Queue", f"{QUEUE},c,,,20")
    world.waiting.append(caller)
    place = len(world.waiting)
    lines = f"Queue: {QUEUE}", f"Position: {place}", f"Count: {place}"
    yield on("QueueCallerJoin", caller, *lines, event_class="agent")
    yield on("MusicOnHoldStart", caller, "Class: default")
    return caller


def _leave_queue(world: World, caller: Channel) -> Event:
    place = world.waiting.index(caller) + 1
    world.waiting.remove(caller)
    lines = f"Queue: {QUEUE}", f"Position: {place}", f"Count: {len(world.waiting)}"
    return on("QueueCallerLeave", caller, *lines, event_class="agent")
