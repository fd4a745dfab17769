"""Entry to outcome: what Kafka gets for one frame. A function of the entry alone."""

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NamedTuple

from connector.ami.framing import Oversize
from connector.avro.codec import to_json, wire_prefix
from connector.avro.normalise import Normaliser, Reading
from connector.avro.schema import EventSchema
from connector.events.discretion import Discretion
from connector.events.entry import Entry, Flaw, Origin, name_of, unforeseen
from connector.events.integrity import SUSPECT
from connector.events.records.cloudevents import CloudEvents
from connector.events.records.letters import SIZE, dead_letter_headers
from connector.events.records.login import Login
from connector.events.records.outcome import NeedsSchema, Outcome, Publish, Quarantine
from connector.events.records.record import Records
from connector.events.records.routing import Keys, Routing

TOO_LARGE = "too-large"
_KEPT_OF_LARGE = 65_536

_new: Final = tuple.__new__
"""A NamedTuple made without the function that checks its arguments' names: a third of its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the settings say about records.

    `value` is `avro` (Confluent framing, ids from a registry) or `json`; `suspect` sends suspicious
    events to the dead-letter topic or publishes them marked; `max_bytes` bounds a record's value.
    """

    routing: Routing
    value: str = "avro"
    suspect: str = "dead-letter"
    max_bytes: int = 900_000
    connector: str = "ami-kafka"


class _Road(NamedTuple):
    topic: str
    subject: str
    prefix: bytes
    covered: bool


class Translator:
    """Turns entries into records.

    Args:
        normalisers: one for each PBX's name.
        rules: what the settings say.
        schema_ids: the registry's ids by subject, which whoever asks the registry fills in.
        discretion: what may be told of entries; None: all.
    """

    def __init__(
        self,
        normalisers: Mapping[str, Normaliser],
        rules: Rules,
        schema_ids: MutableMapping[str, int],
        discretion: Discretion | None = None,
    ) -> None:
        self._normalisers = normalisers
        self._rules = rules
        self._schema_ids = schema_ids
        self._discretion = discretion
        self._marks = rules.suspect == "mark" and not (discretion and discretion.withholds)
        self._keys = Keys(rules.routing.key)
        self._records = Records()
        self._clouds = CloudEvents(f"application/{rules.value}")
        self._roads: dict[EventSchema, _Road] = {}
        self._login: Login | None = None
        self._render: Callable[[EventSchema, bytes], bytes] | None = (
            None if rules.value == "avro" else to_json
        )

    def translate(self, entry: Entry) -> Outcome:
        """Return what becomes of an entry; never raises for what a PBX sent."""
        flaw = entry.flaw
        if flaw is not None:
            if flaw.reason != SUSPECT or not self._marks:
                return self._quarantine(entry, flaw, "TASK_POLL")
            entry = self._told(entry)
        reading = entry.reading or self._read(entry)
        schema = reading.shape.schema
        road = self._roads.get(schema) or self._open(reading)
        if isinstance(road, NeedsSchema):
            return road
        if road.covered:
            entry = self._told(entry)
            reading = entry.reading or self._read(entry)
        login = self._login
        if login is None or login.source is not entry.source:
            login = self._login = Login(entry.source)
        event_id = login.event_ids + b"%d" % entry.sequence
        root = entry.root
        call = None if root is None else login.calls.get(root) or login.call(root)
        body = self._records.body(entry, event_id, reading, login, call)
        value = self._render(schema, body) if self._render else road.prefix + body
        if len(value) > self._rules.max_bytes:
            return self._quarantine(entry, Flaw(TOO_LARGE, f"{len(value)} bytes of value"), "VALUE_CONVERTER")
        key = self._keys.key_of(entry, reading, login, call)
        headers = self._clouds.headers(entry, event_id, reading, login, call)
        return _new(Publish, (road.topic, key, value, headers, entry.received_us // 1000))

    def refused(self, entry: Entry, reason: str) -> Quarantine:
        """Return the dead letter for an entry whose record the broker will never take."""
        return self._quarantine(entry, Flaw("refused", reason), "KAFKA_PRODUCE")

    def unforeseen(self, entry: Entry, error: Exception) -> Quarantine:
        """Return the dead letter for an entry that `translate` has failed at, which is a defect of ours."""
        return self._quarantine(entry, unforeseen(error), "VALUE_CONVERTER")

    def _told(self, entry: Entry) -> Entry:
        return entry if self._discretion is None else self._discretion.told(entry)

    def _read(self, entry: Entry) -> Reading:
        normaliser = self._normalisers[entry.source.pbx]
        own = entry.origin is Origin.CONNECTOR
        return normaliser.read_own(entry.frame) if own else normaliser.read(entry.frame)

    def _open(self, reading: Reading) -> _Road | NeedsSchema:
        schema = reading.shape.schema
        topic = self._rules.routing.topic_of(schema)
        subject = self._rules.routing.subject_of(topic, schema)
        prefix = b""
        if self._rules.value == "avro":
            schema_id = self._schema_ids.get(subject)
            if schema_id is None:
                return NeedsSchema(subject, schema)
            prefix = wire_prefix(schema_id)
        covered = self._discretion is not None and self._discretion.covers(reading)
        road = self._roads[schema] = _Road(topic, subject, prefix, covered)
        return road

    def _quarantine(self, entry: Entry, flaw: Flaw, stage: str) -> Quarantine:
        entry = self._told(entry)
        frame = bytes(entry.frame)
        topic = self._rules.routing.dead_letter_topic
        headers = dead_letter_headers(entry, flaw, stage, topic, self._rules.connector)
        if isinstance(entry.frame, Oversize):
            headers += _measures(entry.frame.size, entry.frame.sha256)
        elif len(frame) > _KEPT_OF_LARGE:
            headers += _measures(len(frame), sha256(frame).hexdigest())
        if entry.masked is not None:
            headers.append(("ami_kafka_masked", entry.masked.encode()))
        frame = frame[:_KEPT_OF_LARGE]
        letter = Publish(topic, entry.source.pbx.encode(), frame, headers, entry.received_us // 1000)
        return Quarantine(flaw.reason, name_of(entry), flaw.detail, letter)


def _measures(size: int, digest: str) -> list[tuple[str, bytes]]:
    """Return the headers that tell of a frame whose value is not the whole; a keyed digest names its key."""
    told = [(SIZE, str(size).encode())]
    if digest:
        told.append(("ami_kafka_hmac" if ":" in digest else "ami_kafka_sha256", digest.encode()))
    return told
