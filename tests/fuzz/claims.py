"""Claims as they are read back: a claim, a blank one where its key alone can be read, or none; never an error."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from connector.actions.claim import Claim
from connector.actions.pair import Pair
from connector.actions.record import Incoming, Place
from connector.actions.response import Executed, Outcome, Status
from connector.actions.writing.encoding import Registered
from connector.actions.writing.serde import Serde, SerdeRules
from connector.edges.schemas import load_action_catalogue, load_action_schemas
from tests.fuzz.mutation import Mutator

_AVRO: Final = Pair("a", "a.out", "a.claims")
_JSON: Final = Pair("j", "j.out", "j.claims", "json")
_SCHEMAS: Final = load_action_schemas()
_IDS: Final = {_SCHEMAS.response.name: 2, _SCHEMAS.claim.name: 3}
_TEXTS: Final = {2: _SCHEMAS.response.text, 3: _SCHEMAS.claim.text}
_RULES: Final = SerdeRules(connector="fuzz", dead_letters="dlq", max_bytes=20_000)
SERDES: Final = tuple(
    Serde(pair, _SCHEMAS, Registered(_IDS, _TEXTS), load_action_catalogue(), _RULES)
    for pair in (_AVRO, _JSON)
)
_BEGUN: Final = Claim(
    request_id="r-1",
    pbx="main",
    action="Originate",
    digest="d" * 64,
    topic="a",
    offset=7,
    owner="one",
    at_ms=1_700_000_000_000,
)
_ENDED: Final = Outcome(
    status=Status.SUCCESS,
    executed=Executed.YES,
    response=(("Response", "Success"), ("Message", "Originate successfully queued")),
    events=((("Event", "OriginateResponse"), ("Uniqueid", "1.1")),),
    call_id="1.1",
    sent_at_ms=1,
    answered_at_ms=2,
)
_WORDS: Final = (
    *(b"\x00", b"\x01", b"\x02", b"\x80" * 9 + b"\x01", b"\xfe\xff\xff\xff\x0f", b"\xff", b"SUCCESS", b"YES", b"|", b"%", b"%00"),
    *(b'"', b"{", b"}", b"[", b"]", b",", b":", b"null", b"-1", b"1e999", b"NaN", b"9" * 5_000, b"[" * 2_000, b"\\ud800"),
    *(b'"outcome":null', b'"status":"NEW"', b'"offset":', b'"digest":""', b'"events":[{}]'),
)  # fmt: skip


def target(seed: int) -> Callable[[], None]:
    """Return a function that makes one record and judges what is read."""
    claims = (_BEGUN, replace(_BEGUN, outcome=_ENDED))
    written = {
        serde: [serde.claim(claim, Place(serde.pair.requests, 0)) for claim in claims] for serde in SERDES
    }
    values = {
        serde: Mutator([record.value or b"" for record in records], _WORDS, seed + number)
        for number, (serde, records) in enumerate(written.items())
    }
    keys = Mutator([record.key or b"" for record in written[SERDES[0]]], _WORDS, seed + 2)
    chance = keys.chance

    def once() -> None:
        serde = chance.choice(SERDES)
        key = keys.make() if chance.random() < 0.3 else written[serde][0].key
        judge(serde, key, values[serde].make())

    return once


def judge(serde: Serde, key: bytes | None, value: bytes | None) -> None:
    """Read a record; raise what is wrong."""
    record = Incoming(Place(serde.pair.claims, 0), 1, 1_700_000_000_000, key, value, ())
    claim = serde.read_claim(record)
    if claim is None:
        if value is not None and b"|" in (key or b""):
            raise AssertionError("a claim that has a key was overlooked")
        return
    f"{claim.request_id}{claim.pbx}{claim.digest}{claim.topic}".encode()
    # What was read is written again, when its request is settled.
    again = serde.claim(claim, Place(serde.pair.requests, 0))
    if again.value is None or again.key is None:
        raise AssertionError("a tombstone")
