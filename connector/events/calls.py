"""Which call a channel belongs to, for good.

A Linkedid changes silently when calls merge, and a key that changes breaks a channel's order. So the
first Linkedid seen for a Uniqueid is its root and stays so; a merge is told apart.
"""

from collections import deque
from collections.abc import Callable, Collection
from typing import Final, NamedTuple

from connector.ami.message import text_of
from connector.avro.normalise import Reading
from connector.avro.schema import USER_EVENT
from connector.events.lists import BRIDGES, CHANNELS
from connector.events.presence import Presence

GRACE_US: Final = 300_000_000
"""Microseconds for which a root outlives the hangup: Cdr and queue events of a call come later."""

MAX_CHANNELS: Final = 500_000
"""Channels remembered; beyond it the oldest go, so that lost hangups cannot fill the memory."""

MAX_BRIDGES: Final = 100_000
"""Bridges remembered, likewise."""

_TURNS: Final = frozenset(("Newchannel", "Hangup"))
"""Events that are looked at although they show nothing new of the channel's call."""

_SHOWS_LIFE: Final = "ChannelState"
"""A header of every channel snapshot: only what is alive has one, while its CDR may come much later."""

_BRIDGE_EVENTS: Final = frozenset(("BridgeCreate", "BridgeDestroy"))

_NO_CHANNEL: Final = frozenset((b"", b"none", b"<unknown>"))


class Merge(NamedTuple):
    """A channel's Linkedid has changed from `previous` to `linked`; its root stays."""

    unique: str
    root: str
    previous: str
    linked: str


class Ended(NamedTuple):
    """A channel or bridge that has ended while nobody read: the event that would have told, and its call."""

    frame: bytes
    root: str | None


class Memory(NamedTuple):
    """Channels with Uniqueid, Linkedid, root, and their name where they are alive; when which has ended; bridges.

    Bytes are as Latin-1, times in microseconds since 1970.
    """

    channels: list[tuple[str, str, str, str | None]]
    ended: list[tuple[int, str]]
    bridges: list[str]


class _Channel:
    __slots__ = ("ended", "linked", "root")

    def __init__(self, root: str, linked: bytes) -> None:
        self.root = root
        self.linked = linked
        self.ended = False


