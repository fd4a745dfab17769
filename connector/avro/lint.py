"""What a schema of ours must be beside being Avro: the conventions that the normaliser and consumers build upon."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from fastavro.schema import SchemaParseException, parse_schema

from connector.avro import naming
from connector.avro.catalogue import COMPANIONS, TYPES
from connector.avro.compatibility import Finding
from connector.avro.resolution import full_name

_FIRST = naming.ENVELOPE[:-1]
_LAST = naming.ENVELOPE[-1]

#: The Avro type that each wire type must have, companions included.
_FITTING = TYPES | {wire: avro for wire, _, avro, _ in COMPANIONS.values()}

_TWIN_OF = {wire: twin for wire, (twin, *_) in COMPANIONS.items()}
_TWINS = frozenset(_TWIN_OF.values())

_BANNED = {
    "enum": "sets of values grow inside stable branches: use a string",
    "bytes": "AMI is text: use a string",
    "fixed": "AMI is text: use a string",
    "int": "all whole numbers are long from the start",
    "float": "all fractions are double from the start",
}

_REQUIRED = (
    "event",
    "topic",
    "family",
    "class",
    "kind",
    "versions",
    "selected",
    "channels",
    "keyed_by",
    "key",
)


_Rule = Callable[[str, Mapping[str, Any]], Iterator[Finding]]


def lint(schema: Mapping[str, Any]) -> list[Finding]:
    """Return what is wrong with an event's schema (a JSON value), by our conventions; nothing: it may be used."""
    return _lint(schema, (_record, _properties, _names, _types, _envelope, _own, _keys))


def lint_action(schema: Mapping[str, Any]) -> list[Finding]:
    """Return what is wrong with a schema of the road back: request, response, claim."""
    return _lint(schema, (_record, _names, _types, _defaults))


def _lint(schema: Mapping[str, Any], rules: Iterable[_Rule]) -> list[Finding]:
    if schema.get("type") != "record" or not {"name", "fields"} <= schema.keys():
        return [Finding("?", "not-avro", "is no record")]
    place = full_name(schema)
    try:
        parse_schema(dict(schema), {})
    except (SchemaParseException, KeyError, TypeError, ValueError) as error:
        return [Finding(place, "not-avro", repr(error))]
    return sorted({finding for rule in rules for finding in rule(place, schema)})


