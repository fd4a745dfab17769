"""Records as values, written with our schema or another's; and schemas that nobody should read by."""

import json
from io import BytesIO
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.avro.records import RecordCodec
from connector.errors import SchemaError

TIME = {"type": "long", "logicalType": "timestamp-millis"}
PAIR = {"type": "record", "name": "Pair", "namespace": "n", "fields": [{"name": "value", "type": "string"}]}
FIELDS: list[dict[str, Any]] = [
    {"name": "id", "type": "string"},
    {"name": "at", "type": ["null", TIME], "default": None},
    {"name": "pairs", "type": {"type": "array", "items": PAIR}, "default": []},
]
RECORDS = st.fixed_dictionaries(
    {
        "id": st.text(st.characters(exclude_categories=["Cs"])),
        "at": st.none() | st.integers(-(2**63), 2**63 - 1),
        "pairs": st.lists(
            st.fixed_dictionaries({"value": st.text(st.characters(exclude_categories=["Cs"]))})
        ),
    }
)


def _text(*fields: dict[str, Any], name: str = "R") -> str:
    return json.dumps({"type": "record", "name": name, "namespace": "n", "fields": list(fields)})


CODEC = RecordCodec(_text(*FIELDS))


@given(RECORDS)
def test_a_record_is_read_as_it_was_written(record: dict[str, Any]) -> None:
    body = CODEC.encode(record)
    assert CODEC.decode(body) == record
    assert CODEC.decode(body, CODEC.text) == record


@given(RECORDS)
def test_fastavro_alone_reads_it(record: dict[str, Any]) -> None:
    plain = json.loads(CODEC.text.replace(', "logicalType": "timestamp-millis"', ""))
    stream = BytesIO(CODEC.encode(record))
    assert fastavro.schemaless_reader(stream, fastavro.parse_schema(plain, {}), None) == record


def test_a_codec_knows_its_name_and_fields() -> None:
    assert (CODEC.name, CODEC.fields) == ("n.R", ("id", "at", "pairs"))


def test_what_is_left_out_has_its_default() -> None:
    assert CODEC.decode(CODEC.encode({"id": "a"})) == {"id": "a", "at": None, "pairs": []}


@pytest.mark.parametrize(
    "record", [{}, {"id": 1}, {"id": "a", "at": "b"}, {"id": "a", "colour": 1}, {"id": None}]
)
def test_what_does_not_fit_the_schema_is_refused(record: dict[str, Any]) -> None:
    with pytest.raises(SchemaError, match=r"n\.R: "):
        CODEC.encode(record)


def test_an_older_and_a_newer_writer_are_read() -> None:
    older = RecordCodec(_text(*FIELDS[:1]))
    assert CODEC.decode(older.encode({"id": "a"}), older.text) == {"id": "a", "at": None, "pairs": []}
    newer = RecordCodec(_text({"name": "colour", "type": "string"}, *FIELDS))
    body = newer.encode({"colour": "red", "id": "a", "at": 5})
    assert CODEC.decode(body, newer.text) == {"id": "a", "at": 5, "pairs": []}


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    for text in ("", _text({"name": "x", "type": {"type": "map", "values": ["null", "double"]}}, *FIELDS)):
        try:
            assert isinstance(CODEC.decode(body, text), dict)
        except SchemaError:
            continue


def test_bytes_that_are_left_over_are_refused() -> None:
    with pytest.raises(SchemaError, match="2 bytes are left over"):
        CODEC.decode(CODEC.encode({"id": "a"}) + b"xx")


def test_an_error_repeats_no_value() -> None:
    other = _text({"name": "id", "type": "bytes"}, {"name": "at", "type": "string"})
    body = b"\x0ehunter2\x0ehunter2"
    with pytest.raises(SchemaError) as caught:
        CODEC.decode(body, other)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "{",
            "[]",
            '"string"',
            "null",
            "7",
            '{"type": "record"}',
            '{"type": "array", "items": "string"}',
        ),
        *("[" * 100_000, _text({"name": "a", "type": "strange"}), _text({"name": "a", "type": {"type": 3}})),
    ],
    ids=lambda text: text[:30],
)
def test_what_is_no_schema_of_a_record_is_refused(text: str) -> None:
    with pytest.raises(SchemaError, match="here: "):
        RecordCodec(text, "here")
    if text:
        with pytest.raises(SchemaError):
            CODEC.decode(b"\x02a", text)


NOTHING = {"type": "record", "name": "Nothing", "namespace": "n", "fields": [{"name": "x", "type": "null"}]}
NODE = {
    "type": "record",
    "name": "Node",
    "namespace": "n",
    "fields": [{"name": "next", "type": ["null", "n.Node"]}],
}


FIXED = {"type": "fixed", "name": "F", "size": 0}
TWICE = {
    "type": "record",
    "name": "Twice",
    "fields": [{"name": "a", "type": FIXED}, {"name": "b", "type": {"type": "array", "items": "F"}}],
}


@pytest.mark.parametrize(
    "kind",
    [
        TWICE,
        {"type": "array", "items": "null"},
        {"type": "array", "items": NOTHING},
        {"type": "array", "items": {"type": "null", "unit": "none"}},
        {"type": "array", "items": FIXED},
        {"type": "map", "values": {"type": "array", "items": "null"}},
        ["null", {"type": "array", "items": {"type": "record", "name": "Void", "fields": []}}],
        NODE,
        {"type": "array", "items": NODE},
    ],
    ids=str,
)
def test_a_schema_by_which_few_bytes_take_all_time_or_stack_is_refused(kind: Any) -> None:
    text = _text({"name": "burden", "type": kind}, *FIELDS)
    with pytest.raises(SchemaError, match="not a schema to read by"):
        CODEC.decode(b"\xfe\xff\xff\xff\xff\xff\xff\x7f", text)


@pytest.mark.parametrize(
    "kind",
    [
        {"type": "array", "items": {"type": "enum", "name": "E", "symbols": ["A"]}},
        {"type": "array", "items": ["null", "int"]},
        {"type": "array", "items": {"type": "long", "unit": "ms"}},
        {"type": "array", "items": {"type": "array", "items": "boolean"}},
        {"type": "map", "values": "null"},
        NOTHING,
        FIXED,
    ],
    ids=str,
)
def test_other_schemas_are_read_by(kind: Any) -> None:
    text = _text(*FIELDS, {"name": "burden", "type": kind})
    value = {"enum": "A", "record": {"x": None}, "fixed": b""}.get(
        kind["type"], {} if kind["type"] == "map" else []
    )
    body = RecordCodec(text).encode({"id": "a", "burden": value})
    assert CODEC.decode(body, text)["id"] == "a"


def test_names_used_often_cost_little() -> None:
    kind: Any = {"type": "record", "name": "L0", "fields": [{"name": "x", "type": "int"}]}
    for level in range(1, 60):
        fields = [{"name": "a", "type": kind}, {"name": "b", "type": kind["name"]}]
        kind = {"type": "record", "name": f"L{level}", "fields": fields}
    with pytest.raises(SchemaError):
        CODEC.decode(b"\x02a", _text(*FIELDS[:1], {"name": "burden", "type": kind}))
