"""Which topic, which subject, which key."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from connector.avro.normalise import Reading
from connector.avro.schema import EventSchema
from connector.events.entry import Entry, Origin
from connector.events.percent import key_part


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
    """Keys of records; what repeats is kept."""

    def __init__(self, kind: Literal["root", "linkedid", "uniqueid", "pbx"]) -> None:
        self._kind = kind
        self._roots: dict[tuple[str, str], bytes] = {}

    def key_of(self, entry: Entry, reading: Reading) -> bytes:
        """Return the key: the PBX and the call, else the PBX and what the schema names, else the PBX."""
        pbx = entry.source.pbx
        if entry.origin is Origin.CONNECTOR or self._kind == "pbx":
            return key_part(pbx).encode()
        if entry.root is not None and reading.shape.schema.keyed_by_call:
            return self._by_call(pbx, self._call(entry.root, reading))
        natural = _natural(reading)
        if not natural and entry.root is not None:
            return self._by_call(pbx, self._call(entry.root, reading))
        return "|".join(map(key_part, (pbx, *natural))).encode()

    def _by_call(self, pbx: str, call: str) -> bytes:
        key = self._roots.get((pbx, call))
        if key is None:
            if len(self._roots) >= _MAX_KEPT:
                self._roots.clear()
            key = self._roots[pbx, call] = f"{key_part(pbx)}|{key_part(call)}".encode()
        return key

    def _call(self, root: str, reading: Reading) -> str:
        if self._kind == "root":
            return root
        which = 0 if self._kind == "uniqueid" else 1
        for pair in reading.shape.schema.channels:
            header = pair[which]
            if header and (text := reading.text(header)):
                return text
        return root


_MAX_KEPT = 16_384


def _natural(reading: Reading) -> list[str]:
    for headers in reading.shape.schema.keys:
        texts = [reading.text(header) for header in headers]
        if all(texts):
            return texts
    return []
