"""What the roads ask of the world; the edges fulfil it without knowing these names."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

from connector.actions.record import Commit, Notice, Place, Settled
from connector.ami.action import AmiAction
from connector.ami.reach import Result
from connector.events.entry import Entry
from connector.events.gaps.losses import GivenUp
from connector.events.records.outcome import Publish, Refused


class Journal(Protocol):
    """Holds entries from the time they are read until Kafka has acknowledged them."""

    def append(self, entries: Sequence[Entry]) -> Sequence[GivenUp]:
        """Take entries without waiting; at the limit, say what was let go for them."""
        ...

    async def read(self, after: int, limit: int) -> tuple[int, Sequence[Entry]]:
        """Return up to `limit` entries behind position `after`, and the last one's position.

        Waits until there is one. Positions grow in the order of appending, from 1. What is returned
        may not go anywhere before it is `kept`.
        """
        ...

    async def kept(self, through: int) -> None:
        """Wait until everything up to and including position `through` is as safe as this journal makes it."""
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


class Requests(Protocol):
    """The request topics, and the transactions in which requests are answered."""

    async def take(self) -> Sequence[Notice]:
        """Wait for what happens next: one notice at least, in the order in which it happened.

        Raises:
            BrokerError: nothing will come any more.
        """
        ...

    async def commit(self, work: Commit) -> Settled:
        """Make the work visible in one transaction; one call at a time.

        Whatever the answer, it is certain: where Kafka did not tell how a transaction ended, this
        finds out before it returns.

        Raises:
            BrokerError: no transaction will be possible any more.
        """
        ...

    def owns(self, place: Place) -> bool:
        """Say at once whether a partition is still ours, as far as can be known here; so it is while it is revoked."""
        ...

    def pause(self, places: Iterable[Place]) -> None:
        """Take nothing more from these partitions until `resume`."""
        ...

    def resume(self, places: Iterable[Place]) -> None:
        """Take from these partitions again."""
        ...

    def released(self, places: Iterable[Place]) -> None:
        """Let these partitions go, which were told as `Revoking`: nothing of them is in flight any more."""
        ...


class Executor(Protocol):
    """The sessions for actions at one PBX."""

    async def execute(self, action: AmiAction, look: Callable[[], bool], timeout_s: float) -> Result:
        """Send an action and wait for its whole answer, `timeout_s` seconds at most.

        `look` is asked once, right before the first byte is written; where it says no, nothing is
        written (NOT_SENT). The executor gives the ActionID. No fault of the PBX raises.

        Raises:
            ActionError: the action must not go on the wire; nothing was written.
        """
        ...


class WriterSchemas(Protocol):
    """The texts of the schemas with which others wrote."""

    async def schema_text(self, schema_id: int) -> str | None:
        """Return the schema's text; None where the registry has none with this id.

        Raises:
            RegistryError: the registry is away or refuses; the road tries again later.
        """
        ...
