"""A user's schemas: an error of ours that names the file, or a schema by which any event becomes a record and is read back."""

import re
from collections.abc import Callable
from typing import Final

from connector.avro.codec import PREFIX_BYTES, decode
from connector.avro.normalise import Normaliser
from connector.avro.schema import EventSchema, SchemaSet, check_alike, load
from connector.edges.schemas import directory, load_schemas
from connector.errors import SchemaError
from connector.events.entry import Origin, Source
from connector.events.intake import Intake
from connector.events.integrity import SUSPECT
from connector.events.records.outcome import NeedsSchema, Quarantine
from connector.events.records.routing import Routing
from connector.events.records.translate import Rules, Translator
from connector.events.selection import Selection
from tests.events.frames import NOW
from tests.fuzz.mutation import Mutator

_WHERE: Final = "mine.avsc"
_WORDS: Final = (
    *(b"{", b"}", b"[", b"]", b",", b":", b'"', b"null", b"true", b"-1", b"1e999", b"\\ud800", b"\xff", b"[" * 2_000),
    *(b'"null"', b'"string"', b'"long"', b'"boolean"', b'"double"', b'"bytes"', b'"int"', b'"type":', b'"items":"string"'),
    *(b'"name":"a"', b'"ami":{}', b'"wire":"list"', b'"wire":', b'"header":', b'"header":"Uniqueid"', b'"block":"channel"'),
    *(b'"escaped":true', b'"sentinels":[]', b'"sentinels":1', b'"key":[["A"]]', b'"channels":[["Uniqueid","Linkedid"]]'),
    *(b'"user_event":"X"', b'"class":"call"', b'"kind":7', b'"topic":"a/b"', b'"namespace":"x"', b'"fields":[]', b'"secret":1'),
    *(b'"integer"', b'"seconds"', b'"timestamp"', b'"bool"', b'"comma_list"', b'["null","string"]', b'"default":null'),
)  # fmt: skip
_VALUES: Final = ("", "1", "x", "1700000000.5", "a=b,c", "Yes", "00:01:02", "<unknown>", "9" * 30)
_FITTING: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def target(seed: int) -> Callable[[], None]:
    """Return a function that makes one file and judges what becomes of it."""
    files = [path.read_bytes() for path in sorted((directory() / "events").glob("*.avsc"))[::5]]
    maker = Mutator(files, _WORDS, seed)
    return lambda: judge(maker.make().decode("utf-8", "replace"))


def judge(text: str) -> None:
    """Load a file, and read traffic by it; raise what is wrong."""
    try:
        schema = load(text, _WHERE)
        check_alike(schema, load_schemas().unknown, _WHERE)
    except SchemaError as error:
        if not str(error).startswith(_WHERE):
            raise AssertionError(f"an error that does not name the file: {error}") from error
        return
    _read_by(schema)


def _read_by(schema: EventSchema) -> None:
    """Send traffic down the road: with a schema that was accepted nothing but what is torn fails."""
    ours = load_schemas()
    ids: dict[str, int] = {}
    schemas = SchemaSet([schema], ours.unknown, ours.connector)
    normaliser = Normaliser(schemas)
    taking = Intake(Source("a", 1), normaliser, Selection(schemas, ["@all"], snapshots=True), lambda _: None)
    translator = Translator({"a": normaliser}, Rules(routing=Routing()), ids)
    for entry in taking.frames(_traffic(schema), NOW):
        while isinstance(outcome := translator.translate(entry), NeedsSchema):
            ids[outcome.subject] = 1
        if isinstance(outcome, Quarantine):
            # An event whose headers repeat or contradict each other may be a torn one.
            if outcome.reason != SUSPECT:
                raise AssertionError(f"no record of {entry.frame!r}: {outcome.detail}")
            continue
        shape = (entry.reading or normaliser.read(entry.frame)).shape
        if entry.origin is Origin.AMI:
            decode(shape.schema.text, outcome.value[PREFIX_BYTES:])


def _traffic(schema: EventSchema) -> list[bytes]:
    """Return frames of its event: empty, with each of its fields, and with values of every kind."""
    name = schema.event or "Unknown"
    head = f"Event: {name}\r\nPrivilege: call,all\r\nTimestamp: 1700000000.123456"
    head += f"\r\nUserEvent: {schema.user_event}" if schema.user_event else ""
    headers = [field.header for field in schema.fields if _FITTING.fullmatch(field.header)]
    full = ["\r\n".join([head, *(f"{header}: {value}" for header in headers)]) for value in _VALUES]
    return [frame.encode() for frame in (head, *full)]
