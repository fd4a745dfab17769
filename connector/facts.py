"""Everything worth a log line or a counter, as values.

Whoever finds a fact hands it to a `Report`; what becomes of it (log level, metric) is telemetry's
business alone. No fact carries a secret.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Fact:
    """Base of all facts."""


@dataclass(frozen=True, slots=True)
class LinkUp(Fact):
    """A login at a PBX succeeded; `started` is its start as CoreStatus told it, where the account may ask."""

    pbx: str
    address: str
    ami_version: str
    asterisk_version: str | None
    started: str | None = None


@dataclass(frozen=True, slots=True)
class LinkDown(Fact):
    """A session ended or could not be made; the next try comes after `retry_s` seconds, None: never."""

    pbx: str
    address: str
    reason: str
    retry_s: float | None


@dataclass(frozen=True, slots=True)
class LoginWasRefused(Fact):
    """The PBX refused the login; the next try comes after `retry_s` seconds."""

    pbx: str
    address: str
    reason: str
    retry_s: float


@dataclass(frozen=True, slots=True)
class SnapshotTaken(Fact):
    """Lists were asked after a login: how many `items` came, and which lists were `missing`."""

    pbx: str
    items: int
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EventsPublished(Fact):
    """Kafka acknowledged a batch: how many records per topic; `received_us` is when the oldest of them was read."""

    counts: Mapping[str, int]
    received_us: int | None = None


@dataclass(frozen=True, slots=True)
class EventDropped(Fact):
    """An event was left out by the settings, with the reason word."""

    pbx: str
    event: str
    reason: str


@dataclass(frozen=True, slots=True)
class EventQuarantined(Fact):
    """A frame went to the dead-letter topic, with the reason word and what was seen."""

    pbx: str
    event: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class RecordRefused(Fact):
    """The broker refused a record for good; it goes to the dead-letter topic."""

    topic: str
    reason: str


@dataclass(frozen=True, slots=True)
class GapTold(Fact):
    """A session follows an interruption of `lasted_s` seconds; `loss` is `possible` or `certain`."""

    pbx: str
    reason: str
    loss: str
    lasted_s: float


@dataclass(frozen=True, slots=True)
class EventsLost(Fact):
    """Entries were given up: numbers `first` to `last` of the PBX, `count` of them; None where nobody knows."""

    pbx: str
    first: int
    last: int | None
    count: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class EventsMissed(Fact):
    """The PBX's own numbers, SequenceNumber `first` to `last`, `count` of them, were not read."""

    pbx: str
    first: int
    last: int
    count: int


@dataclass(frozen=True, slots=True)
class SequenceNumbersAbsent(Fact):
    """Holes are to be looked for, and the PBX numbers nothing."""

    pbx: str


@dataclass(frozen=True, slots=True)
class ClockDiffers(Fact):
    """The PBX's clock is `offset_ms` milliseconds ahead of ours, behind where that is negative."""

    pbx: str
    offset_ms: int


@dataclass(frozen=True, slots=True)
class EventsLate(Fact):
    """Events begin to come later than is set: `lag_ms` milliseconds after the PBX made them."""

    pbx: str
    lag_ms: int


@dataclass(frozen=True, slots=True)
class EventsOnTime(Fact):
    """Events are no longer late; the latest came `lag_ms` milliseconds after the PBX made it."""

    pbx: str
    lag_ms: int


@dataclass(frozen=True, slots=True)
class CanaryMissed(Fact):
    """A canary was not seen on the session for events, though the PBX took it; `renewed`: that session is closed."""

    pbx: str
    within_s: float
    renewed: bool


@dataclass(frozen=True, slots=True)
class CanaryUnsent(Fact):
    """The PBX was not given a canary, or did not take it: whether the stream is whole is not known."""

    pbx: str
    reason: str


@dataclass(frozen=True, slots=True)
class CanarySeen(Fact):
    """A canary was seen after one that was not, or after one that could not be sent."""

    pbx: str


@dataclass(frozen=True, slots=True)
class JournalFailed(Fact):
    """The journal's disk cannot be used; it is tried again in `retry_s` seconds, or not any more."""

    pbx: str
    reason: str
    retry_s: float | None


@dataclass(frozen=True, slots=True)
class JournalRestored(Fact):
    """The journal's disk can be used again."""

    pbx: str


@dataclass(frozen=True, slots=True)
class JournalFound(Fact):
    """The journal of an earlier start was found; `waiting` bytes of it at most wait for Kafka."""

    pbx: str
    folder: str
    waiting: int


@dataclass(frozen=True, slots=True)
class JournalKept(Fact):
    """So many entries at most stay in the journal for the next start."""

    pbx: str
    count: int


@dataclass(frozen=True, slots=True)
class TakeOverReady(Fact):
    """The process that has the journals may be stopped: sessions are `up` at so many of its PBXs; waited for `waited_s`."""

    up: int
    pbxs: int
    waited_s: float


@dataclass(frozen=True, slots=True)
class StreamJoined(Fact):
    """What was read beside another process goes on where that has ended; `events` of it were held for that."""

    pbx: str
    events: int


