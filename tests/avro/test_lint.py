import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from connector.avro import lint

Schema = dict[str, Any]


@pytest.fixture(params=["Hangup", "Cdr"])
def schema(request: pytest.FixtureRequest, shipped_values: Mapping[str, Schema]) -> Schema:
    return copy.deepcopy(shipped_values[request.param])


def _rules(schema: Schema) -> set[str]:
    return {finding.rule for finding in lint.lint(schema)}


def _own(schema: Schema) -> Schema:
    field: Schema = next(field for field in schema["fields"] if field.get("wire") == "string")
    return field


def test_a_shipped_schema_is_clean(schema: Schema) -> None:
    assert lint.lint(schema) == []


def _set(key: str, value: object) -> Callable[[Schema], None]:
    return lambda schema: _own(schema).update({key: value})


def _with(field: Schema) -> Callable[[Schema], None]:
    return lambda schema: schema["fields"].insert(-1, {"doc": "A test.", "ami": "Test"} | field)


@pytest.mark.parametrize(
    ("rule", "break_it"),
    [
        ("doc-missing", lambda schema: schema.update(doc=" ")),
        ("doc-missing", _set("doc", "")),
        ("namespace-missing", lambda schema: schema.pop("namespace")),
        ("alias", lambda schema: schema.update(aliases=["Old"])),
        ("alias", _set("aliases", ["old"])),
        ("property-missing", lambda schema: schema["ami"].pop("key")),
        ("property-missing", lambda schema: schema.pop("ami")),
        ("name", _set("name", "CamelCase")),
        ("collision", lambda schema: schema["fields"].insert(-1, copy.deepcopy(_own(schema)))),
        ("collision", _with({"name": "other", "type": ["null", "string"], "default": None, "ami": "Channel", "wire": "string"})),
        ("collision", _set("name", "call_id")),
        ("enum", _set("type", ["null", {"type": "enum", "name": "E", "symbols": ["A"]}])),
        ("bytes", _set("type", ["null", "bytes"])),
        ("fixed", _set("type", ["null", {"type": "fixed", "name": "F", "size": 2}])),
        ("int", _set("type", ["null", "int"])),
        ("float", lambda schema: _own(schema).update(type={"type": "array", "items": "float"}, default=[])),
        ("wire-type", lambda schema: _own(schema).update(type="string", default="")),
        ("wire-type", _set("type", ["null", "long"])),
        ("wire-unknown", _set("wire", "duration_h")),
        ("wire-unknown", lambda schema: _own(schema).pop("ami")),
        ("default", lambda schema: _own(schema).pop("default")),
        ("unit-name", _with({"name": "wait", "type": ["null", "long"], "default": None, "wire": "duration_s"})),
        ("companion", _with({"name": "at", "type": ["null", {"type": "long", "logicalType": "timestamp-millis"}], "default": None, "wire": "datetime_local"})),
        ("companion", _with({"name": "at_us", "type": ["null", "long"], "default": None, "wire": "us_of_epoch"})),
        ("header-missing", lambda schema: schema["fields"].insert(-1, {"name": "b", "type": "string", "doc": "B."})),
        ("envelope", lambda schema: schema["fields"].insert(0, schema["fields"].pop(1))),
        ("envelope", lambda schema: schema["fields"].pop()),
        ("key-unknown", lambda schema: schema["ami"].update(key=[["Nobody"]])),
        ("key-unknown", lambda schema: schema["ami"].update(channels=[["Nobody", None]])),
        ("not-avro", _set("type", ["null", "nothing"])),
        ("not-avro", lambda schema: schema.update(type="map")),
        ("not-avro", lambda schema: schema.pop("name")),
        ("not-avro", lambda schema: schema.pop("fields")),
    ],
)  # fmt: skip
def test_each_kind_of_fault_is_found(schema: Schema, rule: str, break_it: Callable[[Schema], object]) -> None:
    break_it(schema)
    assert rule in _rules(schema)


def test_a_companion_that_is_not_last_is_missed_by_the_next_field(
    shipped_values: Mapping[str, Schema],
) -> None:
    schema = copy.deepcopy(shipped_values["Cdr"])
    names = [field["name"] for field in schema["fields"]]
    del schema["fields"][names.index("start_time_text")]
    assert _rules(schema) == {"companion"}


def test_the_connectors_own_record_needs_no_key(shipped_values: Mapping[str, Schema]) -> None:
    assert lint.lint(shipped_values["Unknown"]) == []


def test_nested_records_are_looked_into(schema: Schema) -> None:
    source = next(field for field in schema["fields"] if field["name"] == "source")
    source["type"]["fields"][0]["type"] = "int"
    assert _rules(schema) == {"int"}


def test_company(schema: Schema) -> None:
    other = json.loads(json.dumps(schema))
    assert {finding.what for finding in lint.lint_all([schema, other])} == {
        "the name is used by 2 schemas",
        "the topic is used by 2 schemas",
        "the event is used by 2 schemas",
    }


def test_company_of_those_without_properties(schema: Schema) -> None:
    del schema["ami"]
    assert {finding.rule for finding in lint.lint_all([schema])} == {"property-missing"}


def test_records_that_have_neither_topic_nor_event_may_be_many(shipped_values: Mapping[str, Schema]) -> None:
    own = shipped_values["ConnectorRecord"]
    assert lint.lint_all([own, own | {"name": "Other"}]) == []


def _more(kind: object, **said: object) -> Callable[[Schema], None]:
    field = {"name": "more", "type": kind, "doc": "More."} | said
    return lambda schema: schema["fields"].append(field)


@pytest.mark.parametrize("name", ["ActionRequest", "ActionResponse", "ActionClaim"])
@pytest.mark.parametrize(
    ("rule", "break_it"),
    [
        ("doc-missing", lambda schema: schema.pop("doc")),
        ("doc-missing", lambda schema: schema["fields"][0].pop("doc")),
        ("namespace-missing", lambda schema: schema.pop("namespace")),
        ("alias", lambda schema: schema.update(aliases=["Old"])),
        ("alias", lambda schema: schema["fields"][0].update(aliases=["id"])),
        ("name", lambda schema: schema["fields"][0].update(name="requestId")),
        ("enum", _more({"type": "enum", "name": "E", "symbols": ["A"]})),
        ("int", _more("int")),
        ("default", _more(["string", "null"], default="")),
        ("default", _more(["null", "string"])),
        ("default", _more({"type": "array", "items": "string"})),
        ("not-avro", lambda schema: schema.pop("fields")),
    ],
)  # fmt: skip
def test_each_kind_of_fault_of_the_road_back_is_found(
    shipped_actions: Mapping[str, Schema], name: str, rule: str, break_it: Callable[[Schema], object]
) -> None:
    schema = copy.deepcopy(shipped_actions[name])
    assert lint.lint_action(schema) == []
    break_it(schema)
    assert {finding.rule for finding in lint.lint_action(schema)} == {rule}
