"""One request to the connectors at work, and its answer: what `send` does."""

import asyncio
import math
import secrets
from collections.abc import Callable, Mapping, Sequence
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
from connector.events.records.outcome import Publish
from connector.facts import Report
from connector.settings.road_back import actions, pairs
from connector.settings.sections import Settings

CORRELATION: Final = "kafka_correlationId"
"""The header that a connector echoes byte for byte (Spring's KafkaHeaders.CORRELATION_ID)."""

_CLOSE_S: Final = 5.0


class NotAnswered(ConnectorError):
    """The request is on its way, and no response came; it may still be executed, its id is told.

    See that a connector with [actions] is at work on this topic, for this PBX.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked: the fields of `schemas/actions/request.avsc`, the record's key, and how long to wait.

    `within_s` is in seconds, from the handing over of the request to its response. `reach_s` is how long
    Kafka may take for each step before, if the settings do not say less.
    """

    fields: Mapping[str, Any]
    key: str
    within_s: float
    reach_s: float = math.inf

    @property
    def fate(self) -> str:
        """What must be known of a request that was handed over and is not waited for any more."""
        return f"request {self.fields['request_id']} may still be executed"


async def send(
    settings: Settings, asked: Asked, report: Report, handing_over: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Put a request on its topic and return the response, its parts put together.

    `handing_over` is called right before the request may get out: from then on it may be executed.

    Raises:
        NotAnswered: no response came in time; whether the action was done is not known.
        BrokerError: Kafka does not answer, or the topics are not there; the request is not there either.
        RegistryError: the registry does not give the schema's id.
        SettingsError: `[actions]` is not set.
    """
    actions(settings)
    pair = pairs(settings)[0]
    correlation = secrets.token_bytes(16)
    value = await _encode(settings, pair, asked.fields)
    name = settings.connector.name
    reach_s = min(settings.kafka.reach_timeout_s, asked.reach_s)
    options = consumer_config(settings.kafka, name, f"{name}-send")
    wanted = Wanted(topics=[pair.responses], start="end", later=False)
    async with KafkaReader(options, wanted, reach_s, report) as reader:
        headers = [(CORRELATION, correlation)]
        record = Publish(pair.requests, asked.key.encode(), value, headers, 0)
        handing_over()
        await _produce(settings, record, asked, reach_s, report)
        try:
            async with asyncio.timeout(asked.within_s):
                return _whole(await _answers(settings, reader, correlation))
        except TimeoutError:
            raise _not_answered(asked, pair, reader.trouble) from None
        except ConnectorError as error:
            raise NotAnswered(f"{error}; {asked.fate}") from error


def _not_answered(asked: Asked, pair: Pair, trouble: str) -> NotAnswered:
    advice = trouble or "is a connector with [actions] at work on this topic, and for this PBX?"
    return NotAnswered(f"no answer on {pair.responses} in {asked.within_s:g} s, {asked.fate}; {advice}")


async def _encode(settings: Settings, pair: Pair, fields: Mapping[str, Any]) -> bytes:
    codec = load_action_schemas().request
    schema_id = None
    if pair.form == "avro" and settings.registry:
        schema_id = await SchemaRegistry(settings.registry).schema_id(f"{pair.requests}-value", codec.text)
    return Encoding(codec, schema_id).encode(fields)


async def _produce(settings: Settings, record: Publish, asked: Asked, reach_s: float, report: Report) -> None:
    options = producer_config(settings.kafka, settings.connector.name)
    # Nobody waits for a request that could not be handed over: it must not be sent later either.
    sink = KafkaSink({**options, "message.timeout.ms": int(reach_s * 1000)}, report)
    try:
        refusals = await (await sink.lane().put([record]))
    except BrokerError as error:
        raise NotAnswered(f"{error}; {asked.fate}") from error
    finally:
        await sink.close(_CLOSE_S)
    for refused in refusals:
        raise BrokerError(f"{record.topic}: {refused.reason}")


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
    raise BrokerError("the topic of responses has ended")


def _is_ours(record: Record, correlation: bytes) -> bool:
    return any(name == CORRELATION and value == correlation for name, value in record.headers)


def _whole(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Put the lists of all parts together."""
    lists = [name for name, value in parts[0].items() if isinstance(value, list)]
    joined = {name: list(chain.from_iterable(part[name] for part in parts)) for name in lists}
    return {**parts[0], **joined, "part": 1, "parts": 1}
