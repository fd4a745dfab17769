"""All that the sequence of headers in a frame decides, worked out once.

Which field each line fills, what repeats, what is left over for `extra`: an event type has few such
shapes, so that reading a frame is look-ups and one join.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Final

from connector.avro.binary import NULL, long
from connector.avro.lines import (
    EVENT,
    PRIVILEGE,
    SEQUENCE_NUMBER,
    SYSTEM_NAME,
    TIMESTAMP,
    extra_item,
    is_lossy,
    plain,
    raw_item,
)
from connector.avro.schema import EventSchema, Field
from connector.avro.values import TWIN_WIRES

PREFIX_NAMES: Final = frozenset(
    ("Event", "Privilege", "Timestamp", "SequenceNumber", "File", "Line", "Func", "SystemName")
)
_ENVELOPE_PLACES: Final = {
    PRIVILEGE: "privilege_at",
    TIMESTAMP: "time_at",
    SYSTEM_NAME: "system_at",
    SEQUENCE_NUMBER: "sequence_at",
}


class Shape:
    """All that the sequence of headers in a frame decides.

    `names` are the headers in wire order, `places` where each comes first; `prefix` counts the
    leading lines that AMI puts before the event's own; `channel` finds the ids of the event's
    channel; `maps` are the lines that fill one map together; the rest tells how the body is put
    together.
    """

    __slots__ = (
        "channel",
        "constants",
        "maps",
        "mend",
        "names",
        "pick",
        "places",
        "prefix",
        "privilege_at",
        "schema",
        "sequence_at",
        "system_at",
        "time_at",
    )

    def __init__(self, schema: EventSchema, names: tuple[str, ...], prefix: int) -> None:
        self.schema = schema
        self.names = names
        self.prefix = prefix
        self.places: dict[str, int] = {}
        for place, name in enumerate(names):
            self.places.setdefault(name, place)
        self.channel = self._channel(schema)
        self.privilege_at = self.time_at = self.system_at = self.sequence_at = -1
        self.maps: list[list[int]] = []
        self.constants: tuple[bytes, ...] = ()
        self.pick: Callable[[tuple[bytes, ...]], tuple[bytes, ...]] = tuple
        self.mend: Callable[[tuple[bytes, ...], list[bytes]], tuple[bytes, ...]] | None = None

    def ids(self, lines: Sequence[bytes], skipped: int) -> tuple[bytes, bytes]:
        """Return the channel's Uniqueid and Linkedid, empty where there is none.

        Args:
            lines: the frame's lines.
            skipped: how many of the frame's first lines are not among them.
        """
        if self.channel is None:
            return b"", b""
        unique_at, unique_from, linked_at, linked_from = self.channel
        unique = lines[unique_at - skipped][unique_from:]
        return unique, lines[linked_at - skipped][linked_from:] if linked_at >= 0 else b""

    def _channel(self, schema: EventSchema) -> tuple[int, int, int, int] | None:
        """Find the lines of the best pair of Uniqueid and Linkedid: where each is, where its value begins."""
        for unique, linked in schema.channels:
            if unique in self.places:
                at = self.places.get(linked, -1) if linked else -1
                return self.places[unique], len(unique) + 2, at, len(linked or "") + 2
        return None


class Layout:
    """Works out, for one shape, which line goes where.

    Args:
        shape: what `finish` writes the result into.
        slots: the place of each header's field in the schema, by the header's number.
        numbers: the lines' numbers, as their `Dialect` gave them.
    """

    def __init__(self, shape: Shape, slots: Mapping[int, int], numbers: tuple[int, ...]) -> None:
        self._shape = shape
        self._slots = slots
        self._numbers = numbers
        self._fields: tuple[Field, ...] = shape.schema.fields
        self._filled: dict[int, list[int]] = {}
        self._extra: list[int] = []
        for place, number in enumerate(numbers):
            self._place(place, number)

    def _place(self, place: int, number: int) -> None:
        if place == 0 and plain(number) == EVENT:
            slot = self._slots.get(EVENT)
            if slot is not None and self._shape.schema.event == "":
                self._filled[slot] = [place]
        elif not (place < self._shape.prefix and number > 0 and self._envelope(place, plain(number))):
            self._own(place, number)

    def _envelope(self, place: int, number: int) -> bool:
        """Give a header of AMI's own prefix to the envelope, the first of its name."""
        attribute = _ENVELOPE_PLACES.get(number)
        if attribute is None or getattr(self._shape, attribute) >= 0:
            return False
        setattr(self._shape, attribute, place)
        return True

    def _own(self, place: int, number: int) -> None:
        slot = self._slots.get(plain(number)) if number > 0 else None
        if slot is None or (slot in self._filled and self._fields[slot].wire not in ("strings", "map")):
            self._extra.append(place)
        else:
            self._filled.setdefault(slot, []).append(place)

    def finish(self) -> None:
        """Write the result into the shape."""
        lossy = [at for at, number in enumerate(self._numbers) if is_lossy(number)]
        order, constants = self._arrange(len(self._numbers) + len(lossy), lossy)
        self._shape.constants = tuple(constants)
        self._shape.pick = itemgetter(*order) if len(order) > 1 else _only(order[0])
        stale = [at for at in self._extra if self._numbers[at] > 0]
        self._shape.maps = [
            places
            for slot, places in self._filled.items()
            if self._fields[slot].wire == "map" and len(places) > 1
        ]
        if stale or lossy:
            self._shape.mend = _mender(stale, lossy)

    def _arrange(self, first_constant: int, lossy: Sequence[int]) -> tuple[list[int], list[bytes]]:
        order: list[int] = []
        constants: list[bytes] = []

        def constant(encoded: bytes) -> None:
            if order and constants and order[-1] == first_constant + len(constants) - 1:
                constants[-1] += encoded
            else:
                constants.append(encoded)
                order.append(first_constant + len(constants) - 1)

        if self._shape.privilege_at >= 0:
            order.append(self._shape.privilege_at)
        else:
            constant(NULL)
        for slot, field in enumerate(self._fields):
            places = self._filled.get(slot, [])
            if field.wire in ("strings", "map") and places:
                constant(long(len(places)))
                order.extend(places)
                constant(NULL)
            elif places:
                order.extend(places)
            elif not (field.wire in TWIN_WIRES and self._filled.get(slot - 1)):
                constant(NULL)
        leftovers = self._extra + [len(self._numbers) + nth for nth in range(len(lossy))]
        if leftovers:
            constant(long(len(leftovers)))
            order.extend(leftovers)
        constant(NULL)
        return order, constants


def _only(place: int) -> Callable[[tuple[bytes, ...]], tuple[bytes, ...]]:
    return lambda values: (values[place],)


def _mender(
    stale: Sequence[int], lossy: Sequence[int]
) -> Callable[[tuple[bytes, ...], list[bytes]], tuple[bytes, ...]]:
    """Return what turns typed values that belong into `extra` back into text, and keeps raw bytes."""

    def mend(values: tuple[bytes, ...], lines: list[bytes]) -> tuple[bytes, ...]:
        mended = list(values)
        for place in stale:
            mended[place] = extra_item(lines[place])
        mended.extend(raw_item(lines[place]) for place in lossy)
        return tuple(mended)

    return mend
