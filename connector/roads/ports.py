"""What the roads ask of the world; the edges fulfil it without knowing these names."""

from collections.abc import Awaitable, Sequence
from typing import Protocol

from connector.events.entry import Entry
from connector.events.outcome import GivenUp, Publish, Refused


class Journal(Protocol):
    """Holds entries from the time they are read until Kafka has acknowledged them."""

    def append(self, entries: Sequence[Entry]) -> Sequence[GivenUp]:
        """Take entries without waiting; at the limit, say what was let go for them."""
        ...

    async def read(self, after: int, limit: int) -> tuple[int, Sequence[Entry]]:
        """Return up to `limit` entries behind position `after`, and the last one's position.

        Waits until there is one. Positions grow in the order of appending, from 1.
        """
        ...

    def release(self, through: int) -> None:
        """Let go of everything up to and including position `through`."""
        ...


class Lane(Protocol):
    """A way to the sink that keeps the order: once something on it failed, nothing more goes that way."""

    async def put(self, batch: Sequence[Publish]) -> Awaitable[Sequence[Refused]]:
        """Hand over records in order.

        The outer await ends when there is room for all of them, the inner one when each is
        acknowledged or refused for good.

        Raises:
            BrokerError: this lane has failed for good; what was not acknowledged goes by another.
        """
        ...


class Sink(Protocol):
    """Where records go: Kafka, or JSON lines."""

    def lane(self) -> Lane:
        """Return a lane that has not failed.

        Raises:
            BrokerError: there is none any more.
        """
        ...


class SchemaIds(Protocol):
    """The registry's numbers for schemas."""

    async def schema_id(self, subject: str, schema_text: str) -> int:
        """Return the id under which `schema_text` is known for `subject`.

        Raises:
            RegistryError: the registry is away or refuses; the road tries again later.
        """
        ...


class Topics(Protocol):
    """Makes topics before their first record, where the settings say so."""

    async def ensure(self, topic: str) -> None:
        """Return when the topic is there, or is none of our business.

        Raises:
            BrokerError: it could not be made; the road tries again later.
        """
        ...
