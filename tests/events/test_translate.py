"""What Kafka gets: topic, key, headers, record, dead letter."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.events.entry import Entry, Origin
from connector.events.intake import Intake
from connector.events.records.outcome import NeedsSchema, Publish, Quarantine
from connector.events.records.routing import Routing
from tests.events.frames import (
    NORMALISER,
    NOW,
    SCHEMAS,
    event,
    intake,
    record,
    snapshot,
    translate,
    translator,
)


def one(frame: bytes, taker: Intake | None = None) -> Entry:
    return next(entry for entry in (taker or intake()).frames([frame], NOW) if entry.origin is Origin.AMI)


def published(entry: Entry, **rules: Any) -> Publish:
    outcome = translate(entry, **rules)
    assert isinstance(outcome, Publish)
    return outcome


HANGUP = event("Hangup", snapshot("1.2", "1.1"), "Cause: 16", "Cause-txt: Normal Clearing")


def test_the_envelope() -> None:
    whole = record(one(HANGUP))
    assert {key: whole[key] for key in ("event_id", "event_time", "event_time_us", "event_time_source", "call_id", "privilege")} == {
        "event_id": "pbx1/3/1", "event_time": 1_700_000_000_123, "event_time_us": 1_700_000_000_123_456,
        "event_time_source": "pbx", "call_id": "1.1", "privilege": ["call"],
    }  # fmt: skip
    assert (whole["received_time"], whole["received_time_us"]) == (NOW // 1000, NOW)
    assert whole["source"] == {
        "pbx": "pbx1", "system_name": "sys", "asterisk_version": "22.10.1", "ami_version": "11.0.0", "epoch": 3, "sequence": 1,
        "origin": "ami", "integrity": "ok", "snapshot_id": None, "recovered": False, "ami_sequence": None,
    }  # fmt: skip
    assert (whole["unique_id"], whole["cause"], whole["extra"]) == ("1.2", 16, [])


def test_without_timestamp_the_time_of_receipt_stands_in() -> None:
    whole = record(one(b"Event: PeerStatus\r\nPrivilege: system,all\r\nSystemName: other\r\nPeer: a"))
    assert (whole["event_time_us"], whole["event_time_source"], whole["source"]["system_name"]) == (
        NOW,
        "receipt",
        "other",
    )


@pytest.mark.parametrize("stamp", [".123456", "1.12345", "-1.123456", "1,123456", "9" * 12 + ".123456", "."])
@pytest.mark.parametrize("before", ["", "\r\nPeer: a"])
def test_what_is_no_timestamp_is_kept_and_the_time_of_receipt_stands_in(before: str, stamp: str) -> None:
    frame = f"Event: PeerStatus\r\nPrivilege: system,all{before}\r\nTimestamp: {stamp}\r\nCause: x"
    entry = one(frame.encode())
    whole = record(entry)
    assert (whole["event_time_us"], whole["event_time_source"]) == (NOW, "receipt")
    assert {"name": "Timestamp", "value": stamp} in whole["extra"]
    assert dict(published(entry).headers)["ce_time"] == b"2023-11-14T22:13:21.000000Z"


def test_debug_headers_of_manager_conf() -> None:
    frame = HANGUP.replace(
        b"\r\nChannel: ", b"\r\nSequenceNumber: 77\r\nFile: manager.c\r\nLine: 1\r\nFunc: f\r\nChannel: ", 1
    )
    whole = record(one(frame))
    assert whole["source"]["ami_sequence"] == 77
    assert [header["name"] for header in whole["extra"]] == ["File", "Line", "Func"]


def test_headers_are_cloudevents_in_binary_mode() -> None:
    outcome = published(one(HANGUP))
    assert outcome.headers == [
        ("ce_specversion", b"1.0"), ("ce_id", b"pbx1/3/1"), ("ce_type", b"org.amikafka.events.Hangup"), ("ce_source", b"/asterisk/pbx1"),
        ("ce_time", b"2023-11-14T22:13:20.123456Z"), ("content-type", b"application/avro"), ("ce_subject", b"1.1"),
    ]  # fmt: skip
    assert outcome.timestamp_ms == NOW // 1000
    untimed = published(one(b"Event: PeerStatus\r\nPrivilege: system,all\r\nPeer: a"))
    assert ("ce_time", b"2023-11-14T22:13:21.000000Z") in untimed.headers


@pytest.mark.parametrize(
    ("by", "topic", "subject"),
    [
        ("event", "asterisk.events.queue-member-status", "asterisk.events.queue-member-status-value"),
        ("family", "asterisk.events.queue", "asterisk.events.queue-org.amikafka.events.QueueMemberStatus"),
        ("single", "asterisk.events", "asterisk.events-org.amikafka.events.QueueMemberStatus"),
    ],
)
def test_the_three_routings(by: Any, topic: str, subject: str) -> None:
    entry = one(event("QueueMemberStatus", "Queue: q", "Interface: PJSIP/1"))
    made = translator(routing=Routing(by=by))
    need = made.translate(entry)
    assert isinstance(need, NeedsSchema)
    assert need.subject == subject
    assert published(entry, routing=Routing(by=by)).topic == topic


def test_events_that_share_a_named_topic_have_subjects_of_their_own() -> None:
    routing = Routing(topics={"Hangup": "ends", "SoftHangupRequest": "ends", "Cdr": "cdr"})
    hangup, cdr = SCHEMAS.lookup("Hangup"), SCHEMAS.lookup("Cdr")
    assert routing.subject_of(routing.topic_of(hangup), hangup) == "ends-org.amikafka.events.Hangup"
    assert routing.subject_of(routing.topic_of(cdr), cdr) == "cdr-value"


def test_topics_may_be_named_and_prefixed() -> None:
    routing = Routing(prefix="pbx", topics={"Hangup": "calls.ended"})
    assert published(one(HANGUP), routing=routing).topic == "calls.ended"
    assert published(one(event("PeerStatus", "Peer: a")), routing=routing).topic == "pbx.events.peer-status"


@pytest.mark.parametrize(
    ("kind", "key"),
    [("root", b"pbx1|1.2"), ("linkedid", b"pbx1|1.1"), ("uniqueid", b"pbx1|1.2"), ("pbx", b"pbx1")],
)
def test_the_keys_of_calls(kind: Any, key: bytes) -> None:
    taker = intake()
    taker.frames([event("Newchannel", snapshot("1.2", "1.2"))], NOW)
    assert published(one(HANGUP, taker), routing=Routing(key=kind)).key == key


@pytest.mark.parametrize(
    ("frame", "key"),
    [
        (event("QueueMemberStatus", "Queue: sales|x", "Interface: PJSIP/1"), b"pbx1|sales%7Cx|PJSIP/1"),
        (event("DeviceStateChange", "Device: PJSIP/1", "State: BUSY"), b"pbx1|PJSIP/1"),
        (event("NeverHeardOf", "A: b"), b"pbx1|NeverHeardOf"),
        (event("NeverHeardOf", "Uniqueid: 1.9"), b"pbx1|1.9"),
        (event("ConfbridgeJoin", "Conference: 8000", snapshot("1.9", "1.9")), b"pbx1|8000"),
    ],
)
def test_keys_of_what_is_no_call(frame: bytes, key: bytes) -> None:
    assert published(one(frame)).key == key


def test_every_event_and_list_item_has_a_key_of_its_own_but_those_of_the_pbx_itself() -> None:
    keyless = {
        schema.event
        for schema in SCHEMAS
        if not schema.channels and not schema.keys and "list_complete" not in schema.kinds
    }
    assert keyless == {"FullyBooted", "Shutdown", "FAXStats", "TestEvent", "WaitEventComplete"}


def test_the_dead_letter_of_a_suspect() -> None:
    torn = HANGUP.replace(b"CallerIDNum: 100", b"CallerIDNum: 1\r\nX: y")
    outcome = translate(one(torn))
    assert isinstance(outcome, Quarantine)
    letter = outcome.publish
    headers = dict(letter.headers)
    assert (outcome.reason, outcome.event, letter.topic, letter.value) == (
        "suspect",
        "Hangup",
        "asterisk.dlq",
        torn,
    )
    assert headers["__connect.errors.stage"] == b"TASK_POLL"
    assert headers["__connect.errors.exception.class.name"] == b"suspect"
    assert b"CallerIDName belongs" in headers["__connect.errors.exception.message"]


def test_by_setting_a_suspect_goes_to_its_topic_marked() -> None:
    torn = HANGUP.replace(b"CallerIDNum: 100", b"CallerIDNum: 1\r\nX: y")
    outcome = published(one(torn), suspect="mark", value="json")
    assert outcome.topic == "asterisk.events.hangup"
    assert json.loads(outcome.value)["source"]["integrity"] == "suspect"


def test_a_record_too_large_for_a_message_is_cut_with_its_size_and_digest() -> None:
    outcome = translate(
        one(event("VarSet", snapshot("1.1", "1.1"), "Variable: x", "Value: " + "v" * 950_000))
    )
    assert isinstance(outcome, Quarantine)
    headers = dict(outcome.publish.headers)
    assert (outcome.reason, len(outcome.publish.value)) == ("too-large", 65_536)
    assert int(headers["ami_kafka_size"]) > 950_000
    assert len(headers["ami_kafka_sha256"]) == 64


def test_json_needs_no_registry() -> None:
    made = translator(value="json")
    outcome = made.translate(one(HANGUP))
    assert isinstance(outcome, Publish)
    assert json.loads(outcome.value)["cause_txt"] == "Normal Clearing"
    assert ("content-type", b"application/json") in outcome.headers


def test_an_entry_read_again_from_its_frame_gives_the_same_record() -> None:
    entry = one(HANGUP)
    assert translate(entry._replace(reading=None)) == translate(entry)


@given(st.binary(max_size=300))
def test_any_frame_has_an_outcome(frame: bytes) -> None:
    for entry in intake().frames([frame] if frame else [], NOW):
        outcome = translate(entry)
        assert isinstance(outcome, Publish | Quarantine)


def test_the_notices_schema_cannot_be_reached_from_a_pbx() -> None:
    entry = one(event("gap", "Type: gap", "Loss: certain"))
    assert published(entry).topic == "asterisk.events.unknown"
    assert NORMALISER.read(entry.frame).shape.schema is SCHEMAS.unknown
