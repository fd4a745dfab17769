"""Records as read from Kafka, made readable: by the registry's schema, by ours, as JSON, as text."""

import json
from typing import Any, Protocol

from connector.avro.codec import PREFIX_BYTES, decode, schema_id_of
from connector.avro.schema import SchemaSet
from connector.edges.jsonlines import readable
from connector.edges.kafka.reader import Record
from connector.errors import RegistryError, SchemaError


class Texts(Protocol):
    """Knows the schema behind an id."""

    async def schema_text(self, schema_id: int) -> str | None:
        """Return it; None where there is none.

        Raises:
            RegistryError: it cannot be had.
        """
        ...


class Decoder:
    """Decodes values.

    Args:
        schemas: ours, for records whose schema id nobody can tell.
        registry: knows schemas by their id; None: there is none.
    """

    def __init__(self, schemas: SchemaSet, registry: Texts | None) -> None:
        every = [*schemas, schemas.unknown, schemas.connector]
        self._ours: dict[str, str] = {schema.full_name: schema.text for schema in every}
        self._registry = registry
        self._known: dict[int, str] = {}

    async def whole(self, record: Record) -> dict[str, Any]:
        """Return a record as a JSON object: topic, partition, offset, key, headers, value."""
        return {
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "key": None if record.key is None else record.key.decode("utf-8", "replace"),
            "headers": {name: (value or b"").decode("utf-8", "replace") for name, value in record.headers},
            "value": await self.value(record),
        }

    async def value(self, record: Record) -> Any:
        """Return a record's value: a decoded record, other JSON, text, or `{"base64": ...}`; never fails."""
        raw = record.value
        if raw is None:
            return None
        schema_id = schema_id_of(raw)
        if schema_id is not None:
            try:
                return decode(await self._text(schema_id, record), raw[PREFIX_BYTES:])
            except (SchemaError, RegistryError):
                return readable(raw)
        try:
            return json.loads(raw)
        except ValueError:
            return readable(raw)

    async def _text(self, schema_id: int, record: Record) -> str:
        if schema_id not in self._known:
            if self._registry is None:
                name = (dict(record.headers).get("ce_type") or b"").decode()
                if name not in self._ours:
                    raise SchemaError(f"no schema of ours is called {name!r}")
                return self._ours[name]
            text = await self._registry.schema_text(schema_id)
            if text is None:
                raise SchemaError(f"the registry has no schema with the id {schema_id}")
            self._known[schema_id] = text
        return self._known[schema_id]
