"""Records that are values on both sides, by fastavro; for schemas of others, schema resolution.

A schema of others is as foreign as the bytes: what would let a few bytes take all memory, all time or
all of the stack is refused.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from io import BytesIO
from typing import Any, Final, cast

import fastavro
from fastavro.schema import SchemaParseException, UnknownType
from fastavro.types import Schema

from connector.errors import SchemaError

_TELLING: Final = (EOFError, UnicodeDecodeError, fastavro.read.SchemaResolutionError)
"""Errors of fastavro whose texts repeat no value."""


class RecordCodec:
    """One record's schema; times are numbers.

    Args:
        text: the schema as JSON.
        where: names it in errors.

    Raises:
        SchemaError: it is no schema of a record.
    """

    def __init__(self, text: str, where: str = "schema") -> None:
        try:
            self._schema = _parsed(text)
        except SchemaError as error:
            raise SchemaError(f"{where}: {error}") from error
        if not isinstance(self._schema, dict) or self._schema.get("type") != "record":
            raise SchemaError(f"{where}: not a record's schema")
        self.text: Final = text
        self.name: Final = str(self._schema["name"])
        self.fields: Final = tuple(field["name"] for field in self._schema["fields"])

    def encode(self, record: Mapping[str, Any]) -> bytes:
        """Return a record as Avro, without prefix; what it leaves out has the schema's default.

        Raises:
            SchemaError: it has a field too many, or a value is not of its type.
        """
        buffer = BytesIO()
        try:
            fastavro.schemaless_writer(buffer, self._schema, dict(record), strict_allow_default=True)
        except (ValueError, TypeError, KeyError, OverflowError, AttributeError) as error:
            raise SchemaError(f"{self.name}: {type(error).__name__}: {error}") from error
        return buffer.getvalue()

    def decode(self, body: bytes, writer_text: str = "") -> dict[str, Any]:
        """Read a record that was written with another schema (default: this one), as one of this schema.

        Raises:
            SchemaError: the bytes are none, or the schemas do not fit; no value is repeated.
        """
        stream = BytesIO(body)
        try:
            writer = _parsed(writer_text) if writer_text else self._schema
            record = fastavro.schemaless_reader(stream, writer, self._schema if writer_text else None)
        except SchemaError:
            raise
        except Exception as error:  # fastavro raises whatever its parts raise on foreign bytes
            what = f": {error}"[:200] if isinstance(error, _TELLING) else ""
            raise SchemaError(f"not a record of its schema: {type(error).__name__}{what}") from error
        if rest := len(body) - stream.tell():
            raise SchemaError(f"not a record of its schema: {rest} bytes are left over")
        return cast("dict[str, Any]", record)


@lru_cache(maxsize=256)
def _parsed(text: str) -> Schema:
    names: dict[str, Any] = {}
    try:
        schema = fastavro.parse_schema(_plain(json.loads(text)), named_schemas=names)
        _least(schema, names, {})
    except (SchemaParseException, UnknownType, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise SchemaError(f"not an Avro schema: {type(error).__name__}") from error
    except ValueError as error:
        raise SchemaError(f"not an Avro schema: {error}"[:200]) from error
    return schema


def _plain(node: Any) -> Any:
    """Take off logical types, so that times stay numbers and no value is computed."""
    if isinstance(node, dict):
        return {key: _plain(value) for key, value in node.items() if key != "logicalType"}
    return [_plain(item) for item in node] if isinstance(node, list) else node


def _least(node: Any, names: Mapping[str, Any], known: dict[str, int | None]) -> int:
    """Return how many bytes a value takes at least.

    Raises:
        SchemaError: a record holds itself, or an array has items that take none.
    """
    if isinstance(node, list):
        for branch in node:
            _least(branch, names, known)
        return 1
    if isinstance(node, str):
        return _least_named(node, names, known) if node in names else int(node != "null")
    kind = node["type"]
    if kind in ("record", "error"):
        return _least_named(node["name"], names, known)
    if kind == "array" and not _least(node["items"], names, known):
        raise SchemaError("not a schema to read by: an array's items take no bytes")
    if kind == "map":
        _least(node["values"], names, known)
    if kind == "fixed":
        return int(node["size"])
    return 1 if kind in ("array", "map", "enum") else _least(kind, names, known)


def _least_named(name: str, names: Mapping[str, Any], known: dict[str, int | None]) -> int:
    if name in known:
        size = known[name]
        if size is None:
            raise SchemaError("not a schema to read by: a record holds itself")
        return size
    node = names[name]
    if node["type"] not in ("record", "error"):
        return _least({**node, "name": ""}, names, known)
    known[name] = None
    size = known[name] = sum(_least(field["type"], names, known) for field in node["fields"])
    return size
