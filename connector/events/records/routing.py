"""Which topic, which subject, which key."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from connector.ami.message import text_of
from connector.avro.normalise import Reading
from connector.avro.schema import EventSchema
from connector.events.entry import Entry, Origin
from connector.events.records.login import Call, Login
from connector.percent import key_part


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """The rules by which a record finds its topic and key.

    `by` is a topic for each event, for each family, or one for all; `key` what orders the records of
    calls: `root` (the first Linkedid seen for a channel, which never changes), `linkedid`,
    `uniqueid`, or `pbx`. `topics` names the topic of an event where it is not the default.
    """

    prefix: str = "asterisk"
    by: Literal["event", "family", "single"] = "event"
    key: Literal["root", "linkedid", "uniqueid", "pbx"] = "root"
    topics: Mapping[str, str] = field(default_factory=dict)
    strategy: Literal["auto", "topic", "record", "topic-record"] = "auto"

    def topic_of(self, schema: EventSchema) -> str:
        """Return the topic of a schema's records."""
        if not schema.topic:
            return self.connector_topic
        named = self.topics.get(schema.user_event or schema.event)
        if named:
            return named
        tail = {"event": f".{schema.topic}", "family": f".{schema.family}", "single": ""}[self.by]
        return f"{self.prefix}.events{tail}"

    def subject_of(self, topic: str, schema: EventSchema) -> str:
        """Return the registry's subject; several record types in a topic need the record's name in it."""
        strategy = self.strategy
        if strategy == "auto":
            alone = self.by == "event" and list(self.topics.values()).count(topic) <= 1
            strategy = "topic" if alone else "topic-record"
        return {
            "topic": f"{topic}-value",
            "record": schema.full_name,
            "topic-record": f"{topic}-{schema.full_name}",
        }[strategy]

    @property
    def connector_topic(self) -> str:
        """The topic of the connector's own records."""
        return f"{self.prefix}.connector"

    @property
    def dead_letter_topic(self) -> str:
        """The topic of what could not be normalised or is not genuine."""
        return f"{self.prefix}.dlq"


class Keys:
    """Keys of records; those that repeat are kept."""

    def __init__(self, kind: Literal["root", "linkedid", "uniqueid", "pbx"]) -> None:
        self._kind = kind
        self._natural: dict[tuple[bytes, ...], bytes] = {}

    def key_of(self, entry: Entry, reading: Reading, login: Login, call: Call | None) -> bytes:
        """Return the key: the PBX and the call, else the PBX and what the schema names, else the PBX."""
        if entry.origin is Origin.CONNECTOR or self._kind == "pbx":
            return login.key.encode()
        if call is not None and reading.shape.schema.keyed_by_call:
            return self._of_call(call, reading, login)
        for headers in reading.shape.schema.keys:
            values = [reading.raw(header) for header in headers]
            if all(values):
                return self._of_values((login.key.encode(), *values))
        return login.key.encode() if call is None else self._of_call(call, reading, login)

    def _of_values(self, values: tuple[bytes, ...]) -> bytes:
        key = self._natural.get(values)
        if key is None:
            if len(self._natural) >= _MAX_KEPT:
                self._natural.clear()
            parts = [values[0], *(key_part(text_of(value)).encode() for value in values[1:])]
            key = self._natural[values] = b"|".join(parts)
        return key

    def _of_call(self, call: Call, reading: Reading, login: Login) -> bytes:
        if self._kind == "root":
            return call.key
        which = 0 if self._kind == "uniqueid" else 1
        for pair in reading.shape.schema.channels:
            header = pair[which]
            if header and (text := reading.text(header)):
                return f"{login.key}|{key_part(text)}".encode()
        return call.key


_MAX_KEPT = 16_384
