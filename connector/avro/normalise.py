"""A frame to the body of its Avro record: the hot path.

Reading a frame has three memories. A dialect remembers lines; a plan remembers *shapes*, the sequence
of headers in a frame, of which an event type has few; and the lines with which AMI begins every event
of a kind, Event and Privilege, are remembered together as its *head*. All that depends on the headers
and not on their values is worked out once; after that an event is look-ups and one join. What must
hold is simple: fastavro decodes the bytes to what a naive reading of the frame gives
(`tests/avro/reference.py`).
"""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Final, NamedTuple

from connector.ami.message import split_line, text_of
from connector.avro.lines import TIMESTAMP, UNKNOWN, Dialect, extra_item, plain, timestamp
from connector.avro.schema import USER_EVENT, EventSchema, SchemaSet
from connector.avro.shapes import PREFIX_NAMES, Layout, Shape
from connector.avro.values import TWIN_WIRES

MAX_SHAPES: Final = 1024
"""Shapes kept by a plan; real traffic has a handful, free-form UserEvents may have many."""

MAX_HEADS: Final = 4096
"""Heads kept by a normaliser; real traffic has one or two for each event type."""

_CRLF: Final = b"\r\n"
_TIME: Final = b"\r\nTimestamp: "
_BEFORE_STAMP: Final = len(_TIME)
_BEHIND_STAMP: Final = _BEFORE_STAMP + len("1700000000.123456")

_new: Final = tuple.__new__
"""A NamedTuple made without the function that checks its arguments' names: a third of its time."""


class Reading(NamedTuple):
    """A frame as read.

    `values` are the encoded lines in wire order; `stamp` is the Timestamp's text, empty where there
    is none; `unique` and `linked` are the ids of the event's channel, likewise.
    """

    shape: Shape
    values: tuple[bytes, ...]
    frame: bytes
    stamp: bytes
    unique: bytes
    linked: bytes

    def text(self, header: str) -> str:
        """Return the first value of a header as text, "" where it is not there."""
        return text_of(self.raw(header))

    def raw(self, header: str) -> bytes:
        """Return the first value of a header, empty where it is not there."""
        if header not in self.shape.places:
            return b""
        return (
            (_CRLF + self.frame)
            .partition(b"\r\n%s:" % header.encode())[2]
            .partition(_CRLF)[0]
            .removeprefix(b" ")
        )

    def parts(self) -> tuple[bytes, ...]:
        """Return the encoded fields from `privilege` to the record's end, in pieces."""
        return self.shape.pick(self.values + self.shape.constants)


class Plan:
    """How frames of one schema become bodies; compiled shape by shape."""

    def __init__(self, schema: EventSchema, dialect: Dialect) -> None:
        self.schema = schema
        self.dialect = dialect
        self._shapes: dict[tuple[int, ...], Shape] = {}
        self._slots = {
            dialect.number_of(field.header): place
            for place, field in enumerate(schema.fields)
            if field.header and field.wire not in TWIN_WIRES
        }
        # app_agent_pool.c ends CallStarted in a bare line feed, so the next header hides in its value.
        self.splits_bare_line = schema.event == "Agents"

    def read(self, frame: bytes) -> Reading:
        """Read a frame line by line; never fails."""
        if self.splits_bare_line:
            frame = frame.replace(b"\nLoggedInTime: ", b"\r\nLoggedInTime: ").replace(b"\r\r\n", b"\r\n")
        lines = frame.split(_CRLF)
        numbers, values = zip(*map(self.dialect.__getitem__, lines), strict=True)
        shape = self.shape(numbers, lines)
        if shape.maps or shape.mend:
            shape, values = self.settle(shape, numbers, values, lines)
        stamp = lines[shape.time_at][len("Timestamp: ") :] if shape.time_at >= 0 else b""
        return Reading(shape, values, frame, stamp, *shape.ids(lines, 0))

    def settle(
        self, shape: Shape, numbers: tuple[int, ...], values: tuple[bytes, ...], lines: list[bytes]
    ) -> tuple[Shape, tuple[bytes, ...]]:
        """Do for a shape what hangs on its lines: a variable that is there twice, values that belong into `extra`."""
        if shape.maps and (doubles := _doubles(shape.maps, lines)):
            numbers = tuple(-abs(number) if at in doubles else number for at, number in enumerate(numbers))
            values = tuple(extra_item(lines[at]) if at in doubles else v for at, v in enumerate(values))
            shape = self.shape(numbers, lines)
        return shape, shape.mend(values, lines) if shape.mend else values

    def shape(self, numbers: tuple[int, ...], lines: list[bytes]) -> Shape:
        """Return the shape of a frame's lines by their numbers."""
        shape = self._shapes.get(numbers)
        if shape is None:
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
        prefix = next((at for at, name in enumerate(names) if name not in PREFIX_NAMES), len(names))
        shape = Shape(self.schema, names, prefix)
        Layout(shape, self._slots, numbers).finish()
        return shape

    def _name(self, number: int, line: bytes) -> str:
        return self.dialect.names[plain(number)] if number != UNKNOWN else text_of(split_line(line)[0])


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


