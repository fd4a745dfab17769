"""The road back, put together from the settings: registry, dispatcher, Kafka, the PBXs' sessions for actions."""

import os
import secrets
import socket
from collections.abc import AsyncIterator, Mapping, MutableMapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from connector.actions.dispatch.claims import Memory
from connector.actions.dispatch.dispatcher import Dispatcher, Measures
from connector.actions.dispatch.job import Rules
from connector.actions.dispatch.limits import Gates
from connector.actions.dispatch.settlement import Settlement
from connector.actions.dispatch.turns import Bounds
from connector.actions.dispatch.unread import Unread
from connector.actions.preparation import prepare
from connector.actions.reading.reader import RequestReader
from connector.actions.writing.encoding import ActionSchemas, Registered
from connector.actions.writing.serde import Serde, SerdeRules
from connector.ami.catalogue import ActionCatalogue
from connector.app.opening import open_pbx
from connector.app.resolving import RoadBack, UnknownCalls
from connector.app.vertical import Schemas
from connector.avro.records import RecordCodec
from connector.edges.kafka.client import admin_config, member_config, transactional_config
from connector.edges.kafka.requests import Clients, KafkaRequests
from connector.edges.pbx.pool import ActionPool
from connector.edges.schemas import load_action_catalogue, load_action_schemas, load_schemas
from connector.facts import Report
from connector.privacy.privacy import Privacy
from connector.roads.execution import Execution, Ways
from connector.settings import road_back
from connector.settings.privacy import privacy
from connector.settings.sections import Settings

_FOR_EVER_MS: Final = 1 << 62

_READS_KEPT: Final = 10_000
"""Reads of a partition whose answers are kept for repeats; of more, the oldest are done again."""

_HELD_BYTES: Final = 16 << 20
"""Requests of one partition that wait, by the size of their values."""


class _Known(NamedTuple):
    """What the road back knows before it begins, and the texts of schemas that it will learn."""

    schemas: ActionSchemas
    catalogue: ActionCatalogue
    ids: Mapping[str, int]
    texts: MutableMapping[int, str]
    privacy: Privacy


@asynccontextmanager
async def open_road_back(settings: Settings, registry: Schemas, report: Report) -> AsyncIterator[RoadBack]:
    """Join the group of the request topics, and log in at PBXs as they are asked for.

    Raises:
        SettingsError: librdkafka does not take an option, or a file of certificates cannot be read.
        SchemaError: a schema file cannot be read.
        RegistryError: the registry does not know a schema, or refuses it.
    """
    known = await _learn(settings, registry)
    pools: dict[str, ActionPool] = {}
    unknown_calls = UnknownCalls(report, pools)
    dispatcher = _dispatcher(settings, known, unknown_calls)
    own = road_back.actions(settings)
    async with AsyncExitStack() as stack:
        requests = KafkaRequests(
            _clients(settings),
            {pair.requests: pair.claims for pair in road_back.pairs(settings)},
            own.drain_s,
            report,
        )
        stack.push_async_callback(requests.close)
        execution = Execution(dispatcher, Ways(requests, pools, registry), report)
        for name in settings.pbx:
            pools[name] = await stack.enter_async_context(_pool(settings, name, execution, report))
        yield RoadBack(execution, unknown_calls)


def subjects(settings: Settings, schemas: ActionSchemas) -> dict[str, RecordCodec]:
    """Return the subjects of the Avro topics, each with its schema; a topic has one type of record."""
    return {
        f"{topic}-value": codec
        for pair in road_back.pairs(settings)
        if pair.form == "avro"
        for topic, codec in zip(pair[: len(schemas)], schemas, strict=True)
    }


async def _learn(settings: Settings, registry: Schemas) -> _Known:
    schemas = load_action_schemas()
    ids: dict[str, int] = {}
    texts: dict[int, str] = {}
    for subject, codec in subjects(settings, schemas).items():
        ids[codec.name] = await registry.schema_id(subject, codec.text)
        texts[ids[codec.name]] = codec.text
    users = settings.events.user_schemas
    told = privacy(settings.privacy, load_schemas(Path(users) if users else None))
    return _Known(schemas, load_action_catalogue(), ids, texts, told)


def _clients(settings: Settings) -> Clients:
    own, name = road_back.actions(settings), settings.connector.name
    transactional_id = road_back.transactional_id(settings, secrets.token_hex(8))
    return Clients(
        member_config(settings.kafka, name, road_back.group(settings)),
        transactional_config(settings.kafka, name, transactional_id, own.transaction_timeout_ms),
        admin_config(settings.kafka, name),
    )


def _dispatcher(settings: Settings, known: _Known, report: Report) -> Dispatcher:
    own = road_back.actions(settings)
    reader = RequestReader(road_back.request_rules(settings), known.schemas.request)
    settlement = Settlement(_serdes(settings, known), _owner(), own.claim_answer_bytes)
    return Dispatcher(
        Unread(reader, known.texts), _rules(settings, known), settlement, _measures(settings), report
    )


def _rules(settings: Settings, known: _Known) -> Rules:
    own = road_back.actions(settings)
    alone = next(iter(settings.pbx)) if len(settings.pbx) == 1 and not own.require_pbx else None
    return Rules(
        served=frozenset(settings.pbx),
        only=alone,
        catalogue=known.catalogue,
        policy=own.judge(known.catalogue),
        prepare=partial(prepare, catalogue=known.catalogue, channel_id=own.channel_id),
        privacy=known.privacy,
        unknown=own.unknown_parameters,
    )


def _serdes(settings: Settings, known: _Known) -> dict[str, Serde]:
    own = road_back.actions(settings)
    rules = SerdeRules(
        connector=settings.connector.name,
        dead_letters=settings.routing.dead_letter_topic,
        max_bytes=own.max_response_bytes,
        reveal=() if own.mask_secrets else ("*",),
    )
    registered = Registered(known.ids, known.texts)
    return {
        pair.requests: Serde(pair, known.schemas, registered, known.catalogue, rules)
        for pair in road_back.pairs(settings)
    }


def _measures(settings: Settings) -> Measures:
    own = road_back.actions(settings)
    retention = road_back.claims_retention_ms(settings)
    return Measures(
        Bounds(own.max_waiting, _HELD_BYTES),
        Memory(retention if retention >= 0 else _FOR_EVER_MS, _READS_KEPT),
        {name: Gates(own.max_in_flight, own.bounds) for name in settings.pbx},
    )


def _pool(settings: Settings, name: str, execution: Execution, report: Report) -> ActionPool:
    pbx = open_pbx(name, road_back.for_actions(settings, name), settings.events.max_frame_bytes)
    sessions = road_back.sessions(settings, name)
    return ActionPool(pbx, sessions, report, lambda up: execution.link(name, up=up))


def _owner() -> str:
    """Return who claims, for people: the host and the process."""
    return f"{socket.gethostname()}/{os.getpid()}"
