"""Numbers, roots, selection and the connector's own notices."""

import pytest

from connector.ami.framing import Framer
from connector.avro.normalise import Normaliser, Reading
from connector.events.calls import GRACE_US, Calls
from connector.events.entry import Flaw, Origin, name_of
from connector.events.gaps.losses import DAMAGED, GivenUp, let_go
from connector.events.integrity import Integrity
from connector.events.watching.heartbeat import Depth, Health
from tests.events.frames import NOW, SOURCE, event, intake, record, snapshot


def hangup(unique: str, linked: str) -> bytes:
    return event("Hangup", snapshot(unique, linked), "Cause: 16", "Cause-txt: Normal Clearing")


def test_numbers_are_given_after_selection_without_holes() -> None:
    left_out: list[str] = []
    taker = intake("Hangup", unselected=left_out)
    frames = [hangup("1.1", "1.1"), event("Newchannel", snapshot("1.2", "1.1")), hangup("1.2", "1.1")]
    entries = taker.frames(frames, NOW)
    assert [(name_of(entry), entry.sequence) for entry in entries] == [("Hangup", 1), ("Hangup", 2)]
    assert left_out == ["Newchannel"]
    assert entries[1].event_id == "pbx1/3/2"


def test_the_root_is_the_first_linkedid_and_a_merge_is_told() -> None:
    taker = intake()
    first = taker.frames([event("Newchannel", snapshot("1.5", "1.5"))], NOW)
    merged = taker.frames([event("Newstate", snapshot("1.5", "1.1"))], NOW)
    again = taker.frames([event("Newstate", snapshot("1.5", "1.1"))], NOW)
    assert [entry.root for entry in first] == ["1.5"]
    assert [(entry.origin, entry.root) for entry in merged] == [(Origin.CONNECTOR, None), (Origin.AMI, "1.5")]
    notice = record(merged[0])
    assert {key: notice[key] for key in ("type", "unique_id", "root", "previous_linked_id", "linked_id")} == {
        "type": "merge", "unique_id": "1.5", "root": "1.5", "previous_linked_id": "1.5", "linked_id": "1.1",
    }  # fmt: skip
    assert len(again) == 1


def test_a_cdr_finds_its_root_by_uniqueid_after_the_hangup() -> None:
    taker = intake()
    taker.frames([event("Newchannel", snapshot("1.2", "1.1")), hangup("1.2", "1.1")], NOW)
    cdr = event("Cdr", "UniqueID: 1.2", "Source: 100")
    assert taker.frames([cdr], NOW + GRACE_US - 1)[0].root == "1.1"
    assert taker.frames([cdr], NOW + GRACE_US + 1)[0].root == "1.2"


def test_a_cdr_that_comes_before_its_channel_says_nothing_of_the_call() -> None:
    taker = intake()
    cdr = event("Cdr", "UniqueID: 1.2", "Source: 100")
    later = taker.frames([cdr, event("Newchannel", snapshot("1.2", "1.1")), cdr], NOW)
    assert [entry.root for entry in later] == ["1.2", "1.1", "1.1"]


def test_a_dial_without_caller_goes_by_the_called_channel() -> None:
    entry = intake().frames([event("DialBegin", snapshot("1.7", "1.6", "Dest"), "DialString: 200")], NOW)[0]
    assert (entry.flaw, entry.root) == (None, "1.6")


def test_events_without_a_call_have_no_root() -> None:
    entries = intake().frames(
        [event("PeerStatus", "Peer: PJSIP/1"), event("VarSet", "Channel: none", "Uniqueid: none")], NOW
    )
    assert [entry.root for entry in entries] == [None, None]


def test_a_session_tells_when_it_comes_goes_and_what_lies_between() -> None:
    taker = intake()
    first = taker.up(SOURCE, NOW, "pbx:5038")
    taker.frames([hangup("1.1", "1.1")], NOW + 5)
    down = taker.down(NOW + 10, "connection lost")
    second = taker.up(SOURCE, NOW + 20, "pbx:5038")
    assert [record(entry)["type"] for entry in (*first, *down, *second)] == [
        "session_up",
        "session_down",
        "session_up",
        "gap",
    ]
    gap = record(second[1])
    assert (gap["from_time_us"], gap["to_time_us"], gap["loss"]) == (NOW + 5, NOW + 20, "possible")
    assert [entry.sequence for entry in (*first, *down, *second)] == [1, 3, 4, 5]


def test_an_orderly_end_is_followed_by_no_gap_in_this_process() -> None:
    taker = intake()
    taker.up(SOURCE, NOW, "a")
    taker.down(NOW, "stopped", orderly=True)
    assert [record(entry)["type"] for entry in taker.up(SOURCE, NOW, "a")] == ["session_up"]


