"""Breaks of request, response and claim: the check of a release finds each, as it does for events."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from connector.avro import compatibility
from connector.avro.compatibility import Released

Schema = dict[str, Any]
NAMES = ("ActionRequest", "ActionResponse", "ActionClaim")


def rules(old: Schema, *new: Schema) -> set[str]:
    released = [Released(f"{old['namespace']}.{old['name']}", "0.1.0", old)]
    return {finding.rule for finding in compatibility.check(released, new, "0.2.0")}


def field_of(schema: Schema, name: str) -> Schema:
    found: Schema = next(field for field in schema["fields"] if field["name"] == name)
    return found


def outcome(claim: Schema) -> Schema:
    found: Schema = field_of(claim, "outcome")["type"][1]
    return found


def parameter(request: Schema) -> Schema:
    found: Schema = field_of(request, "headers")["type"]["items"]
    return found


def new(**more: object) -> Schema:
    return {"name": "fresh", "type": ["null", "string"], "default": None, "doc": "Fresh."} | more


MUST = {"name": "must", "type": "string", "doc": "Must."}


@pytest.fixture(params=NAMES)
def schema(request: pytest.FixtureRequest, shipped_actions: Mapping[str, Schema]) -> Schema:
    return copy.deepcopy(shipped_actions[request.param])


@pytest.fixture
def schemas(shipped_actions: Mapping[str, Schema]) -> dict[str, Schema]:
    return copy.deepcopy(dict(shipped_actions))


def test_nothing_changed(schema: Schema) -> None:
    assert rules(schema, copy.deepcopy(schema)) == set()


def test_a_field_with_a_default_may_be_added(schema: Schema) -> None:
    later = copy.deepcopy(schema)
    later["fields"].append(new())
    assert rules(schema, later) == set()


@pytest.mark.parametrize(("name", "inner"), [("ActionClaim", outcome), ("ActionRequest", parameter)])
def test_the_records_within_grow_too(
    schemas: dict[str, Schema], name: str, inner: Callable[[Schema], Schema]
) -> None:
    later = copy.deepcopy(schemas[name])
    inner(later)["fields"].append(new())
    assert rules(schemas[name], later) == set()


def change(spot: str, **to: object) -> Callable[[Schema], None]:
    return lambda schema: field_of(schema, spot).update(to)


def within(inner: Callable[[Schema], Schema], spot: str, **to: object) -> Callable[[Schema], None]:
    return lambda schema: field_of(inner(schema), spot).update(to)


@pytest.mark.parametrize(
    ("name", "break_it", "found"),
    [
        ("ActionRequest", lambda schema: schema["fields"].append(MUST), {"not-backward"}),
        ("ActionResponse", lambda schema: schema["fields"].append(MUST), {"not-backward"}),
        ("ActionClaim", lambda schema: schema["fields"].append(MUST), {"not-backward"}),
        ("ActionRequest", lambda schema: schema["fields"].remove(field_of(schema, "reply_to")), {"field-removed"}),
        ("ActionResponse", lambda schema: schema["fields"].remove(field_of(schema, "status")), {"field-removed", "not-forward"}),
        ("ActionRequest", change("reply_to", name="answer_to"), {"field-removed"}),
        ("ActionRequest", change("reply_to", name="answer_to", aliases=["reply_to"]), {"field-removed"}),
        ("ActionRequest", change("timeout_ms", type=["null", "string"]), {"type-changed", "not-backward", "not-forward"}),
        ("ActionRequest", change("timeout_ms", type=["null", "int"]), {"type-changed", "not-backward"}),
        ("ActionRequest", change("request_id", type="string", default=""), {"union-changed", "default-changed", "not-backward"}),
        ("ActionResponse", change("status", type=["null", "string"]), {"union-changed", "not-forward"}),
        ("ActionResponse", change("sent_time", type=["null", "long"]), {"logical-type-changed"}),
        ("ActionClaim", change("claimed_time", type="long"), {"logical-type-changed"}),
        ("ActionRequest", change("timeout_ms", doc="In seconds."), {"doc-changed"}),
        ("ActionRequest", change("accept_parts", default=True), {"default-changed"}),
        ("ActionResponse", lambda schema: schema.update(doc="Else."), {"doc-changed"}),
        ("ActionResponse", lambda schema: schema.update(namespace="org.other"), {"name-changed"}),
        ("ActionResponse", lambda schema: schema.update(name="ActionReply"), {"schema-removed"}),
        ("ActionClaim", lambda schema: outcome(schema)["fields"].append(MUST), {"not-backward"}),
        ("ActionClaim", lambda schema: outcome(schema).update(doc="Else."), {"doc-changed"}),
        ("ActionClaim", within(outcome, "rule", name="law"), {"field-removed"}),
        ("ActionClaim", within(outcome, "truncated", type="string", default=""), {"type-changed", "default-changed", "not-backward", "not-forward"}),
        ("ActionRequest", within(parameter, "value", doc="Else."), {"doc-changed"}),
        ("ActionRequest", within(parameter, "value", type="bytes"), {"type-changed"}),
        ("ActionRequest", within(parameter, "value", name="text"), {"field-removed", "not-backward", "not-forward"}),
    ],
)  # fmt: skip
def test_each_deliberate_break_is_found(
    schemas: dict[str, Schema], name: str, break_it: Callable[[Schema], object], found: set[str]
) -> None:
    later = copy.deepcopy(schemas[name])
    break_it(later)
    assert rules(schemas[name], later) == found


def test_a_schema_that_is_gone_is_found_beside_the_others(
    schemas: dict[str, Schema], shipped_values: Mapping[str, Schema]
) -> None:
    claim = schemas.pop("ActionClaim")
    assert rules(claim, *schemas.values(), *shipped_values.values()) == {"schema-removed"}


def test_an_event_that_is_gone_is_found_beside_them(
    schemas: dict[str, Schema], shipped_values: Mapping[str, Schema]
) -> None:
    renamed = copy.deepcopy(shipped_values["Hangup"]) | {"name": "HangUp"}
    assert rules(copy.deepcopy(shipped_values["Hangup"]), *schemas.values(), renamed) == {"name-changed"}