@dataclass(frozen=True, slots=True)
class StreamApart(Fact):
    """What was read cannot be joined to what another process has read: a gap is published."""

    pbx: str
    reason: str


@dataclass(frozen=True, slots=True)
class BrokerTrouble(Fact):
    """The Kafka client reported an error; librdkafka goes on trying unless `fatal`."""

    reason: str
    fatal: bool


@dataclass(frozen=True, slots=True)
class KafkaLog(Fact):
    """The Kafka client's own log line; `level` is that of Python's logging."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class ProducerMeasured(Fact):
    """What the events' producer holds: records and bytes, the slowest broker's mean round trip, in microseconds.

    `brokers_up` are connections that stand; the round trip is 0 where nothing was sent lately.
    """

    queued: int
    queued_bytes: int
    round_trip_us: int
    brokers_up: int


@dataclass(frozen=True, slots=True)
class RegistryTrouble(Fact):
    """The registry did not give a schema id; asked again after `retry_s` seconds."""

    subject: str
    reason: str
    retry_s: float


@dataclass(frozen=True, slots=True)
class TracesUnsent(Fact):
    """Spans of traces could not be exported, by the exporter's own words."""

    reason: str


@dataclass(frozen=True, slots=True)
class TopicMade(Fact):
    """A topic was created."""

    topic: str
    partitions: int


@dataclass(frozen=True, slots=True)
class ActionFact(Fact):
    """Base of the audit lines: which request; never what it says, which may be secret.

    `topic`, `partition` and `offset` are where its record stands; `traceparent` is its header of W3C's trace
    context, "" where it has none.
    """

    request_id: str
    pbx: str
    action: str
    topic: str
    partition: int
    offset: int
    traceparent: str = field(default="", kw_only=True)


@dataclass(frozen=True, slots=True)
class ActionBegun(ActionFact):
    """A rule of the policy allows an action, and it is given to the PBX's sessions."""

    rule: str


@dataclass(frozen=True, slots=True)
class ActionRefused(ActionFact):
    """A request is not carried out: a rule forbids it, or it is invalid; `status` says which."""

    status: str
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class ActionAnswered(ActionFact):
    """A request's response stands in Kafka; `took_ms` from its record's time to here, in milliseconds.

    `consumed_at_ms` is when the record was read, `sent_at_ms` and `answered_at_ms` when the PBX got the action and
    answered it, where that was so; in milliseconds since 1970.
    """

    status: str
    executed: str
    replayed: bool
    took_ms: int
    consumed_at_ms: int
    sent_at_ms: int | None = None
    answered_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class CallUnresolved(ActionFact):
    """Whether an Originate was executed is not known, and that is told; `call_id` is its channel's Uniqueid."""

    call_id: str


@dataclass(frozen=True, slots=True)
class ActionDoubtful(ActionFact):
    """An action goes to the PBX with parameters that it does not have as far as is known."""

    reason: str


@dataclass(frozen=True, slots=True)
class RequestUndecodable(Fact):
    """A record is no request; it goes to the dead-letter topic."""

    topic: str
    partition: int
    offset: int
    reason: str


@dataclass(frozen=True, slots=True)
class AnswerRefused(ActionFact):
    """Kafka will not take a record of a request's answer; `instead` says what goes in its place."""

    record_topic: str
    reason: str
    instead: str


@dataclass(frozen=True, slots=True)
class ClaimsRead(Fact):
    """A partition is ours, and its claims are known: so many requests begun or done by whoever had it before."""

    topic: str
    partition: int
    claims: int


@dataclass(frozen=True, slots=True)
class PartitionsRevoked(Fact):
    """Partitions go to another owner as soon as what is in flight is final; `in_flight` counts it."""

    partitions: tuple[str, ...]
    in_flight: int


@dataclass(frozen=True, slots=True)
class PartitionsLost(Fact):
    """Partitions are another's already; `in_flight` requests were begun and are left to be told as unknown."""

    partitions: tuple[str, ...]
    in_flight: int


@dataclass(frozen=True, slots=True)
class TransactionAborted(Fact):
    """A transaction of the road back was not committed; its work is done again after `retry_s` seconds."""

    reason: str
    retry_s: float


@dataclass(frozen=True, slots=True)
class RequestsFenced(Fact):
    """A transaction was refused since a partition in it is another's."""

    reason: str


@dataclass(frozen=True, slots=True)
class ActionSessionUp(Fact):
    """A session for actions is logged in; `events` are the classes that it hears, `sessions` how many such there are."""

    pbx: str
    address: str
    events: str
    sessions: int


@dataclass(frozen=True, slots=True)
class ActionSessionDown(Fact):
    """A session for actions ended or could not be made; the next try comes after `retry_s` seconds, None: none by itself."""

    pbx: str
    reason: str
    retry_s: float | None


@dataclass(frozen=True, slots=True)
class ActionLoginRefused(Fact):
    """The PBX refused the login of a session for actions; the next try comes after `retry_s` seconds."""

    pbx: str
    reason: str
    retry_s: float


@dataclass(frozen=True, slots=True)
class StrayAnswer(Fact):
    """A session for actions heard an answer that nobody waits for, by its first lines."""

    pbx: str
    head: str


Report = Callable[[Fact], None]
