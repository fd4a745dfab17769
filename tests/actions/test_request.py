"""Records of the request topics that are requests, in Avro and in JSON."""

import json
from typing import Any

import pytest
from hypothesis import given

from connector.actions.request import NeedsSchema, Request
from tests.actions.records import (
    AVRO,
    JSON,
    PING,
    READER,
    REQUEST_ID,
    SCHEMAS,
    SENT_MS,
    TEXTS,
    as_avro,
    as_json,
    bodies,
    incoming,
    request_of,
    written,
)


def test_all_fields_are_read() -> None:
    value = {
        "request_id": "order-17",
        "action": "Originate",
        "pbx": "north",
        "headers": {"Channel": "PJSIP/100", "Priority": 1, "Codecs": ["ulaw", "g722"], "actionid": "mine"},
        "variables": {"A": "1,2"},
        "expires_at": SENT_MS + 5_000,
        "timeout_ms": 20_000,
        "reply_to": "crm.answers",
        "accept_parts": True,
    }
    request = request_of(as_json(value))
    assert request.flaw == ""
    assert (request.request_id, request.action, request.pbx) == ("order-17", "Originate", "north")
    assert request.headers == (
        *(("Channel", "PJSIP/100"), ("Priority", "1"), ("Codecs", "ulaw"), ("Codecs", "g722")),
    )
    assert request.action_id == "mine"
    assert request.variables == (("A", "1,2"),)
    assert (request.expires_at_ms, request.timeout_ms) == (SENT_MS + 5_000, 20_000)
    assert (request.reply.topic, request.reply.partition) == ("crm.answers", None)
    assert request.accept_parts
    assert request.record.offset == 42


def test_what_is_left_out_has_its_default() -> None:
    request = request_of(as_json({"action": "Ping", "request_id": "r1", "pbx": None, "headers": None}))
    assert (request.pbx, request.headers, request.variables, request.action_id) == ("", (), (), None)
    assert (request.expires_at_ms, request.timeout_ms) == (SENT_MS + 30_000, 30_000)
    assert request.reply.topic == JSON.responses
    assert not request.accept_parts


@given(bodies())
def test_avro_and_json_give_the_same_request(value: dict[str, Any]) -> None:
    one, other = READER.read(as_avro(value), TEXTS), READER.read(as_json(value), TEXTS)
    assert isinstance(one, Request)
    assert isinstance(other, Request)
    for name in set(Request.__slots__) - {"record", "reply"}:
        assert getattr(one, name) == getattr(other, name)
    assert (one.reply.topic == AVRO.responses) == (other.reply.topic == JSON.responses)


@pytest.mark.parametrize("request_id", ["x", "x" * 200, "Zażółć 7"])
def test_an_id_has_1_to_200_printable_characters(request_id: str) -> None:
    assert request_of(as_json({**PING, "request_id": request_id})).request_id == request_id


@pytest.mark.parametrize(
    ("body", "header", "expected"),
    [
        (None, None, 30_000),
        (90_000, None, 90_000),
        (None, b"2023-11-14T22:14:50Z", 90_000),
        (None, b"2023-11-14t23:14:50.5+01:00", 90_500),
        (60_000, b"2023-11-14T22:14:50Z", 60_000),
        (120_000, b"2023-11-14T22:14:50Z", 90_000),
        (7_200_000, None, 3_600_000),
        (-5_000, None, -5_000),
    ],
)
def test_a_request_expires_at_the_earliest_of_what_is_said(
    body: int | None, header: bytes | None, expected: int
) -> None:
    value = PING if body is None else {**PING, "expires_at": SENT_MS + body}
    request = request_of(as_json(value, [("ce_expirytime", header)]))
    assert (request.flaw, request.expires_at_ms - SENT_MS) == ("", expected)


def test_json_may_tell_the_time_in_words() -> None:
    assert (
        request_of(as_json({**PING, "expires_at": "2023-11-14T22:14:50Z"})).expires_at_ms == SENT_MS + 90_000
    )


@pytest.mark.parametrize(
    ("given", "expected"), [(None, 30_000), (1, 1), (600_000, 600_000), (600_001, 600_000)]
)
def test_the_timeout_is_bounded(given: int | None, expected: int) -> None:
    assert request_of(as_json({**PING, "timeout_ms": given})).timeout_ms == expected


def test_an_unknown_schema_is_asked_for() -> None:
    found = READER.read(as_avro(PING), {})
    assert found == NeedsSchema(as_avro(PING), REQUEST_ID)
    gone = READER.undecodable(as_avro(PING, [("ce_id", b"7")]), "the registry has no schema 11")
    assert (gone.reason, gone.request_id) == ("the registry has no schema 11", "7")


def test_an_older_and_a_newer_writer_are_read() -> None:
    fields = json.loads(SCHEMAS.request.text)["fields"]
    older = {**json.loads(SCHEMAS.request.text), "fields": fields[:3]}
    newer = {**older, "fields": [{"name": "colour", "type": "string"}, *fields]}
    texts = {REQUEST_ID: json.dumps(older), 99: json.dumps(newer)}
    for schema, schema_id in ((older, REQUEST_ID), (newer, 99)):
        value = written(schema, {**PING, "pbx": "north", "colour": "red"}, schema_id)
        request = READER.read(incoming(value, (), AVRO), texts)
        assert isinstance(request, Request)
        assert (request.request_id, request.pbx, request.headers) == ("r1", "north", ())
        assert request.digest == request_of(as_json({**PING, "pbx": "north"})).digest
