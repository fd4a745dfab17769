"""Rules on the events' road: dead letters, suspects, the journal, the memory, what takes over."""

import json
from typing import Any

import pytest

from connector.ami.framing import Oversize
from connector.ami.steps import Start
from connector.edges.journal.blocks import HEAD_BYTES, Entries, content_of, entries_block, head_of, pack
from connector.events.entry import Entry, Flaw, Origin
from connector.events.gaps.joining import join
from connector.events.gaps.predecessor import Held, Read
from connector.events.lists import CHANNELS
from connector.events.records.outcome import Publish, Quarantine
from connector.events.records.routing import Routing
from tests.events.frames import NOW, SOURCE, event, snapshot
from tests.privacy.given import Road, everything, rules

NUMBER = "4930123456"
CALL = event("Newchannel", snapshot("1.2", "1.1").replace("100", NUMBER))
COVERED = {"headers": ["*Num", "Caller", "Channel", "Endpoint"]}
BY_DEFAULT: dict[str, Any] = {"defaults": True}


def entry_of(road: Road, frame: bytes) -> Entry:
    return next(each for each in road.intake.frames([frame], NOW) if each.origin is Origin.AMI)


def letter(outcome: Publish | Quarantine) -> tuple[bytes, dict[str, bytes]]:
    assert isinstance(outcome, Quarantine)
    return outcome.publish.value, dict(outcome.publish.headers)


BOTH = pytest.mark.parametrize("before_journal", [False, True])


@BOTH
def test_a_record_too_large_is_a_masked_dead_letter(before_journal: bool) -> None:
    road = Road(rules(COVERED), before_journal=before_journal, max_bytes=10)
    value, headers = letter(road.outcome(entry_of(road, CALL)))
    assert value == CALL.replace(NUMBER.encode(), b"***").replace(b"200", b"***").replace(b"SIP/a", b"***")
    assert "ami_kafka_masked" in headers


@BOTH
def test_so_is_what_the_broker_refuses(before_journal: bool) -> None:
    road = Road(rules(COVERED), before_journal=before_journal)
    refused = road.translator.refused(entry_of(road, CALL), "too odd")
    assert NUMBER.encode() not in everything(refused)
    assert b"CallerIDNum: ***" in refused.publish.value


TORN = CALL.replace(b"ConnectedLineNum", b"0151777: 8\r\nConnectedLineNum")
FLAWED = [
    pytest.param(TORN, "Newchannel", id="torn"),
    pytest.param(f"0151777\r\nEvent: {NUMBER}".encode(), "", id="orphan"),
    pytest.param(f"Event: {NUMBER}\r\nX: y".encode(), "", id="forged"),
    pytest.param(f"Response: Success\r\nCallerIDNum: {NUMBER}".encode(), "", id="response"),
]


@BOTH
@pytest.mark.parametrize("suspect", ["dead-letter", "mark"])
@pytest.mark.parametrize(("frame", "name"), FLAWED)
def test_of_what_rules_cannot_read_only_length_and_keyed_digest_are_told(
    frame: bytes, name: str, suspect: str, before_journal: bool
) -> None:
    road = Road(rules(COVERED), before_journal=before_journal, suspect=suspect)
    told = b""
    for entry in road.intake.frames([frame], NOW):
        outcome = road.outcome(entry)
        told += everything(outcome)
        if isinstance(outcome, Quarantine):
            told += f"{outcome.event} {outcome.reason} {outcome.detail}".encode()
        if before_journal:
            told += bytes(entry.frame)
        if entry.origin is Origin.AMI:
            value, headers = letter(outcome)
            assert value in (f"Event: {name}".encode(), b"", b"Response: ")
            assert headers["ami_kafka_size"] == str(len(frame)).encode()
            assert headers["ami_kafka_hmac"].startswith(b"k1:")
    assert NUMBER.encode() not in told
    assert b"0151777" not in told


def test_without_a_key_there_is_no_digest_that_could_be_tried_out() -> None:
    road = Road(rules(COVERED, key=None))
    _, headers = letter(road.outcome(entry_of(road, TORN)))
    assert "ami_kafka_hmac" not in headers
    assert "ami_kafka_sha256" not in headers


@pytest.mark.parametrize("frame", [pytest.param(*each.values[:1], id=each.id) for each in FLAWED])
def test_by_default_a_dead_letter_is_as_it_came(frame: bytes) -> None:
    road = Road(rules(**BY_DEFAULT), before_journal=True)
    value, headers = letter(road.outcome(entry_of(road, frame)))
    assert value == frame
    assert "ami_kafka_masked" not in headers


