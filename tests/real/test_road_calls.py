"""Every event of a real PBX is in its topic once, in order, typed, and nothing of it is lost.

Calls are Local channels', a SIP phone's and sipp's: all that `tests/parts/scenarios` can make happen.
"""

import json
from collections import Counter
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import pytest

from tests.parts.asterisk import Asterisk
from tests.parts.kafka import Cluster, Kafka
from tests.parts.registry import Registry, Service
from tests.real.bridge import command, toml
from tests.real.story import SIPP_FIRST, SIPP_LAST, Ends, Told, story
from tests.real.witness import Comparison, first_of, name_of

EVERY_CALL = {
    "AgentConnect", "AttendedTransfer", "BlindTransfer", "BridgeEnter", "Cdr", "CEL", "ConfbridgeTalking",
    "ContactStatus", "DTMFEnd", "DeviceStateChange", "DialEnd", "ExtensionStatus", "Hangup", "Hold",
    "InvalidPassword", "MusicOnHoldStart", "Newchannel", "OriginateResponse", "ParkedCall", "PeerStatus",
    "Pickup", "PresenceStatus", "QueueCallerAbandon", "QueueCallerJoin", "RTCPReceived", "RTCPSent", "Registry",
    "Unhold", "UserEvent", "VarSet", "ChallengeResponseFailed",
}  # fmt: skip
"""What the story must hold, lest the tests below prove little."""
SIPPS_CALLS = {
    "AttendedTransfer", "BlindTransfer", "ChallengeResponseFailed", "ContactStatus", "Hangup", "Hold", "PeerStatus",
    "RTCPReceived", "RTCPSent", "Unhold",
}  # fmt: skip
LEFT_OVER = {
    ("ParkedCallTimeOut", "ParkingTimeout"),  # a time below zero, printed as a number of 64 bits without sign
}
"""Headers of Asterisk's own whose value is none."""
EMPTY: dict[str, object] = {"map": {}, "strings": []}


@pytest.fixture(params=[22, 16])
def told(
    request: pytest.FixtureRequest,
    start_asterisk: Callable[..., Asterisk],
    kafka: Cluster | Kafka,
    registry: Service | Registry,
    tmp_path: Path,
    *,
    sipp_is_here: bool,
) -> Told:
    return story(request.param, start_asterisk, Ends(kafka, registry), tmp_path, sipp=sipp_is_here)


def test_the_connector_ends_in_order_and_nothing_was_wrong(told: Told) -> None:
    assert told.exit_code == 0, told.log
    assert not [line for line in told.log.splitlines() if '"level": "error"' in line], told.log
    assert not [got for got in told.everything if got.topic.endswith(".dlq")], told.log


def test_the_story_holds_every_kind_of_call(told: Told) -> None:
    assert EVERY_CALL - {name_of(frame) for frame in told.frames} == set()
    assert len(told.frames) > 3000


def test_the_story_holds_sipps_calls(told: Told, *, sipp_is_here: bool) -> None:
    if not sipp_is_here:
        pytest.skip("sipp is not here; get it with: apt-get install sip-tester")
    marks = [first_of(frame, "UserEvent") for frame in told.frames]
    calls = told.frames[marks.index(SIPP_FIRST) : marks.index(SIPP_LAST)]
    assert SIPPS_CALLS - {name_of(frame) for frame in calls} == set()


def test_every_event_of_the_socket_is_there_exactly_once_in_the_order_of_the_pbx(told: Told) -> None:
    seen = [(name_of(frame), first_of(frame, "Timestamp")) for frame in told.frames]
    given = [
        (told.decoder.schema_of(got)["ami"]["event"] or value["event"], f"{value['event_time_us'] / 1e6:.6f}")
        for got, value in told.events
    ]
    assert Counter(given) - Counter(seen) == Counter()
    assert Counter(seen) - Counter(given) == Counter()
    assert given == seen


def test_no_number_is_missing_and_none_comes_twice(told: Told) -> None:
    numbers = sorted(got.number for got in told.everything)
    assert numbers == list(range(1, len(numbers) + 1))


def test_each_partition_is_in_the_order_of_the_pbx(told: Told) -> None:
    for place, records in groupby(told.everything, lambda got: (got.topic, got.partition)):
        numbers = [got.number for got in records]
        assert numbers == sorted(numbers), place
    assert len({got.partition for got in told.everything if got.topic.endswith(".new-channel")}) > 1


