"""For any event of the catalogue: a covered value is nowhere, every other field is as it was."""

import json
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as some

from connector.avro.schema import EventSchema
from connector.edges.journal.blocks import pack
from connector.events.entry import Entry, Origin
from connector.events.records.outcome import Publish, Quarantine
from connector.privacy.privacy import Privacy
from connector.privacy.rules import is_needed
from tests.events.frames import NOW, SCHEMAS
from tests.privacy.given import Road, everything, rules

ALL: Final = sorted(SCHEMAS, key=lambda schema: schema.full_name)
WAYS: Final[list[dict[str, Any]]] = [
    {"do": "drop"},
    {"do": "mask"},
    {"do": "mask", "keep": 1},
    {"do": "hmac"},
    {"do": "truncate", "keep": 2},
]
ODD: Final = ("Stranger", "Another-One")


@some.composite
def messages(draw: some.DrawFn) -> tuple[EventSchema, list[str], list[tuple[str, str]]]:
    """Draw an event, the headers that are covered, and its headers with values that are nowhere else."""
    schema = draw(some.sampled_from(ALL))
    headers = [*dict.fromkeys(field.header for field in schema.fields if field.header), *ODD]
    pairs = [(header, _value(draw, place, header)) for place, header in enumerate(headers)]
    coverable = [header for header in headers if not is_needed(header)]
    covered = draw(some.lists(some.sampled_from(coverable), min_size=1, unique=True))
    return schema, covered, pairs


def _value(draw: some.DrawFn, place: int, header: str) -> str:
    token = draw(some.sampled_from(["Kq{:04d}Wv", "77{:04d}3311", 'Kq"{:04d}é']))
    value = token.format(place)
    return f"NAME{place}={value}" if header == "Variable" or "ChanVariable" in header else value


def frame_of(schema: EventSchema, pairs: list[tuple[str, str]]) -> bytes:
    head = [f"Event: {schema.event}", "Privilege: call,all", "Timestamp: 1700000000.123456"]
    # A UserEvent with a schema of its own is known by this header.
    pairs = [
        (name, schema.user_event or value) if name == "UserEvent" else (name, value) for name, value in pairs
    ]
    return "\r\n".join([*head, *(f"{name}: {value}" for name, value in pairs)]).encode()


def secrets(covered: list[str], pairs: list[tuple[str, str]]) -> list[bytes]:
    return [value.rpartition("=")[2].encode() for name, value in pairs if name in covered]


def through(frame: bytes, privacy: Privacy, *, before_journal: bool) -> tuple[Entry, Publish | Quarantine]:
    road = Road(privacy, before_journal=before_journal, suspect="mark")
    entries = road.intake.frames([frame], NOW)
    entry = next(entry for entry in entries if entry.origin is Origin.AMI)
    return entry, road.outcome(entry)


@settings(max_examples=300)
@given(messages(), some.sampled_from(WAYS), some.booleans())
def test_a_covered_value_is_nowhere(
    message: tuple[EventSchema, list[str], list[tuple[str, str]]], way: dict[str, Any], before_journal: bool
) -> None:
    schema, covered, pairs = message
    road = Road(rules({"headers": covered, **way}), before_journal=before_journal)
    entries = road.intake.frames([frame_of(schema, pairs)], NOW)
    told = b"\n".join(everything(road.outcome(entry)) for entry in entries)
    if before_journal:
        packed = pack([*range(1, len(entries) + 1)], entries)
        told += b"".join(part.rest for part in packed) + road.intake.memory()
    as_json = json.dumps(told.decode("utf-8", "replace"), ensure_ascii=False).encode()
    for secret in secrets(covered, pairs):
        assert secret not in told
        assert json.dumps(secret.decode()).strip('"').encode() not in as_json


@settings(max_examples=300)
@given(messages(), some.sampled_from(WAYS), some.booleans())
def test_every_other_field_is_as_it_was(
    message: tuple[EventSchema, list[str], list[tuple[str, str]]], way: dict[str, Any], before_journal: bool
) -> None:
    schema, covered, pairs = message
    frame = frame_of(schema, pairs)
    entry, whole = through(frame, rules(), before_journal=before_journal)
    if entry.flaw is not None:
        return
    told_entry, told = through(frame, rules({"headers": covered, **way}), before_journal=before_journal)
    assert isinstance(whole, Publish)
    assert isinstance(told, Publish)
    assert (told_entry.root, told.topic, told.timestamp_ms) == (entry.root, whole.topic, whole.timestamp_ms)
    assert dict(told.headers) == dict(whole.headers)
    if entry.root is not None and schema.keyed_by_call:
        assert told.key == whole.key
    before, after = json.loads(whole.value), json.loads(told.value)
    own = {field.name for field in schema.fields if field.header in covered}
    own |= {
        field.name
        for place, field in enumerate(schema.fields)
        if not field.header and schema.fields[place - 1].name in own
    }
    kept = before.keys() - own - {"extra"}
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    bare = {header.partition("(")[0] for header in covered} | {*covered}
    assert _extra(after, bare) == _extra(before, bare)


def _extra(record: dict[str, Any], covered: set[str]) -> list[tuple[str, str]]:
    return [
        (item["name"], item["value"])
        for item in record["extra"]
        if item["name"].partition("(")[0].rstrip("*") not in covered and item["name"] not in covered
    ]


@settings(max_examples=100)
@given(messages(), some.sampled_from([way for way in WAYS if way["do"] != "hmac"]))
def test_what_is_done_twice_is_done_once(
    message: tuple[EventSchema, list[str], list[tuple[str, str]]], way: dict[str, Any]
) -> None:
    schema, covered, pairs = message
    frame = frame_of(schema, pairs)
    road = Road(rules({"headers": covered, **way}))
    mask = rules({"headers": covered, **way}).of(schema)
    assert mask is not None
    once = mask.text(frame)
    assert mask.text(once) == once
    assert road.discretion.form(frame) == frame


@given(messages(), some.booleans())
def test_pseudonyms_are_made_once(
    message: tuple[EventSchema, list[str], list[tuple[str, str]]], again: bool
) -> None:
    schema, covered, pairs = message
    privacy = rules({"headers": covered, "do": "hmac"})
    frame = frame_of(schema, pairs)
    early, late = (through(frame, privacy, before_journal=before)[1] for before in (True, False))
    assert everything(early) == everything(late)
    entry = through(frame, privacy, before_journal=True)[0]
    road = Road(privacy, before_journal=again, suspect="mark")
    assert everything(road.outcome(entry)) == everything(late)


@settings(max_examples=300)
@given(
    some.lists(
        some.sampled_from(
            [
                b"Event: Newchannel",
                b"CallerIDNum: 1",
                b"Variable: A=b",
                b"Value: x",
                b"ChanVariable(a): b",
                b":",
                b"",
                b"=",
                b"Event:",
            ]
        )
        | some.binary(max_size=20)
    ),
    some.sampled_from(WAYS),
    some.booleans(),
)
def test_whatever_a_pbx_sends_has_an_outcome(
    lines: list[bytes], way: dict[str, Any], before_journal: bool
) -> None:
    privacy = rules({"headers": ["*"], "variables": ["*"], **way})
    road = Road(privacy, before_journal=before_journal)
    frame = b"\r\n".join(lines)
    for entry in road.intake.frames([frame], NOW):
        road.outcome(entry)
    told = privacy._anything.text(frame)
    assert told.count(b"\r\n") <= frame.count(b"\r\n")
