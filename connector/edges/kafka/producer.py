"""Records to Kafka: handed over from the event loop, and acknowledged in it.

What librdkafka tells of each record is counted in the batch it came with. The loop itself asks for it
(`poll`), after each batch and by a timer: a thread of its own would have to win the interpreter's lock
for every single record, against a loop that is busy, and was measured at a third of the rate.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer

from connector.edges.kafka.batch import Batch
from connector.edges.kafka.client import make, translated, why
from connector.edges.kafka.statistics import measured
from connector.errors import BrokerError
from connector.events.records.outcome import Publish, Refused
from connector.facts import BrokerTrouble, Fact, Report

_BUSY_S: Final = 0.005
"""Between two polls while records are in flight: no more than they linger before they are sent."""

_IDLE_S: Final = 0.1
"""Between two polls while none are, for what librdkafka says of its brokers."""


class Lane:
    """One producer, polled by the loop's timer; when the producer fails for good, so does this."""

    def __init__(self, config: Mapping[str, Any], report: Report, must_take: Collection[str]) -> None:
        self._must_take = must_take
        self._loop = asyncio.get_running_loop()
        self._report = report
        self._pending: set[Batch] = set()
        self._finished: list[Batch] = []
        self._polled = asyncio.Event()
        self._last_trouble: int | None = None
        self.failed: BrokerError | None = None
        self._producer: Producer = make(
            Producer, {**config, "error_cb": self._trouble, "stats_cb": self._measure}, self._tell
        )
        self._timer = self._loop.call_later(_IDLE_S, self._tick)

    async def put(self, batch: Sequence[Publish]) -> Awaitable[Sequence[Refused]]:
        """Hand over records in order; the inner awaitable ends when each is acknowledged or refused.

        Raises:
            BrokerError: the producer has failed for good (here, or in the inner awaitable).
        """
        if self.failed:
            raise self.failed
        handed = self._begin(batch)
        place = self._hand_over(handed, 0)
        while place < len(batch):
            await self._room()
            place = self._hand_over(handed, place)
        return handed.acknowledged

    def _begin(self, records: Sequence[Publish]) -> Batch:
        batch = Batch(records, self._loop.create_future(), self._finished)
        if records:
            self._pending.add(batch)
            self._hasten()
        else:
            batch.acknowledged.set_result([])
        return batch

    def _hand_over(self, batch: Batch, start: int) -> int:
        """Hand over records from place `start`; return the place of the first for which there was no room."""
        place = start
        produce: Callable[..., None] = self._producer.produce
        delivered = batch.delivered
        for place, (topic, key, value, headers, timestamp) in enumerate(batch.records[start:], start):
            try:
                produce(topic, value, key, -1, delivered, None, timestamp, headers)
            except BufferError:
                return place
            except KafkaException as error:
                delivered(error.args[0], place)
        self._poll()
        return len(batch.records)

    async def _room(self) -> None:
        """Wait until librdkafka's queue may have become shorter."""
        self._polled.clear()
        await self._polled.wait()
        if self.failed:
            raise self.failed

    def _hasten(self) -> None:
        if len(self._pending) == 1:
            self._timer.cancel()
            self._timer = self._loop.call_later(_BUSY_S, self._tick)

    def _tick(self) -> None:
        self._poll()
        self._polled.set()
        if not self.failed:
            self._timer = self._loop.call_later(_BUSY_S if self._pending else _IDLE_S, self._tick)

    def _poll(self) -> None:
        try:
            self._producer.poll(0)
        except KafkaException as error:
            # This is how librdkafka tells of a fatal error, beside its callback.
            self.fail(str(translated(error, "producing")))
            return
        finished = self._finished.copy()
        self._finished.clear()
        for batch in finished:
            reason = batch.settle(self._must_take)
            if reason:
                self.fail(reason)
                return
            self._pending.discard(batch)
            self._last_trouble = None

    def _trouble(self, error: KafkaError) -> None:
        if not error.fatal() and error.code() != self._last_trouble:
            self._last_trouble = error.code()
            self._tell(BrokerTrouble(why(error), fatal=False))

    def _measure(self, text: str) -> None:
        self._tell(measured(text))

    def _tell(self, fact: Fact) -> None:
        # What a producer says while it is closed comes from another thread, and is of no use.
        if not self.failed:
            self._report(fact)

    def fail(self, reason: str) -> None:
        """End for good: whoever waits goes back to what Kafka has acknowledged, and comes again."""
        if self.failed:
            return
        self.failed = BrokerError(reason)
        self._timer.cancel()
        for batch in self._pending:
            batch.fail(self.failed)
        self._polled.set()
        # In a thread, because it waits for librdkafka's own.
        self._loop.run_in_executor(None, self._end)

    def _end(self) -> None:
        self._producer.purge()
        self._producer.close()

    async def close(self, grace_s: float) -> int:
        """Wait for what is in flight, at most `grace_s` seconds; return how many records stayed behind."""
        try:
            async with asyncio.timeout(grace_s):
                while self._pending and not self.failed:
                    await self._room()
        except (TimeoutError, BrokerError):
            pass
        left = sum(batch.left for batch in self._pending)
        self.fail("closed before Kafka acknowledged")
        return left


class KafkaSink:
    """Where records go; made inside a running event loop.

    Args:
        config: a producer's options.
        report: takes facts, in the event loop.
        must_take: topics (the dead-letter topic) whose refusals are never the record's fault: there
            the batch fails, and the road goes back and tries again.

    Raises:
        SettingsError: librdkafka does not take an option.
    """

    def __init__(
        self, config: Mapping[str, Any], report: Report, must_take: Collection[str] = frozenset()
    ) -> None:
        self._config = config
        self._report = report
        self._must_take = must_take
        self._line = self._open()
        self._closed = False

    def _open(self) -> Lane:
        return Lane(self._config, self._report, self._must_take)

    def lane(self) -> Lane:
        """Return the way to Kafka as it is now; it ends with its producer, the next has a new one.

        Raises:
            BrokerError: the sink is closed.
        """
        if self._closed:
            raise BrokerError("the sink is closed")
        if self._line.failed:
            self._line = self._open()
        return self._line

    async def close(self, grace_s: float) -> int:
        """Wait for what is in flight, at most `grace_s` seconds; return how many records stayed behind."""
        self._closed = True
        return await self._line.close(grace_s)
