"""Records to Kafka: handed over from the event loop, acknowledged through one thread that polls.

What librdkafka tells of each record is counted in the batch it came with, by that thread alone; the
event loop hears of a batch when it is whole.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer

from connector.edges.kafka.batch import Batch
from connector.edges.kafka.client import make, why
from connector.errors import BrokerError
from connector.events.outcome import Publish, Refused
from connector.facts import BrokerTrouble, Report

_POLL_S: Final = 0.1


class _Line:
    """One producer with the thread that polls it; when the producer fails for good, so does this."""

    def __init__(self, config: Mapping[str, Any], report: Report, must_take: Collection[str]) -> None:
        self._must_take = must_take
        self._loop = asyncio.get_running_loop()
        self._report = report
        self._pending: set[Batch] = set()
        self._finished: list[Batch] = []
        self._local: deque[tuple[Batch, KafkaError, int]] = deque()
        self._crowded = False
        self._room = asyncio.Event()
        self._last_trouble: int | None = None
        self._grace_s: float | None = None
        self.failed: BrokerError | None = None
        self._producer: Producer = make(Producer, {**config, "error_cb": self._trouble}, self._tell)
        self._thread = threading.Thread(target=self._run, name="deliveries", daemon=True)
        self._thread.start()

    def begin(self, records: Sequence[Publish]) -> Batch:
        """Return a batch that is not yet handed over."""
        batch = Batch(records, self._loop.create_future(), self._finished)
        if records:
            self._pending.add(batch)
        else:
            batch.acknowledged.set_result([])
        return batch

    def hand_over(self, batch: Batch, start: int) -> int:
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
                self._local.append((batch, error.args[0], place))
        return len(batch.records)

    async def room(self) -> None:
        """Wait until librdkafka's queue has become shorter.

        Raises:
            BrokerError: the producer has failed for good.
        """
        self._room.clear()
        self._crowded = True
        await self._room.wait()
        if self.failed:
            raise self.failed

    def _run(self) -> None:
        while self._grace_s is None:
            self._producer.poll(_POLL_S)
            self._hand_back()
        self._producer.flush(self._grace_s)
        self._hand_back()
        self._producer.purge()
        # Here and not in the event loop: it waits for librdkafka's threads.
        self._producer.close()

    def _hand_back(self) -> None:
        while self._local:
            batch, error, place = self._local.popleft()
            batch.delivered(error, place)
        if self._finished or self._crowded:
            self._crowded = False
            self._soon(self._settle, self._finished.copy())
            self._finished.clear()

    def _soon(self, call: Any, *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:
            # The loop is closed: nobody is left to be told.
            self._grace_s = 0

    def _settle(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            reason = batch.settle(self._must_take)
            if reason:
                self.fail(reason)
                return
            self._pending.discard(batch)
            self._last_trouble = None
        self._room.set()

    def _trouble(self, error: KafkaError) -> None:
        if error.fatal():
            self._soon(self.fail, why(error))
        elif error.code() != self._last_trouble:
            self._last_trouble = error.code()
            self._tell(BrokerTrouble(why(error), fatal=False))

    def _tell(self, fact: Any) -> None:
        self._soon(self._report, fact)

    def fail(self, reason: str) -> None:
        """End for good: whoever waits goes back to what Kafka has acknowledged, and comes again."""
        if self.failed:
            return
        self.failed = BrokerError(reason)
        self._grace_s = 0
        for batch in self._pending:
            batch.fail(self.failed)
        self._room.set()

    async def close(self, grace_s: float) -> int:
        """Wait for what is in flight, at most `grace_s` seconds; return how many records stayed behind."""
        self._grace_s = grace_s
        await asyncio.to_thread(self._thread.join)
        # What the thread handed over last is settled by the loop's next round.
        await asyncio.sleep(0)
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

    def _open(self) -> _Line:
        return _Line(self._config, self._report, self._must_take)

    async def put(self, batch: Sequence[Publish]) -> Awaitable[Sequence[Refused]]:
        """Hand over records in order; the inner awaitable ends when each is acknowledged or refused.

        Raises:
            BrokerError: the producer has failed for good (here, or in the inner awaitable); the next
                call makes a new one.
        """
        if self._closed:
            raise BrokerError("the sink is closed")
        if self._line.failed:
            self._line = self._open()
        line = self._line
        handed = line.begin(batch)
        place = line.hand_over(handed, 0)
        while place < len(batch):
            await line.room()
            place = line.hand_over(handed, place)
        return handed.acknowledged

    async def close(self, grace_s: float) -> int:
        """Wait for what is in flight, at most `grace_s` seconds; return how many records stayed behind."""
        self._closed = True
        return await self._line.close(grace_s)
