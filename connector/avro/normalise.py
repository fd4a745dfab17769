"""A frame to the body of its Avro record: the hot path.

Reading a frame has two memories. A dialect remembers lines; a plan remembers *shapes*, the sequence
of headers in a frame, of which an event type has few. All that depends on the headers and not on
their values (which field each line fills, what repeats, what is left over) is worked out once per
shape; after that an event is look-ups and one join. What must hold is simple: fastavro decodes the
bytes to what a naive reading of the frame gives (`tests/avro/reference.py`).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from operator import itemgetter
from typing import Final, NamedTuple

from connector.ami.message import split_line, text_of
from connector.avro.binary import NULL, long
from connector.avro.lines import (
    EVENT,
    PRIVILEGE,
    SEQUENCE_NUMBER,
    SYSTEM_NAME,
    TIMESTAMP,
    UNKNOWN,
    Dialect,
    extra_item,
    is_lossy,
    plain,
    raw_item,
)
from connector.avro.schema import USER_EVENT, EventSchema, Field, SchemaSet
from connector.avro.values import TWIN_WIRES

MAX_SHAPES: Final = 1024
"""Shapes kept by a plan; real traffic has a handful, free-form UserEvents may have many."""

_CRLF: Final = b"\r\n"

_new: Final = tuple.__new__
"""A NamedTuple made without the function that checks its arguments' names: a third of its time."""

_PREFIX_NAMES: Final = frozenset(
    ("Event", "Privilege", "Timestamp", "SequenceNumber", "File", "Line", "Func", "SystemName")
)
_ENVELOPE_PLACES: Final = {
    PRIVILEGE: "privilege_at",
    TIMESTAMP: "time_at",
    SYSTEM_NAME: "system_at",
    SEQUENCE_NUMBER: "sequence_at",
}


class Reading(NamedTuple):
    """A frame as read: its shape, each line's value, and the lines themselves."""

    shape: "Shape"
    values: tuple[bytes, ...]
    lines: list[bytes]

    def text(self, header: str) -> str:
        """Return the first value of a header as text, "" where it is not there."""
        return text_of(self.raw(header))

    def raw(self, header: str) -> bytes:
        """Return the first value of a header, empty where it is not there."""
        place = self.shape.places.get(header)
        if place is None:
            return b""
        value = self.lines[place][len(header) + 1 :]
        return value[1:] if value[:1] == b" " else value

    def parts(self) -> tuple[bytes, ...]:
        """Return the encoded fields from `privilege` to the record's end, in pieces."""
        shape = self.shape
        values = shape.mend(self.values, self.lines) if shape.mend else self.values
        return shape.pick(values + shape.constants)


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

    def _channel(self, schema: EventSchema) -> tuple[int, int, int, int] | None:
        """Find the lines of the best pair of Uniqueid and Linkedid: where each is, where its value begins."""
        for unique, linked in schema.channels:
            if unique in self.places:
                at = self.places.get(linked, -1) if linked else -1
                return self.places[unique], len(unique) + 2, at, len(linked or "") + 2
        return None


class Plan:
    """How frames of one schema become bodies; compiled shape by shape."""

    def __init__(self, schema: EventSchema, dialect: Dialect) -> None:
        self.schema = schema
        self._dialect = dialect
        self._shapes: dict[tuple[int, ...], Shape] = {}
        self._slots = {
            dialect.number_of(field.header): place
            for place, field in enumerate(schema.fields)
            if field.header and field.wire not in TWIN_WIRES
        }
        # app_agent_pool.c ends CallStarted in a bare line feed, so the next header hides in its value.
        self._splits_bare_line = schema.event == "Agents"

    def read(self, frame: bytes) -> Reading:
        """Read a frame; never fails."""
        if self._splits_bare_line:
            frame = frame.replace(b"\nLoggedInTime: ", b"\r\nLoggedInTime: ").replace(b"\r\r\n", b"\r\n")
        lines = frame.split(_CRLF)
        numbers, values = zip(*map(self._dialect.__getitem__, lines), strict=True)
        shape = self._shapes.get(numbers) or self._remember(numbers, lines)
        if shape.maps and (doubles := _doubles(shape.maps, lines)):
            numbers = tuple(-abs(number) if at in doubles else number for at, number in enumerate(numbers))
            values = tuple(extra_item(lines[at]) if at in doubles else v for at, v in enumerate(values))
            shape = self._shapes.get(numbers) or self._remember(numbers, lines)
        return _new(Reading, (shape, values, lines))

    def _remember(self, numbers: tuple[int, ...], lines: list[bytes]) -> Shape:
        shape = self._compile(numbers, lines)
        if UNKNOWN in numbers:
            # Too many strange headers share this number, so their names are not part of the key.
            return shape
        if len(self._shapes) >= MAX_SHAPES:
            self._shapes.clear()
        self._shapes[numbers] = shape
        return shape

    def _compile(self, numbers: tuple[int, ...], lines: list[bytes]) -> Shape:
        names = tuple(map(self._name, numbers, lines))
        prefix = next((at for at, name in enumerate(names) if name not in _PREFIX_NAMES), len(names))
        shape = Shape(self.schema, names, prefix)
        _Layout(shape, self._slots, numbers).finish()
        return shape

    def _name(self, number: int, line: bytes) -> str:
        return self._dialect.names[plain(number)] if number != UNKNOWN else text_of(split_line(line)[0])


class _Layout:
    """Works out, for one shape, which line goes where."""

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


def _doubles(maps: Sequence[Sequence[int]], lines: Sequence[bytes]) -> set[int]:
    """Find the map entries whose name came before: a map holds the first, `extra` the others."""
    doubles = set()
    for places in maps:
        seen = set()
        for place in places:
            name = split_line(lines[place])[1].partition(b"=")[0]
            if name in seen:
                doubles.add(place)
            seen.add(name)
    return doubles


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


class Normaliser:
    """Every schema's plan, for PBXs of one timezone."""

    def __init__(self, schemas: SchemaSet, zone: tzinfo | None = None) -> None:
        self._schemas = schemas
        self._zone = zone
        self._dialects: list[Dialect] = []
        self._connector = self._plan(schemas.connector)
        self._unknown = self._plan(schemas.unknown)
        self._user_events = {schema.user_event: self._plan(schema) for schema in schemas if schema.user_event}
        self._plans = {
            schema.event.encode(): self._plan(schema) for schema in schemas if not schema.user_event
        }

    def _plan(self, schema: EventSchema) -> Plan:
        for dialect in self._dialects:
            if dialect.agrees(schema.fields):
                break
        else:
            dialect = Dialect(self._zone)
            self._dialects.append(dialect)
        dialect.learn(schema)
        return Plan(schema, dialect)

    def read(self, frame: bytes) -> Reading:
        """Read an event from a PBX by the schema of its name."""
        end = frame.find(_CRLF)
        plan = self._plans.get(frame[7:end] if end > 0 else frame[7:], self._unknown)
        if self._user_events and plan.schema.event == USER_EVENT:
            sub_name = frame.partition(b"\r\nUserEvent: ")[2].partition(_CRLF)[0]
            plan = self._user_events.get(text_of(sub_name), plan)
        return plan.read(frame)

    def read_own(self, frame: bytes) -> Reading:
        """Read one of the connector's own messages."""
        return self._connector.read(frame)