def test_every_header_is_found_again_in_the_record_and_nothing_else_is(told: Told) -> None:
    faults: Counter[str] = Counter()
    for frame, (got, value) in zip(told.frames, told.events, strict=True):
        for fault in Comparison(frame, value, told.decoder.schema_of(got)).faults:
            faults[f"{name_of(frame)}: {fault}"] += 1
    assert not faults, faults.most_common(20)


def test_only_what_no_schema_can_know_is_left_over(told: Told) -> None:
    left = {
        (name_of(frame), item["name"])
        for frame, (_, value) in zip(told.frames, told.events, strict=True)
        for item in value["extra"]
    }
    assert {(event, header) for event, header in left if event != "UserEvent"} <= LEFT_OVER


def test_the_comparison_would_notice_whatever_is_lost(told: Told) -> None:
    looked_at = 0
    for frame, (got, value) in [*zip(told.frames, told.events, strict=True)][::7]:
        schema = told.decoder.schema_of(got)
        for field in schema["fields"]:
            if "ami" in field and value[field["name"]]:
                spoilt = {**value, field["name"]: EMPTY.get(field["wire"])}
                assert Comparison(frame, spoilt, schema).faults, (name_of(frame), field["name"])
                looked_at += 1
    assert looked_at > 5000


def test_every_event_lies_in_the_topic_of_its_name(told: Told) -> None:
    topics: dict[str, str] = {}
    for frame, (got, _) in zip(told.frames, told.events, strict=True):
        assert topics.setdefault(name_of(frame), got.topic) == got.topic
    assert len({*topics.values()} - {topic for topic in topics.values() if topic.endswith(".unknown")}) > 90
    tails = {name: topic.split(".events.")[1] for name, topic in topics.items()}
    assert (tails["Hangup"], tails["DialBegin"], tails["CEL"]) == ("hangup", "dial-begin", "cel")


def test_events_of_a_call_share_the_key_of_the_first_linkedid(told: Told) -> None:
    roots: dict[str, str] = {}
    merged = 0
    for frame, (got, value) in zip(told.frames, told.events, strict=True):
        by_channel = ["Uniqueid", "Linkedid"] in told.decoder.schema_of(got)["ami"]["channels"][:1]
        unique, linked = first_of(frame, "Uniqueid"), first_of(frame, "Linkedid")
        if not by_channel or not linked:
            continue
        root = roots.setdefault(unique, linked)
        merged += root != linked
        assert value["call_id"] == got.headers["ce_subject"] == root
        if told.decoder.schema_of(got)["ami"]["keyed_by"] == "call":
            assert got.key.decode() == f"{told.pbx}|{root}"
    assert merged > 0, "no call took over another's Linkedid, so nothing was shown"


def test_a_replay_of_the_same_bytes_gives_the_same_records(told: Told, tmp_path: Path) -> None:
    capture, config = tmp_path / "capture.ami", tmp_path / "replay.toml"
    capture.write_bytes(told.capture)
    prefix = told.events[0][0].topic.partition(".")[0]
    events = {"select": ["@all", "@unknown"], "topic_prefix": prefix}
    config.write_text(toml({"events": events}))
    done = command("replay", str(capture), "--pbx", told.pbx, "--config", str(config))
    assert done.returncode == 0, done.stderr
    lines = [line for line in map(json.loads, done.stdout.splitlines()) if "event_time_us" in line["value"]]
    replayed = [(line["topic"], line["key"], line["value"]["event_time_us"]) for line in lines]
    live = [(got.topic, got.key.decode(), value["event_time_us"]) for got, value in told.events]
    assert Counter(live) - Counter(replayed) == Counter()
    at = replayed.index(live[0])
    kept = [one for one in replayed[at:] if not one[0].endswith((".connector", ".test-event"))]
    assert kept[: len(live)] == live


def test_records_say_who_sent_them_and_when_they_came(told: Told) -> None:
    version = told.pbx.partition("-")[2]
    for got, value in told.events:
        source = value["source"]
        assert (source["pbx"], source["origin"], source["integrity"]) == (told.pbx, "ami", "ok")
        assert source["asterisk_version"].startswith(f"{version}.")
        assert source["system_name"] == f"pbx-{version}"
        assert got.headers["ce_id"] == value["event_id"] == f"{told.pbx}/{source['epoch']}/{got.number}"
        assert got.headers["content-type"] == "application/avro"
        assert abs((value["received_time"] - value["event_time"]).total_seconds()) < 30