class _Head:
    """A frame's first two lines, Event and Privilege, and the shapes that go on from them.

    `timed` are the shapes of frames with a Timestamp behind these lines, by the numbers of the lines
    after it; `timeless` those of frames without one there.
    """

    __slots__ = ("_numbers", "_plan", "line", "timed", "timeless", "values")

    def __init__(self, plan: Plan, *lines: bytes) -> None:
        self._plan = plan
        self.line = plan.dialect.__getitem__
        self._numbers, self.values = zip(*map(self.line, lines), strict=True)
        self.timed: dict[tuple[int, ...], Shape] = {}
        self.timeless: dict[tuple[int, ...], Shape] = {}

    def settle(
        self, shape: Shape | None, numbers: tuple[int, ...], values: tuple[bytes, ...], lines: list[bytes]
    ) -> tuple[Shape, tuple[bytes, ...]]:
        """Find the shape of a frame with this head, remember it, and do what hangs on the lines themselves."""
        timed = len(lines) > len(self._numbers) + len(numbers)
        whole = (*self._numbers, TIMESTAMP, *numbers) if timed else self._numbers + numbers
        if shape is None:
            shape = self._plan.shape(whole, lines)
            known = self.timed if timed else self.timeless
            if len(known) < MAX_SHAPES and UNKNOWN not in numbers:
                known[numbers] = shape
        return self._plan.settle(shape, whole, values, lines)


class Normaliser:
    """Every schema's plan, for PBXs of one timezone."""

    def __init__(self, schemas: SchemaSet, zone: tzinfo | None = None) -> None:
        self._schemas = schemas
        self.zone: Final = zone
        self._dialects: list[Dialect] = []
        self._heads: dict[bytes, _Head] = {}
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
            dialect = Dialect(self.zone)
            self._dialects.append(dialect)
        dialect.learn(schema)
        return Plan(schema, dialect)

    def read(self, frame: bytes) -> Reading:
        """Read an event from a PBX by the schema of its name; never fails."""
        at = frame.find(_CRLF, frame.find(_CRLF) + 2)
        head = self._heads.get(frame[:at]) if at > 0 else None
        if head is None:
            return self._read_first(frame, frame[:at] if at > 0 else frame)
        stamp = frame[at + _BEFORE_STAMP : at + _BEHIND_STAMP]
        time = timestamp(stamp) if frame[at : at + _BEFORE_STAMP] == _TIME else None
        if time is not None and frame[at + _BEHIND_STAMP : at + _BEHIND_STAMP + 2] == _CRLF:
            lines = frame[at + _BEHIND_STAMP + 2 :].split(_CRLF)
            numbers, values = zip(*map(head.line, lines), strict=True)
            values = (*head.values, time, *values)
            shape, skipped = head.timed.get(numbers), 3
        else:
            stamp, lines = b"", frame[at + 2 :].split(_CRLF)
            numbers, values = zip(*map(head.line, lines), strict=True)
            values = head.values + values
            shape, skipped = head.timeless.get(numbers), 2
        if shape is None or shape.maps or shape.mend:
            shape, values = head.settle(shape, numbers, values, frame.split(_CRLF))
        if not stamp and shape.time_at >= 0:
            # Nothing stands behind it, or it stands elsewhere.
            stamp = frame.split(_CRLF)[shape.time_at][len("Timestamp: ") :]
        return _new(Reading, (shape, values, frame, stamp, *shape.ids(lines, skipped)))

    def _read_first(self, frame: bytes, head: bytes) -> Reading:
        """Read a frame whose head is not remembered, and remember that if it may be."""
        first, _, second = head.partition(_CRLF)
        plan = self._plans.get(first.removeprefix(b"Event: "), self._unknown)
        if self._user_events and plan.schema.event == USER_EVENT:
            sub_name = frame.partition(b"\r\nUserEvent: ")[2].partition(_CRLF)[0]
            plan = self._user_events.get(text_of(sub_name), plan)
        elif not plan.splits_bare_line and second.startswith(b"Privilege: "):
            if len(self._heads) >= MAX_HEADS:
                self._heads.clear()
            self._heads[head] = _Head(plan, first, second)
        return plan.read(frame)

    def read_own(self, frame: bytes) -> Reading:
        """Read one of the connector's own messages."""
        return self._connector.read(frame)
