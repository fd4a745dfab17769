"""What stands in for a registry and for Kafka's administration where there is neither."""

import asyncio
from collections.abc import Iterable
from typing import Final

from connector.demo.broker import EmbeddedBroker

_PARTITIONS: Final = 1
"""Partitions of an embedded topic: each may keep some megabytes in this process."""


class LocalIds:
    """Schema ids of this process alone: numbers in the order of asking, and the text behind each."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._ids: dict[str, int] = {}

    async def schema_id(self, subject: str, schema_text: str) -> int:  # noqa: ARG002 (a registry would ask)
        """Return the id of a schema, a new one the first time."""
        if schema_text not in self._ids:
            self._texts.append(schema_text)
            self._ids[schema_text] = len(self._texts)
        return self._ids[schema_text]

    async def schema_text(self, schema_id: int) -> str | None:
        """Return the schema that has an id; None where none has."""
        return self._texts[schema_id - 1] if 1 <= schema_id <= len(self._texts) else None


class NoTopics:
    """Makes no topics, where records go elsewhere."""

    async def ensure(self, topic: str) -> None:
        """Return at once."""


class EmbeddedTopics:
    """Makes topics in the embedded broker, which does not take requests to do so."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        self._broker = broker
        self._made: set[str] = set()

    async def ensure(self, topic: str) -> None:
        """Make a topic, unless it is there."""
        await self.make([topic])

    async def make(self, topics: Iterable[str]) -> None:
        """Make topics, unless they are there."""
        new = [topic for topic in topics if topic not in self._made]
        await asyncio.to_thread(self._create, new)
        self._made.update(new)

    def _create(self, topics: Iterable[str]) -> None:
        for topic in topics:
            self._broker.create_topic(topic, _PARTITIONS)