class Calls:
    """The channels of one PBX and the root of each.

    Args:
        noticed: told of the event that shows a channel for the first time, or its end, or a change of its
            call, or that has no Linkedid: the channel's Uniqueid, the event, and the time in microseconds.
        named: a channel's name to what is remembered of it: it outlives the process, on a disk.
    """

    def __init__(
        self, noticed: Callable[[bytes, Reading, int], None], named: Callable[[bytes], bytes] = bytes
    ) -> None:
        self._noticed = noticed
        self._named = named
        self._channels: dict[bytes, _Channel] = {}
        self._ended: deque[tuple[int, bytes]] = deque()
        self._present = Presence(MAX_CHANNELS)
        self._bridges = Presence(MAX_BRIDGES)

    def __len__(self) -> int:
        return len(self._channels)

    @property
    def living(self) -> int:
        """How many channels have not ended, as far as is known."""
        return len(self._present)

    def memory(self) -> Memory:
        """Return what must outlive the process, lest roots change and ends be missed."""
        known = self._present.living
        channels = [
            (
                _text(unique),
                _text(channel.linked),
                channel.root,
                _text(known[unique]) if unique in known else None,
            )
            for unique, channel in self._channels.items()
        ]
        ended = [(at_us, _text(unique)) for at_us, unique in self._ended]
        return Memory(channels, ended, [_text(bridge) for bridge in self._bridges.living])

    def recall(self, memory: Memory, *, names: bool = True) -> None:
        """Take the memory of a process before; `names`: the channels' too."""
        for unique, linked, root, name in memory.channels:
            self._channels[_raw(unique)] = _Channel(root, _raw(linked))
            if name is not None:
                self._present.began(_raw(unique), _raw(name) if names else b"")
        for at_us, unique in memory.ended:
            self._ended.append((at_us, _raw(unique)))
            if _raw(unique) in self._channels and _raw(unique) not in self._present.living:
                self._channels[_raw(unique)].ended = True
        for bridge in memory.bridges:
            self._bridges.began(_raw(bridge))

    def interrupted(self) -> None:
        """Doubt every channel and bridge: nobody has read for a while."""
        self._present.interrupted()
        self._bridges.interrupted()

    def listed(self, reading: Reading) -> None:
        """Take an item of a list: of all channels or all bridges, it says that this one is there."""
        event = reading.shape.schema.event
        if event in CHANNELS.items:
            channel = self._channels.get(reading.unique)
            if channel is None or not channel.ended:
                self._present.listed(reading.unique, self._named(reading.raw("Channel")))
        elif event in BRIDGES.items:
            self._bridges.listed(reading.raw("BridgeUniqueid"))

    def settle(self, whole: Collection[str], now_us: int) -> list[Ended]:
        """Return what has ended unread, by the actions whose lists were whole; doubt nothing any more."""
        gone = []
        if CHANNELS.action in whole:
            gone = [self._end(unique, name, now_us) for unique, name in self._present.settle().items()]
        if BRIDGES.action in whole:
            gone += [Ended(_bridge_destroy(bridge), None) for bridge in self._bridges.settle()]
        self._present.believe()
        self._bridges.believe()
        return gone

    def _end(self, unique: bytes, name: bytes, now_us: int) -> Ended:
        channel = self._channels.get(unique)
        linked, root = (channel.linked, channel.root) if channel else (b"", None)
        if channel is not None and not channel.ended:
            channel.ended = True
            self._ended.append((now_us, unique))
        told = [(b"Channel: ", name), (b"Uniqueid: ", unique), (b"Linkedid: ", linked)]
        lines = [b"Event: Hangup", *(header + value for header, value in told if value)]
        return Ended(b"\r\n".join(lines), root)

    def root_of(self, reading: Reading, now_us: int) -> tuple[str | None, Merge | None]:
        """Return the root of the event's call, None where it has none, and a merge that it shows."""
        if self._ended and self._ended[0][0] < now_us - GRACE_US:
            self._forget(now_us)
        shape = reading.shape
        if shape.channel is None:
            if shape.schema.event in _BRIDGE_EVENTS:
                self._bridge(reading)
            return None, None
        unique, linked = reading.unique, reading.linked
        channel = self._channels.get(unique)
        if channel is not None and channel.linked == linked and shape.schema.event not in _TURNS:
            return channel.root, None
        if unique in _NO_CHANNEL:
            return self._second_best(reading, now_us)
        return self._seen(unique, linked, reading, now_us)

    def _second_best(self, reading: Reading, now_us: int) -> tuple[str | None, Merge | None]:
        """Go by another channel of the event, where the best has no id."""
        for unique_header, linked_header in reading.shape.schema.channels[1:]:
            unique = reading.raw(unique_header)
            if unique not in _NO_CHANNEL:
                linked = reading.raw(linked_header) if linked_header else b""
                return self._seen(unique, linked, reading, now_us)
        return None, None

    def _seen(self, unique: bytes, linked: bytes, reading: Reading, now_us: int) -> tuple[str, Merge | None]:
        self._noticed(unique, reading, now_us)
        channel = self._channels.get(unique)
        merge = None
        if channel is None:
            if not linked:
                # A busy PBX may write a channel's Cdr before all else: its call is still to be told.
                return text_of(unique), None
            channel = self._new(unique, linked)
        elif linked and linked != channel.linked:
            merge = Merge(text_of(unique), channel.root, text_of(channel.linked), text_of(linked))
            channel.linked = linked
        self._live(unique, channel, reading, now_us)
        return channel.root, merge

    def _live(self, unique: bytes, channel: _Channel, reading: Reading, now_us: int) -> None:
        event = reading.shape.schema.event
        if event == "Newchannel":
            # An Originate may give a channel the id of one that has ended.
            channel.ended = False
        if event == "Hangup":
            channel.ended = True
            self._ended.append((now_us, unique))
            self._present.ended(unique)
        elif event == "Rename":
            self._present.renamed(unique, self._named(reading.raw("Newname")))
        elif not channel.ended and event != USER_EVENT and _SHOWS_LIFE in reading.shape.places:
            self._present.began(unique, self._named(reading.raw("Channel")))

    def _bridge(self, reading: Reading) -> None:
        bridge = reading.raw("BridgeUniqueid")
        if reading.shape.schema.event == "BridgeCreate":
            self._bridges.began(bridge)
        else:
            self._bridges.ended(bridge)

    def _new(self, unique: bytes, linked: bytes) -> _Channel:
        if len(self._channels) >= MAX_CHANNELS:
            del self._channels[next(iter(self._channels))]
        channel = self._channels[unique] = _Channel(text_of(linked), linked)
        return channel

    def _forget(self, now_us: int) -> None:
        while self._ended and self._ended[0][0] < now_us - GRACE_US:
            self._channels.pop(self._ended.popleft()[1], None)


def _text(raw: bytes) -> str:
    return raw.decode("latin-1")


def _raw(text: str) -> bytes:
    return text.encode("latin-1")


def _bridge_destroy(bridge: bytes) -> bytes:
    return b"Event: BridgeDestroy\r\nBridgeUniqueid: " + bridge
