"""Following topics: records as they come, polled in one thread."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Literal, NamedTuple, Self, TypeVar

from confluent_kafka import (
    OFFSET_BEGINNING,
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from connector.edges.kafka.client import VAGUE, Config, make, report_to, translated, why
from connector.errors import BrokerError
from connector.facts import BrokerTrouble, Fact, Report

Answer = TypeVar("Answer")

_POLL_S: Final = 0.1
_AT_ONCE: Final = 500
_LOOK_AGAIN_S: Final = 5.0
_TAIL_BASE: Final = -2000
"""librdkafka's logical offsets: so many records before the end are this number less so many."""

_HOPELESS: Final = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001 (its public name)
        KafkaError._AUTHENTICATION,  # noqa: SLF001 (its public name)
    }
)


class Record(NamedTuple):
    """One record as it was read; `timestamp_ms` is -1 where the broker gave none."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]
    timestamp_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be followed.

    `topics` are names, or regular expressions that begin with `^` and also find topics that come
    later. `start` is the first record, what comes from now on, or a number: the offset to begin at,
    or negative, so many records of each partition before its end. `to_end` stops at the end as it was at
    the beginning. Without `later` partitions that come later are not looked for, and brokers that go away are waited for.
    """

    topics: Collection[str]
    start: Literal["beginning", "end"] | int = "end"
    to_end: bool = False
    later: bool = True


