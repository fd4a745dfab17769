import json
from typing import Any

import pytest
from fastavro.schema import parse_schema
from hypothesis import given
from hypothesis import strategies as st

from connector.avro import catalogue, generate, naming
from connector.avro.catalogue import EVENTS, TYPES, Block, BlockUse, Catalogue, Dynamic, Header, Row
from connector.errors import SchemaError

BLOCK = Block(
    "channel",
    "the channel",
    (
        Header("Channel", doc="Name of {role}."),
        Header("Uniqueid", doc="Id of {role}."),
        Header("ChanVariable", "map", doc="Variables of {role}.", escaped=True),
    ),
)


def _row(*headers: Header | BlockUse | Dynamic, event: str | None = "Test") -> Row:
    return Row(event, "A test.", "call", naming.record(event or "Other"), "test", headers=headers)


def _schema(*headers: Header | BlockUse | Dynamic) -> dict[str, Any]:
    row = _row(*headers)
    return generate.schema(Catalogue((row,), {"channel": BLOCK}, {"Known": "From the glossary."}), row)


def _fields(*headers: Header | BlockUse | Dynamic) -> dict[str, dict[str, Any]]:
    return {field["name"]: field for field in _schema(*headers)["fields"] if field["name"] != "extra"}


def test_a_plain_header_is_a_nullable_field() -> None:
    assert _fields(Header("Cause-txt", doc="Why."))["cause_txt"] == {
        "name": "cause_txt",
        "type": ["null", "string"],
        "default": None,
        "doc": "Why.",
        "ami": "Cause-txt",
        "wire": "string",
    }


@pytest.mark.parametrize("wire", sorted(set(TYPES) - {"strings", "map"}))
def test_each_wire_type_is_nullable(wire: str) -> None:
    field = next(iter(_fields(Header("Thing", wire, doc="A thing.")).values()))
    assert field["type"] == ["null", TYPES[wire]]
    assert field["default"] is None


@pytest.mark.parametrize(("wire", "empty"), [("strings", []), ("map", {})])
def test_lists_and_maps_are_empty_where_absent(wire: str, empty: object) -> None:
    field = _fields(Header("Thing", wire, doc="A thing."))["thing"]
    assert (field["type"], field["default"]) == (TYPES[wire], empty)


def test_a_local_time_keeps_its_text_beside_it() -> None:
    fields = list(_fields(Header("EndTime", "datetime_local", doc="When.")).values())
    assert [field["name"] for field in fields] == ["end_time", "end_time_text"]
    assert [field["wire"] for field in fields] == ["datetime_local", "text_of_local"]
    assert {field["ami"] for field in fields} == {"EndTime"}


def test_microseconds_are_kept_beside_the_timestamp() -> None:
    fields = _fields(Header("From", "epoch_us", doc="Begin.", field="from_time"))
    assert fields["from_time_us"]["type"] == ["null", "long"]
    assert fields["from_time_us"]["wire"] == "us_of_epoch"


def test_a_snapshot_is_spelt_out_and_its_variables_stand_last() -> None:
    schema = _schema(BlockUse("channel", "Dest", "the called channel"), Header("DialStatus", doc="Outcome."))
    names = [field["name"] for field in schema["fields"]]
    assert names == ["dest_channel", "dest_unique_id", "dial_status", "dest_channel_variables", "extra"]
    assert (
        schema["fields"][0] | {"block": "channel:Dest", "doc": "Name of the called channel."}
        == schema["fields"][0]
    )


def test_a_snapshot_without_prefix_speaks_of_its_usual_role() -> None:
    fields = _fields(BlockUse("channel", sentinels={"Channel": ("none",)}))
    assert fields["channel"]["doc"] == "Name of the channel."
    assert fields["channel"]["block"] == "channel"
    assert fields["channel"]["sentinels"] == ["none"]
    assert fields["channel_variables"]["escaped"] is True


def test_a_header_that_stays_in_extra_says_so() -> None:
    assert _fields(Header("New", doc="New.", in_extra=True))["new"]["in_extra"] is True


def test_a_secret_is_marked() -> None:
    assert _fields(Header("Pin", doc="Pin.", secret=True))["pin"]["secret"] is True


def test_a_dynamic_header_has_no_field() -> None:
    assert _fields(Dynamic("Report<n>DLSR")) == {}


