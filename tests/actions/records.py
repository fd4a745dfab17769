"""Requests as records, and a serde to answer them, for tests of the road back."""

import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import fastavro
from hypothesis import strategies as st

from connector.actions.pair import Pair
from connector.actions.reading.reader import RequestReader, RequestRules
from connector.actions.record import Headers, Incoming, Outgoing, Place
from connector.actions.request import Reply, Request, Undecodable
from connector.actions.writing.encoding import Registered
from connector.actions.writing.serde import Serde, SerdeRules
from connector.avro.codec import wire_prefix
from connector.edges.schemas import load_action_catalogue, load_action_schemas

SCHEMAS = load_action_schemas()
CATALOGUE = load_action_catalogue()
AVRO = Pair("asterisk.actions", "asterisk.responses", "asterisk.claims")
JSON = Pair("asterisk.actions.json", "asterisk.responses.json", "asterisk.claims.json", "json")
REQUEST_ID, RESPONSE_ID, CLAIM_ID = 11, 12, 13
TEXTS = {REQUEST_ID: SCHEMAS.request.text, RESPONSE_ID: SCHEMAS.response.text, CLAIM_ID: SCHEMAS.claim.text}
REGISTERED = Registered({SCHEMAS.response.name: RESPONSE_ID, SCHEMAS.claim.name: CLAIM_ID}, TEXTS)
SENT_MS = 1_700_000_000_000
PING = {"request_id": "r1", "action": "Ping"}
RULES = RequestRules(pairs=(AVRO, JSON), reply_topics=("shop.replies", "crm.*"))
READER = RequestReader(RULES, SCHEMAS.request)


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PAIRS = st.lists(st.tuples(TEXT.filter(lambda name: name.lower() != "actionid"), TEXT), max_size=5)
IDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=200)


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """Make requests as Avro has them, all fields given."""
    return {
        "request_id": draw(IDS),
        "action": draw(TEXT),
        "pbx": draw(st.none() | TEXT),
        "headers": _named(draw(PAIRS)),
        "variables": _named(draw(PAIRS)),
        "expires_at": draw(st.none() | st.integers(0, 10**17)),
        "timeout_ms": draw(st.none() | st.integers(-(10**17), 10**17)),
        "reply_to": draw(st.none() | st.sampled_from(["crm.a", "elsewhere", ""])),
        "accept_parts": draw(st.booleans()),
    }


def serde(pair: Pair = AVRO, **rules: Any) -> Serde:
    """Return a pair's serde."""
    names = {"connector": "bridge", "dead_letters": "asterisk.dlq"}
    return Serde(pair, SCHEMAS, REGISTERED, CATALOGUE, SerdeRules(**{**names, **rules}))


def incoming(
    value: bytes | None, headers: Headers = (), pair: Pair = JSON, key: bytes | None = b"k"
) -> Incoming:
    """Return a record of a request topic."""
    return Incoming(Place(pair.requests, 3), 42, SENT_MS, key, value, headers)


def written(schema: Mapping[str, Any], value: Mapping[str, Any], schema_id: int = REQUEST_ID) -> bytes:
    """Return a value as a foreign client writes it: fastavro and a prefix."""
    buffer = BytesIO()
    fastavro.schemaless_writer(buffer, fastavro.parse_schema(dict(schema), {}), dict(value))
    return wire_prefix(schema_id) + buffer.getvalue()


def as_avro(value: Mapping[str, Any], headers: Headers = ()) -> Incoming:
    """Return a request on the Avro topic."""
    return incoming(written(json.loads(SCHEMAS.request.text), value), headers, AVRO)


def as_json(value: object, headers: Headers = ()) -> Incoming:
    """Return a request on the JSON topic."""
    return incoming(json.dumps(value).encode(), headers)


def request_of(record: Incoming) -> Request:
    """Read a record that must be a request."""
    found = READER.read(record, TEXTS)
    assert isinstance(found, Request), found
    return found


def undecodable_of(record: Incoming) -> Undecodable:
    """Read a record that must be none."""
    found = READER.read(record, TEXTS)
    assert isinstance(found, Undecodable), found
    return found


def asked(**more: Any) -> Request:
    """Return a request for a Ping."""
    base = request_of(as_json({"request_id": "r1", "action": "Ping", "pbx": "north"}))
    return Request(**{**{name: getattr(base, name) for name in Request.__slots__}, **more})


def reply(**more: Any) -> Reply:
    """Return a way back to the usual topic."""
    return Reply(**{"topic": AVRO.responses, "partition": None, **more})


def decoded(record: Outgoing, schema_text: str = SCHEMAS.response.text) -> dict[str, Any]:
    """Read what was written, by fastavro and the file's text alone."""
    assert record.value is not None
    if record.value[:1] == b"{":
        found: dict[str, Any] = json.loads(record.value)
        return found
    parsed = fastavro.parse_schema(json.loads(schema_text), {})
    value = fastavro.schemaless_reader(BytesIO(record.value[5:]), parsed, None)
    assert isinstance(value, dict)
    return {name: _ms(each) for name, each in value.items()}


def headers_of(record: Outgoing) -> dict[str, bytes | None]:
    """Return a record's headers by name; none stands twice."""
    names = [name for name, _ in record.headers]
    assert len(names) == len(set(names))
    return dict(record.headers)


def lists_of(records: Sequence[Outgoing], name: str) -> list[Any]:
    """Put a list together again from all parts."""
    return [item for record in records for item in decoded(record)[name]]


def _named(pairs: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _ms(value: Any) -> Any:
    return round(value.timestamp() * 1000) if hasattr(value, "timestamp") else value
