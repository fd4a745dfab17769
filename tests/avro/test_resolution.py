import io
from typing import Any

import pytest
from fastavro import schemaless_reader, schemaless_writer
from fastavro.utils import generate_one
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.avro.resolution import full_name, unreadable


def _record(*fields: dict[str, Any], name: str = "R", **more: object) -> dict[str, Any]:
    return {"type": "record", "name": name, "namespace": "n", "fields": list(fields), **more}


def _one(kind: object, **more: object) -> dict[str, Any]:
    return _record({"name": "a", "type": kind, **more})


ENUM = {"type": "enum", "name": "E", "symbols": ["A", "B"]}
LARGER = {"type": "enum", "name": "E", "symbols": ["A", "B", "C"]}
INNER = _record({"name": "x", "type": "long"}, name="I")
NODE = _record({"name": "next", "type": ["null", "n.Node"]}, name="Node")


@pytest.mark.parametrize(
    ("reader", "writer"),
    [
        (_one("long"), _one("int")),
        (_one("double"), _one("long")),
        (_one("float"), _one("int")),
        (_one("string"), _one("bytes")),
        (_one("bytes"), _one("string")),
        (_one(["null", "string"]), _one("string")),
        (_one(["null", "string"]), _one(["string", "null"])),
        (_one(["null", "long", "string"]), _one(["null", "string"])),
        (_one("string"), _one(["string"])),
        (_one({"type": "array", "items": "long"}), _one({"type": "array", "items": "int"})),
        (_one({"type": "map", "values": "long"}), _one({"type": "map", "values": "int"})),
        (_one({"type": "long", "logicalType": "timestamp-millis"}), _one("long")),
        (_one("long", default=0), _record()),
        (_record(), _one("long")),
        (_record({"name": "b", "type": "long", "aliases": ["a"]}), _one("long")),
        (_record(name="S", aliases=["R"]), _record()),
        (_record(name="S", aliases=["n.R"]), _record()),
        (_one(LARGER), _one(ENUM)),
        (_one(ENUM | {"default": "A"}), _one(LARGER)),
        (_one({"type": "fixed", "name": "F", "size": 4}), _one({"type": "fixed", "name": "F", "size": 4})),
        (_one(INNER), _one(INNER)),
        (NODE, NODE),
        ({"type": "record", "name": "R", "fields": []}, {"type": "record", "name": "R", "fields": []}),
        (
            {"type": "record", "name": "S", "aliases": ["R"], "fields": []},
            {"type": "record", "name": "R", "fields": []},
        ),
    ],
)
def test_readable(reader: dict[str, Any], writer: dict[str, Any]) -> None:
    assert unreadable(reader, writer) == []


@pytest.mark.parametrize(
    ("reader", "writer", "why"),
    [
        (_one("int"), _one("long"), "n.R.a: long is not read as int"),
        (_one("string"), _one("long"), "n.R.a: long is not read as string"),
        (_one("string"), _one(["null", "string"]), "n.R.a: null is not read as string"),
        (
            _one(["null", "long"]),
            _one(["null", "string"]),
            "n.R.a: no branch of the reader's union takes string",
        ),
        (
            _one({"type": "array", "items": "string"}),
            _one({"type": "array", "items": "long"}),
            "n.R.a[]: long is not read as string",
        ),
        (
            _one({"type": "map", "values": "string"}),
            _one({"type": "map", "values": "long"}),
            "n.R.a{}: long is not read as string",
        ),
        (_one({"type": "map", "values": "long"}), _one("long"), "n.R.a: long is not read as map"),
        (_one("long"), _record(), "n.R.a: is not written and has no default"),
        (_record(name="S"), _record(), "n.S: the record n.R is not n.S"),
        (_one(ENUM), _one(LARGER), "n.R.a: the reader's enum lacks C"),
        (
            _one({"type": "fixed", "name": "F", "size": 4}),
            _one({"type": "fixed", "name": "F", "size": 8}),
            "n.R.a: its size was 8 and is 4",
        ),
        (
            _one(_record({"name": "y", "type": "long"}, name="I")),
            _one(INNER),
            "n.R.a.y: is not written and has no default",
        ),
    ],
)
def test_unreadable(reader: dict[str, Any], writer: dict[str, Any], why: str) -> None:
    assert unreadable(reader, writer) == [why]


@pytest.mark.parametrize("broken", [_one("nothing"), _one({"type": "enum", "name": "E"})])
def test_what_is_no_schema_is_said_so(broken: dict[str, Any]) -> None:
    (why,) = unreadable(broken, _record())
    assert why.startswith("is no Avro schema: ")


def test_full_name() -> None:
    assert full_name({"name": "R", "namespace": "n"}) == "n.R"
    assert full_name({"name": "R"}) == "R"


_plain = st.sampled_from(["null", "boolean", "int", "long", "float", "double", "string"])
_types = st.recursive(
    _plain,
    lambda inner: st.one_of(
        st.builds(lambda items: {"type": "array", "items": items}, inner),
        st.builds(lambda values: {"type": "map", "values": values}, inner),
        st.lists(_plain, min_size=1, max_size=3, unique=True),
    ),
    max_leaves=3,
)
_records = st.builds(
    lambda kinds: _record(*({"name": name, "type": kind} for name, kind in kinds.items())),
    st.dictionaries(st.sampled_from("abc"), _types, max_size=3),
)


@settings(max_examples=3 * settings().max_examples, suppress_health_check=[HealthCheck.too_slow])
@given(_records, _records)
def test_what_is_called_readable_fastavro_reads(reader: dict[str, Any], writer: dict[str, Any]) -> None:
    if unreadable(reader, writer):
        return
    written = io.BytesIO()
    schemaless_writer(written, writer, generate_one(writer))
    written.seek(0)
    assert isinstance(schemaless_reader(written, writer, reader), dict)


@given(_records)
def test_a_schema_reads_itself(schema: dict[str, Any]) -> None:
    assert unreadable(schema, schema) == []