def test_a_forged_event_brings_a_notice_a_dead_letter_and_no_root() -> None:
    taker = intake()
    torn = event(
        "Newchannel", snapshot("1.1", "1.1").replace("CallerIDNum: 100", "CallerIDNum: 1\r\nUniqueid: 9.9")
    )
    entry, notice = taker.frames([torn], NOW)
    said = record(notice)
    assert (said["type"], said["subject_event"], said["subject_event_id"]) == (
        "suspect",
        "Newchannel",
        entry.event_id,
    )
    assert entry.flaw is not None
    assert (entry.flaw.reason, entry.root, len(taker.calls)) == ("suspect", None, 0)


def test_what_is_no_event_is_kept_under_its_reason() -> None:
    framer = Framer(1_000)
    frames = framer.feed(
        b"rest\r\nExten: 1\r\n\r\nResponse: Success\r\n\r\nEvent: X\r\nA: " + b"v" * 2_000 + b"\r\n\r\n"
    )
    entries = intake().frames(frames, NOW)
    assert [entry.flaw.reason for entry in entries if entry.flaw] == [
        "orphan",
        "unawaited-response",
        "oversize",
    ]
    assert [entry.sequence for entry in entries] == [1, 2, 3]


@pytest.mark.parametrize("failing", [(Normaliser, "read"), (Integrity, "judge"), (Calls, "root_of")])
def test_an_event_that_we_fail_at_is_a_dead_letter_and_stops_nothing(
    failing: tuple[type, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, name = failing
    whole = getattr(kind, name)

    def failed(self: object, read: object, *more: object) -> object:
        frame = read.frame if isinstance(read, Reading) else read
        if isinstance(frame, bytes) and b"Uniqueid: 1.2" in frame:
            raise ValueError("caller 4711")
        return whole(self, read, *more)

    taker = intake()
    monkeypatch.setattr(kind, name, failed)
    frames = [hangup("1.1", "1.1"), hangup("1.2", "1.2"), hangup("1.3", "1.3")]
    first, letter, last = taker.frames(frames, NOW)
    assert (first.flaw, last.flaw) == (None, None)
    assert (letter.frame, letter.root, letter.flaw) == (
        frames[1],
        None,
        Flaw("unforeseen", "ValueError in failed"),
    )
    assert [entry.sequence for entry in (first, letter, last)] == [1, 2, 3]


def test_an_item_of_a_list_that_we_fail_at_is_a_dead_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    def failed(_: Normaliser, frame: bytes) -> Reading:
        raise ValueError(frame)

    taker, frame = intake(), event("Status", snapshot("1.2", "1.1"))
    monkeypatch.setattr(Normaliser, "read", failed)
    reading, (letter,) = taker.item(frame, NOW, "s-1")
    assert reading is None
    assert (letter.frame, letter.origin, letter.flaw) == (
        frame,
        Origin.SNAPSHOT,
        Flaw("unforeseen", "ValueError in failed"),
    )


def test_a_heartbeat_tells_the_longest_delay_since_the_last() -> None:
    taker = intake()
    health = Health(Depth(7, 900, NOW - 50), 41, "bridge", "1.2.3")

    def stamped(late_us: int) -> bytes:
        whole, part = divmod(NOW - late_us, 1_000_000)
        return hangup("1.1", "1.1").replace(b"\r\n", b"\r\nTimestamp: %d.%06d\r\n" % (whole, part), 1)

    taker.frames([stamped(90_000), stamped(80_000)], NOW)
    taker.frames([stamped(5_000), b"Event: Hangup\r\nTimestamp: never"], NOW)
    told = record(taker.heartbeat(health, NOW))
    assert (told["type"], told["lag_ms"], told["events"], told["published"]) == ("heartbeat", 80, 4, 41)
    assert (told["journal_entries"], told["journal_bytes"], told["oldest_at_us"]) == (7, 900, NOW - 50)
    assert (told["connector"], told["connector_version"]) == ("bridge", "1.2.3")
    assert record(taker.heartbeat(health, NOW))["lag_ms"] is None


def test_lost_entries_are_named() -> None:
    taker = intake()
    lost = taker.frames([hangup("1.1", "1.1"), hangup("1.2", "1.1")], NOW)
    (loss,) = let_go(lost)
    notice = record(taker.lost(loss, NOW))
    told = [notice[field] for field in ("type", "reason", "loss", "first_sequence", "last_sequence", "count")]
    assert told == ["overflow", "journal-full", "certain", 1, 2, 2]
    assert (notice["first_epoch"], notice["subject_event"]) == (None, None)


def test_what_an_earlier_start_has_lost_is_named_with_its_epoch() -> None:
    notice = record(intake().lost(GivenUp(DAMAGED, 7, 3, None, NOW, NOW + 5), NOW))
    assert (notice["type"], notice["reason"], notice["first_epoch"]) == ("gap", "journal-damaged", 7)
    assert (notice["first_sequence"], notice["last_sequence"], notice["count"]) == (3, None, None)
    assert (notice["from_time_us"], notice["to_time_us"]) == (NOW, NOW + 5)


def test_a_text_of_the_pbx_cannot_forge_a_header_of_a_notice() -> None:
    notice = record(intake().down(NOW, "lost\r\nLoss: certain")[0])
    assert (notice["reason"], notice["message"], notice["loss"]) == ("lost", "lost Loss: certain", None)
