"""Which call a channel belongs to, for good.

A Linkedid changes silently when calls merge, and a key that changes breaks a channel's order. So the
first Linkedid seen for a Uniqueid is its root and stays so; a merge is told apart.
"""

from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from connector.ami.message import text_of
from connector.avro.normalise import Reading

GRACE_US: Final = 300_000_000
"""Microseconds for which a root outlives the hangup: Cdr and queue events of a call come later."""

MAX_CHANNELS: Final = 500_000
"""Channels remembered; beyond it the oldest go, so that lost hangups cannot fill the memory."""

_NO_CHANNEL: Final = frozenset((b"", b"none", b"<unknown>"))


class Merge(NamedTuple):
    """A channel's Linkedid has changed from `previous` to `linked`; its root stays."""

    unique: str
    root: str
    previous: str
    linked: str


class _Channel:
    __slots__ = ("linked", "root")

    def __init__(self, root: str, linked: bytes) -> None:
        self.root = root
        self.linked = linked


class Calls:
    """The channels of one PBX and the root of each.

    Args:
        noticed: told of the event that shows a channel for the first time, or its end, or a change of its
            call, or that has no Linkedid: the channel's Uniqueid, the event, and the time in microseconds.
    """

    def __init__(self, noticed: Callable[[bytes, Reading, int], None]) -> None:
        self._noticed = noticed
        self._channels: dict[bytes, _Channel] = {}
        self._ended: deque[tuple[int, bytes]] = deque()

    def __len__(self) -> int:
        return len(self._channels)

    def root_of(self, reading: Reading, now_us: int) -> tuple[str | None, Merge | None]:
        """Return the root of the event's call, None where it has none, and a merge that it shows."""
        if self._ended and self._ended[0][0] < now_us - GRACE_US:
            self._forget(now_us)
        shape = reading.shape
        if shape.channel is None:
            return None, None
        unique, linked = reading.unique, reading.linked
        channel = self._channels.get(unique)
        if channel is not None and channel.linked == linked and shape.schema.event != "Hangup":
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
        if reading.shape.schema.event == "Hangup":
            self._ended.append((now_us, unique))
        return channel.root, merge

    def _new(self, unique: bytes, linked: bytes) -> _Channel:
        if len(self._channels) >= MAX_CHANNELS:
            del self._channels[next(iter(self._channels))]
        channel = self._channels[unique] = _Channel(text_of(linked), linked)
        return channel

    def _forget(self, now_us: int) -> None:
        while self._ended and self._ended[0][0] < now_us - GRACE_US:
            self._channels.pop(self._ended.popleft()[1], None)
