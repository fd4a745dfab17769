"""Records handed over together, and what has become of them.

Where a later batch was taken, librdkafka calls delivered what the broker had refused before it, for a broker
that knows a producer takes nothing out of turn. One that does not know it takes whatever comes first
(KAFKA-15591, up to 4.4): at a new partition, or one where this producer has long been idle, whose leader is not
yet ready for a batch and is ready for the next. Nothing but the offset tells such records: they have none.
"""

import asyncio
from collections.abc import Collection, Sequence
from typing import Final

from confluent_kafka import KafkaError, Message

from connector.edges.kafka.client import ends_producer, why
from connector.errors import BrokerError
from connector.events.records.outcome import Publish, Refused

UNPROVEN: Final = "Kafka took later records, and did not say that it has these: they are sent again"


class Batch:
    """Records handed over together, and what has become of them."""

    __slots__ = ("_errors", "_finished", "_proven", "acknowledged", "left", "records")

    def __init__(
        self,
        records: Sequence[Publish],
        acknowledged: asyncio.Future[Sequence[Refused]],
        finished: list["Batch"],
    ) -> None:
        self.records = records
        self.acknowledged = acknowledged
        self.left = len(records)
        self._errors: list[tuple[KafkaError, Message | int]] = []
        self._finished = finished
        self._proven = True

    def delivered(self, error: KafkaError | None, message: Message | int) -> None:
        """Count one record; `message` may be its place, where that is known."""
        self.left -= 1
        if error is not None:
            self._errors.append((error, message))
        elif isinstance(message, int) or message.offset() is None:
            self._proven = False
        if not self.left:
            self._finished.append(self)

    def settle(self, must_take: Collection[str]) -> str | None:
        """Tell whoever waits; return why the producer must end, None where it need not."""
        for error, _ in self._errors:
            if ends_producer(error):
                return why(error)
        if not self._proven:
            return UNPROVEN
        if self.acknowledged.done():
            return None
        refused = self._refused()
        for place, reason in refused:
            if self.records[place].topic in must_take:
                self.fail(BrokerError(reason))
                return None
        self.acknowledged.set_result(refused)
        return None

    def fail(self, error: BrokerError) -> None:
        """Send whoever waits back to what was acknowledged."""
        if not self.acknowledged.done():
            self.acknowledged.set_exception(error)
            # Of many batches that fail together only the first need be awaited.
            self.acknowledged.exception()

    def _refused(self) -> list[Refused]:
        places: set[int] = set()
        refused = []
        for error, message in self._errors:
            place = message if isinstance(message, int) else self._find(message, places)
            places.add(place)
            refused.append(Refused(place, why(error, self.records[place].topic)))
        return sorted(refused)

    def _find(self, message: Message, taken: Collection[int]) -> int:
        """Find a record by its content; of equal ones any does, since a refusal is for the content."""
        wanted = (message.topic(), message.key() or b"", message.value() or b"")
        return next(
            place
            for place, (topic, key, value, *_) in enumerate(self.records)
            if (topic, key or b"", value) == wanted and place not in taken
        )
