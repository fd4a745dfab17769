"""Frames and what they become, for the tests of this folder."""

from typing import Any

from connector.avro.codec import decode
from connector.avro.normalise import Normaliser
from connector.edges.schemas import load_schemas
from connector.events.entry import UNFORESEEN, Entry, Origin, Source
from connector.events.intake import Intake
from connector.events.records.outcome import NeedsSchema, Publish, Quarantine
from connector.events.records.routing import Routing
from connector.events.records.translate import Rules, Translator
from connector.events.selection import Selection

SCHEMAS = load_schemas()
NORMALISER = Normaliser(SCHEMAS)
SOURCE = Source("pbx1", 3, "sys", "22.10.1", "11.0.0")
NOW = 1_700_000_001_000_000


def intake(*terms: str, unselected: list[str] | None = None) -> Intake:
    selection = Selection(SCHEMAS, terms or ("@all",), snapshots=True)
    return Intake(SOURCE, NORMALISER, selection, (unselected if unselected is not None else []).append)


def snapshot(unique: str, linked: str, role: str = "") -> str:
    values = ("SIP/a", "6", "Up", "100", "Ann", "200", "Bob", "en", "", "default", "s", "1", unique, linked)
    names = (
        "Channel", "ChannelState", "ChannelStateDesc", "CallerIDNum", "CallerIDName", "ConnectedLineNum", "ConnectedLineName",
        "Language", "AccountCode", "Context", "Exten", "Priority", "Uniqueid", "Linkedid",
    )  # fmt: skip
    return "\r\n".join(f"{role}{name}: {value}" for name, value in zip(names, values, strict=True))


def event(name: str, *parts: str) -> bytes:
    head = (f"Event: {name}", "Privilege: call,all", "Timestamp: 1700000000.123456")
    return "\r\n".join((*head, *parts)).encode()


def item(name: str, *parts: str) -> bytes:
    """Write an item of a list, as Asterisk writes it."""
    return "\r\n".join((f"Event: {name}", "ActionID: t-1", *parts)).encode()


def translator(**rules: Any) -> Translator:
    rules.setdefault("routing", Routing())
    return Translator({"pbx1": NORMALISER}, Rules(**rules), {})


def translate(entry: Entry, **rules: Any) -> Publish | Quarantine:
    assert entry.flaw is None or entry.flaw.reason != UNFORESEEN, entry
    made = translator(**rules)
    outcome = made.translate(entry)
    if isinstance(outcome, NeedsSchema):
        made._schema_ids[outcome.subject] = 42
        outcome = made.translate(entry)
    assert not isinstance(outcome, NeedsSchema)
    return outcome


def record(entry: Entry) -> dict[str, Any]:
    outcome = translate(entry)
    assert isinstance(outcome, Publish)
    own = entry.origin is Origin.CONNECTOR
    reading = entry.reading or (NORMALISER.read_own if own else NORMALISER.read)(entry.frame)
    assert outcome.value[:5] == b"\x00\x00\x00\x00\x2a"
    return decode(reading.shape.schema.text, outcome.value[5:])
