"""Records of the request topics that are no request, or one with a flaw."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.actions.pair import Pair
from connector.actions.request import NeedsSchema, Request, Undecodable
from tests.actions.records import (
    AVRO,
    JSON,
    PING,
    READER,
    REQUEST_ID,
    SCHEMAS,
    TEXTS,
    as_json,
    incoming,
    request_of,
    undecodable_of,
    written,
)


def _reason(record: Any) -> str:
    return undecodable_of(record).reason


@given(st.binary(max_size=200), st.sampled_from([AVRO, JSON]), st.booleans())
def test_no_bytes_raise(value: bytes, pair: Pair, framed: bool) -> None:
    data = b"\x00\x00\x00\x00" + bytes([REQUEST_ID]) + value if framed else value
    assert isinstance(READER.read(incoming(data, (), pair), TEXTS), Request | Undecodable | NeedsSchema)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from([*SCHEMAS.request.fields, "x"]), inner)
        ),
    )
)
def test_no_json_raises(value: object) -> None:
    assert isinstance(READER.read(as_json(value), TEXTS), Request | Undecodable)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "the record has no value"),
        (b"", "not JSON: Expecting value at line 1, column 1"),
        (b'{"action": "Ping" "x"}', "not JSON: Expecting ',' delimiter at line 1, column 19"),
        (b"\xff{}", "not UTF-8 at byte 0"),
        (b"[]", "an object is expected, not an array"),
        (b"7", "an object is expected, not a number"),
        (b'"a"', "an object is expected, not text"),
        (b"null", "an object is expected, not null"),
        (b"1.5", "an object is expected, not a number with a fraction"),
        (b"[" * 100_000, "not a request: nested too deeply"),
        (b'{"action": NaN}', "NaN is no JSON"),
        (b'{"action": -Infinity}', "-Infinity is no JSON"),
        (b'{"action": "a", "action": "b"}', "'action' stands twice in one object"),
        (
            b'{"action": "a", "headers": {"Secret": "s", "Secret": "t"}}',
            "'Secret' stands twice in one object",
        ),
        (b" " * 262_145, "the value has 262145 bytes; 262144 are allowed"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_json_is_told_where(value: bytes | None, reason: str) -> None:
    assert _reason(incoming(value)) == reason


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"action": None}, "action is missing"),
        ({"action": 1}, "action: text is expected, not a number"),
        ({"expire_at": 1}, ("unknown field 'expire_at'; known are request_id, action, pbx, headers, variables, "
         "expires_at, timeout_ms, reply_to, accept_parts")),
        ({"pbx": ["a"]}, "pbx: text is expected, not an array"),
        ({"request_id": 17}, "request_id: text is expected, not a number"),
        ({"headers": "Channel: x"}, "headers: an object or an array is expected, not text"),
        ({"headers": {"Async": True}}, ("headers.'Async': give the word that Asterisk knows (true, yes, 1 ...) as "
         "text, not a boolean")),
        ({"headers": {"Data": {"a": 1}}}, "headers.'Data': text or a whole number is expected, not an object"),
        ({"headers": {"Data": None}}, "headers.'Data': text or a whole number is expected, not null"),
        ({"headers": {"Data": ["a", 0.5]}}, ("headers.'Data': text or a whole number is expected, not a number with "
         "a fraction")),
        ({"headers": [{"name": "a"}]}, "headers[0]: an object of name and value is expected"),
        ({"headers": [{"name": "a", "value": "b"}, 3]}, "headers[1]: an object of name and value is expected"),
        ({"headers": [{"name": 1, "value": "b"}]}, "headers[0].name: text is expected, not a number"),
        ({"variables": {"V": "\ud800"}}, "variables.'V': not text at character 1 (half a surrogate pair)"),
        ({"variables": {"\ud800": "x"}}, "a name in variables: not text at character 1 (half a surrogate pair)"),
        ({"timeout_ms": True}, "timeout_ms: a whole number is expected, not a boolean"),
        ({"timeout_ms": "5"}, "timeout_ms: a whole number is expected, not text"),
        ({"timeout_ms": 5.0}, "timeout_ms: a whole number is expected, not a number with a fraction"),
        ({"timeout_ms": 10**19}, "timeout_ms: a whole number is expected, not a number of so many digits"),
        ({"timeout_ms": 10**4000}, "timeout_ms: a whole number is expected, not a number of so many digits"),
        ({"expires_at": True}, "expires_at: milliseconds since 1970 or an RFC 3339 time are expected, not a boolean"),
        ({"expires_at": "tomorrow"}, "expires_at: not a time as RFC 3339 writes it (2026-01-31T12:00:00Z)"),
        ({"expires_at": "2026-02-30T12:00:00Z"}, "expires_at: there is no such time"),
        ({"accept_parts": 1}, "accept_parts: true or false is expected, not a number"),
        ({"reply_to": 1}, "reply_to: text is expected, not a number"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_a_field_of_another_type_is_named_and_answered(fields: dict[str, Any], reason: str) -> None:
    found = undecodable_of(as_json({**PING, **fields}))
    assert found.reason == reason
    if "request_id" not in fields:
        assert found.request_id == "r1"
        assert found.reply is not None
        assert found.reply.topic == JSON.responses


@pytest.mark.parametrize(
    "name", ["headers", "variables", "request_id", "pbx", "action", "reply_to", "expires_at"]
)
def test_no_error_repeats_a_value(name: str) -> None:
    for hidden in ("hunter2\ud800", {"Secret": "hunter2\ud800"}, ["hunter2"], {"Secret": ["hunter2", None]}):
        found = READER.read(as_json({**PING, name: hidden}), TEXTS)
        text = found.flaw if isinstance(found, Request) else getattr(found, "reason", "")
        assert text
        assert "hunter2" not in text


@pytest.mark.parametrize("request_id", ["", "x" * 201, "a\nb", "a\u202eb", "\ud800"])
def test_a_request_without_a_good_id_is_none(request_id: str) -> None:
    found = undecodable_of(as_json({**PING, "request_id": request_id}))
    assert "request_id" in found.reason
    assert (found.reply, found.request_id) == (None, "")


@pytest.mark.parametrize(
    ("fields", "headers", "flaw"),
    [
        ({"action": ""}, [], "action is empty"),
        ({"action": "A" * 201}, [], "action: 201 characters; 200 are allowed"),
        ({"pbx": "p" * 201}, [], "pbx: 201 characters; 200 are allowed"),
        ({"timeout_ms": 0}, [], "timeout_ms: 0 given; at least 1, in milliseconds, is expected"),
        ({"timeout_ms": -5}, [], "timeout_ms: -5 given; at least 1, in milliseconds, is expected"),
        ({"expires_at": -1}, [], "expires_at: not milliseconds since 1970 of the years to 9999"),
        ({"expires_at": 10**15}, [], "expires_at: not milliseconds since 1970 of the years to 9999"),
        ({"headers": {"ActionID": ["a", "b"]}}, [], "ActionID stands twice"),
        ({"headers": {"ActionID": "a" * 201}}, [], "ActionID: 201 characters; 200 are allowed"),
        ({"reply_to": "other"}, [], "reply_to: answers may not go to other; the settings name the topics"),
        ({"reply_to": "crm.\n"}, [], "reply_to: not a topic's name"),
        ({}, [("ce_expirytime", b"soon")], ("header ce_expirytime: not a time as RFC 3339 writes it "
         "(2026-01-31T12:00:00Z)")),
        ({}, [("ce_expirytime", b"\xff")], "header ce_expirytime: not UTF-8 at byte 0"),
        ({}, [("ce_correlationid", b"x" * 1025)], "header ce_correlationid: 1025 bytes; 1024 are allowed"),
        ({}, [("kafka_replyTopic", b"asterisk.actions")], ("header kafka_replyTopic: answers may not go to "
         "asterisk.actions; the settings name the topics")),
        ({}, [("kafka_replyTopic", b"\xff")], "header kafka_replyTopic: not UTF-8 at byte 0"),
        ({}, [("kafka_replyPartition", b"\x00\x01")], ("header kafka_replyPartition: not a partition in four bytes, "
         "big-endian")),
        ({}, [("kafka_replyPartition", b"\xff\xff\xff\xff")], ("header kafka_replyPartition: not a partition in four "
         "bytes, big-endian")),
        ({}, [("kafka_correlationId", b"x" * 1025)], "header kafka_correlationId: more than 1024 bytes"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_a_flaw_is_told_and_answered_on_the_default_topic(
    fields: dict[str, Any], headers: list[tuple[str, bytes]], flaw: str
) -> None:
    request = request_of(as_json({**PING, **fields}, headers))
    assert request.flaw == flaw
    assert request.reply.topic == JSON.responses
    assert request.reply.partition is None
    assert len(request.action) <= 200


def test_all_flaws_are_told_at_once() -> None:
    assert request_of(as_json({**PING, "action": "", "timeout_ms": -1})).flaw == (
        "action is empty; timeout_ms: -1 given; at least 1, in milliseconds, is expected"
    )


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"{}", "not Avro in Confluent's framing: a zero byte, then the schema's id in four"),
        (b"", "not Avro in Confluent's framing: a zero byte, then the schema's id in four"),
        (b"\x00\x00\x00\x00\x0b", "not a record of its schema: EOFError"),
    ],
)
def test_what_is_no_avro_is_told(value: bytes, reason: str) -> None:
    assert _reason(incoming(value, (), AVRO)).startswith(reason)


def test_a_strangers_schema_is_told() -> None:
    other = {"type": "record", "name": "Order", "fields": [{"name": "a", "type": "string"}]}
    record = incoming(written(other, {"a": "hunter2"}), (), AVRO)
    found = READER.read(record, {REQUEST_ID: json.dumps(other)})
    assert isinstance(found, Undecodable)
    assert "hunter2" not in found.reason
