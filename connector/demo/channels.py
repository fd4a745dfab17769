"""What happens on the simulated PBX: phones, channels and bridges, and their events as Asterisk writes them."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

_STATES: Final = {0: "Down", 4: "Ring", 5: "Ringing", 6: "Up"}
_C_ESCAPED: Final = re.compile(r"""(["'?\\])""")
SYSTEM_NAME: Final = "demo"


class Event(NamedTuple):
    """An event without its prefix: name, class, and its own lines."""

    name: str
    event_class: str
    lines: Sequence[str]

    def frame(self, now: float) -> bytes:
        """Return the event as it goes on the wire, `now` in seconds since 1970 (UTC)."""
        lines = (
            f"Event: {self.name}",
            f"Privilege: {self.event_class},all",
            f"Timestamp: {now:.6f}",
            f"SystemName: {SYSTEM_NAME}",
            *self.lines,
        )
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Phone(NamedTuple):
    """A telephone and whose it is."""

    number: str
    owner: str


UNKNOWN: Final = Phone("<unknown>", "<unknown>")


@dataclass(slots=True)
class Channel:
    """One leg of a call; `party` is whom it shows as caller, UNKNOWN until Asterisk has set it."""

    phone: Phone
    name: str
    unique: str
    linked: str
    context: str
    exten: str
    began: float
    party: Phone = UNKNOWN
    connected: Phone = UNKNOWN
    state: int = 0
    priority: int = 1
    application: str = ""
    data: str = ""
    bridge: str = ""
    answered: float | None = None

    def snapshot(self, prefix: str = "") -> list[str]:
        """Return the block of lines that stands for a channel in most events."""
        values = (
            ("Channel", self.name),
            ("ChannelState", self.state),
            ("ChannelStateDesc", _STATES[self.state]),
            ("CallerIDNum", self.party.number),
            ("CallerIDName", escaped(self.party.owner)),
            ("ConnectedLineNum", self.connected.number),
            ("ConnectedLineName", escaped(self.connected.owner)),
            ("Language", "en"),
            ("AccountCode", ""),
            ("Context", self.context),
            ("Exten", self.exten),
            ("Priority", self.priority),
            ("Uniqueid", self.unique),
            ("Linkedid", self.linked),
        )
        return [f"{prefix}{name}: {value}" for name, value in values]


@dataclass(slots=True)
class Bridge:
    """Where channels hear each other."""

    unique: str
    members: int = 0

    def snapshot(self, prefix: str = "") -> list[str]:
        """Return the block of lines that stands for a bridge."""
        values = (
            ("BridgeUniqueid", self.unique),
            ("BridgeType", "basic"),
            ("BridgeTechnology", "simple_bridge"),
            ("BridgeCreator", "<unknown>"),
            ("BridgeName", "<unknown>"),
            ("BridgeNumChannels", self.members),
            ("BridgeVideoSourceMode", "none"),
        )
        return [f"{prefix}{name}: {value}" for name, value in values]


class Exchange:
    """What the PBX counts and knows: its clock, its channels alive.

    Args:
        started: when it booted, in seconds since 1970 (UTC); its ids begin with it.
    """

    def __init__(self, started: int) -> None:
        self.started = started
        self.now = float(started)
        self.alive: dict[str, Channel] = {}
        self.calls = 0
        self._numbers = itertools.count()

    def channel(
        self, phone: Phone, context: str, exten: str, linked: str | None = None, *, unique: str | None = None
    ) -> Channel:
        """Open a channel of a phone, under an id of its own or the one that is given."""
        number = next(self._numbers)
        unique = unique or f"{SYSTEM_NAME}-{int(self.now)}.{number}"
        name = f"PJSIP/{phone.number}-{number:08x}"
        channel = Channel(phone, name, unique, linked or unique, context, exten, self.now)
        self.alive[unique] = channel
        return channel

    def gone(self, channel: Channel) -> None:
        """Forget a channel that has ended."""
        del self.alive[channel.unique]

    def bridge(self) -> Bridge:
        """Open a bridge."""
        return Bridge(f"{next(self._numbers):08x}-7f3a-4c1e-9b2d-{self.started:012x}")


def escaped(name: str) -> str:
    """Escape a name as Asterisk does in snapshots."""
    return name if name == "<unknown>" else _C_ESCAPED.sub(r"\\\1", name)


def on(name: str, channel: Channel, *lines: str, event_class: str = "call") -> Event:
    """Return an event about one channel."""
    return Event(name, event_class, [*channel.snapshot(), *lines])


def between(name: str, caller: Channel, callee: Channel, *lines: str, event_class: str = "call") -> Event:
    """Return an event about a channel and the one it calls."""
    return Event(name, event_class, [*caller.snapshot(), *callee.snapshot("Dest"), *lines])


def device(phone: Phone, state: str) -> Event:
    """Return the news of a phone's state."""
    return Event("DeviceStateChange", "call", [f"Device: PJSIP/{phone.number}", f"State: {state}"])
