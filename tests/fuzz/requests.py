"""Request records: whatever comes, reading gives a value, no secret is repeated, and all can be answered."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from connector.actions.pair import Pair
from connector.actions.reading.reader import RequestReader, RequestRules
from connector.actions.record import Incoming, Place
from connector.actions.request import NeedsSchema, Request, Undecodable
from connector.actions.response import Executed, Outcome, Status
from connector.actions.writing.encoding import Registered
from connector.actions.writing.serde import Serde, SerdeRules
from connector.avro.codec import wire_prefix
from connector.avro.records import RecordCodec
from connector.edges.schemas import load_action_catalogue, load_action_schemas
from tests.fuzz.mutation import Mutator

CORPUS: Final = Path(__file__).parent / "corpus" / "requests"
SECRET: Final = "hunter2"
"""Stands as a value in the corpus, and must stand in no message."""

_AVRO: Final = Pair("a", "a.out", "a.claims")
_JSON: Final = Pair("j", "j.out", "j.claims", "json")
_SCHEMAS: Final = load_action_schemas()
_READER: Final = RequestReader(RequestRules(pairs=(_AVRO, _JSON), reply_topics=("crm.*",)), _SCHEMAS.request)
_IDS: Final = {_SCHEMAS.response.name: 2, _SCHEMAS.claim.name: 3}
_RULES: Final = SerdeRules(connector="fuzz", dead_letters="dlq", max_bytes=20_000)
_SERDES: Final = {
    pair.requests: Serde(
        pair, _SCHEMAS, Registered(_IDS, {3: _SCHEMAS.claim.text}), load_action_catalogue(), _RULES
    )
    for pair in (_AVRO, _JSON)
}
_OUTCOME: Final = Outcome(
    status=Status.SUCCESS, executed=Executed.YES, events=((("Event", "E"), ("a", "b")),) * 40
)
_NAMES: Final = (
    *("kafka_correlationId", "kafka_replyTopic", "kafka_replyPartition", "ce_id", "ce_correlationid"),
    *("ce_expirytime", "traceparent", "tracestate"),
)
_WORDS: Final = (
    *(b'"', b"\\", b"\\u0000", b"\\ud800", b"{", b"}", b"[", b"]", b":", b",", b"null", b"true", b"NaN", b"1e999"),
    *(b"-0", b"9" * 30, b"\xef\xbb\xbf", b"\xff", b"\xed\xa0\x80", b"\r\n", b"\x00", b"\x00\x00\x00\x00\x01"),
    *(b"\x80" * 9 + b"\x01", b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\x01", b"\x02", b"crm.x", b"2030-01-01T00:00:00Z"),
    *(b'"request_id":"r"', b'"headers":{"Secret":"hunter2"}', b'"expires_at":', b'"timeout_ms":', b'"action":', b"[" * 2000),
)  # fmt: skip
_SCHEMA_WORDS: Final = (
    *(
        b'"null"',
        b'"string"',
        b'"bytes"',
        b'"long"',
        b'"int"',
        b'"boolean"',
        b'"org.amikafka.actions.Parameter"',
    ),
    *(
        b'"type":',
        b'"items":',
        b'"values":',
        b'{"type":"array","items":',
        b'{"type":"map","values":',
        b'["null",',
    ),
    *(b"]", b"}", b'"default":null', b'"size":0', b'"symbols":[]', b'"aliases":["x"]'),
)


def corpus() -> dict[str, bytes]:
    """Return the files of the corpus by name."""
    return {path.name: path.read_bytes() for path in sorted(CORPUS.iterdir())}


def target(seed: int) -> Callable[[], None]:
    """Return a function that makes one input and judges what becomes of it; it raises what is wrong."""
    files = corpus()
    jsons = [data for name, data in files.items() if name.startswith("json")]
    avros = [wire_prefix(1) + data for name, data in files.items() if name.startswith("avro")]
    makers = {
        _JSON.requests: Mutator(jsons, _WORDS, seed),
        _AVRO.requests: Mutator(avros, _WORDS, seed + 1),
    }
    writers = Mutator([_SCHEMAS.request.text.encode(), _older()], _SCHEMA_WORDS, seed + 2)
    headers = Mutator([b"crm.x", b"\x00\x00\x00\x01", b"2030-01-01T00:00:00Z", b"c-1"], _WORDS, seed + 3)
    chance = headers.chance

    def once() -> None:
        topic = chance.choice((_JSON.requests, _AVRO.requests))
        value = None if chance.random() < 0.001 else makers[topic].make()
        given = tuple((chance.choice(_NAMES), headers.make()) for _ in range(chance.choice((0, 0, 1, 4))))
        text = writers.make().decode("utf-8", "replace") if chance.random() < 0.3 else _SCHEMAS.request.text
        judge(Incoming(Place(topic, 0), 1, 1_700_000_000_000, b"k", value, given), {1: text})

    return once


def judge(record: Incoming, texts: dict[int, str]) -> None:
    """Read a record, answer it, remember it; raise what is wrong."""
    found, serde = _READER.read(record, texts), _SERDES[record.place.topic]
    match found:
        case NeedsSchema():
            return
        case Undecodable(reason=reason):
            judge_text(reason)
            serde.dead_letter(found)
            serde.rejections(found, 0)
        case Request(flaw=flaw):
            judge_text(flaw)
            _judge_fields(found)
            told = serde.fitted(found, replace(_OUTCOME, message=flaw))
            if not serde.responses(found, told, 0):
                raise AssertionError("no answer")
        case _:
            raise AssertionError(f"a {type(found).__name__}")


def judge_text(text: str) -> None:
    """Look at a reason: it can be written, and repeats no value."""
    text.encode()
    # A name that is not known is told, whatever it is.
    if SECRET in text and not text.startswith("unknown field "):
        raise AssertionError(f"a value is repeated: {text}")


def _judge_fields(request: Request) -> None:
    if not (1 <= len(request.request_id) <= 200 and request.timeout_ms >= 1 and len(request.digest) == 64):
        raise AssertionError(f"not a request: {request}")
    if request.reply.topic not in (_AVRO.responses, _JSON.responses) and not request.reply.topic.startswith(
        "crm."
    ):
        raise AssertionError(f"an answer may not go to {request.reply.topic}")
    for name, value in (*request.headers, *request.variables):
        f"{name}{value}".encode()


def _older() -> bytes:
    schema: dict[str, Any] = json.loads(_SCHEMAS.request.text)
    older = json.dumps({**schema, "fields": schema["fields"][:4]})
    RecordCodec(older)
    return older.encode()
