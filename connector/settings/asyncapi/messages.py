"""What is in the topics: messages with key, headers and payload."""

import json
from typing import Any, Final

from connector.avro.schema import EventSchema
from connector.settings.asyncapi.shapes import json_schema

Message = dict[str, Any]

AVRO: Final = "application/vnd.apache.avro;version=1.12.0"
BINDING: Final = "0.5.0"
"""The version of AsyncAPI's binding for Kafka."""

_TEXT: Final = {"type": "string"}
_ON_CALLS: Final = {
    "root": "the call, by the first Linkedid that was seen for the channel",
    "linkedid": "the channel's present Linkedid",
    "uniqueid": "the channel's Uniqueid",
    "pbx": "",
}
_PBX_KEY: Final = "<pbx>: the PBX's name in the settings, percent-encoded where it must be"

CLOUD_EVENTS: Final = {
    "type": "object",
    "required": ["ce_specversion", "ce_id", "ce_type", "ce_source", "content-type"],
    "properties": {
        "ce_specversion": {**_TEXT, "const": "1.0"},
        "ce_id": {**_TEXT, "description": "The event_id, <pbx>/<epoch>/<sequence>: a repeat has the same."},
        "ce_type": {**_TEXT, "description": "The record's full name."},
        "ce_source": {**_TEXT, "description": "/asterisk/<pbx>"},
        "ce_time": {**_TEXT, "format": "date-time", "description": "When it happened, with microseconds."},
        "ce_subject": {**_TEXT, "description": "The call, where there is one."},
        "content-type": {
            **_TEXT,
            "enum": ["application/avro", "application/json", "application/octet-stream"],
        },
    },
}
"""CloudEvents 1.0 in binary mode; values are UTF-8."""

_ERRORS: Final = (
    "topic", "connector.name", "stage", "class.name", "exception.class.name", "exception.message",
)  # fmt: skip

DEAD_LETTER_HEADERS: Final = {
    "type": "object",
    "description": "Kafka Connect's headers for errors; of a request those that it came with, too.",
    "required": [f"__connect.errors.{name}" for name in _ERRORS],
    "properties": {f"__connect.errors.{name}": _TEXT for name in (*_ERRORS, "partition", "offset")},
}

REPLY_HEADERS: Final = {
    "type": "object",
    "properties": {
        "kafka_correlationId": {"description": "Any bytes; the response has the same."},
        "kafka_replyTopic": {**_TEXT, "description": "Where the response goes, if the settings allow it."},
        "kafka_replyPartition": {"description": "A big-endian int of four bytes."},
        "traceparent": {**_TEXT, "description": "W3C's; the response has the same."},
    },
}

_CORRELATION: Final = {
    "location": "$message.header#/kafka_correlationId",
    "description": "Echoed byte for byte. Without it a response is known by its field request_id.",
}


def of_event(schema: EventSchema, form: str, key: str) -> Message:
    """Return the message of an event's records; `form` is `avro` or `json`, `key` as `events.key` has it."""
    avro = json.loads(schema.text)
    return {
        "name": schema.full_name,
        "title": schema.user_event or schema.event or avro["name"],
        "summary": avro["doc"],
        "contentType": f"application/{form}",
        "headers": {"$ref": "#/components/schemas/CloudEvents"},
        "payload": payload(avro, form),
        "bindings": _keyed(_event_key(schema, key), form),
    }


def of_action(kind: str, avro: dict[str, Any], form: str) -> Message:
    """Return the message of a topic of the road back: `kind` is `requests`, `responses` or `claims`."""
    message: Message = {
        "name": f"{avro['namespace']}.{avro['name']}",
        "title": avro["name"],
        "summary": avro["doc"],
        "contentType": f"application/{form}",
        "payload": _request(avro, form) if kind == "requests" else payload(avro, form),
        "bindings": _keyed(_ACTION_KEYS[kind], form),
    }
    if kind == "claims":
        return message
    headers = {"$ref": "#/components/schemas/Reply"}
    both = {"allOf": [headers, {"$ref": "#/components/schemas/CloudEvents"}]}
    return {**message, "headers": headers if kind == "requests" else both, "correlationId": _CORRELATION}


_ACTION_KEYS: Final = {
    "requests": "chosen by the requester: what has one key is run in order; effects must have one",
    "responses": "the request's",
    "claims": "<pbx>|<request_id>, in the partition of its request",
}


def of_dead_letter() -> Message:
    """Return the message of the dead-letter topic."""
    return {
        "name": "org.amikafka.events.DeadLetter",
        "title": "Dead letter",
        "summary": "What could not be read, is not trusted, or was refused, as it came; the reason is in the headers.",
        "contentType": "application/octet-stream",
        "headers": {"$ref": "#/components/schemas/DeadLetter"},
        "payload": {"description": "An AMI frame's bytes, or a request's."},
        "bindings": {
            "kafka": {
                "key": {**_TEXT, "description": f"{_PBX_KEY}; a request's own"},
                "bindingVersion": BINDING,
            }
        },
    }


def payload(avro: dict[str, Any], form: str) -> dict[str, Any]:
    """Return a payload's schema: Avro inline, or JSON schema."""
    return {"schemaFormat": AVRO, "schema": avro} if form == "avro" else json_schema(avro)


def _request(avro: dict[str, Any], form: str) -> dict[str, Any]:
    """Return a request's: in JSON, what has a default may be absent, and a person may write it more easily."""
    if form == "avro":
        return payload(avro, form)
    schema = json_schema(avro)
    schema["required"] = [field["name"] for field in avro["fields"] if "default" not in field]
    fields = schema["properties"]
    for name in ("headers", "variables"):
        fields[name] = {
            "description": fields[name]["description"],
            "oneOf": [fields[name], {"type": "object"}],
        }
    fields["expires_at"]["type"] = ["null", "integer", "string"]
    return schema


def _event_key(schema: EventSchema, key: str) -> str:
    if not schema.topic or key == "pbx":
        return _PBX_KEY
    if schema.channels and schema.keyed_by_call:
        return f"<pbx>|<call>: {_ON_CALLS[key]}"
    natural = " or ".join(f"<pbx>|{'|'.join(f'<{name}>' for name in names)}" for names in schema.keys)
    return f"{natural}, else <pbx>" if natural else _PBX_KEY


def _keyed(key: str, form: str) -> dict[str, Any]:
    described: dict[str, Any] = {"key": {**_TEXT, "description": key}, "bindingVersion": BINDING}
    if form == "avro":
        described |= {"schemaIdLocation": "payload", "schemaIdPayloadEncoding": "confluent"}
    return {"kafka": described}
