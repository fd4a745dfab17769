"""From the journal to Kafka: read, translate, hand over what is kept, and release what is acknowledged.

    journal --read--> translated --kept, put--> sent --acknowledged--> released

Entries are translated while the journal still writes them: later they are in none of the processor's
caches, which costs more than the writing does. Nothing goes to Kafka before it is on disk.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping, Sequence
from operator import itemgetter
from typing import Any, Final, NamedTuple

from connector.errors import BrokerError, RegistryError
from connector.events.entry import Entry
from connector.events.records.outcome import NeedsSchema, Outcome, Publish, Quarantine, Refused
from connector.events.records.translate import Translator
from connector.facts import (
    BrokerTrouble,
    EventQuarantined,
    EventsLost,
    EventsPublished,
    RecordRefused,
    RegistryTrouble,
    Report,
)
from connector.roads.ports import Journal, Lane, SchemaIds, Sink, Topics

BATCH: Final = 1024
"""Entries translated without a break: the longest that a read from a PBX waits, some 20 ms.

More than one read brings (256 KiB, about 600 events), lest reading outrun delivery: a backlog of
parsed frames no longer fits the processor's caches, and costs a third of the rate.
"""

AHEAD: Final = 4
"""Batches translated and not yet kept: about what is read while the disk takes one group."""

IN_FLIGHT: Final = 512
"""Batches handed over and not yet acknowledged; small ones, mostly: the producer's own queue is the bound."""

RETRY_S: Final = 1.0

_TOPIC: Final = itemgetter(0)

Sleep = Callable[[float], Coroutine[Any, Any, None]]


class _Batch(NamedTuple):
    """Records of entries, of which the last has position `through`, and how many go to which topic."""

    through: int
    entries: Sequence[Entry]
    records: Sequence[Publish]
    counts: Counter[str]


class _Sent(NamedTuple):
    batch: _Batch
    acknowledged: Awaitable[Sequence[Refused]]


class Ends(NamedTuple):
    """What delivery leads to: the sink, the registry's ids (cached by subject), and the topics."""

    sink: Sink
    registry: SchemaIds
    schema_ids: MutableMapping[str, int]
    topics: Topics


class Delivery:
    """One journal's way to Kafka.

    A batch is released when it and all before it are acknowledged. When the producer fails for good,
    everything since the last release is translated and handed over again: same ids, same order.
    """

    def __init__(
        self,
        journal: Journal,
        translator: Translator,
        ends: Ends,
        report: Report,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._journal = journal
        self._translator = translator
        self._ends = ends
        self._report = report
        self._sleep = sleep
        self._released = 0
        self._known_topics: set[str] = set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            try:
                await self._deliver(self._ends.sink.lane())
            except* BrokerError as errors:
                for error in errors.exceptions:
                    self._report(BrokerTrouble(str(error), fatal=True))
            await self._sleep(RETRY_S)

    async def _deliver(self, lane: Lane) -> None:
        translated: asyncio.Queue[_Batch] = asyncio.Queue(AHEAD)
        sent: asyncio.Queue[_Sent] = asyncio.Queue(IN_FLIGHT)
        async with asyncio.TaskGroup() as stages:
            stages.create_task(self._translate(translated))
            stages.create_task(self._send(lane, translated, sent))
            stages.create_task(self._settle(lane, sent))

    async def _translate(self, translated: asyncio.Queue[_Batch]) -> None:
        position = self._released
        while True:
            position, entries = await self._journal.read(position, BATCH)
            records = await self._records(entries)
            # Counted now, while the processor has them in its caches.
            await translated.put(_Batch(position, entries, records, Counter(map(_TOPIC, records))))
            # The journal may always have more: without a break the PBXs would not be read.
            await asyncio.sleep(0)

    async def _send(self, lane: Lane, translated: asyncio.Queue[_Batch], sent: asyncio.Queue[_Sent]) -> None:
        while True:
            batch = await translated.get()
            await self._journal.kept(batch.through)
            await sent.put(_Sent(batch, await lane.put(batch.records)))

    async def _records(self, entries: Sequence[Entry]) -> list[Publish]:
        translate, known = self._outcome, self._known_topics
        records: list[Publish] = []
        for entry in entries:
            outcome = translate(entry)
            if not isinstance(outcome, Publish) or outcome.topic not in known:
                outcome = await self._prepare(entry, outcome)
            records.append(outcome)
        return records

    def _outcome(self, entry: Entry) -> Outcome:
        try:
            return self._translator.translate(entry)
        except Exception as error:  # noqa: BLE001 (one event would stop the road, and again after each start)
            return self._translator.unforeseen(entry, error)

    async def _prepare(self, entry: Entry, outcome: Outcome) -> Publish:
        """Do what a record needs the first time: its schema's id, its topic; report a dead letter."""
        while isinstance(outcome, NeedsSchema):
            await self._learn(outcome)
            outcome = self._outcome(entry)
        if isinstance(outcome, Quarantine):
            self._report(EventQuarantined(entry.source.pbx, outcome.event, outcome.reason, outcome.detail))
            outcome = outcome.publish
        if outcome.topic not in self._known_topics:
            await self._ends.topics.ensure(outcome.topic)
            self._known_topics.add(outcome.topic)
        return outcome

    async def _learn(self, need: NeedsSchema) -> None:
        try:
            number = await self._ends.registry.schema_id(need.subject, need.schema.text)
        except RegistryError as error:
            self._report(RegistryTrouble(need.subject, str(error), RETRY_S))
            await self._sleep(RETRY_S)
        else:
            self._ends.schema_ids[need.subject] = number

    async def _settle(self, lane: Lane, sent: asyncio.Queue[_Sent]) -> None:
        while True:
            batch, acknowledged = await sent.get()
            refused = await acknowledged
            if refused:
                await self._bury(lane, batch, refused)
            self._journal.release(batch.through)
            self._released = batch.through
            for place, _ in refused:
                batch.counts[batch.records[place].topic] -= 1
            self._report(EventsPublished(batch.counts, batch.entries[0].received_us))

    async def _bury(self, lane: Lane, batch: _Batch, refused: Sequence[Refused]) -> None:
        """Send what the broker will never take to the dead-letter topic; what even that refuses is lost, and said so."""
        letters = []
        for place, reason in refused:
            entry, record = batch.entries[place], batch.records[place]
            self._report(RecordRefused(record.topic, reason))
            letters.append(await self._prepare(entry, self._translator.refused(entry, reason)))
        for place, reason in await (await lane.put(letters)):
            entry = batch.entries[refused[place].place]
            self._report(EventsLost(entry.source.pbx, entry.sequence, entry.sequence, 1, reason))
