"""Outcomes as responses: fields, headers, parts, failures for what is too large."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.actions.pair import Pair
from connector.actions.record import Outgoing
from connector.actions.response import Executed, Lines, Outcome, Status
from tests.actions.records import (
    AVRO,
    JSON,
    RESPONSE_ID,
    as_json,
    asked,
    decoded,
    headers_of,
    incoming,
    lists_of,
    reply,
    serde,
    undecodable_of,
)

NOW_MS = 1_700_000_000_123
DONE = Outcome(
    status=Status.SUCCESS,
    executed=Executed.YES,
    message="Queue status will follow",
    response=(("Response", "Success"), ("EventList", "start")),
    events=(
        (("Event", "QueueMember"), ("Queue", "a"), ("Queue", "b")),
        (("Event", "QueueStatusComplete"), ("EventList", "Complete")),
    ),
    sent_at_ms=NOW_MS - 20,
    answered_at_ms=NOW_MS - 5,
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
LINES = st.lists(st.tuples(TEXT.filter(lambda name: name.lower() != "output"), TEXT), max_size=4).map(tuple)
PAIRS = pytest.mark.parametrize("pair", [AVRO, JSON], ids=["avro", "json"])


def _listing(count: int, size: int = 20) -> Outcome:
    items = tuple((("Event", "CoreShowChannel"), ("Channel", f"{at}-{'x' * size}")) for at in range(count))
    return replace(DONE, events=items)


def _sent(outcome: Outcome, pair: Pair = AVRO, **more: Any) -> list[Outgoing]:
    return [*serde(pair).responses(asked(**more), outcome, NOW_MS)]


def _as_lines(headers: list[dict[str, str]]) -> Lines:
    return tuple((header["name"], header["value"]) for header in headers)


@PAIRS
def test_a_response_holds_all_that_asterisk_said(pair: Pair) -> None:
    (record,) = _sent(DONE, pair, action_id="mine", reply=reply(correlation_id="saga", cause="cloud-1"))
    assert decoded(record) == {
        "request_id": "r1",
        "action": "Ping",
        "action_id": "mine",
        "pbx": "north",
        "status": "SUCCESS",
        "executed": "yes",
        "message": "Queue status will follow",
        "rule": None,
        "response": [{"name": "Response", "value": "Success"}, {"name": "EventList", "value": "start"}],
        "events": [
            {
                "event": "QueueMember",
                "headers": [{"name": "Queue", "value": "a"}, {"name": "Queue", "value": "b"}],
            },
            {"event": "QueueStatusComplete", "headers": [{"name": "EventList", "value": "Complete"}]},
        ],
        "output": [],
        "call_id": None,
        "sent_time": NOW_MS - 20,
        "answered_time": NOW_MS - 5,
        "replayed": False,
        "truncated": False,
        "part": 1,
        "parts": 1,
        "correlation_id": "saga",
        "causation_id": "cloud-1",
    }


@PAIRS
def test_a_refusal_names_its_rule(pair: Pair) -> None:
    outcome = Outcome(status=Status.REFUSED, executed=Executed.NO, message="no Command", rule="read-only")
    found = decoded(_sent(outcome, pair)[0])
    assert (found["status"], found["executed"], found["rule"]) == ("REFUSED", "no", "read-only")
    assert (found["sent_time"], found["answered_time"]) == (None, None)


def test_a_commands_lines_are_its_output() -> None:
    response = (("Response", "Success"), ("Output", "a"), ("output", ""), ("Output", " b"), ("Message", "m"))
    found = decoded(_sent(replace(DONE, response=response))[0])
    assert found["output"] == ["a", "", " b"]
    assert [header["name"] for header in found["response"]] == ["Response", "Message"]


def test_a_repeat_says_so_and_a_call_names_its_channel() -> None:
    found = decoded(_sent(replace(DONE, replayed=True, truncated=True, call_id="c-1"))[0])
    assert (found["replayed"], found["truncated"], found["call_id"]) == (True, True, "c-1")


def test_the_record_goes_where_the_request_says_under_its_key() -> None:
    echo = (("kafka_correlationId", b"\x00\xff"), ("traceparent", b"00-1"))
    (record,) = _sent(DONE, reply=reply(topic="crm.x", partition=4, echo=echo))
    assert (record.topic, record.partition, record.key) == ("crm.x", 4, b"k")
    assert record.value is not None
    assert record.value[:5] == b"\x00" + RESPONSE_ID.to_bytes(4, "big")
    assert record.headers[-2:] == [*echo]


def test_headers_are_those_of_cloudevents() -> None:
    way = reply(correlation_id="saga", cause="cloud-1")
    (record,) = _sent(DONE, request_id="r-é", pbx="a b", reply=way)
    assert headers_of(record) == {
        "ce_specversion": b"1.0",
        "ce_id": b"asterisk.actions.json/3/42",
        "ce_type": b"org.amikafka.actions.ActionResponse",
        "ce_source": b"/asterisk/a%20b",
        "ce_time": b"2023-11-14T22:13:20.123Z",
        "ce_subject": "r-é".encode(),
        "ce_correlationid": b"saga",
        "ce_causationid": b"cloud-1",
        "content-type": b"application/avro",
    }


def test_without_a_correlation_the_request_id_correlates() -> None:
    found = headers_of(_sent(DONE, JSON, pbx="")[0])
    assert (found["ce_correlationid"], found["ce_causationid"]) == (b"r1", b"r1")
    assert (found["ce_source"], found["content-type"]) == (b"/asterisk", b"application/json")


@PAIRS
@pytest.mark.parametrize("count", [200, 5_000])
def test_a_large_list_comes_whole_in_numbered_parts(pair: Pair, count: int) -> None:
    outcome = _listing(count)
    records = serde(pair, max_bytes=4_000).responses(asked(accept_parts=True), outcome, NOW_MS)
    assert len(records) > 3
    assert all(len(record.value or b"") <= 4_000 for record in records)
    assert [decoded(record)["part"] for record in records] == list(range(1, len(records) + 1))
    assert {decoded(record)["parts"] for record in records} == {len(records)}
    assert lists_of(records, "response") == decoded(_sent(outcome, pair)[0])["response"]
    assert lists_of(records, "events") == decoded(_sent(outcome, pair)[0])["events"]
    assert {decoded(record)["status"] for record in records} == {"SUCCESS"}
    assert len({(record.topic, record.partition, record.key) for record in records}) == 1
    assert headers_of(records[1])["ce_id"] == b"asterisk.actions.json/3/42/2"


@given(
    st.lists(LINES.map(lambda rest: (("Event", "E"), *rest)), max_size=30),
    LINES,
    st.lists(TEXT, max_size=30),
    st.integers(700, 3_000),
    st.sampled_from([AVRO, JSON]),
)
def test_parts_put_together_are_the_whole(
    events: list[Lines], response: Lines, output: list[str], limit: int, pair: Pair
) -> None:
    lines = (*response, *(("Output", line) for line in output))
    outcome = replace(DONE, message="", events=tuple(events), response=lines)
    records = serde(pair, max_bytes=limit).responses(asked(accept_parts=True), outcome, NOW_MS)
    assert all(len(record.value or b"") <= limit for record in records)
    if decoded(records[0])["truncated"]:
        return
    found = [tuple(("Event", item["event"]) for item in [event]) + _as_lines(event["headers"])
             for event in lists_of(records, "events")]  # fmt: skip
    assert found == events
    assert _as_lines(lists_of(records, "response")) == response
    assert lists_of(records, "output") == output


@PAIRS
def test_what_is_too_large_is_a_failure_that_says_so(pair: Pair) -> None:
    scribe = serde(pair, max_bytes=2_000)
    (record,) = scribe.responses(asked(), _listing(200), NOW_MS)
    found = decoded(record)
    assert (found["status"], found["executed"], found["truncated"]) == ("FAILURE", "yes", True)
    assert (found["events"], found["response"]) == ([], [])
    assert found["sent_time"] == NOW_MS - 20
    message = found["message"]
    assert message.startswith("the answer (2 lines and 200 events) has ")
    assert message.endswith(" bytes; a response may have 2000: set accept_parts, or ask for less")


def test_one_item_that_is_too_large_is_a_failure_even_in_parts() -> None:
    (record,) = serde(max_bytes=2_000).responses(asked(accept_parts=True), _listing(2, 3_000), NOW_MS)
    assert decoded(record)["message"].endswith("a response may have 2000: ask for less")


@pytest.mark.parametrize("status", [Status.FAILURE, Status.UNKNOWN, Status.TIMEOUT])
def test_what_did_not_succeed_keeps_its_status_when_it_is_too_large(status: Status) -> None:
    outcome = replace(_listing(200), status=status, executed=Executed.UNKNOWN)
    found = decoded(serde(max_bytes=2_000).responses(asked(), outcome, NOW_MS)[0])
    assert (found["status"], found["executed"]) == (status.value, "unknown")


def test_an_outcome_is_fitted_as_it_is_told() -> None:
    scribe = serde(max_bytes=2_000)
    for outcome in (DONE, _listing(200)):
        fitted = scribe.fitted(asked(), outcome)
        assert scribe.fitted(asked(), fitted) == fitted
        assert scribe.responses(asked(), fitted, NOW_MS) == scribe.responses(asked(), outcome, NOW_MS)
    assert scribe.fitted(asked(), DONE) == DONE


def test_a_long_message_is_cut() -> None:
    message = decoded(_sent(replace(DONE, message="m" * 5_000))[0])["message"]
    assert message == "m" * 4_096 + "..."


def test_a_list_item_without_headers_is_no_stumbling_block() -> None:
    assert decoded(_sent(replace(DONE, events=((),)))[0])["events"] == [{"event": "", "headers": []}]


@PAIRS
def test_what_is_no_request_is_answered_as_invalid(pair: Pair) -> None:
    headers = [("kafka_correlationId", b"\x01\x02"), ("ce_id", b"c-9"), ("kafka_replyTopic", b"crm.x")]
    found = undecodable_of(incoming(b"{", headers, JSON))
    (record,) = serde(pair).rejections(found, NOW_MS)
    body = decoded(record)
    assert (record.topic, record.key) == ("crm.x", b"k")
    assert headers_of(record)["kafka_correlationId"] == b"\x01\x02"
    assert (body["request_id"], body["status"], body["executed"]) == ("c-9", "INVALID", "no")
    assert body["message"] == found.reason
    assert body["action"] is None


def test_an_invalid_answer_may_have_no_request_id() -> None:
    found = undecodable_of(incoming(b"{", [("kafka_correlationId", b"\x01")]))
    (record,) = serde().rejections(found, NOW_MS)
    assert decoded(record)["request_id"] is None
    assert "ce_subject" not in headers_of(record)


def test_who_names_nobody_is_not_answered() -> None:
    assert serde().rejections(undecodable_of(incoming(b"{")), NOW_MS) == ()


def test_a_dead_letter_is_the_record_as_it_came_and_why() -> None:
    headers = (("ce_id", b"c-9"), ("x", None), ("x", b"\xff"))
    record = incoming(b'{"action": 1}', headers)
    letter = serde().dead_letter(undecodable_of(record))
    assert (letter.topic, letter.partition, letter.key) == ("asterisk.dlq", None, b"k")
    assert letter.value == record.value
    assert letter.headers[:3] == [*headers]
    assert dict(letter.headers[3:]) == {
        "__connect.errors.topic": b"asterisk.actions.json",
        "__connect.errors.partition": b"3",
        "__connect.errors.offset": b"42",
        "__connect.errors.connector.name": b"bridge",
        "__connect.errors.stage": b"VALUE_CONVERTER",
        "__connect.errors.class.name": b"connector.actions.reading.reader",
        "__connect.errors.exception.class.name": b"undecodable",
        "__connect.errors.exception.message": b"action: text is expected, not a number",
    }


def test_a_dead_letter_of_a_tombstone_is_one() -> None:
    assert serde().dead_letter(undecodable_of(incoming(None))).value is None


def test_a_large_dead_letter_is_cut_with_its_size_and_digest() -> None:
    letter = serde().dead_letter(undecodable_of(incoming(b"x" * 600_000)))
    assert len(letter.value or b"") == 524_288
    found = dict(letter.headers)
    assert found["ami_kafka_size"] == b"600000"
    assert len(found["ami_kafka_sha256"] or b"") == 64


def test_no_value_of_a_request_is_lost_between_json_and_the_answer() -> None:
    record = as_json({"request_id": "Zażółć", "action": "Ping", "headers": {"ActionID": "a-1"}})
    request = replace(asked(), record=record, request_id="Zażółć", action_id="a-1")
    assert decoded(serde().responses(request, DONE, NOW_MS)[0])["request_id"] == "Zażółć"
