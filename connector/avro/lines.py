"""One line of a frame to its encoded value, remembered.

Lines repeat a lot: one call writes the same fourteen snapshot lines in each of its events. So the
reading of a line is kept, and an event costs a look-up per line. What a header means belongs to
(event, header); schemas that agree on all the headers they share speak one `Dialect` and share its
memory.
"""

import re
from collections.abc import Iterable
from datetime import tzinfo
from typing import Final

from connector.ami.message import split_line, text_of
from connector.avro.binary import NULL, PRESENT, instant, long, string
from connector.avro.schema import EventSchema, Field
from connector.avro.values import TWIN_WIRES, Reader, reader_of, unescape, utf8

MAX_LINES: Final = 16_384
"""Readings kept by a dialect; the longest kept line has 256 bytes, so a dialect stays below 8 MiB."""

MAX_LINE: Final = 256

MAX_STRANGERS: Final = 4_096
"""Names of unknown headers that get a number of their own; UserEvents may have any."""

UNKNOWN: Final = 0
EVENT: Final = 1
PRIVILEGE: Final = 2
TIMESTAMP: Final = 3
SYSTEM_NAME: Final = 4
SEQUENCE_NUMBER: Final = 5
FIRST_OWN: Final = 16

_LOSSY: Final = 1 << 20
"""Added to a header's number where its bytes were not UTF-8."""

_UNSAFE: Final = re.compile(rb"[^!-$&-~]")
_SHORTEST_TIMESTAMP: Final = 8
_LONGEST_TIMESTAMP: Final = 18
_FROM_PBX: Final = string(b"pbx")


Line = tuple[int, bytes]
"""How a line was read: the header's number and the encoded value.

The number has a mark where the value was not UTF-8, and is negative where the line goes to `extra`:
no schema of the dialect knows the header, or its text did not fit its type. The value is a field, an
array item, a map entry or an item of `extra`. A plain tuple, because the collector need not follow it.
"""


class Dialect(dict[bytes, Line]):
    """Lines to readings, by a table of headers on which several schemas agree."""

    def __init__(self, zone: tzinfo | None) -> None:
        super().__init__()
        self._zone = zone
        self._readers: dict[bytes, tuple[int, Reader]] = {
            b"Event": (EVENT, lambda value: PRESENT + string(utf8(value))),
            b"Privilege": (PRIVILEGE, _privilege),
            b"Timestamp": (TIMESTAMP, timestamp),
            b"SystemName": (SYSTEM_NAME, lambda value: PRESENT + string(utf8(value)) if value else NULL),
            b"SequenceNumber": (SEQUENCE_NUMBER, reader_of(Field("", "", "int"), None)),
        }
        self._meanings: dict[bytes, Field] = {}
        self._strangers: dict[bytes, int] = {}
        self.names: list[str] = [""] * FIRST_OWN
        for name, (number, _) in self._readers.items():
            self.names[number] = name.decode()

    def agrees(self, fields: Iterable[Field]) -> bool:
        """Tell whether these headers mean here what they mean in a schema with these fields."""
        return all(_same(self._meanings.get(_wire_name(field)), field) for field in fields)

    def learn(self, schema: EventSchema) -> None:
        """Add a schema's headers; `agrees` must hold."""
        for field in _read_fields(schema):
            name = _wire_name(field)
            if name in self._readers:
                continue
            self._meanings[name] = field
            self._readers[name] = (len(self.names), _line_reader(field, self._zone))
            self.names.append(field.header)

    def number_of(self, header: str) -> int:
        """Return a header's number, UNKNOWN for one that no schema of this dialect names."""
        return self._readers.get(header.encode(), (UNKNOWN, None))[0]

    def __missing__(self, line: bytes) -> Line:
        """Read a line for the first time; a Timestamp always, since no two events share it."""
        if line[:11] == b"Timestamp: " and (time := timestamp(line[11:])) is not None:
            return TIMESTAMP, time
        reading = self._read(line)
        if len(line) <= MAX_LINE:
            if len(self) >= MAX_LINES:
                self.clear()
            self[line] = reading
        return reading

    def _read(self, line: bytes) -> Line:
        name, value = split_line(line)
        if name.startswith(b"ChanVariable(") and name.endswith(b")"):
            name = b"ChanVariable()"
        number, reader = self._readers.get(name, (UNKNOWN, None))
        mark = 0 if value.isascii() or _is_utf8(value) else _LOSSY
        encoded = reader(value) if reader else None
        if encoded is not None:
            return number | mark, encoded
        return -((number or self._stranger(name)) | mark), extra_item(line)

    def _stranger(self, name: bytes) -> int:
        number = self._strangers.get(name)
        if number is None:
            if len(self._strangers) >= MAX_STRANGERS:
                return UNKNOWN
            number = self._strangers[name] = len(self.names)
            self.names.append(text_of(name))
        return number


def is_lossy(number: int) -> bool:
    """Tell whether the line of this number held bytes that are not UTF-8."""
    return abs(number) >= _LOSSY


def plain(number: int) -> int:
    """Return the header's number without the marks."""
    return abs(number) & (_LOSSY - 1)


def extra_item(line: bytes) -> bytes:
    """Encode a line as an item of `extra`: its name and its text as they are."""
    name, value = split_line(line)
    return string(utf8(name)) + string(utf8(value))


def raw_item(line: bytes) -> bytes:
    """Encode what is not UTF-8 so that it can be had back: the name with `*`, the bytes percent-encoded.

    The form is RFC 5987's for parameters that are not plain text.
    """
    name, value = split_line(line)
    return string(utf8(name) + b"*") + string(_UNSAFE.sub(lambda match: b"%%%02X" % match[0][0], value))


def _read_fields(schema: EventSchema) -> list[Field]:
    return [field for field in schema.fields if field.header and field.wire not in TWIN_WIRES]


def _wire_name(field: Field) -> bytes:
    return field.header.encode()


def _same(known: Field | None, field: Field) -> bool:
    if known is None or field.wire in TWIN_WIRES:
        return True
    return (known.wire, known.escaped, known.sentinels) == (field.wire, field.escaped, field.sentinels)


def _line_reader(field: Field, zone: tzinfo | None) -> Reader:
    if field.wire == "map":
        return _map_entry_escaped if field.escaped else _map_entry
    if field.wire == "strings":
        return lambda value: string(utf8(unescape(value) if field.escaped else value))
    return reader_of(field, zone)


def _map_entry(value: bytes) -> bytes | None:
    name, sign, text = value.partition(b"=")
    return string(utf8(name)) + string(utf8(text)) if sign else None


def _map_entry_escaped(value: bytes) -> bytes | None:
    name, sign, text = value.partition(b"=")
    return string(utf8(name)) + string(utf8(unescape(text))) if sign else None


def _privilege(value: bytes) -> bytes:
    # Asterisk ends every list of classes with "all", whatever the classes are.
    classes = [utf8(name) for name in value.split(b",") if name and name != b"all"]
    if not classes:
        return NULL
    return long(len(classes)) + b"".join(map(string, classes)) + NULL


def timestamp(value: bytes) -> bytes | None:
    """Encode the three fields of the event's time: milliseconds, microseconds, and whose clock it was.

    `value` is AMI's `seconds.microseconds`, since 1970 (UTC); None where it is not.
    """
    digits = value[:-7] + value[-6:]
    if (
        not digits.isdigit()
        or value[-7:-6] != b"."
        or not _SHORTEST_TIMESTAMP <= len(value) <= _LONGEST_TIMESTAMP
    ):
        return None
    return instant(int(digits)) + _FROM_PBX


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
