"""The dead-letter topic: reading it, and sending what is in it down the events' road once more."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, NamedTuple

from connector.ami.message import event_name, kind_of
from connector.app.local import LocalIds
from connector.app.parts import open_kafka, open_reader, read_schemas
from connector.avro.normalise import Normaliser
from connector.avro.schema import SchemaSet
from connector.dead_letters import Cause, cause_of
from connector.edges.kafka.reader import Record, Wanted
from connector.edges.telemetry import Telemetry
from connector.events.discretion import Discretion
from connector.events.entry import Entry, Origin
from connector.events.records.letters import WHERE, Unfit, entry_of
from connector.events.records.outcome import NeedsSchema, Publish, Quarantine
from connector.events.records.translate import Translator
from connector.events.selection import Selection
from connector.facts import Report
from connector.roads.delivery import Ends
from connector.roads.ports import Lane, SchemaIds
from connector.settings.privacy import privacy
from connector.settings.sections import Settings

_AT_ONCE: Final = 500


class Letter(NamedTuple):
    """A dead letter as it lies in its topic; those of requests have neither event nor PBX.

    `place` is `<partition>/<offset>`.
    """

    place: str
    record: Record
    cause: Cause
    event_id: str
    pbx: str
    event: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which dead letters are meant: all that have each of these; `since_ms` is since 1970."""

    places: Collection[str] = ()
    reason: str = ""
    pbx: str = ""
    since_ms: int = 0

    def __contains__(self, letter: Letter) -> bool:
        """Tell whether one is meant."""
        return (
            (not self.places or letter.place in self.places)
            and self.reason in ("", letter.cause.reason)
            and self.pbx in ("", letter.pbx)
            and letter.record.timestamp_ms >= self.since_ms
        )


def letter_of(record: Record) -> Letter:
    """Read a record of the dead-letter topic."""
    cause, place = cause_of(record.headers), f"{record.partition}/{record.offset}"
    if cause.where != WHERE:
        return Letter(place, record, cause, "", "", "")
    event_id = (dict(record.headers).get("ce_id") or b"").decode("utf-8", "replace")
    frame = record.value or b""
    event = event_name(frame) or kind_of(frame).name.lower()
    return Letter(place, record, cause, event_id, event_id.rsplit("/", 2)[0], event)


async def read_letters(settings: Settings, chosen: Chosen, report: Report) -> AsyncIterator[Letter]:
    """Yield the chosen ones, in order for each partition, up to what is there when it begins.

    Raises:
        BrokerError: Kafka does not answer, or the topic is not there.
    """
    wanted = Wanted(topics=[settings.routing.dead_letter_topic], start="beginning", to_end=True)
    async with open_reader(settings, wanted, report) as reader:
        async for records in reader:
            for letter in map(letter_of, records):
                if letter in chosen:
                    yield letter


class Fit(NamedTuple):
    """A dead letter, and the record that it becomes."""

    letter: Letter
    publish: Publish


class Review:
    """Says what becomes of dead letters under the present settings.

    Args:
        settings: the whole file.
        schemas: all that are known.
        selection: what of it is published.
        registry: gives schemas their ids.
    """

    def __init__(
        self, settings: Settings, schemas: SchemaSet, selection: Selection, registry: SchemaIds
    ) -> None:
        self._normalisers = {name: Normaliser(schemas, pbx.timezone) for name, pbx in settings.pbx.items()}
        self._selection = selection
        self._registry = registry
        self._ids: dict[str, int] = {}
        rules = privacy(settings.privacy, schemas)
        self._translators = {
            name: Translator({name: each}, settings.rules, self._ids, Discretion(rules, each))
            for name, each in self._normalisers.items()
        }

    async def judge(self, letter: Letter) -> Fit | Unfit:
        """Return a dead letter's record, or why it can have none.

        Raises:
            RegistryError: a schema's id cannot be had.
        """
        entry = entry_of(letter.record.value, letter.record.headers)
        if isinstance(entry, Unfit):
            return entry
        if entry.source.pbx not in self._normalisers:
            return Unfit(f"the settings have no PBX {entry.source.pbx}")
        if not self._is_published(entry):
            return Unfit("the settings do not publish this event")
        translator = self._translators[entry.source.pbx]
        outcome = translator.translate(entry)
        while isinstance(outcome, NeedsSchema):
            number = await self._registry.schema_id(outcome.subject, outcome.schema.text)
            self._ids[outcome.subject] = number
            outcome = translator.translate(entry)
        if isinstance(outcome, Quarantine):
            return Unfit(f"it would be a dead letter again ({outcome.reason}): {outcome.detail}")
        return Fit(letter, outcome)

    def _is_published(self, entry: Entry) -> bool:
        if entry.origin is Origin.CONNECTOR:
            return True
        schema = self._normalisers[entry.source.pbx].read(entry.frame).shape.schema
        return schema in (self._selection.listed if entry.origin is Origin.SNAPSHOT else self._selection)


class Fate(NamedTuple):
    """What has become of a dead letter: `outcome` is `replayed`, `would be`, `left` or `refused`."""

    letter: str
    event_id: str
    topic: str
    outcome: str
    reason: str


async def replay(letters: AsyncIterator[Letter], review: Review, ends: Ends | None) -> AsyncIterator[Fate]:
    """Send dead letters down the road, in order, and yield what has become of each; without ends only say so.

    Raises:
        BrokerError: the producer has failed for good: what was not yielded may be in Kafka or not.
        RegistryError: a schema's id cannot be had.
    """
    lane = ends.sink.lane() if ends else None
    some: list[tuple[Letter, Fit | Unfit]] = []
    async for letter in letters:
        some.append((letter, await review.judge(letter)))
        if len(some) == _AT_ONCE:
            for fate in await _fates(some, ends, lane):
                yield fate
            some.clear()
    for fate in await _fates(some, ends, lane):
        yield fate


async def _fates(
    some: Sequence[tuple[Letter, Fit | Unfit]], ends: Ends | None, lane: Lane | None
) -> list[Fate]:
    fits = [fit for _, fit in some if isinstance(fit, Fit)]
    refused: dict[str, str] = {}
    if ends and lane:
        for topic in {fit.publish.topic for fit in fits}:
            await ends.topics.ensure(topic)
        told = await (await lane.put([fit.publish for fit in fits]))
        refused = {fits[place].letter.place: reason for place, reason in told}
    done = "replayed" if ends else "would be"
    return [_fate(letter, verdict, refused.get(letter.place), done) for letter, verdict in some]


def _fate(letter: Letter, verdict: Fit | Unfit, refused: str | None, done: str) -> Fate:
    if isinstance(verdict, Unfit):
        return Fate(letter.place, letter.event_id, "", "left", verdict.reason)
    topic = verdict.publish.topic
    if refused is not None:
        return Fate(letter.place, letter.event_id, topic, "refused", refused)
    return Fate(letter.place, letter.event_id, topic, done, "")


@asynccontextmanager
async def open_road(
    settings: Settings, telemetry: Telemetry, *, dry: bool
) -> AsyncIterator[tuple[Review, Ends | None]]:
    """Open the events' road for dead letters; a dry one ends before Kafka and the registry.

    Raises:
        NotReady: a topic or a right is missing, or a peer does not answer.
    """
    if dry:
        schemas, selection = read_schemas(settings)
        yield Review(settings, schemas, selection, LocalIds()), None
        return
    async with open_kafka(settings, telemetry) as shared:
        yield Review(settings, shared.schemas, shared.selection, shared.registry), shared.ends
