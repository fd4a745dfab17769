"""The document: servers, a channel for each planned topic, and what the connector does there."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from connector.actions.writing.encoding import ActionSchemas
from connector.avro.schema import EventSchema
from connector.settings import road_back
from connector.settings.asyncapi import messages
from connector.settings.asyncapi.messages import BINDING, Message
from connector.settings.sections import Settings
from connector.settings.topics import Topic, plan

Document = dict[str, Any]

_TOLD: Final = (
    "cleanup.policy",
    "retention.ms",
    "retention.bytes",
    "delete.retention.ms",
    "max.message.bytes",
)
"""Options of topics that the binding knows; others are Kafka's affair, and none is a secret."""

_NUMBER: Final = re.compile(r"-?\d+")
_SASL: Final = {
    "PLAIN": "plain",
    "SCRAM-SHA-256": "scramSha256",
    "SCRAM-SHA-512": "scramSha512",
    "GSSAPI": "gssapi",
}
_ABOUT: Final = (
    "Events of Asterisk's Manager Interface, and actions for it. Operations are the connector's: it sends what it reads from "
    "PBXs and its answers, and receives requests."
)
_EVERY: Final = {
    "CloudEvents": messages.CLOUD_EVENTS,
    "DeadLetter": messages.DEAD_LETTER_HEADERS,
    "Reply": messages.REPLY_HEADERS,
}


def document(
    settings: Settings, published: Sequence[EventSchema], actions: ActionSchemas, version: str
) -> Document:
    """Return the document, as JSON's values.

    Args:
        settings: the whole file.
        published: what the selection publishes, the connector's own records too.
        actions: the schemas of the road back.
        version: the connector's.

    Raises:
        SettingsError: the plan of topics is not sound.
    """
    contents = _contents(settings, published, actions)
    topics = plan(settings, published)
    channels = {topic.name: _channel(topic, contents[topic.name], settings) for topic in topics}
    named = {name: message for found in contents.values() for name, message in found.items()}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": settings.connector.name, "version": version, "description": _ABOUT},
        "servers": _servers(settings),
        "channels": channels,
        "operations": _operations(settings, channels),
        "components": {"schemas": _EVERY, "messages": named, "securitySchemes": _schemes(settings)},
    }


def _contents(
    settings: Settings, published: Iterable[EventSchema], actions: ActionSchemas
) -> Mapping[str, dict[str, Message]]:
    """Return each topic's messages, by the names that they have in the components."""
    contents: dict[str, dict[str, Message]] = {}
    for schema in published:
        found = messages.of_event(schema, settings.value_format, settings.routing.key)
        contents.setdefault(settings.routing.topic_of(schema), {})[schema.full_name] = found
    contents.setdefault(settings.routing.dead_letter_topic, {})["DeadLetter"] = messages.of_dead_letter()
    for pair in road_back.pairs(settings):
        for kind, codec in zip(("requests", "responses", "claims"), actions, strict=True):
            name = f"{codec.name}.{pair.form}"
            found = messages.of_action(kind, json.loads(codec.text), pair.form)
            contents.setdefault(getattr(pair, kind), {})[name] = found
    return contents


def _channel(topic: Topic, found: Mapping[str, Message], settings: Settings) -> Document:
    internal = [pair for pair in road_back.pairs(settings) if pair.claims == topic.name]
    about = "Internal: which requests were begun by whom, and how they ended." if internal else ""
    return {
        "address": topic.name,
        **({"description": about} if about else {}),
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in found},
        "bindings": {"kafka": _binding(topic)},
        "tags": [{"name": name} for name in (*topic.families, *(["internal"] if internal else []))],
    }


def _binding(topic: Topic) -> Document:
    options: Document = {}
    for name in _TOLD:
        text = topic.config.get(name)
        if name == "cleanup.policy":
            options[name] = sorted(road_back.policies(text or "delete"))
        elif text is not None and _NUMBER.fullmatch(text):
            options[name] = int(text)
    binding: Document = {"topic": topic.name, "partitions": topic.partitions}
    if topic.replication_factor is not None:
        binding["replicas"] = topic.replication_factor
    return {**binding, "topicConfiguration": options, "bindingVersion": BINDING}


def _operations(settings: Settings, channels: Mapping[str, Document]) -> Document:
    pairs = road_back.pairs(settings)
    received = {name for pair in pairs for name in (pair.requests, pair.claims)}
    sent = channels.keys() - {pair.requests for pair in pairs}
    operations = {f"send.{name}": _operation("send", name, channels) for name in channels if name in sent}
    operations |= {
        f"receive.{name}": _operation("receive", name, channels) for name in channels if name in received
    }
    group = {"groupId": {"type": "string", "const": road_back.group(settings)}} if pairs else {}
    for pair in pairs:
        asked = operations[f"receive.{pair.requests}"]
        asked["reply"] = {"channel": _channel_ref(pair.responses)}
        asked["bindings"] = {"kafka": {**group, "bindingVersion": BINDING}}
    return operations


def _operation(action: str, name: str, channels: Mapping[str, Document]) -> Document:
    found = channels[name]["messages"]
    return {
        "action": action,
        "channel": _channel_ref(name),
        "messages": [{"$ref": f"{_channel_ref(name)['$ref']}/messages/{each}"} for each in found],
    }


def _channel_ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/channels/{name}"}


def _servers(settings: Settings) -> Document:
    secure = str(_option(settings, "security.protocol")).upper() in ("SSL", "SASL_SSL")
    registry = settings.registry
    binding: Document = {"bindingVersion": BINDING}
    if registry is not None:
        binding |= {"schemaRegistryUrl": registry.url, "schemaRegistryVendor": "confluent"}
    shared: Document = {
        "protocol": "kafka-secure" if secure else "kafka",
        "bindings": {"kafka": binding},
        "security": [{"$ref": f"#/components/securitySchemes/{name}"} for name in _schemes(settings)],
    }
    addresses = settings.kafka.bootstrap_servers
    return {f"kafka-{place}": {"host": host, **shared} for place, host in enumerate(addresses, start=1)}


def _schemes(settings: Settings) -> Document:
    mechanism = str(_option(settings, "sasl.mechanism") or _option(settings, "sasl.mechanisms")).upper()
    by_password = "SASL" in str(_option(settings, "security.protocol")).upper()
    return {"sasl": {"type": _SASL[mechanism]}} if by_password and mechanism in _SASL else {}


def _option(settings: Settings, name: str) -> object:
    return settings.kafka.librdkafka.get(name, "")
