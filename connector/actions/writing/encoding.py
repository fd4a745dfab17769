"""Values as the bytes of records: Avro in Confluent's framing, or JSON with the same fields."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from connector.avro.codec import PREFIX_BYTES, schema_id_of, wire_prefix
from connector.avro.records import RecordCodec
from connector.errors import SchemaError


class ActionSchemas(NamedTuple):
    """The schemas of the road back, `schemas/actions/*.avsc`."""

    request: RecordCodec
    response: RecordCodec
    claim: RecordCodec


class Registered(NamedTuple):
    """What is known of the registry; nothing for JSON.

    Args:
        ids: of our schemas, by the name of their record.
        texts: schemas of whomever, by id, as far as they are known; may grow.
    """

    ids: Mapping[str, int] = MappingProxyType({})
    texts: Mapping[int, str] = MappingProxyType({})


class Encoding:
    """One record type in one form.

    Args:
        codec: its schema.
        schema_id: the registry's id of it; None: JSON.
    """

    def __init__(self, codec: RecordCodec, schema_id: int | None) -> None:
        self._codec = codec
        self._prefix = None if schema_id is None else wire_prefix(schema_id)
        self.content_type: Final = b"application/json" if schema_id is None else b"application/avro"
        self.record_type: Final = codec.name.encode()

    def encode(self, record: Mapping[str, Any]) -> bytes:
        """Return the value of a Kafka record; JSON has every field, in the schema's order."""
        body = self._codec.encode(record)
        if self._prefix is not None:
            return self._prefix + body
        return compact(self._codec.decode(body))

    def decode(self, value: bytes, texts: Mapping[int, str]) -> Mapping[str, Any]:
        """Read such a value; `texts` are the registry's schemas by id.

        Raises:
            SchemaError: it is none.
        """
        if self._prefix is not None:
            schema_id = schema_id_of(value)
            text = None if schema_id is None else texts.get(schema_id)
            if text is None:
                raise SchemaError("not in Confluent's framing, or its schema is not known")
            return self._codec.decode(value[PREFIX_BYTES:], text)
        try:
            record = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise SchemaError(f"not JSON: {type(error).__name__}") from error
        if not isinstance(record, dict):
            raise SchemaError("not an object")
        known = {name: record[name] for name in self._codec.fields if name in record}
        return self._codec.decode(self._codec.encode(known))


def compact(value: Any) -> bytes:
    """Return JSON without blanks, UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
