"""Records outside the hot path: the wire prefix, decoding, and the one JSON rendering."""

import json
from functools import lru_cache
from io import BytesIO
from typing import Any, Final

import fastavro
from fastavro.types import Schema

from connector.avro.schema import EventSchema
from connector.errors import SchemaError

MAGIC: Final = b"\x00"
PREFIX_BYTES: Final = 5


def wire_prefix(schema_id: int) -> bytes:
    """Return Confluent's prefix: a zero byte and the schema's id in four bytes, big-endian."""
    return MAGIC + schema_id.to_bytes(4, "big")


def schema_id_of(value: bytes) -> int | None:
    """Return the schema id that a value begins with, None where it has no such prefix."""
    if len(value) < PREFIX_BYTES or value[:1] != MAGIC:
        return None
    return int.from_bytes(value[1:PREFIX_BYTES], "big")


def decode(schema_text: str, body: bytes) -> dict[str, Any]:
    """Decode a record without prefix; times stay numbers.

    Raises:
        SchemaError: the bytes are not a record of this schema.
    """
    try:
        record = fastavro.schemaless_reader(BytesIO(body), _without_logical_types(schema_text), None)
    except Exception as error:  # fastavro raises whatever its parts raise on foreign bytes
        raise SchemaError(f"not a record of its schema: {type(error).__name__}: {error}") from error
    if not isinstance(record, dict):
        raise SchemaError(f"a {type(record).__name__} where a record was expected")
    return record


@lru_cache(maxsize=1024)
def _without_logical_types(text: str) -> Schema:
    def strip(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: strip(value) for key, value in node.items() if key != "logicalType"}
        return [strip(item) for item in node] if isinstance(node, list) else node

    return fastavro.parse_schema(strip(json.loads(text)), named_schemas={})


def to_json(schema: EventSchema, body: bytes) -> bytes:
    """Render a record as compact JSON, UTF-8, fields in the schema's order; times are numbers."""
    return json.dumps(decode(schema.text, body), ensure_ascii=False, separators=(",", ":")).encode()
