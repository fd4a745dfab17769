"""What a request's headers say: its id, where its answer goes, what it takes back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.actions.reading.correlation import traceparent
from connector.actions.request import Request, Undecodable
from tests.actions.records import (
    JSON,
    PING,
    READER,
    TEXTS,
    as_avro,
    as_json,
    incoming,
    request_of,
    undecodable_of,
)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [
                    "kafka_replyTopic",
                    "kafka_replyPartition",
                    "kafka_correlationId",
                    "ce_id",
                    "ce_expirytime",
                    "ce_correlationid",
                    "traceparent",
                ]
            ),
            st.none() | st.binary(max_size=30),
        )
    )
)
def test_no_headers_raise(headers: list[tuple[str, bytes | None]]) -> None:
    assert isinstance(READER.read(as_json(PING, headers), TEXTS), Request)
    assert isinstance(READER.read(incoming(b"{", headers), TEXTS), Undecodable)


def test_ce_id_is_the_id_where_the_body_has_none() -> None:
    headers = [("ce_id", b"first"), ("ce_id", b"cloud-1")]
    assert request_of(as_json({"action": "Ping"}, headers)).request_id == "cloud-1"
    assert request_of(as_json(PING, headers)).request_id == "r1"
    assert request_of(as_avro({"action": "Ping"}, headers)).request_id == "cloud-1"
    assert (
        undecodable_of(as_json({"action": "Ping"})).reason
        == "request_id is missing, and so is the header ce_id"
    )


@pytest.mark.parametrize("topic", ["shop.replies", "crm.", "crm.x", "asterisk.responses.json"])
def test_answers_go_to_allowed_topics(topic: str) -> None:
    assert request_of(as_json({**PING, "reply_to": topic})).reply.topic == topic
    request = request_of(as_json({**PING, "reply_to": "other"}, [("kafka_replyTopic", topic.encode())]))
    assert (request.flaw, request.reply.topic) == ("", topic)


@pytest.mark.parametrize("topic", ["shop.replies2", "shop", "xcrm.", "*", "crm", "shopxreplies"])
def test_answers_go_nowhere_else(topic: str) -> None:
    assert request_of(as_json({**PING, "reply_to": topic})).flaw


def test_springs_headers_are_honoured_and_given_back_byte_for_byte() -> None:
    correlation = bytes(range(256))[:16]
    headers = [
        ("kafka_correlationId", correlation),
        ("kafka_replyTopic", b"crm.spring"),
        ("kafka_replyPartition", b"\x00\x00\x01\x02"),
        ("traceparent", b"00-ab-cd-01"),
        ("tracestate", b"v=1"),
        ("spring_json_header_types", b"{}"),
        ("ce_correlationid", b"saga-9"),
        ("ce_id", b"cloud-1"),
    ]
    reply = request_of(as_json(PING, headers)).reply
    assert (reply.topic, reply.partition) == ("crm.spring", 258)
    assert reply.echo == tuple(headers[:5])
    assert (reply.correlation_id, reply.cause) == ("saga-9", "cloud-1")


TRACEPARENT = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
OTHER = TRACEPARENT[:-1] + b"0"


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ([], b""),
        ([("traceparent", TRACEPARENT)], TRACEPARENT),
        ([("ce_traceparent", TRACEPARENT)], TRACEPARENT),
        ([("ce_traceparent", OTHER), ("traceparent", TRACEPARENT)], TRACEPARENT),
        ([("traceparent", OTHER), ("traceparent", TRACEPARENT)], TRACEPARENT),
        ([("traceparent", b"nonsense"), ("ce_traceparent", TRACEPARENT)], TRACEPARENT),
        ([("traceparent", None)], b""),
        ([("traceparent", TRACEPARENT.upper())], b""),
        ([("traceparent", TRACEPARENT + b"\n")], b""),
        ([("traceparent", b"\xff" * 55)], b""),
    ],
)
def test_a_trace_is_told_where_its_header_is_as_w3c_has_it(
    headers: list[tuple[str, bytes | None]], found: bytes
) -> None:
    assert traceparent(headers) == found.decode()


def test_a_header_too_long_is_not_given_back() -> None:
    assert request_of(as_json(PING, [("tracestate", b"x" * 1025)])).reply.echo == ()


@pytest.mark.parametrize("name", ["kafka_correlationId", "ce_correlationid", "ce_id"])
def test_what_is_no_request_is_answered_where_a_header_tells_to_whom(name: str) -> None:
    found = undecodable_of(incoming(b"{", [(name, b"c-1"), ("kafka_replyTopic", b"crm.x")]))
    assert found.reply is not None
    assert found.reply.topic == "crm.x"
    assert found.request_id == ("c-1" if name == "ce_id" else "")


def test_what_is_no_request_and_names_nobody_is_not_answered() -> None:
    assert undecodable_of(incoming(b"{", [("kafka_replyTopic", b"crm.x")])).reply is None
    assert undecodable_of(incoming(b"{", [("kafka_correlationId", b"")])).reply is None


def test_what_is_no_request_is_not_answered_on_a_topic_that_is_not_allowed() -> None:
    found = undecodable_of(incoming(b"{", [("ce_id", b"1"), ("kafka_replyTopic", b"asterisk.actions")]))
    assert found.reply is not None
    assert found.reply.topic == JSON.responses
