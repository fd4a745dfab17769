"""Avro's own rules of who can read whose records, exactly; what we ask beyond them is in `compatibility`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastavro.schema import SchemaParseException, UnknownType, parse_schema

#: Avro's promotions: what a reader of the key may be given.
_PROMOTED = {
    "long": {"int"},
    "float": {"int", "long"},
    "double": {"int", "long", "float"},
    "string": {"bytes"},
    "bytes": {"string"},
}


def full_name(schema: Mapping[str, Any]) -> str:
    """Return a record's name with its namespace: org.amikafka.events.Hangup."""
    return f"{schema['namespace']}.{schema['name']}" if schema.get("namespace") else str(schema["name"])


def unreadable(reader: Mapping[str, Any], writer: Mapping[str, Any]) -> list[str]:
    """Say why records written with one schema cannot be read with another, by Avro's rules; nothing means they can."""
    reading = _Reading({}, {})
    try:
        one = parse_schema(dict(reader), reading.readers)
        other = parse_schema(dict(writer), reading.writers)
    except (SchemaParseException, UnknownType, KeyError, TypeError) as error:
        return [f"is no Avro schema: {error!r}"]
    return list(reading.problems(one, other, full_name(reader), ()))


@dataclass(frozen=True, slots=True)
class _Reading:
    readers: dict[str, Any]
    writers: dict[str, Any]

    def problems(
        self, reader: Any, writer: Any, place: str, within: tuple[tuple[str, str], ...]
    ) -> Iterator[str]:
        if isinstance(writer, list):
            for branch in writer:
                yield from self.problems(reader, branch, place, within)
        elif isinstance(reader, list):
            if all(any(self.problems(branch, writer, place, within)) for branch in reader):
                yield f"{place}: no branch of the reader's union takes {_kind(writer)}"
        else:
            yield from self._plain(_named(reader, self.readers), _named(writer, self.writers), place, within)

    def _plain(
        self, reader: Any, writer: Any, place: str, within: tuple[tuple[str, str], ...]
    ) -> Iterator[str]:
        kind, given = _kind(reader), _kind(writer)
        if kind != given:
            if given not in _PROMOTED.get(kind, ()):
                yield f"{place}: {given} is not read as {kind}"
        elif kind == "array":
            yield from self.problems(reader["items"], writer["items"], f"{place}[]", within)
        elif kind == "map":
            yield from self.problems(reader["values"], writer["values"], f"{place}{{}}", within)
        elif kind in ("record", "enum", "fixed"):
            yield from self._by_name(kind, reader, writer, place, within)

    def _by_name(
        self, kind: str, reader: Any, writer: Any, place: str, within: tuple[tuple[str, str], ...]
    ) -> Iterator[str]:
        pair = (reader["name"], writer["name"])
        if writer["name"] not in {reader["name"], *_aliases(reader)}:
            yield f"{place}: the {kind} {writer['name']} is not {reader['name']}"
        elif kind == "fixed" and reader["size"] != writer["size"]:
            yield f"{place}: its size was {writer['size']} and is {reader['size']}"
        elif kind == "enum" and "default" not in reader:
            for symbol in set(writer["symbols"]) - set(reader["symbols"]):
                yield f"{place}: the reader's enum lacks {symbol}"
        elif kind == "record" and pair not in within:
            yield from self._fields(reader, writer, place, (*within, pair))

    def _fields(
        self, reader: Any, writer: Any, place: str, within: tuple[tuple[str, str], ...]
    ) -> Iterator[str]:
        written = {field["name"]: field for field in writer["fields"]}
        for field in reader["fields"]:
            names = (field["name"], *field.get("aliases", ()))
            found = next((written[name] for name in names if name in written), None)
            spot = f"{place}.{field['name']}"
            if found is not None:
                yield from self.problems(field["type"], found["type"], spot, within)
            elif "default" not in field:
                yield f"{spot}: is not written and has no default"


def _aliases(record: Mapping[str, Any]) -> Iterator[str]:
    space = record["name"].rpartition(".")[0]
    for alias in record.get("aliases", ()):
        yield alias if "." in alias or not space else f"{space}.{alias}"


def _named(value: Any, names: Mapping[str, Any]) -> Any:
    return names.get(value, value) if isinstance(value, str) else value


def _kind(value: Any) -> str:
    while isinstance(value, Mapping):
        value = value["type"]
    return "union" if isinstance(value, list) else str(value)
