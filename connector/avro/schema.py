"""A schema file as the normaliser, the router and the registry see it.

The file alone says what an event is: its AMI properties (`ami` on the record and on each field,
`wire`, `block`, `escaped`, `sentinels`) drive everything, so a new event needs a file and no Python.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import fastavro
from fastavro.types import Schema

from connector.avro.fitting import check_fields, check_frame, check_properties
from connector.errors import SchemaError

ENVELOPE: Final = (
    "event_id",
    "event_time",
    "event_time_us",
    "event_time_source",
    "received_time",
    "received_time_us",
    "call_id",
    "source",
    "privilege",
)
"""The fields with which every record begins, in this order; `extra` is the last."""

EXTRA: Final = "extra"
USER_EVENT: Final = "UserEvent"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an event's own: which header fills it, and how its text is read.

    `block` names the snapshot that the header belongs to: `channel`, `bridge`, or with a role,
    `channel:Dest`. `secret`: its value is not told unless asked for.
    """

    name: str
    header: str
    wire: str
    block: str = ""
    escaped: bool = False
    sentinels: tuple[str, ...] = ()
    secret: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class EventSchema:
    """An event's schema: its AMI properties, its fields in order, and the text for the registry.

    `channels` are pairs of headers (Uniqueid, Linkedid or None) by which the call is found, the
    best first; `keys` the headers that make the key where there is no call, or, unless
    `keyed_by_call`, before it, likewise.
    """

    event: str
    full_name: str
    topic: str
    family: str
    classes: tuple[str, ...]
    kinds: tuple[str, ...]
    selected: bool
    channels: tuple[tuple[str, str | None], ...]
    keys: tuple[tuple[str, ...], ...]
    keyed_by_call: bool
    fields: tuple[Field, ...] = field(repr=False)
    text: str = field(repr=False)
    user_event: str = ""

    @property
    def parsed(self) -> Schema:
        """The schema as fastavro wants it."""
        return fastavro.parse_schema(json.loads(self.text), named_schemas={})


def load(text: str, where: str) -> EventSchema:
    """Read the text of a schema file; `where` names it in errors.

    Raises:
        SchemaError: it is no JSON, no Avro, or lacks what the connector needs of it.
    """
    try:
        raw = json.loads(text)
        # An escaped half of a surrogate pair is no text.
        json.dumps(raw, ensure_ascii=False).encode()
        fastavro.parse_schema(raw, named_schemas={})
    except (
        ValueError,
        TypeError,
        KeyError,
        RecursionError,
        fastavro.schema.SchemaParseException,
        fastavro.schema.UnknownType,
    ) as error:
        raise SchemaError(f"{where}: not an Avro schema: {error}") from error
    if not isinstance(raw, dict) or raw.get("type") != "record" or "fields" not in raw:
        raise SchemaError(f"{where}: an event's schema is a record with fields")
    _check_frame_fields([str(each["name"]) for each in raw["fields"]], where)
    ami = raw.get("ami")
    if not isinstance(ami, dict):
        raise SchemaError(f'{where}: the record has no property "ami"')
    check_properties(ami, where)
    check_fields(raw["fields"][len(ENVELOPE) : -1], where)
    return _build(raw, ami)


def check_alike(theirs: EventSchema, ours: EventSchema, where: str) -> None:
    """Compare the fields with which every record begins and ends.

    Raises:
        SchemaError: `theirs` has another type for one of them than `ours`.
    """
    check_frame(_frame(theirs), _frame(ours), where)


def _frame(schema: EventSchema) -> list[Any]:
    fields = json.loads(schema.text)["fields"]
    return [*fields[: len(ENVELOPE)], fields[-1]]


def _check_frame_fields(names: list[str], where: str) -> None:
    begin = tuple(names[: len(ENVELOPE)])
    if begin != ENVELOPE or names[-1] != EXTRA:
        raise SchemaError(
            f"{where}: a record begins with the fields {', '.join(ENVELOPE)} and ends with {EXTRA}"
        )


def _build(raw: Mapping[str, Any], ami: Mapping[str, Any]) -> EventSchema:
    own = raw["fields"][len(ENVELOPE) : -1]
    return EventSchema(
        event=ami.get("event") or "",
        full_name=".".join(filter(None, (raw.get("namespace"), raw["name"]))),
        topic=ami.get("topic") or "",
        family=ami.get("family") or "unknown",
        classes=tuple(ami.get("class", ())),
        kinds=tuple(ami.get("kind", ())),
        selected=bool(ami.get("selected", False)),
        channels=tuple((unique, linked) for unique, linked in ami.get("channels", ())),
        keys=tuple(tuple(alternative) for alternative in ami.get("key", ())),
        keyed_by_call=ami.get("keyed_by", "call") == "call",
        fields=tuple(map(_field, own)),
        text=json.dumps(raw, ensure_ascii=False, separators=(",", ":")),
        user_event=ami.get("user_event") or "",
    )


def _field(raw: Mapping[str, Any]) -> Field:
    return Field(
        name=raw["name"],
        header=raw.get("ami", ""),
        wire=raw.get("wire", "string"),
        block=raw.get("block", ""),
        escaped=bool(raw.get("escaped", False)),
        sentinels=tuple(raw.get("sentinels", ())),
        secret=bool(raw.get("secret", False)),
    )


class SchemaSet:
    """All schemas that a process knows; an event without one falls to `unknown`."""

    def __init__(self, events: Iterable[EventSchema], unknown: EventSchema, connector: EventSchema) -> None:
        self.unknown = unknown
        self.connector = connector
        self._events: dict[str, EventSchema] = {}
        self._user_events: dict[str, EventSchema] = {}
        for schema in events:
            self._add(schema)

    def _add(self, schema: EventSchema) -> None:
        table, name = (
            (self._user_events, schema.user_event) if schema.user_event else (self._events, schema.event)
        )
        if name in table:
            raise SchemaError(
                f"two schemas for the event {name}: {table[name].full_name}, {schema.full_name}"
            )
        table[name] = schema

    def __iter__(self) -> Iterator[EventSchema]:
        """Yield the events' schemas, users' own included; not `unknown` nor `connector`."""
        yield from self._events.values()
        yield from self._user_events.values()

    @property
    def knows_user_events(self) -> bool:
        """Whether a UserEvent must be asked for its sub-name."""
        return bool(self._user_events)

    def lookup(self, event: str, user_event: str = "") -> EventSchema:
        """Return the schema of an event by its name, a UserEvent's by its sub-name first."""
        if event == USER_EVENT and user_event in self._user_events:
            return self._user_events[user_event]
        return self._events.get(event, self.unknown)