def test_by_default_a_torn_event_has_no_digits_either() -> None:
    torn = event("DTMFEnd", snapshot("1.2", "1.1").replace("100", "1\r\n2: 3"), "Digit: 5")
    rest = b"CallerIDName: Ann\r\nDigit: 5"
    road = Road(rules(**BY_DEFAULT))
    assert letter(road.outcome(entry_of(road, torn)))[0] == torn.replace(b"Digit: 5", b"Digit: ***")
    assert letter(road.outcome(entry_of(road, rest)))[0] == b"CallerIDName: Ann\r\nDigit: ***"
    large = Oversize(b"Event: DTMFEnd\r\nDigit: 5")
    large.size, large.sha256 = 1 << 21, "ab"
    value, headers = letter(road.outcome(entry_of(road, large)))
    assert value == b"Event: DTMFEnd\r\nDigit: ***"
    assert (headers["ami_kafka_size"], headers["ami_kafka_sha256"]) == (b"2097152", b"ab")


def test_a_frame_too_large_is_withheld_where_rules_might_be_about_it() -> None:
    large = Oversize(CALL)
    large.size, large.sha256 = 1 << 21, "ab"
    road = Road(rules(COVERED), before_journal=True)
    entry = entry_of(road, large)
    assert NUMBER.encode() not in entry.frame
    value, headers = letter(road.outcome(entry))
    assert (value, headers["ami_kafka_size"]) == (b"Event: Newchannel", b"2097152")


def test_a_natural_key_is_made_of_what_may_be_told() -> None:
    frame = event("PeerStatus", "Endpoint: x", "Peer: PJSIP/4930")
    road = Road(rules({"headers": ["Peer"], "do": "hmac"}), routing=Routing())
    outcome = road.outcome(entry_of(road, frame))
    assert isinstance(outcome, Publish)
    assert outcome.key is not None
    assert outcome.key.startswith(b"pbx1|k1:")


def test_an_entry_tells_the_journal_by_which_rules_it_was_changed() -> None:
    road = Road(rules(COVERED), before_journal=True)
    entries = [entry_of(road, frame) for frame in (CALL, event("QueueMemberPause", "Queue: q"))]
    assert [entry.masked for entry in entries] == [rules(COVERED).fingerprint, None]
    assert _stored(entries) == [entry._replace(reading=None) for entry in entries]
    assert NUMBER.encode() not in entries_block(b"markmark", 1, pack([1, 2], entries)[0])


def _stored(entries: list[Entry]) -> list[Entry]:
    block = entries_block(b"markmark", 1, pack([*range(1, len(entries) + 1)], entries)[0])
    head = head_of(b"markmark", block)
    assert head is not None
    content = content_of(block[HEAD_BYTES:], {1: SOURCE}, SOURCE.pbx)
    assert isinstance(content, Entries)
    return [entry for _, entry in content.placed]


def test_what_lies_in_the_journal_from_before_a_rule_goes_by_it_all_the_same() -> None:
    old = entry_of(Road(rules()), CALL)
    masked = entry_of(Road(rules({"headers": ["CallerIDName"]}), before_journal=True), CALL)
    for entry in (old, masked, *_stored([old, masked])):
        assert NUMBER.encode() not in everything(Road(rules(COVERED)).outcome(entry))


def test_the_memory_has_no_covered_name_and_ends_are_told_as_others() -> None:
    rule = {"headers": ["Channel"], "do": "hmac"}
    for before_journal in (False, True):
        road = Road(rules(rule), before_journal=before_journal)
        road.intake.frames([event("Newchannel", snapshot("1.2", "1.1").replace("SIP/a", "SIP/4930-1"))], NOW)
        memory = road.intake.memory()
        assert (b"4930" not in memory) == before_journal
        again = Road(rules(rule), before_journal=before_journal)
        again.intake.recall(memory, [])
        again.intake.up(SOURCE, NOW, "pbx:5038", Start())
        again.intake.begin_snapshot(NOW)
        (end,) = again.intake.settle({CHANNELS.action}, "s", NOW)
        outcome = again.outcome(end)
        assert isinstance(outcome, Publish)
        expected = rules(rule).of_event("Hangup")
        assert expected is not None
        assert expected.value("Channel", b"SIP/4930-1") in outcome.value


def test_names_that_other_rules_have_changed_are_not_taken_over() -> None:
    road = Road(rules())
    road.intake.frames([CALL], NOW)
    again = Road(rules(COVERED), before_journal=True)
    again.intake.recall(road.intake.memory(), [])
    assert b"SIP/a" not in again.intake.memory()
    again.intake.begin_snapshot(NOW)
    (end,) = again.intake.settle({CHANNELS.action}, "s", NOW)
    assert end.frame == b"Event: Hangup\r\nUniqueid: 1.2\r\nLinkedid: 1.1"


