"""The schemas of the road back: conventions, and that they ship."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from connector.avro.naming import ENVELOPE
from connector.avro.resolution import unreadable
from connector.edges.schemas import directory, load_action_catalogue, load_action_schemas
from connector.errors import SchemaError

NAMES = ("request", "response", "claim")


def _schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((directory() / "actions" / f"{name}.avsc").read_text("utf-8"))
    return found


def _records(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, list):
        for item in node:
            yield from _records(item)
    elif isinstance(node, dict):
        if node.get("type") == "record":
            yield node
        for value in node.values():
            yield from _records(value)


def _kinds(node: Any) -> Iterator[str]:
    """Give every type that is used, of fields and within."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        for branch in node:
            yield from _kinds(branch)
    elif node["type"] == "record":
        for field in node["fields"]:
            yield from _kinds(field["type"])
    else:
        yield from _kinds(node["type"])
        yield from _kinds(node.get("items", []))


@pytest.mark.parametrize("name", NAMES)
def test_everything_is_documented_and_has_a_default_or_is_needed(name: str) -> None:
    for record in _records(_schema(name)):
        assert record["doc"]
        for field in record["fields"]:
            assert field["doc"].endswith("."), field["name"]
            if isinstance(field["type"], list):
                assert field["type"][0] == "null"
                assert field["default"] is None


@pytest.mark.parametrize("name", NAMES)
def test_types_are_those_that_may_stay_for_good(name: str) -> None:
    kinds = {kind for kind in _kinds(_schema(name)) if "." not in kind}
    assert kinds <= {"null", "string", "long", "boolean", "array"}
    assert _schema(name)["namespace"] == "org.amikafka.actions"
    assert unreadable(_schema(name), _schema(name)) == []


@pytest.mark.parametrize("name", NAMES)
def test_times_are_milliseconds(name: str) -> None:
    for record in _records(_schema(name)):
        for field in record["fields"]:
            if field["name"].endswith(("_time", "_at")):
                assert "timestamp-millis" in json.dumps(field["type"])


def test_a_header_is_the_record_that_events_have_too() -> None:
    event = json.loads((directory() / "unknown.avsc").read_text("utf-8"))
    extra = next(field for field in event["fields"] if field["name"] == ENVELOPE[-1])
    (header,) = [record for record in _records(_schema("response")) if record["name"] == "Header"]
    assert header == extra["type"]["items"]


def test_they_are_loaded_from_where_the_package_is() -> None:
    schemas = load_action_schemas()
    assert [codec.name.rpartition(".")[2] for codec in schemas] == [
        *("ActionRequest", "ActionResponse", "ActionClaim"),
    ]
    assert load_action_catalogue().get("Ping") is not None


def test_a_missing_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr("connector.edges.schemas.directory", lambda: tmp_path)
    with pytest.raises(SchemaError, match=r"request\.avsc: cannot be read"):
        load_action_schemas()
    with pytest.raises(SchemaError, match=r"actions\.json: cannot be read"):
        load_action_catalogue()
