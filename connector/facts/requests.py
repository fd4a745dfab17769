"""Facts of the road back: who asked for what, what became of it, and whose partitions are."""

from dataclasses import dataclass, field

from connector.facts.fact import Fact


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