class KafkaReader:
    """Follows topics without a group: nothing is committed, nobody else's reading is disturbed.

    Used as `async with` and, inside, `async for`, which yields records as they come, some hundreds
    at once, in order for each partition. Both raise BrokerError where the brokers do not answer, a
    topic is not there or may not be read. It says what librdkafka met; that is reported only where
    brokers have answered.

    Args:
        config: a consumer's options.
        wanted: what is to be followed.
        deadline_s: how long the brokers may take to answer, in seconds.
        report: takes facts, in the event loop.
    """

    def __init__(self, config: Config, wanted: Wanted, deadline_s: float, report: Report) -> None:
        self._config = {**config, "enable.partition.eof": wanted.to_end}
        self._wanted = wanted
        self._deadline_s = deadline_s
        self._report = report
        # One thread: closing must not overtake a poll.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="reader")
        self._unfinished: set[tuple[str, int]] = set()
        self._known: set[tuple[str, int]] = set()
        self._ends: dict[tuple[str, int], int] = {}
        self._look_again = 0.0
        self._begun = False
        self._held: list[Fact] = []
        self._trouble = ""

    @property
    def trouble(self) -> str:
        """What was last met on the way to the brokers, and what to do; "" where records came since."""
        return self._trouble

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        tell = report_to(loop, self._tell)

        def met(error: KafkaError) -> None:
            # That all are down says less than how the last was lost.
            if error.code() != KafkaError._ALL_BROKERS_DOWN or not self._trouble:  # noqa: SLF001 (its public name)
                self._trouble = why(error)
            tell(BrokerTrouble(why(error), fatal=False))

        self._consumer: Consumer = make(Consumer, {**self._config, "error_cb": met}, tell)
        try:
            await self._there(self._begin)
        except BaseException:
            await self._close()
            raise
        self._begun = True
        for fact in self._held:
            self._report(fact)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def __aiter__(self) -> AsyncIterator[Sequence[Record]]:
        """Yield records as they come."""
        while not self._wanted.to_end or self._unfinished:
            records = await self._there(self._poll)
            if records:
                yield records

    def _tell(self, fact: Fact) -> None:
        if self._begun:
            self._report(fact)
        else:
            self._held.append(fact)

    async def _there(self, call: Callable[[], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    async def _close(self) -> None:
        self._begun = False
        await asyncio.shield(self._there(self._consumer.close))
        self._thread.shutdown(wait=False)

    def _begin(self) -> None:
        found = self._look()
        self._unfinished = {(each.topic, each.partition) for each in found}
        if self._wanted.to_end:
            self._ends = {(each.topic, each.partition): self._end(each) for each in found}
        self._consumer.assign(found)

    def _look(self, *, later: bool = False) -> list[TopicPartition]:
        """Return the partitions that are not followed yet, each with the offset to begin at."""
        self._look_again = time.monotonic() + _LOOK_AGAIN_S
        try:
            topics = self._consumer.list_topics(timeout=self._deadline_s).topics
            new = [
                TopicPartition(name, partition)
                for name in self._chosen(topics, later=later)
                for partition in topics[name].partitions
                if (name, partition) not in self._known
            ]
            for each in new:
                self._known.add((each.topic, each.partition))
                each.offset = OFFSET_BEGINNING if later else self._offset(each)
        except KafkaException as error:
            raise self._unreached(error) from error
        return new

    def _unreached(self, error: KafkaException) -> BrokerError:
        where = f"Kafka at {self._config['bootstrap.servers']}"
        if error.args[0].code() in VAGUE:
            # Why, librdkafka tells whoever polls.
            self._consumer.poll(0)
            if self._trouble:
                return BrokerError(f"{where}: {self._trouble}")
        return translated(error, where)

    def _chosen(self, present: Collection[str], *, later: bool) -> list[str]:
        chosen = set()
        for wanted in self._wanted.topics:
            matching = re.compile(wanted) if wanted.startswith("^") else None
            found = [name for name in present if matching.search(name)] if matching else [wanted]
            if not matching and wanted not in present:
                if later:
                    continue
                raise BrokerError(f"there is no topic {wanted}, or no right (Describe) to see it")
            chosen.update(found)
        return sorted(chosen)

    def _offset(self, partition: TopicPartition) -> int:
        start = self._wanted.start
        if start == "beginning":
            return OFFSET_BEGINNING
        if start == "end":
            # A logical end is looked up late: what comes in between would be missed.
            return self._end(partition)
        return int(start) if int(start) >= 0 else _TAIL_BASE + int(start)

    def _end(self, partition: TopicPartition) -> int:
        try:
            _, end = self._consumer.get_watermark_offsets(partition, timeout=self._deadline_s)
        except KafkaException as error:
            raise self._unreached(error) from error
        return end

    def _poll(self) -> list[Record]:
        if self._wanted.later and not self._wanted.to_end and time.monotonic() > self._look_again:
            new = self._look(later=True)
            if new:
                self._consumer.incremental_assign(new)
        first = self._consumer.poll(_POLL_S)
        messages = [first, *self._consumer.consume(_AT_ONCE, 0)] if first else []
        records = [record for message in messages if (record := self._record(message))]
        return self._up_to_ends(records) if self._wanted.to_end else records

    def _up_to_ends(self, records: Sequence[Record]) -> list[Record]:
        """Leave out what came after the beginning; a partition is read when its last record or a later one is."""
        wanted = []
        for record in records:
            place = record.topic, record.partition
            end = self._ends[place]
            if record.offset < end:
                wanted.append(record)
            if record.offset + 1 >= end:
                self._unfinished.discard(place)
        return wanted

    def _record(self, message: Message) -> Record | None:
        error = message.error()
        topic, partition = message.topic() or "", message.partition() or 0
        if error is None:
            self._trouble = ""
            pairs: Any = message.headers() or ()
            kind, time_ms = message.timestamp()
            return Record(
                topic,
                partition,
                message.offset() or 0,
                message.key(),
                message.value(),
                list(pairs),
                time_ms if kind != TIMESTAMP_NOT_AVAILABLE else -1,
            )
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 (its public name)
            self._unfinished.discard((topic, partition))
        elif error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
            # librdkafka looks for the group's coordinator all the same; nothing here asks it for anything.
            return None
        elif error.fatal() or error.code() in _HOPELESS:
            raise BrokerError(why(error, f"reading topic {topic}"))
        return None