def test_entries_since_then_are_not_changed_again() -> None:
    rule = {"headers": ["Channel"], "do": "hmac"}
    road = Road(rules(rule), before_journal=True)
    empty = road.intake.memory()
    entry = entry_of(road, CALL)
    again = Road(rules(rule), before_journal=True)
    again.intake.recall(empty, [entry])
    assert again.intake.memory() == road.intake.memory()


def test_names_in_entries_of_other_rules_are_not_trusted() -> None:
    name = {"headers": ["CallerIDName"]}
    entry = entry_of(Road(rules(name), before_journal=True), CALL)
    again = Road(rules({"headers": ["Channel"]}), before_journal=True)
    again.intake.recall(again.intake.memory(), [entry])
    assert b"SIP/a" not in again.intake.memory()


def test_rules_for_answers_alone_withhold_answers_alone() -> None:
    road = Road(rules({"headers": ["Output"], "events": ["@answers"]}))
    assert letter(road.outcome(entry_of(road, TORN)))[0] == TORN
    assert letter(road.outcome(entry_of(road, FLAWED[3].values[0])))[0] == b"Response: "  # type: ignore[arg-type]


def test_what_one_event_may_tell_a_fragment_may_not() -> None:
    left = {"headers": ["Digit"], "events": ["DTMFEnd"], "do": "leave"}
    road = Road(rules(left, **BY_DEFAULT))
    assert letter(road.outcome(entry_of(road, b"X: y\r\nDigit: 5")))[0] == b"X: y\r\nDigit: ***"


def test_a_suspects_notice_has_no_text_of_the_callers() -> None:
    road = Road(rules(), before_journal=False)
    notice = next(each for each in road.intake.frames([TORN], NOW) if each.origin is Origin.CONNECTOR)
    assert b"0151777" not in notice.frame
    assert notice.frame.count(b"an unknown header") == 1


def test_the_connectors_own_records_go_by_no_rule() -> None:
    road = Road(rules({"headers": ["*"]}), before_journal=True)
    (entry,) = road.intake.down(NOW, "gone")
    assert b"Message: gone" in entry.frame
    assert b'"gone"' in everything(road.outcome(entry))


def test_a_masked_stream_is_joined_as_any_other() -> None:
    road = Road(rules(COVERED), before_journal=True)
    frames = [CALL.replace(b".123456", b".%06d" % number) for number in range(4)]
    old = [entry_of(road, frame) for frame in frames[:2]]
    held = Held(SOURCE, "pbx:5038", NOW, [Read(frames[1:], NOW)])
    joint = join(old, held, lambda _: True, road.discretion.form)
    assert joint.trouble == ""
    assert [frame for read in joint.reads for frame in read.frames] == frames[2:]


def test_a_flaw_is_told_as_it_is() -> None:
    entry = entry_of(Road(rules(COVERED), before_journal=True), TORN)
    assert (
        entry.flaw == Flaw("suspect", "has an unknown header where CallerIDName belongs")
        or entry.flaw is not None
    )


def test_a_typed_field_whose_text_is_covered_is_null_and_kept_as_told() -> None:
    frame = event("Hangup", snapshot("1.2", "1.1"), "Cause: 16", "Cause-txt: Normal Clearing")
    outcome = Road(rules({"headers": ["Cause"]})).outcome(entry_of(Road(rules()), frame))
    assert isinstance(outcome, Publish)
    value = json.loads(outcome.value)
    assert (value["cause"], value["cause_txt"]) == (None, "Normal Clearing")
    assert value["extra"] == [{"name": "Cause", "value": "***"}]


def test_what_variables_are_harmless_can_be_said_first() -> None:
    harmless = {"variables": ["DIALSTATUS"], "do": "leave"}
    every = {"headers": ["*ChanVariable", "Value"], "do": "drop"}
    privacy = rules(harmless, every)
    for variable, told in (("DIALSTATUS", "BUSY"), ("CUSTOMER", None)):
        frame = event(
            "VarSet",
            snapshot("1.2", "1.1"),
            f"ChanVariable: {variable}=x",
            f"Variable: {variable}",
            "Value: BUSY",
        )
        outcome = Road(privacy).outcome(entry_of(Road(rules()), frame))
        assert isinstance(outcome, Publish)
        value = json.loads(outcome.value)
        assert value["value"] == told
        assert value["channel_variables"] == ({variable: "x"} if told else {})
