"""Claims as records, and back; by whomever they were written."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.actions.claim import Claim
from connector.actions.pair import Pair
from connector.actions.record import Incoming, Outgoing, Place
from connector.actions.response import Executed, Outcome, Status
from connector.actions.writing.encoding import Registered
from connector.actions.writing.serde import Serde, SerdeRules
from tests.actions.records import (
    AVRO,
    CATALOGUE,
    CLAIM_ID,
    JSON,
    REGISTERED,
    SCHEMAS,
    SENT_MS,
    decoded,
    serde,
    written,
)

BEGUN = Claim(
    request_id="r1",
    pbx="north",
    action="Originate",
    digest="d" * 64,
    topic="asterisk.actions",
    offset=42,
    owner="bridge-1",
    at_ms=SENT_MS,
)
DONE = replace(
    BEGUN,
    outcome=Outcome(
        status=Status.FAILURE,
        executed=Executed.YES,
        message="busy",
        response=(("Response", "Success"), ("Output", "x")),
        events=((("Event", "OriginateResponse"), ("Reason", "5")),),
        sent_at_ms=SENT_MS + 1,
        answered_at_ms=SENT_MS + 2,
        call_id="c-1",
    ),
)
PAIRS = pytest.mark.parametrize("pair", [AVRO, JSON], ids=["avro", "json"])
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
LINES = st.lists(st.tuples(TEXT, TEXT), max_size=3).map(tuple)
TIMES = st.none() | st.integers(0, 2**50)
OUTCOMES = st.builds(
    Outcome,
    status=st.sampled_from(Status),
    executed=st.sampled_from(Executed),
    message=TEXT,
    rule=TEXT,
    response=LINES,
    events=st.lists(LINES.map(lambda lines: (("Event", "X"), *lines)), max_size=3).map(tuple),
    sent_at_ms=TIMES,
    answered_at_ms=TIMES,
    call_id=st.none() | TEXT,
    truncated=st.booleans(),
)
CLAIMS = st.builds(
    Claim,
    request_id=TEXT,
    pbx=TEXT,
    action=st.just("Originate") | TEXT,
    digest=TEXT,
    topic=TEXT,
    offset=st.integers(0, 2**62),
    owner=TEXT,
    at_ms=st.integers(0, 2**50),
    outcome=st.none() | OUTCOMES,
)


def _consumed(record: Outgoing) -> Incoming:
    return Incoming(Place(record.topic, 3), 7, SENT_MS, record.key, record.value, record.headers)


@PAIRS
@pytest.mark.parametrize("claim", [BEGUN, DONE], ids=["begun", "done"])
def test_a_claim_is_read_as_it_was_written(pair: Pair, claim: Claim) -> None:
    record = serde(pair).claim(claim, Place(pair.requests, 3))
    assert (record.topic, record.partition, record.key) == (pair.claims, 3, b"north|r1")
    assert serde(pair).read_claim(_consumed(record)) == claim


@given(CLAIMS, st.sampled_from([AVRO, JSON]))
def test_every_claim_is_read_as_it_was_written(claim: Claim, pair: Pair) -> None:
    scribe = serde(pair, reveal=["*"])
    assert scribe.read_claim(_consumed(scribe.claim(claim, Place(pair.requests, 0)))) == claim


def test_the_schema_in_the_repository_reads_it_by_itself() -> None:
    found = decoded(serde().claim(DONE, Place(AVRO.requests, 0)), SCHEMAS.claim.text)
    assert found["claimed_time"] == SENT_MS
    assert found["outcome"]["events"][0] == {
        "event": "OriginateResponse",
        "headers": [{"name": "Reason", "value": "5"}],
    }


@given(TEXT, TEXT, TEXT, TEXT)
def test_keys_differ_where_a_pbx_or_an_id_does(pbx: str, one: str, other: str, request_id: str) -> None:
    def key(pbx: str, request_id: str) -> bytes | None:
        return serde().claim(replace(BEGUN, pbx=pbx, request_id=request_id), Place("t", 0)).key

    assert (key(pbx, request_id) == key(one, other)) == ((pbx, request_id) == (one, other))


@PAIRS
def test_a_claim_that_cannot_be_read_still_names_its_request(pair: Pair) -> None:
    record = serde(pair).claim(replace(DONE, pbx="a|b", request_id="r|%41é"), Place(pair.requests, 3))
    for value in (
        b"",
        b"{}",
        b"[]",
        b"\x00\x00\x00\x00\x0dxx",
        b"\x00\x00\x00\x00\x63",
        b"\xff",
        b"[" * 99_999,
    ):
        found = serde(pair).read_claim(_consumed(record._replace(value=value)))
        assert found is not None
        assert (found.pbx, found.request_id, found.at_ms) == ("a|b", "r|%41é", SENT_MS)
        assert (found.digest, found.action, found.outcome) == ("", "", None)


@given(st.none() | st.binary(max_size=60), st.none() | st.binary(max_size=60), st.sampled_from([AVRO, JSON]))
def test_no_bytes_raise(key: bytes | None, value: bytes | None, pair: Pair) -> None:
    found = serde(pair).read_claim(Incoming(Place(pair.claims, 0), 0, 0, key, value))
    assert found is None or isinstance(found, Claim)


def test_a_tombstone_is_no_claim_and_nor_is_what_has_no_key() -> None:
    record = _consumed(serde().claim(DONE, Place(AVRO.requests, 3)))
    assert serde().read_claim(record._replace(value=None)) is None
    assert serde().read_claim(record._replace(value=b"x", key=None)) is None
    assert serde().read_claim(record._replace(value=b"x", key=b"north")) is None


@PAIRS
def test_a_status_of_a_later_version_is_not_misread(pair: Pair) -> None:
    value = {
        **decoded(serde(JSON).claim(DONE, Place("t", 0))),
        "outcome": {"status": "HELD", "executed": "no"},
    }
    record = _consumed(serde(pair).claim(DONE, Place(pair.requests, 3)))
    avro = written(json.loads(SCHEMAS.claim.text), value, CLAIM_ID)
    data = json.dumps(value).encode() if pair.form == "json" else avro
    found = serde(pair).read_claim(record._replace(value=data))
    assert found is not None
    assert (found.digest, found.outcome) == ("", None)


def _newer() -> tuple[dict[str, Any], dict[str, Any]]:
    schema = json.loads(SCHEMAS.claim.text)
    schema["fields"].insert(0, {"name": "node", "type": "string"})
    return schema, {**decoded(serde(JSON).claim(DONE, Place("t", 0))), "node": "n-1"}


def test_claims_of_another_version_are_read() -> None:
    schema, value = _newer()
    record = _consumed(serde().claim(DONE, Place(AVRO.requests, 3)))
    texts = {99: json.dumps(schema)}
    scribe = Serde(
        AVRO,
        SCHEMAS,
        Registered(REGISTERED.ids, texts),
        CATALOGUE,
        SerdeRules(connector="b", dead_letters="d"),
    )
    assert scribe.read_claim(record._replace(value=written(schema, value, 99))) == DONE
    texts.clear()
    found = scribe.read_claim(record._replace(value=written(schema, value, 99)))
    assert found is not None
    assert found.digest == ""


def test_claims_of_another_version_are_read_as_json() -> None:
    _, value = _newer()
    record = _consumed(serde(JSON).claim(DONE, Place(JSON.requests, 3)))
    assert serde(JSON).read_claim(record._replace(value=json.dumps(value).encode())) == DONE


@PAIRS
def test_a_claim_holds_no_secret(pair: Pair) -> None:
    events = ((("Event", "AuthList"), ("Username", "u"), ("Password", "hunter2")),)
    outcome = Outcome(status=Status.SUCCESS, executed=Executed.YES, events=events)
    claim = replace(BEGUN, action="PJSIPShowAuths", outcome=outcome)
    record = serde(pair).claim(claim, Place(pair.requests, 3))
    assert b"hunter2" not in (record.value or b"")
    kept = serde(pair).read_claim(_consumed(record))
    assert kept is not None
    assert kept.outcome is not None
    assert kept.outcome.events[0][2] == ("Password", "***")
