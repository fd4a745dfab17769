"""Avro schemas as the JSON schemas of the same records in JSON: every field is there, times are numbers."""

from collections.abc import Mapping
from typing import Any, Final

JsonSchema = dict[str, Any]

_PRIMITIVE: Final = {
    "null": "null",
    "boolean": "boolean",
    "int": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "string": "string",
    "bytes": "string",
}


def json_schema(avro: Any) -> JsonSchema:
    """Return the JSON schema of an Avro schema; a type that is named again is described again."""
    return _schema(avro, {})


def _schema(avro: Any, known: dict[str, Any]) -> JsonSchema:
    if isinstance(avro, list):
        return _union([_schema(each, known) for each in avro])
    if isinstance(avro, str):
        return {"type": _PRIMITIVE[avro]} if avro in _PRIMITIVE else _schema(known[avro], known)
    match avro["type"]:
        case "record":
            space = avro.get("namespace", "")
            known[f"{space}.{avro['name']}" if space else avro["name"]] = avro
            return _record(avro, known)
        case "array":
            return {"type": "array", "items": _schema(avro["items"], known)}
        case "map":
            return {"type": "object", "additionalProperties": _schema(avro["values"], known)}
        case inner:
            return _logical(avro) | _schema(inner, known)


def _logical(avro: Mapping[str, Any]) -> JsonSchema:
    return {"description": avro["logicalType"]} if "logicalType" in avro else {}


def _record(avro: Mapping[str, Any], known: dict[str, Any]) -> JsonSchema:
    fields = {field["name"]: _field(field, known) for field in avro["fields"]}
    return {"type": "object", "properties": fields, "required": [*fields]}


def _field(field: Mapping[str, Any], known: dict[str, Any]) -> JsonSchema:
    schema = _schema(field["type"], known)
    return {**schema, "description": field["doc"]} if "doc" in field else schema


def _union(branches: list[JsonSchema]) -> JsonSchema:
    plain = [branch["type"] for branch in branches if branch.keys() <= {"type", "description"}]
    return {"type": plain} if len(plain) == len(branches) else {"oneOf": branches}