def test_a_doc_comes_from_the_glossary() -> None:
    assert _fields(Header("Known"))["known"]["doc"] == "From the glossary."


def test_a_header_without_a_doc_is_refused() -> None:
    with pytest.raises(SchemaError, match="Test: Odd has no doc"):
        _schema(Header("Odd"))


def test_a_name_that_the_envelope_has_is_prefixed() -> None:
    assert list(_fields(Header("Source", doc="Where from."))) == ["ami_source"]


def test_two_headers_that_would_share_a_name() -> None:
    assert list(_fields(Header("UniqueID", doc="One."), Header("Uniqueid", doc="Other."))) == [
        "unique_id",
        "ami_unique_id",
    ]


def test_a_third_of_the_same_name_is_refused() -> None:
    with pytest.raises(SchemaError, match="ami_a"):
        _schema(Header("A", doc="1"), Header("a", doc="2"), Header("-a", doc="3"))


@pytest.mark.parametrize("name", ["call_id", "Caller Id"])
def test_a_given_field_name_must_be_free_and_legal(name: str) -> None:
    with pytest.raises(SchemaError, match="taken or illegal"):
        _schema(Header("Odd", doc="Odd.", field=name))


def test_properties() -> None:
    row = Row(
        "UserEvent",
        "A sale.",
        "user",
        "UserEvent_Sale",
        "user-event-sale",
        user_event="Sale",
        natural_key=("Order",),
        channels=(("Uniqueid", None),),
        key=(("Order",),),
    )
    schema = generate.schema(Catalogue((row,), {}), row)
    assert (schema["name"], schema["namespace"]) == ("UserEvent_Sale", EVENTS)
    assert schema["ami"] == {
        "event": "UserEvent",
        "user_event": "Sale",
        "topic": "user-event-sale",
        "family": "user",
        "class": [],
        "kind": ["unsolicited"],
        "versions": [],
        "selected": False,
        "channels": [["Uniqueid", None]],
        "keyed_by": "call",
        "key": [["Order"]],
        "natural_key": ["Order"],
    }


@pytest.mark.parametrize(
    ("row", "name"),
    [
        (_row(event="AOC-S"), "events/aoc_s.avsc"),
        (_row(event=None), "call.avsc"),
        (Row("UserEvent", "", "user", "S", "s", user_event="BigSale"), "events/big_sale.avsc"),
    ],
)
def test_file_names(row: Row, name: str) -> None:
    assert generate.file_name(row) == name


def test_text_has_a_line_for_each_field() -> None:
    text = generate.text(_schema(Header("Known"), Header("Other", doc="Zoë.")))
    lines = text.splitlines()
    assert text.endswith("}\n")
    assert "Zoë" in text
    assert len([line for line in lines if line.startswith('    {"name"')]) == 3


@given(
    st.lists(
        st.builds(
            Header,
            st.from_regex(r"[A-Z][A-Za-z0-9-]{0,12}", fullmatch=True),
            st.sampled_from(sorted(TYPES)),
            doc=st.just("A header."),
            escaped=st.booleans(),
            sentinels=st.sampled_from([(), ("<unknown>",)]),
        ),
        unique_by=lambda header: naming.snake(header.name),
        max_size=6,
    )
)
def test_any_row_gives_avro_and_the_same_bytes_each_time(headers: list[Header]) -> None:
    row = _row(*headers)
    whole = Catalogue((row,), {})
    try:
        texts = generate.schemas(whole)
    except SchemaError:
        return
    assert texts == generate.schemas(whole)
    (text,) = texts.values()
    assert parse_schema(json.loads(text), {})


def test_schemas_of_a_parsed_catalogue() -> None:
    texts = {
        "events.json": '{"Ping": {"doc": "A ping.", "family": "call", "headers": ["Who"]}}',
        "records.json": "{}",
        "blocks.json": "{}",
        "glossary.json": '{"Who": "Who it is."}',
        "envelope.json": '[{"name": "event_id", "type": "string", "doc": "Its id."}]',
    }
    written = generate.schemas(catalogue.parse(texts))
    assert list(written) == ["events/ping.avsc"]
    names = [field["name"] for field in json.loads(written["events/ping.avsc"])["fields"]]
    assert names == ["event_id", "who", "extra"]