def lint_all(schemas: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """Return what is wrong with each event's schema and with their company: no name, topic or event twice."""
    every = list(schemas)
    found = {finding for schema in every for finding in lint(schema)}
    named = [schema for schema in every if isinstance(schema.get("ami"), Mapping)]
    found |= set(_twice("name", (full_name(schema) for schema in named)))
    found |= set(_twice("topic", (schema["ami"].get("topic") for schema in named)))
    found |= set(
        _twice("event", ((schema["ami"].get("event"), schema["ami"].get("user_event")) for schema in named))
    )
    return sorted(found)


def _twice(what: str, values: Iterable[object]) -> Iterator[Finding]:
    for value, count in Counter(values).items():
        if count > 1 and value not in (None, (None, None)):
            yield Finding(str(value), "duplicate", f"the {what} is used by {count} schemas")


def _record(place: str, schema: Mapping[str, Any]) -> Iterator[Finding]:
    if not str(schema.get("doc", "")).strip():
        yield Finding(place, "doc-missing", "the record has no doc")
    if not schema.get("namespace"):
        yield Finding(place, "namespace-missing", "the record has no namespace")
    if "aliases" in schema:
        yield Finding(place, "alias", "a released name stays: no aliases")


def _properties(place: str, schema: Mapping[str, Any]) -> Iterator[Finding]:
    properties = schema.get("ami", {})
    for name in _REQUIRED:
        if name not in properties:
            yield Finding(place, "property-missing", f"ami lacks {name}")


def _fields(place: str, schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for field in schema["fields"]:
        spot = f"{place}.{field['name']}"
        yield spot, field
        for inner in _records(field["type"]):
            yield from _fields(spot, inner)


def _records(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        for branch in value:
            yield from _records(branch)
    elif isinstance(value, Mapping):
        if value["type"] == "record":
            yield value
        for inner in ("items", "values"):
            if inner in value:
                yield from _records(value[inner])


def _names(place: str, schema: Mapping[str, Any]) -> Iterator[Finding]:
    for spot, field in _fields(place, schema):
        name = field["name"]
        if name != name.lower() or not naming.is_legal(name):
            yield Finding(spot, "name", "fields are in snake case")
        if "aliases" in field:
            yield Finding(
                spot, "alias", "a rename by alias loses the old name's readers: add a field instead"
            )
        if not str(field.get("doc", "")).strip():
            yield Finding(spot, "doc-missing", "the field has no doc")
    for name, count in Counter(field["name"] for field in schema["fields"]).items():
        if count > 1:
            yield Finding(f"{place}.{name}", "collision", "two fields have this name")


def _types(place: str, schema: Mapping[str, Any]) -> Iterator[Finding]:
    for spot, field in _fields(place, schema):
        for kind in _kinds(field["type"]):
            if kind in _BANNED:
                yield Finding(spot, kind, _BANNED[kind])


def _kinds(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for branch in value:
            yield from _kinds(branch)
    elif isinstance(value, Mapping):
        yield from _kinds(value["type"])
        yield from (kind for inner in ("items", "values") if inner in value for kind in _kinds(value[inner]))
    else:
        yield str(value)


def _envelope(place: str, schema: Mapping[str, Any]) -> Iterator[Finding]:
    names = [field["name"] for field in schema["fields"]]
    if tuple(names[: len(_FIRST)]) != _FIRST or names[-1] != _LAST:
        yield Finding(place, "envelope", f"begins with {', '.join(_FIRST)} and ends with {_LAST}")
    for field in schema["fields"]:
        if "ami" in field and field["name"] in naming.ENVELOPE:
            yield Finding(
                f"{place}.{field['name']}",
                "collision",
                "the record's own name wins: prefix the header's with ami_",
            )


def _own(place: str, schema: Mapping[str, Any]) -> Iterator[Finding]:
    previous: Mapping[str, Any] = {}
    headers: Counter[str] = Counter()
    for field in schema["fields"]:
        if "ami" in field or "wire" in field:
            spot = f"{place}.{field['name']}"
            yield from _wire(spot, field)
            headers[field.get("ami", "")] += field.get("wire") not in {
                wire for wire, *_ in COMPANIONS.values()
            }
        elif field["name"] not in naming.ENVELOPE:
            yield Finding(f"{place}.{field['name']}", "header-missing", "the field names no AMI header")
        expected = _TWIN_OF.get(previous.get("wire", ""))
        if expected != (field.get("wire") if field.get("wire") in _TWINS else None):
            yield Finding(
                f"{place}.{field['name']}", "companion", "the two fields of one header stand side by side"
            )
        previous = field
    for header, count in headers.items():
        if count > 1:
            yield Finding(f"{place}", "collision", f"two fields claim the header {header}")


def _wire(spot: str, field: Mapping[str, Any]) -> Iterator[Finding]:
    wire = field.get("wire")
    if wire not in _FITTING or "ami" not in field:
        yield Finding(spot, "wire-unknown", f"no such wire type: {wire!r}")
        return
    fitting: Any = _FITTING[wire]
    empty: Any = {"strings": [], "map": {}}.get(wire)
    if field["type"] != (["null", fitting] if empty is None else fitting):
        yield Finding(spot, "wire-type", f"{wire} is {fitting} in Avro, nullable unless a list or map")
    if "default" not in field or field["default"] != empty:
        yield Finding(spot, "default", "an absent header is null, an empty list or an empty map")
    unit = naming.UNITS.get(wire)
    if unit and not field["name"].endswith((f"_{unit}", "seconds")):
        yield Finding(spot, "unit-name", f"the unit of {wire} must end the name: _{unit}")


def _defaults(place: str, schema: Mapping[str, Any]) -> Iterator[Finding]:
    for spot, field in _fields(place, schema):
        kind = field["type"]
        nullable = isinstance(kind, list)
        if nullable and (kind[0] != "null" or field.get("default", "absent") is not None):
            yield Finding(
                spot, "default", "what may be null is null unless it is said: null first, and default"
            )
        if not nullable and "array" in _kinds(kind) and field.get("default") != []:
            yield Finding(spot, "default", "a list is empty unless it is said")


def _keys(place: str, schema: Mapping[str, Any]) -> Iterator[Finding]:
    properties = schema.get("ami", {})
    if not properties.get("event"):
        return
    known = {field.get("ami") for field in schema["fields"]}
    lists = [*properties.get("channels", ()), *properties.get("key", ()), properties.get("natural_key", ())]
    for header in sorted({name for names in lists for name in names if name} - known):
        yield Finding(place, "key-unknown", f"is keyed by {header}, which it does not have")
