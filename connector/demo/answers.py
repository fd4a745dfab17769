"""What the simulated PBX answers to the actions it knows, as Asterisk 22 writes it."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from connector.demo.channels import SYSTEM_NAME
from connector.demo.world import QUEUE, Member, World

AMI_VERSION: Final = "11.0.0"


class Request(NamedTuple):
    """An action as it was read: its headers in order."""

    headers: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """Return the first value of a header, its name in any case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


def read_request(lines: list[str]) -> Request:
    """Read the lines of an action."""
    return Request(
        tuple((name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
    )


def respond(request: Request, status: str, *lines: str) -> bytes:
    """Write a response; the ActionID comes second, where there is one."""
    action_id = request.get("ActionID")
    return message(f"Response: {status}", *([f"ActionID: {action_id}"] if action_id else ()), *lines)


def message(*lines: str) -> bytes:
    """Write a message."""
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def answer(request: Request, world: World) -> bytes:
    """Answer an action that only asks; what is not known is refused as Asterisk refuses it."""
    name = request.get("Action")
    if not name:
        return respond(request, "Error", "Message: Missing action in request")
    known = _ANSWERS.get(name.lower())
    if known is None:
        hint = "Use Action: ListCommands to show available commands."
        return respond(request, "Error", f"Message: Invalid/unknown command: {name}. {hint}")
    return known(request, world)


def _ping(request: Request, _: World) -> bytes:
    return respond(request, "Success", "Ping: Pong", f"Timestamp: {time.time():.6f}")


def _core_settings(request: Request, _: World) -> bytes:
    return respond(
        request,
        "Success",
        f"AMIversion: {AMI_VERSION}",
        "AsteriskVersion: 22.10.1-simulated",
        f"SystemName: {SYSTEM_NAME}",
        "CoreMaxCalls: 0",
        "CoreMaxLoadAvg: 0.000000",
        "CoreRunUser: ",
        "CoreRunGroup: ",
        "CoreMaxFilehandles: 0",
        "CoreRealTimeEnabled: No",
        "CoreCDRenabled: Yes",
        "CoreHTTPenabled: No",
        "SoundsSearchCustomDir: No",
    )


def _core_status(request: Request, world: World) -> bytes:
    exchange = world.exchange
    date, clock = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(exchange.started)).split()
    return respond(
        request,
        "Success",
        f"CoreStartupDate: {date}",
        f"CoreStartupTime: {clock}",
        f"CoreReloadDate: {date}",
        f"CoreReloadTime: {clock}",
        f"CoreCurrentCalls: {len(exchange.alive)}",
        f"CoreProcessedCalls: {exchange.calls}",
    )


def _list_commands(request: Request, _: World) -> bytes:
    names = sorted({*_DONE_ELSEWHERE, *_NAMES})
    return respond(request, "Success", *(f"{name}: Simulated.  (Priv: <none>)" for name in names))


def _core_show_channels(request: Request, world: World) -> bytes:
    def items() -> Iterator[tuple[str, ...]]:
        for channel in world.exchange.alive.values():
            age = int(world.exchange.now - channel.began)
            yield (
                "Event: CoreShowChannel",
                mine,
                *channel.snapshot(),
                f"Application: {channel.application}",
                f"ApplicationData: {channel.data}",
                f"Duration: {age // 3600:02}:{age // 60 % 60:02}:{age % 60:02}",
                f"BridgeId: {channel.bridge}",
            )

    mine = f"ActionID: {request.get('ActionID')}"
    return _list(request, "Channels will follow", "CoreShowChannelsComplete", [*items()])


def _queue_status(request: Request, world: World) -> bytes:
    mine = f"ActionID: {request.get('ActionID')}"
    items = [
        (
            "Event: QueueParams",
            f"Queue: {QUEUE}",
            "Max: 0",
            "Strategy: leastrecent",
            f"Calls: {len(world.waiting)}",
            "Holdtime: 0",
            "TalkTime: 0",
            f"Completed: {world.served}",
            f"Abandoned: {world.given_up}",
            "ServiceLevel: 20",
            "ServicelevelPerf: 0.0",
            "ServicelevelPerf2: 0.0",
            "Weight: 0",
            mine,
        ),
        *((*_member(member, world.exchange.started), mine) for member in world.agents),
        *((*_entry(world, place), mine) for place in range(len(world.waiting))),
    ]
    return _list(request, "Queue status will follow", "QueueStatusComplete", items)


def _member(member: Member, since: int) -> tuple[str, ...]:
    location = f"PJSIP/{member.phone.number}"
    return (
        "Event: QueueMember",
        f"Queue: {QUEUE}",
        f"Name: {member.phone.owner}",
        f"Location: {location}",
        f"StateInterface: {location}",
        "Membership: static",
        "Penalty: 0",
        f"CallsTaken: {member.calls_taken}",
        f"LastCall: {member.last_call}",
        f"LastPause: {member.last_pause}",
        f"LoginTime: {since}",
        f"InCall: {member.in_call}",
        f"Status: {member.status}",
        f"Paused: {int(member.paused)}",
        f"PausedReason: {member.reason}",
        "Wrapuptime: 0",
    )


def _entry(world: World, place: int) -> tuple[str, ...]:
    caller = world.waiting[place]
    return (
        "Event: QueueEntry",
        f"Queue: {QUEUE}",
        f"Position: {place + 1}",
        f"Channel: {caller.name}",
        f"Uniqueid: {caller.unique}",
        f"CallerIDNum: {caller.party.number}",
        f"CallerIDName: {caller.party.owner}",
        f"ConnectedLineNum: {caller.connected.number.strip('<>')}",
        f"ConnectedLineName: {caller.connected.owner.strip('<>')}",
        f"Wait: {int(world.exchange.now - caller.began)}",
        "Priority: 0",
    )


def _list(request: Request, text: str, complete: str, items: list[tuple[str, ...]]) -> bytes:
    ending = message(
        f"Event: {complete}",
        f"ActionID: {request.get('ActionID')}",
        "EventList: Complete",
        f"ListItems: {len(items)}",
    )
    begin = respond(request, "Success", "EventList: start", f"Message: {text}")
    return begin + b"".join(message(*item) for item in items) + ending


_NAMES: Final[Mapping[str, Callable[[Request, World], bytes]]] = {
    "CoreSettings": _core_settings,
    "CoreShowChannels": _core_show_channels,
    "CoreStatus": _core_status,
    "ListCommands": _list_commands,
    "Ping": _ping,
    "QueueStatus": _queue_status,
}
_DONE_ELSEWHERE: Final = (
    "Challenge", "Command", "Events", "Filter", "Login", "Logoff", "Originate", "QueuePause", "UserEvent",
)  # fmt: skip
_ANSWERS: Final = {name.lower(): known for name, known in _NAMES.items()}
