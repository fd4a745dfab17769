"""A dead letter of an event becomes the same entry again; what cannot, says why."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connector.actions.writing.dead_letter import dead_letter
from connector.dead_letters import cause_of
from connector.events.entry import Entry, Flaw, Origin, Source
from connector.events.records.letters import ENTRY, Headers, Unfit, entry_of
from connector.events.records.outcome import Publish, Quarantine
from tests.actions.records import incoming, undecodable_of
from tests.events.frames import SOURCE, event, intake, snapshot, translate, translator

NOW = 1_700_000_001_000_000
HANGUP = event("Hangup", snapshot("1.2", "1.1"), "Cause: 16", "Cause-txt: Normal Clearing")
TORN = HANGUP.replace(b"CallerIDNum: 100", b"CallerIDNum: 1\r\nX: y")


def one(frame: bytes) -> Entry:
    (entry,) = [each for each in intake().frames([frame], NOW) if each.origin is not Origin.CONNECTOR]
    return entry


def refused(entry: Entry) -> Publish:
    return translator().refused(entry, "too large for its topic").publish


texts = st.text(max_size=20)
entries = st.builds(
    Entry,
    st.builds(Source, texts, st.integers(0, 2**60 - 1), *[st.none() | texts] * 3),
    st.integers(0, 2**60 - 1),
    st.integers(0, 2**53),
    st.sampled_from(Origin),
    st.none() | texts,
    st.binary(max_size=100),
    st.none() | st.builds(Flaw, st.just("suspect"), texts),
    snapshot_id=st.none() | texts,
    recovered=st.booleans(),
)


@given(entries)
def test_the_entry_comes_back_whole(entry: Entry) -> None:
    letter = refused(entry)
    assert entry_of(letter.value, letter.headers) == entry


def test_its_record_is_the_one_that_was_refused() -> None:
    entry = one(HANGUP)
    letter = refused(entry)
    again = entry_of(letter.value, letter.headers)
    assert isinstance(again, Entry)
    assert translate(again) == translate(entry)
    assert translate(again).key == b"pbx1|1.1"  # type: ignore[union-attr]


def letter_of(frame: bytes) -> Publish:
    return translate(one(frame)).publish  # type: ignore[union-attr]


def test_a_suspect_stays_one() -> None:
    letter = letter_of(TORN)
    again = entry_of(letter.value, letter.headers)
    assert isinstance(again, Entry)
    marked = translate(again, suspect="mark", value="json")
    assert isinstance(marked, Publish)
    value = json.loads(marked.value)
    assert (value["source"]["integrity"], value["event_id"]) == ("suspect", "pbx1/3/1")


LARGE = event("VarSet", snapshot("1.1", "1.1"), "Variable: x", "Value: " + "v" * 950_000)


def test_what_was_failed_at_on_arrival_says_that_its_call_is_not_known() -> None:
    entry = one(HANGUP)._replace(root=None, flaw=Flaw("unforeseen", "ValueError in read"))
    letter = translator().translate(entry)
    assert isinstance(letter, Quarantine)
    assert letter.reason == "unforeseen"
    unfit = entry_of(letter.publish.value, letter.publish.headers)
    assert isinstance(unfit, Unfit)
    assert unfit.reason.startswith("its call is not known")
    assert "ValueError in read" in unfit.reason


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (LARGE, "it is not whole: only 65536 of 950"),
        (b"left: over", "it was never an event (orphan)"),
        (b"Response: Success", "it was never an event (unawaited-response)"),
    ],
)
def test_what_cannot_be_a_record_says_why(frame: bytes, told: str) -> None:
    letter = letter_of(frame)
    why = entry_of(letter.value, letter.headers)
    assert isinstance(why, Unfit)
    assert why.reason.startswith(told)


def test_bytes_that_were_not_kept_are_missed() -> None:
    why = entry_of(None, refused(one(HANGUP)).headers)
    assert why == Unfit("it is not whole: only 0 of ? bytes were kept")


@pytest.mark.parametrize(
    "decided", [None, b"", b"{}", b"[]", b"[1,2]", b'[["p",1],"x",1,"ami",null,null,null,false]']
)
def test_a_header_of_another_version_is_no_entry(decided: bytes | None) -> None:
    headers: list[Any] = [each for each in refused(one(HANGUP)).headers if each[0] != ENTRY]
    why = entry_of(HANGUP, [*headers, (ENTRY, decided)])
    assert isinstance(why, Unfit)
    assert "another version" in why.reason


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=9),
    max_leaves=20,
)
DECIDED = st.lists(JSON, min_size=8, max_size=8)


@given(st.binary(max_size=50) | (JSON | DECIDED).map(lambda value: json.dumps(value).encode()))
def test_any_header_has_a_verdict_and_what_passes_is_translated(decided: bytes) -> None:
    headers: list[Any] = [*refused(one(HANGUP)).headers, (ENTRY, decided)]
    found = entry_of(HANGUP, headers)
    assert isinstance(found, Entry | Unfit)


@pytest.mark.parametrize("place", range(9))
@given(value=JSON)
@example(value=1 << 60)
@example(value=(1 << 60) - 1)
@example(value=-1)
@example(value=["pbx1", 1 << 69, None, None, None])
def test_a_wrong_field_is_no_entry_or_a_sound_one(place: int, value: Any) -> None:
    entry = one(HANGUP)
    headers: list[Any] = [*refused(entry).headers]
    decided = json.loads(dict(headers)[ENTRY])
    decided[place] = value
    found = entry_of(HANGUP, [*headers, (ENTRY, json.dumps(decided).encode())])
    assert isinstance(found, Entry | Unfit)
    if isinstance(found, Entry) and found.source.pbx == "pbx1":
        translate(found)


def test_a_header_of_nothing_but_brackets_is_no_entry() -> None:
    headers: list[Any] = [*refused(one(HANGUP)).headers, (ENTRY, b"[" * 200_000)]
    assert isinstance(entry_of(HANGUP, headers), Unfit)


def test_a_requester_makes_no_events_with_his_headers() -> None:
    forged: Headers = refused(one(HANGUP)).headers
    letter = dead_letter(undecodable_of(incoming(HANGUP, headers=tuple(forged))), "asterisk.dlq", "bridge")
    why = entry_of(letter.value, letter.headers)
    assert isinstance(why, Unfit)
    assert "it is a request" in why.reason
    cause = cause_of(letter.headers)
    assert (cause.reason, cause.where) == ("undecodable", "connector.actions.reading.reader")
    assert SOURCE.pbx == "pbx1"
