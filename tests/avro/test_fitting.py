"""A schema that the normaliser cannot fill is refused by name, before it makes values that nobody can read."""

import json
from pathlib import Path
from typing import Any

import pytest

from connector.avro.schema import check_alike, load
from connector.edges.schemas import directory, load_schemas
from connector.errors import SchemaError

WHERE = "mine.avsc"
LONG = ["null", "long"]
MOMENT = ["null", {"type": "long", "logicalType": "timestamp-millis"}]
TEXT = ["null", "string"]


def schema() -> dict[str, Any]:
    text = (directory() / "events" / "pickup.avsc").read_text("utf-8")
    return json.loads(text)  # type: ignore[no-any-return]


def field(**parts: Any) -> dict[str, Any]:
    return {"name": "own", "type": TEXT, "default": None, "ami": "Own", "wire": "string", **parts}


def refusal(made: dict[str, Any]) -> str:
    with pytest.raises(SchemaError) as told:
        load(json.dumps(made), WHERE)
    return str(told.value)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ([field(wire="int")], "own: the wire type int makes ['null', 'long'], not ['null', 'string']"),
        (
            [field(type="string", default="")],
            "own: the wire type string makes ['null', 'string'], not string",
        ),
        ([field(type=["string", "null"], default="")], "own: the wire type string makes"),
        ([field(wire="strings", type=TEXT)], "own: the wire type strings makes"),
        ([field(wire="number")], "own: no wire type 'number'; there are string, int,"),
        ([field(wire="epoch_us", type=MOMENT)], "own: behind epoch_us comes us_of_epoch"),
        ([field(wire="epoch_us", type=MOMENT), field(name="two")], "two: behind epoch_us comes us_of_epoch"),
        ([field(wire="us_of_epoch", type=LONG)], "own: us_of_epoch comes behind epoch_us alone"),
        ([field(sentinels="-")], "own: sentinels is an array of strings, not '-'"),
        ([field(escaped="no")], "own: escaped is true or false, not 'no'"),
        ([field(ami=7)], "own: ami is a string, not 7"),
    ],
)
def test_a_field_that_does_not_fit_is_named(fields: list[dict[str, Any]], words: str) -> None:
    made = schema()
    made["fields"][-1:-1] = fields
    assert refusal(made).startswith(f"{WHERE}: {words}")


@pytest.mark.parametrize(
    ("name", "value", "form"),
    [
        ("event", 7, "a string or null"),
        ("topic", ["x"], "a string or null"),
        ("class", "call", "an array of strings"),
        ("selected", "yes", "true or false"),
        ("channels", [["Uniqueid"]], "an array of pairs of headers"),
        ("key", ["Queue"], "an array of arrays of headers"),
        ("key", [[]], "an array of arrays of headers"),
    ],
)
def test_a_property_of_another_form_is_named(name: str, value: Any, form: str) -> None:
    made = schema()
    made["ami"][name] = value
    assert refusal(made).startswith(f"{WHERE}: ami.{name} is {form}")


def test_a_time_may_be_a_plain_long() -> None:
    made = schema()
    made["fields"].insert(-1, field(wire="epoch_s", type=LONG))
    assert load(json.dumps(made), WHERE).fields[-1].wire == "epoch_s"


def test_a_name_needs_no_namespace() -> None:
    made = schema()
    del made["namespace"]
    assert load(json.dumps(made), WHERE).full_name == "Pickup"


@pytest.mark.parametrize(
    "text", ['{"a":' * 5_000, '{"type":"record","name":"A"}', '{"doc":"\\ud800"}', "[]", ""]
)
def test_what_is_no_schema_is_an_error_of_ours(text: str) -> None:
    with pytest.raises(SchemaError, match=rf"^{WHERE}: "):
        load(text, WHERE)


@pytest.mark.parametrize("place", [0, 1, 7, -1])
def test_the_fields_of_every_record_are_those_of_ours(place: int, tmp_path: Path) -> None:
    made = schema()
    made["fields"][place] |= {"type": ["null", "double"], "default": None}
    named = made["fields"][place]["name"]
    with pytest.raises(SchemaError, match=f"{named} has another type than every event's"):
        check_alike(load(json.dumps(made), WHERE), load_schemas().unknown, WHERE)
    (tmp_path / WHERE).write_text(json.dumps(made))
    with pytest.raises(SchemaError, match=rf"mine\.avsc: {named} has"):
        load_schemas(tmp_path)
