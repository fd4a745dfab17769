"""A deliberate break of each kind: the check of a release finds it, and finds nothing else in what may grow."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from connector.avro import compatibility
from connector.avro.compatibility import Released
from connector.errors import SchemaError

Schema = dict[str, Any]
MILLIS = {"type": "long", "logicalType": "timestamp-millis"}


@pytest.fixture
def hangup(shipped_values: Mapping[str, Schema]) -> Schema:
    return copy.deepcopy(shipped_values["Hangup"])


def _field(schema: Schema, name: str) -> Schema:
    found: Schema = next(field for field in schema["fields"] if field["name"] == name)
    return found


def _rules(old: Schema, *new: Schema, version: str = "0.2.0") -> set[str]:
    released = [Released("org.amikafka.events.Hangup", "0.1.0", old)]
    return {finding.rule for finding in compatibility.check(released, new, version)}


def _new(**more: object) -> Schema:
    return {
        "name": "fresh",
        "type": ["null", "string"],
        "default": None,
        "doc": "Fresh.",
        "ami": "Fresh",
        "wire": "string",
    } | more


def test_nothing_changed(hangup: Schema) -> None:
    assert _rules(hangup, copy.deepcopy(hangup)) == set()


@pytest.mark.parametrize(
    "grow",
    [
        lambda schema: schema["fields"].insert(-1, _new(in_extra=True)),
        lambda schema: schema["ami"].update(versions=[16, 24], selected=False, kind=["list_item"]),
        lambda schema: schema["ami"].update({"class": ["call", "agent"]}),
        lambda schema: _field(schema, "source")["type"]["fields"].append(
            {"name": "node", "type": ["null", "string"], "default": None, "doc": "Node."}
        ),
        lambda schema: schema["fields"].insert(3, schema["fields"].pop(11)),
    ],
)
def test_what_may_grow(hangup: Schema, grow: Callable[[Schema], object]) -> None:
    later = copy.deepcopy(hangup)
    grow(later)
    assert _rules(hangup, later) == set()


def _change(spot: str, **to: object) -> Callable[[Schema], None]:
    return lambda schema: _field(schema, spot).update(to)


def _rename_by_alias(schema: Schema) -> None:
    _field(schema, "cause").update(name="hangup_cause", aliases=["cause"])


def _move_into_source(schema: Schema) -> None:
    _field(schema, "source")["type"]["fields"][0]["type"] = ["null", "string"]


@pytest.mark.parametrize(
    ("break_it", "rules"),
    [
        (lambda schema: schema["fields"].remove(_field(schema, "cause")), {"field-removed"}),
        (
            lambda schema: schema["fields"].remove(_field(schema, "event_id")),
            {"field-removed", "not-forward"},
        ),
        (_change("cause", name="hangup_cause"), {"field-removed", "left-extra"}),
        (_rename_by_alias, {"field-removed", "left-extra"}),
        (_change("cause", aliases=["hangup_cause"]), {"alias"}),
        (_change("cause", type=["null", "string"]), {"type-changed", "not-backward", "not-forward"}),
        (_change("cause", type=["null", "int"]), {"type-changed", "not-backward"}),
        (_change("cause", type=["null", "double"]), {"type-changed", "not-forward"}),
        (_change("cause_txt", type=["null", "bytes"]), {"type-changed"}),
        (_change("cause", type=["null", "long", "string"]), {"union-changed", "not-forward"}),
        (_change("event_id", type=["null", "string"]), {"union-changed", "not-forward"}),
        (_change("cause", type=["null", MILLIS]), {"logical-type-changed"}),
        (_change("event_time", type="long"), {"logical-type-changed"}),
        (_change("event_time", type=MILLIS | {"logicalType": "timestamp-micros"}), {"logical-type-changed"}),
        (_change("cause", wire="duration_s"), {"unit-changed"}),
        (_change("cause", ami="TechCause"), {"header-changed"}),
        (_change("cause", doc="Something else."), {"doc-changed"}),
        (_change("cause_txt", escaped=True), {"meaning-changed"}),
        (_change("cause_txt", sentinels=["none"]), {"meaning-changed"}),
        (_change("channel_variables", default={"a": "b"}), {"default-changed"}),
        (lambda schema: _field(schema, "cause").pop("default"), {"default-changed"}),
        (
            lambda schema: schema["fields"].append({"name": "must", "type": "string", "doc": "Must."}),
            {"not-backward"},
        ),
        (lambda schema: schema["fields"].insert(-1, _new()), {"left-extra"}),
        (_move_into_source, {"union-changed", "not-forward"}),
        (lambda schema: schema.update(doc="Else."), {"doc-changed"}),
        (lambda schema: schema.update(namespace="org.other"), {"name-changed"}),
        (lambda schema: schema.update(name="HangUp"), {"name-changed"}),
        (lambda schema: schema["ami"].update(topic="hang-up"), {"route-changed"}),
        (lambda schema: schema["ami"].update(family="cdr"), {"route-changed"}),
        (lambda schema: schema["ami"].update(key=[["Channel"]]), {"route-changed"}),
        (lambda schema: schema["ami"].update(channels=[]), {"route-changed"}),
        (lambda schema: schema["ami"].update(keyed_by="natural"), {"route-changed"}),
    ],
)
def test_each_deliberate_break_is_found(
    hangup: Schema, break_it: Callable[[Schema], object], rules: set[str]
) -> None:
    later = copy.deepcopy(hangup)
    break_it(later)
    assert _rules(hangup, later) == rules


def test_an_enum_in_place_of_a_string_is_found(hangup: Schema) -> None:
    later = copy.deepcopy(hangup)
    _field(later, "cause_txt")["type"] = ["null", {"type": "enum", "name": "Cause", "symbols": ["A"]}]
    assert _rules(hangup, later) == {"type-changed", "not-backward", "not-forward"}


def test_a_schema_that_is_gone_is_found(hangup: Schema, shipped_values: Mapping[str, Schema]) -> None:
    assert _rules(hangup) == {"schema-removed"}
    assert _rules(hangup, shipped_values["Cdr"]) == {"schema-removed"}


def test_a_field_may_leave_extra_with_the_next_major_version(hangup: Schema) -> None:
    fresh = copy.deepcopy(hangup)
    fresh["fields"].insert(-1, _new(in_extra=True))
    left = copy.deepcopy(hangup)
    left["fields"].insert(-1, _new())
    assert _rules(fresh, left, version="0.3.0") == {"left-extra"}
    assert _rules(fresh, left, version="1.0.0") == set()
    assert _rules(hangup, left, version="1.0.0") == set()


def test_every_released_version_counts_not_the_last_alone(hangup: Schema) -> None:
    """Avro lets `a` go and come back with another type, if only neighbours are compared."""
    without, back = copy.deepcopy(hangup), copy.deepcopy(hangup)
    without["fields"].remove(_field(without, "cause"))
    _field(back, "cause")["type"] = ["null", "string"]
    history = [Released("org.amikafka.events.Hangup", "0.1.0", hangup)]
    history.append(Released("org.amikafka.events.Hangup", "0.2.0", without))
    found = compatibility.check(history, [back], "0.3.0")
    assert {finding.rule for finding in found} >= {"not-backward", "not-forward"}
    assert {finding.where for finding in found if finding.rule == "not-backward"} == {
        "org.amikafka.events.Hangup against 0.1.0"
    }


def test_findings_say_where_and_what(hangup: Schema) -> None:
    later = copy.deepcopy(hangup)
    _field(later, "cause")["wire"] = "duration_s"
    (found,) = compatibility.check(
        [Released("org.amikafka.events.Hangup", "0.1.0", hangup)], [later], "0.2.0"
    )
    assert found.where == "org.amikafka.events.Hangup.cause"
    assert found.what == "the wire type was int and is duration_s: add a field instead"


def test_a_release_appends_what_is_new_or_changed(
    hangup: Schema, shipped_values: Mapping[str, Schema]
) -> None:
    first = compatibility.release((), [hangup, shipped_values["Cdr"]], "0.1.0")
    released = compatibility.read(first)
    assert [(one.name, one.version) for one in released] == [
        ("org.amikafka.events.Hangup", "0.1.0"),
        ("org.amikafka.events.Cdr", "0.1.0"),
    ]
    later = copy.deepcopy(hangup)
    later["fields"].insert(-1, _new(in_extra=True))
    second = compatibility.release(released, [later, shipped_values["Cdr"]], "0.2.0")
    (appended,) = compatibility.read(second)
    assert (appended.name, appended.version, appended.schema) == (
        "org.amikafka.events.Hangup",
        "0.2.0",
        later,
    )
    assert (
        compatibility.check(compatibility.read(first + second), [later, shipped_values["Cdr"]], "0.2.0") == []
    )


def test_what_is_published_stays(hangup: Schema) -> None:
    released = compatibility.read(compatibility.release((), [hangup], "0.1.0"))
    with pytest.raises(SchemaError, match=r"0\.1\.0 is released already"):
        compatibility.release(released, [hangup], "0.1.0")


@pytest.mark.parametrize("line", ["{", '{"name": "a", "version": "1"}', "[]"])
def test_a_line_that_cannot_be_read_is_named(line: str) -> None:
    good = '{"name": "a", "version": "1", "schema": {}}'
    with pytest.raises(SchemaError, match=r"released\.jsonl:2: "):
        compatibility.read(f"{good}\n{line}\n")
