"""One request to the connectors at work, and its answer: what `send` does."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from connector.actions.pair import Pair
from connector.actions.writing.encoding import Encoding
from connector.app.parts import open_decoder
from connector.edges.kafka.client import consumer_config, producer_config
from connector.edges.kafka.producer import KafkaSink
from connector.edges.kafka.reader import KafkaReader, Record, Wanted
from connector.edges.registry import SchemaRegistry
from connector.edges.schemas import load_action_schemas
from connector.errors import BrokerError, ConnectorError
from connector.events.outcome import Publish
from connector.facts import Report
from connector.settings.road_back import actions, pairs
from connector.settings.sections import Settings

CORRELATION: Final = "kafka_correlationId"
"""The header that a connector echoes byte for byte (Spring's KafkaHeaders.CORRELATION_ID)."""

_CLOSE_S: Final = 5.0


class NotAnswered(ConnectorError):
    """No response came in time: see that a connector with [actions] is at work on this topic, for this PBX."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked: the fields of `schemas/actions/request.avsc`, the record's key, and how long to wait.

    `within_s` is in seconds, from the handing over of the request to its response.
    """

    fields: Mapping[str, Any]
    key: str
    within_s: float


async def send(settings: Settings, asked: Asked, report: Report) -> dict[str, Any]:
    """Put a request on its topic and return the response, its parts put together.

    Raises:
        NotAnswered: no response came in time; whether the action was done is not known.
        BrokerError: Kafka does not answer, or the topics are not there.
        RegistryError: the registry does not give the schema's id.
        SettingsError: `[actions]` is not set.
    """
    actions(settings)
    pair = pairs(settings)[0]
    correlation = secrets.token_bytes(16)
    value = await _encode(settings, pair, asked.fields)
    name = settings.connector.name
    options = consumer_config(settings.kafka, name, f"{name}-send")
    wanted = Wanted(topics=[pair.responses], start="end")
    reader = KafkaReader(options, wanted, settings.kafka.reach_timeout_s, report)
    async with reader:
        headers = [(CORRELATION, correlation)]
        await _produce(settings, Publish(pair.requests, asked.key.encode(), value, headers, 0), report)
        try:
            async with asyncio.timeout(asked.within_s):
                records = await _answers(settings, reader, correlation)
        except TimeoutError:
            raise NotAnswered(
                f"no answer on {pair.responses} in {asked.within_s:g} s: "
                "is a connector with [actions] at work on this topic, and for this PBX?"
            ) from None
    return _whole(records)


async def _encode(settings: Settings, pair: Pair, fields: Mapping[str, Any]) -> bytes:
    codec = load_action_schemas().request
    schema_id = None
    if pair.form == "avro" and settings.registry:
        schema_id = await SchemaRegistry(settings.registry).schema_id(f"{pair.requests}-value", codec.text)
    return Encoding(codec, schema_id).encode(fields)


async def _produce(settings: Settings, record: Publish, report: Report) -> None:
    options = producer_config(settings.kafka, settings.connector.name)
    # Nobody waits for a request that could not be handed over: it must not be sent later either.
    sink = KafkaSink({**options, "message.timeout.ms": int(settings.kafka.reach_timeout_s * 1000)}, report)
    try:
        for refused in await (await sink.lane().put([record])):
            raise BrokerError(f"{record.topic}: {refused.reason}")
    finally:
        await sink.close(_CLOSE_S)


async def _answers(settings: Settings, reader: KafkaReader, correlation: bytes) -> Sequence[dict[str, Any]]:
    """Wait for every part of the answer."""
    decoder = open_decoder(settings)
    parts: dict[int, dict[str, Any]] = {}
    async for records in reader:
        for record in records:
            if not _is_ours(record, correlation):
                continue
            value = await decoder.value(record)
            if isinstance(value, dict):
                parts[value["part"]] = value
                if len(parts) >= value["parts"]:
                    return [parts[number] for number in sorted(parts)]
    raise NotAnswered("the topic of responses has ended")


def _is_ours(record: Record, correlation: bytes) -> bool:
    return any(name == CORRELATION and value == correlation for name, value in record.headers)


def _whole(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Put the lists of all parts together."""
    lists = [name for name, value in parts[0].items() if isinstance(value, list)]
    joined = {name: list(chain.from_iterable(part[name] for part in parts)) for name in lists}
    return {**parts[0], **joined, "part": 1, "parts": 1}
