import json
from typing import Any

import pytest

from connector.avro import catalogue
from connector.avro.catalogue import Block, BlockUse, Dynamic, Header
from connector.errors import SchemaError

LEAST: dict[str, Any] = {"doc": "A test.", "family": "call"}
FILES: dict[str, object] = {
    "events.json": {},
    "records.json": {},
    "blocks.json": {},
    "glossary.json": {},
    "envelope.json": [],
}


def _parse(**files: object) -> catalogue.Catalogue:
    values = FILES | {f"{name}.json": value for name, value in files.items()}
    return catalogue.parse({name: json.dumps(value) for name, value in values.items()})


def test_what_a_row_leaves_out_follows_from_its_name() -> None:
    (row,) = _parse(events={"AOC-S": LEAST}).rows
    assert (row.event, row.record, row.topic, row.namespace) == ("AOC-S", "AOC_S", "aoc-s", catalogue.EVENTS)
    assert (row.kinds, row.selected, row.keyed_by, row.channels) == (("unsolicited",), False, "call", ())


def test_what_a_row_says_stands() -> None:
    said = {"topic": "else", "record": "Else", "class": ["call"], "versions": [16], "selected": True}
    said |= {"kind": ["list_item"], "key": [["A", "B"]], "natural_key": ["A"], "keyed_by": "natural"}
    row = catalogue.row("Test", LEAST | said)
    assert (row.topic, row.record, row.classes, row.versions, row.selected) == (
        "else",
        "Else",
        ("call",),
        (16,),
        True,
    )
    assert (row.kinds, row.key, row.natural_key, row.keyed_by) == (
        ("list_item",),
        (("A", "B"),),
        ("A",),
        "natural",
    )


def test_channels_follow_from_snapshots_unless_given() -> None:
    headers = [{"block": "bridge"}, {"block": "channel"}, {"block": "channel", "prefix": "Dest"}]
    row = catalogue.row("Test", LEAST | {"headers": headers})
    assert row.channels == (("Uniqueid", "Linkedid"), ("DestUniqueid", "DestLinkedid"))
    given = catalogue.row("Test", LEAST | {"headers": headers, "channels": [["DestUniqueid", None]]})
    assert given.channels == (("DestUniqueid", None),)


def test_headers_in_their_forms() -> None:
    long = {"name": "B", "type": "int", "doc": "B.", "escaped": True, "sentinels": ["x"], "field": "b2"}
    block = {"block": "channel", "prefix": "Dest", "role": "the other", "sentinels": {"Channel": ["none"]}}
    row = catalogue.row("Test", LEAST | {"headers": ["A", long, {"dynamic": "C<n>"}, block]})
    assert row.headers == (
        Header("A"),
        Header("B", "int", "B.", escaped=True, sentinels=("x",), field="b2"),
        Dynamic("C<n>"),
        BlockUse("channel", "Dest", "the other", {"Channel": ("none",)}),
    )


def test_flat_spells_snapshots_out() -> None:
    blocks = {"channel": {"role": "the channel", "headers": [{"name": "Channel", "doc": "Name of {role}."}]}}
    events = {"Test": LEAST | {"headers": ["A", {"dynamic": "x"}, {"block": "channel", "prefix": "Dest"}]}}
    parsed = _parse(events=events, blocks=blocks, glossary={"A": "An A."})
    assert parsed.blocks["channel"] == Block(
        "channel", "the channel", (Header("Channel", doc="Name of {role}."),)
    )
    assert parsed.flat(parsed.rows[0]) == (
        Header("A", doc="An A."),
        Header("DestChannel", doc="Name of the channel.", block="channel:Dest"),
    )


def test_records_have_no_event_of_their_own() -> None:
    (row,) = _parse(records={"connector": LEAST | {"record": "Connector", "topic": None}}).rows
    assert (row.event, row.record, row.topic) == (None, "Connector", None)


@pytest.mark.parametrize("item", [{"name": "A", "type": "wide"}])
def test_an_unknown_wire_type_is_refused(item: object) -> None:
    with pytest.raises(SchemaError, match="Test: A has the unknown wire type 'wide'"):
        catalogue.row("Test", LEAST | {"headers": [item]})


def test_a_missing_file_is_named() -> None:
    with pytest.raises(SchemaError, match=r"the catalogue lacks 'events\.json'"):
        catalogue.parse({})


def test_a_missing_part_of_a_row_is_named() -> None:
    with pytest.raises(SchemaError, match="the catalogue lacks 'family'"):
        _parse(events={"Test": {"doc": "A test."}})


def test_a_file_that_is_no_json_is_named() -> None:
    with pytest.raises(SchemaError, match=r"events\.json: "):
        catalogue.parse({"events.json": "{"})
