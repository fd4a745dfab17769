"""From the catalogue to the texts of the .avsc files; the same catalogue always gives the same bytes."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from connector.avro import naming
from connector.avro.catalogue import COMPANIONS, TYPES, Catalogue, Header, Row
from connector.errors import SchemaError

EXTRA = {
    "name": "extra",
    "type": {
        "type": "array",
        "items": {
            "type": "record",
            "name": "Header",
            "namespace": "org.amikafka",
            "doc": "One header as the PBX sent it.",
            "fields": [
                {"name": "name", "type": "string", "doc": "The header's name."},
                {"name": "value", "type": "string", "doc": "The header's text."},
            ],
        },
    },
    "default": [],
    "doc": "Every header that this schema does not know or could not read, in order, repeats kept.",
}


def schemas(catalogue: Catalogue) -> dict[str, str]:
    """Return the text of every schema file: {"events/hangup.avsc": text}; a SchemaError names the row that is wrong."""
    return {file_name(row): text(schema(catalogue, row)) for row in catalogue.rows}


def file_name(row: Row) -> str:
    """Return where a row's schema lies below schemas/: `events/queue_member.avsc`, or the bare name of the two others."""
    if row.event is None:
        return f"{row.family}.avsc"
    return f"events/{naming.snake(row.user_event or row.event)}.avsc"


def schema(catalogue: Catalogue, row: Row) -> dict[str, Any]:
    """Return a row's schema as a JSON value: envelope, the event's own fields, the maps of variables, `extra`."""
    own: list[dict[str, Any]] = []
    maps: list[dict[str, Any]] = []
    taken = [*naming.ENVELOPE]
    for header in catalogue.flat(row):
        for made in _fields(row, header, taken):
            (maps if made["wire"] == "map" else own).append(made)
            taken.append(made["name"])
    return {
        "type": "record",
        "name": row.record,
        "namespace": row.namespace,
        "doc": row.doc,
        "ami": _properties(row),
        "fields": [*catalogue.envelope, *own, *maps, EXTRA],
    }


def _properties(row: Row) -> dict[str, Any]:
    properties: dict[str, Any] = {"event": row.event}
    if row.user_event is not None:
        properties["user_event"] = row.user_event
    properties |= {
        "topic": row.topic,
        "family": row.family,
        "class": list(row.classes),
        "kind": list(row.kinds),
        "versions": list(row.versions),
        "selected": row.selected,
        "channels": [list(pair) for pair in row.channels],
        "keyed_by": row.keyed_by,
        "key": [list(names) for names in row.key],
    }
    if row.natural_key:
        properties["natural_key"] = list(row.natural_key)
    return properties


def _fields(row: Row, header: Header, taken: list[str]) -> Iterator[dict[str, Any]]:
    name = header.field or naming.field(header.name, header.type, taken)
    made = [_field(name, header, header.type, TYPES[header.type], _doc(row, header))]
    if header.type in COMPANIONS:
        wire, suffix, avro, manner = COMPANIONS[header.type]
        made.append(_field(name + suffix, header, wire, avro, f"{header.name} {manner}."))
    for field in made:
        if not naming.is_legal(field["name"]) or field["name"] in taken:
            raise SchemaError(f"{row.event}: {header.name}: the field {field['name']} is taken or illegal")
        yield field


def _doc(row: Row, header: Header) -> str:
    if not header.doc:
        raise SchemaError(f"{row.event}: {header.name} has no doc, neither in its row nor in the glossary")
    return header.doc


def _field(name: str, header: Header, wire: str, avro: Any, doc: str) -> dict[str, Any]:
    empty: Any = {"strings": [], "map": {}}.get(wire)
    made: dict[str, Any] = {
        "name": name,
        "type": ["null", avro] if empty is None else avro,
        "default": empty,
        "doc": doc,
        "ami": header.name,
        "wire": wire,
    }
    if header.block:
        made["block"] = header.block
    if header.escaped:
        made["escaped"] = True
    if header.sentinels:
        made["sentinels"] = list(header.sentinels)
    return made | {flag: True for flag in ("in_extra", "secret") if getattr(header, flag)}


def text(value: Mapping[str, Any]) -> str:
    """Return a schema as text: one line for each property and each field, so that a change is one line of a diff."""
    *heads, (last, fields) = value.items()
    lines = [f"  {_json(key)}: {_json(item)},\n" for key, item in heads]
    rows = ",\n".join(f"    {_json(item)}" for item in fields)
    return "{\n" + "".join(lines) + f"  {_json(last)}: [\n{rows}\n  ]\n}}\n"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
