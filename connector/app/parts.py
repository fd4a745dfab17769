"""What all PBXs of a process share, opened from the settings: schemas, registry, Kafka, topics."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from connector.app.decoding import Decoder
from connector.app.local import EmbeddedTopics, LocalIds
from connector.app.road_back import subjects
from connector.app.vertical import Shared
from connector.avro.schema import EventSchema, SchemaSet
from connector.demo.broker import EmbeddedBroker
from connector.edges.kafka import statistics
from connector.edges.kafka.admin import KafkaAdmin
from connector.edges.kafka.client import (
    admin_config,
    consumer_config,
    producer_config,
    transactional_config,
)
from connector.edges.kafka.probe import TransactionProbe
from connector.edges.kafka.producer import KafkaSink
from connector.edges.kafka.reader import KafkaReader, Wanted
from connector.edges.kafka.topics import TopicMaker
from connector.edges.registry import SchemaRegistry
from connector.edges.schemas import load_action_schemas, load_schemas
from connector.edges.telemetry import Telemetry
from connector.errors import SettingsError
from connector.events.gaps.worth import Ranks
from connector.events.selection import Selection
from connector.facts import Report, TopicMade
from connector.preflight import Finding, State, ends, refuse
from connector.roads.delivery import Ends
from connector.roads.ports import SchemaIds, Topics
from connector.settings import road_back
from connector.settings.privacy import privacy
from connector.settings.rights import Right, rights, transactional
from connector.settings.sections import Kafka, Settings
from connector.settings.topics import check_names, plan

CLOSE_S: Final = 5.0
"""Seconds that the producer gets for what is still in flight when it is closed."""


def read_schemas(settings: Settings) -> tuple[SchemaSet, Selection]:
    """Return every schema, and what of it the settings publish.

    Raises:
        SchemaError: a file cannot be read or is not as it must be.
        SettingsError: a setting names an event or family that is none.
    """
    users = settings.events.user_schemas
    schemas = load_schemas(Path(users) if users else None)
    check_names(settings, schemas)
    Ranks(schemas, settings.journal.expendable, settings.journal.precious)
    privacy(settings.privacy, schemas)
    snapshots = any(pbx.snapshot != "off" for pbx in settings.pbx.values())
    return schemas, Selection(schemas, settings.events.select, snapshots=snapshots)


@asynccontextmanager
async def open_kafka(
    settings: Settings, telemetry: Telemetry, *, events: bool = True
) -> AsyncIterator[Shared]:
    """Check and open the roads' ends at the Kafka and the registry that the settings name.

    Without `events` only what the road back needs is checked and made.

    Raises:
        NotReady: a topic or a right is missing, or a peer does not answer: nothing was read.
    """
    schemas, selection = read_schemas(settings)
    registry = SchemaRegistry(settings.registry) if settings.registry else LocalIds()
    admin = open_admin(settings, telemetry)
    published = selection.schemas if events else []
    refuse(await inspect_ends(settings, published, admin))
    planned = plan(settings, published)
    if settings.topics.create == "at-start":
        made = await admin.create(planned)
        for topic in made:
            telemetry(TopicMade(topic.name, topic.partitions))
        if made:
            # Of topics that were not there Kafka could tell no rights.
            refuse(ends.acls(await admin.lacking(rights(settings, planned))))
    later = admin if settings.topics.create == "first-event" else None
    async with _sink(settings, telemetry, registry, TopicMaker(later, planned, telemetry)) as opened:
        yield Shared(
            schemas=schemas,
            privacy=privacy(settings.privacy, schemas),
            before_journal=settings.privacy.before_journal,
            selection=selection,
            rules=settings.rules,
            ends=opened,
            registry=registry,
            telemetry=telemetry,
        )


async def inspect_ends(
    settings: Settings, published: Sequence[EventSchema], admin: KafkaAdmin
) -> list[Finding]:
    """Check what lies behind the roads: Kafka with its topics, the registry with its subjects."""
    findings = await ends.kafka(admin, settings, plan(settings, published))
    if settings.actions and findings[0].state is State.OK:
        right = transactional(settings)
        findings += await ends.transactions(_probe(settings, right), right)
    if settings.registry:
        of_events = published if settings.value_format == "avro" else []
        known = ends.subjects(settings.routing, of_events) | road_back_subjects(settings)
        registers = settings.registry.auto_register
        findings += await ends.registry(SchemaRegistry(settings.registry), known, registers=registers)
    return findings


def _probe(settings: Settings, right: Right) -> TransactionProbe:
    transactional_id = f"{right.name}check"
    config = transactional_config(
        settings.kafka,
        settings.connector.name,
        transactional_id,
        road_back.actions(settings).transaction_timeout_ms,
    )
    return TransactionProbe(config, settings.kafka.reach_timeout_s)


def at_broker(settings: Settings, broker: EmbeddedBroker) -> Settings:
    """Return settings that lead to a broker inside this process."""
    return replace(settings, kafka=Kafka(bootstrap_servers=(broker.bootstrap_servers,)))


@asynccontextmanager
async def open_embedded(
    settings: Settings, broker: EmbeddedBroker, telemetry: Telemetry, ids: LocalIds
) -> AsyncIterator[Shared]:
    """Open the road's end at a broker inside this process; no registry, schema ids of this process's own."""
    schemas, selection = read_schemas(settings)
    settings = at_broker(settings, broker)
    topics = EmbeddedTopics(broker)
    await topics.make(topic.name for topic in plan(settings, selection.schemas))
    async with _sink(settings, telemetry, ids, topics) as opened:
        yield Shared(
            schemas=schemas,
            privacy=privacy(settings.privacy, schemas),
            before_journal=settings.privacy.before_journal,
            selection=selection,
            rules=settings.rules,
            ends=opened,
            registry=ids,
            telemetry=telemetry,
        )


@asynccontextmanager
async def _sink(
    settings: Settings, telemetry: Telemetry, registry: SchemaIds, topics: Topics
) -> AsyncIterator[Ends]:
    config = producer_config(settings.kafka, settings.connector.name)
    if settings.http.enabled:
        config = {statistics.OPTION: statistics.EVERY_S * 1_000} | config
    sink = KafkaSink(config, telemetry, {settings.routing.dead_letter_topic})
    try:
        yield Ends(sink, registry, {}, topics)
    finally:
        await sink.close(CLOSE_S)


def open_admin(settings: Settings, telemetry: Telemetry) -> KafkaAdmin:
    """Return what asks Kafka about topics and rights.

    Raises:
        SettingsError: librdkafka does not take an option.
    """
    config = admin_config(settings.kafka, settings.connector.name)
    return KafkaAdmin(config, settings.kafka.reach_timeout_s, telemetry)


def open_reader(settings: Settings, wanted: Wanted, report: Report) -> KafkaReader:
    """Return what follows topics.

    Raises:
        SettingsError: librdkafka does not take an option.
    """
    name = settings.connector.name
    config = consumer_config(settings.kafka, name, f"{name}-tail")
    return KafkaReader(config, wanted, settings.kafka.reach_timeout_s, report)


def open_decoder(settings: Settings) -> Decoder:
    """Return what makes records readable: by the registry's schemas where there is one, else by ours."""
    schemas, _ = read_schemas(settings)
    return Decoder(schemas, SchemaRegistry(settings.registry) if settings.registry else None)


async def register(settings: Settings) -> list[tuple[str, int]]:
    """Register every schema of the settings' topics, and return each subject with its id.

    Raises:
        SettingsError: no registry is set.
        RegistryError: the registry does not answer or refuses a schema.
    """
    if settings.registry is None:
        raise SettingsError("registry.url: must be set to register schemas")
    registry = SchemaRegistry(settings.registry)
    _, selection = read_schemas(settings)
    known = ends.subjects(settings.routing, selection.schemas) | road_back_subjects(settings)
    return [(subject, await registry.register(subject, text)) for subject, text in sorted(known.items())]


def road_back_subjects(settings: Settings) -> dict[str, str]:
    """Return the subjects of requests, responses and claims, each with its schema's text."""
    schemas = load_action_schemas()
    return {subject: codec.text for subject, codec in subjects(settings, schemas).items()}
