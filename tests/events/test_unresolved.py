"""What became of calls told as UNKNOWN: seen before or after, told twice at most, remembered in bounds."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.actions.preparation import own_channel
from connector.ami.message import AmiMessage, Kind
from connector.events import unresolved
from connector.events.entry import Entry, Origin, name_of
from connector.events.intake import Intake
from connector.events.unresolved import HOUR_US, MAX_DOUBTS, MAX_SEEN, Doubt, Sight, Unresolved, seen_alive
from tests.events.frames import NOW, event, intake, record, snapshot

CALL = own_channel("pbx1", "r1")
DOUBT = Doubt(CALL, "r1", "Originate", "asterisk.actions/3/17")
EXISTS = ("yes", "unknown", "the channel exists (Newchannel)")


def newchannel(unique: str = CALL) -> bytes:
    return event("Newchannel", snapshot(unique, unique))


def hangup(state: str = "5", cause: str = "User busy") -> bytes:
    channel = snapshot(CALL, CALL).replace("ChannelState: 6", f"ChannelState: {state}")
    return event("Hangup", channel, "Cause: 17", f"Cause-txt: {cause}")


def response(said: str, reason: int) -> bytes:
    return event(
        "OriginateResponse", f"Response: {said}", "Channel: SIP/a", f"Reason: {reason}", f"Uniqueid: {CALL}"
    )


def told(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    return [record(each) for each in entries if name_of(each) == "action_resolved"]


def brief(entries: Sequence[Entry]) -> list[tuple[str, str, str]]:
    return [(each["executed"], each["outcome"], each["message"]) for each in told(entries)]


def doubt(taker: Intake, now_us: int = NOW) -> list[Entry]:
    seen, entries = taker.doubt(DOUBT, now_us)
    assert seen == bool(entries)
    return entries


def test_the_first_event_of_the_channel_proves_it_and_the_record_tells_whose_it_is() -> None:
    taker = intake("Hangup")
    assert doubt(taker) == []
    (entry,) = taker.frames([newchannel("1.1"), newchannel()], NOW)
    assert entry.origin is Origin.CONNECTOR
    said = record(entry)
    expected = {
        "type": "action_resolved",
        "request_id": "r1",
        "request_record": "asterisk.actions/3/17",
        "action": "Originate",
        "unique_id": CALL,
        "executed": "yes",
        "outcome": "unknown",
        "message": "the channel exists (Newchannel)",
        "subject_event": "Newchannel",
    }
    assert {name: said[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("frame", "outcome", "message"),
    [
        (response("Success", 4), "success", "answered (OriginateResponse)"),
        (response("Failure", 5), "failure", "not answered, reason 5 (OriginateResponse)"),
        (hangup(), "failure", "ended unanswered: User busy (Hangup)"),
        (hangup("6", "Normal Clearing"), "success", "answered, and ended: Normal Clearing (Hangup)"),
    ],
)
@pytest.mark.parametrize("first", [True, False], ids=["after-newchannel", "alone"])
@pytest.mark.parametrize("before", [True, False], ids=["seen-before", "seen-after"])
def test_how_it_came_out_is_told_once(
    frame: bytes, outcome: str, message: str, *, first: bool, before: bool
) -> None:
    taker, frames = intake(), [newchannel(), frame] if first else [frame]
    expected = [("yes", outcome, message)]
    if before:
        assert brief(taker.frames(frames, NOW)) == []
        assert brief(doubt(taker)) == expected
    else:
        doubt(taker)
        assert brief(taker.frames(frames, NOW)) == ([EXISTS] if first else []) + expected
    assert brief(taker.frames([response("Success", 4), hangup(), hangup()], NOW)) == []


def test_what_was_seen_before_goes_on_to_its_end() -> None:
    taker = intake()
    taker.frames([newchannel()], NOW)
    assert brief(doubt(taker)) == [EXISTS]
    assert [each[1] for each in brief(taker.frames([hangup()], NOW))] == ["failure"]


def test_a_repeat_of_the_doubt_tells_nothing_again() -> None:
    taker = intake()
    taker.frames([newchannel()], NOW)
    doubt(taker)
    assert taker.doubt(DOUBT, NOW) == (True, [])


def test_a_callers_text_or_a_user_event_proves_nothing() -> None:
    taker = intake()
    doubt(taker)
    forged = event("Newchannel", snapshot(CALL, CALL).replace("Exten: s", f"Exten: s\r\nUniqueid: {CALL}"))
    said = event("UserEvent", snapshot(CALL, CALL), "UserEvent: Mine")
    assert brief(taker.frames([said], NOW)) == []
    assert brief(intake().frames([forged], NOW)) == []


def test_the_other_half_of_a_local_channel_is_not_it() -> None:
    taker = intake()
    doubt(taker)
    assert brief(taker.frames([newchannel(f"{CALL};2")], NOW)) == []


def test_nothing_is_kept_of_channels_that_are_not_ours() -> None:
    memory = Unresolved()
    taker = intake()
    taker._calls._noticed = memory.noticed
    taker.frames([newchannel("1.1"), newchannel()], NOW)
    assert [*memory._seen] == [CALL]


def test_after_an_hour_it_is_told_no_more() -> None:
    on_time, late = intake(), intake()
    doubt(on_time)
    doubt(late)
    assert brief(on_time.frames([newchannel()], NOW + HOUR_US)) == [EXISTS]
    assert brief(late.frames([newchannel()], NOW + HOUR_US + 1)) == []
    assert len(late._unresolved) == 0


@pytest.mark.parametrize(("state", "outcome"), [("6", "success"), ("5", "unknown")])
def test_the_pbxs_own_answer_proves_it_too(state: str, outcome: str) -> None:
    status = AmiMessage(Kind.EVENT, (("Event", "Status"), ("Uniqueid", CALL), ("ChannelState", state)))
    taker = intake()
    doubt(taker)
    (found,) = told(taker.saw(CALL, seen_alive(status), NOW))
    assert (found["executed"], found["outcome"], found["subject_event"]) == ("yes", outcome, "Status")


def test_memories_are_bounded_and_the_oldest_go(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (MAX_DOUBTS, MAX_SEEN) == (1_000, 10_000)
    monkeypatch.setattr(unresolved, "MAX_DOUBTS", 3)
    monkeypatch.setattr(unresolved, "MAX_SEEN", 3)
    memory = Unresolved()
    for number in range(5):
        memory.doubt(DOUBT._replace(call_id=f"ak-{number}"), NOW)
        memory.saw(f"ak-x{number}", Sight("Newchannel", ""), NOW)
    assert [*memory._open] == ["ak-2", "ak-3", "ak-4"]
    assert [*memory._seen] == ["ak-x2", "ak-x3", "ak-x4"]


STEPS = st.lists(
    st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(["doubt", "unknown", "success", "failure"])),
    max_size=12,
)


@given(STEPS)
def test_in_any_order_a_doubt_is_told_what_is_known_and_at_most_twice(steps: list[tuple[str, str]]) -> None:
    for call in ("a", "b"):
        memory, doubted, known, found = Unresolved(), False, "", []
        for step in (what for of, what in steps if of == call):
            if step == "doubt":
                if doubted:
                    continue
                doubted = True
                memory.doubt(DOUBT._replace(call_id=call), NOW)
            else:
                known = known if known in {"success", "failure"} else step
                memory.saw(call, Sight("e", "m", step), NOW)
            found = [each.sight.outcome for each in memory.found]
            assert found[-1:] == ([known] if doubted and known else [])
        assert found in ([], ["unknown"], [known], ["unknown", known])
        assert len(memory) == (doubted and known not in {"success", "failure"})
