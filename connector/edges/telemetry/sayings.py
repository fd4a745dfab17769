"""What each fact is worth in the log: its level and its words, in one table."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connector import facts
from connector.facts import Fact

_RENEWED: Final = "the session for events is renewed"
_NOT_RENEWED: Final = (
    "to renew the session did not help; does the account have user in `read`, "
    "and does each eventfilter let UserEvents through?"
)


@dataclass(frozen=True, slots=True)
class Saying:
    """How a fact is said: its level, its text, and the fields that tell one trouble from another."""

    level: int
    text: str
    same: tuple[str, ...] = ()


SAYINGS: Final[Mapping[type[Fact], Saying]] = {
    facts.LinkUp: Saying(logging.INFO, "{pbx}: logged in at {address}, Asterisk {asterisk_version}"),
    facts.LinkDown: Saying(logging.WARNING, "{pbx}: {reason}; {again}", ("pbx", "reason")),
    facts.LoginWasRefused: Saying(logging.ERROR, "{pbx}: {reason}; {again}"),
    facts.SnapshotTaken: Saying(logging.INFO, "{pbx}: a snapshot of {items} items{without}"),
    facts.EventsPublished: Saying(logging.INFO, "published {count} records to {topics} topics"),
    facts.EventDropped: Saying(
        logging.DEBUG, "{pbx}: {event} left out: {reason}", ("pbx", "event", "reason")
    ),
    facts.EventQuarantined: Saying(
        logging.WARNING, "{pbx}: {event} went to the dead letters: {reason}: {detail}", ("pbx", "reason")
    ),
    facts.RecordRefused: Saying(
        logging.ERROR, "{topic}: the broker refuses a record for good: {reason}", ("topic", "reason")
    ),
    facts.EventsLost: Saying(
        logging.ERROR, "{pbx}: {lost} lost, numbers {first} to {last}: {reason}", ("pbx", "reason")
    ),
    facts.GapTold: Saying(
        logging.WARNING, "{pbx}: a gap of {lasted} s ({reason}), loss {loss}", ("pbx", "reason")
    ),
    facts.EventsMissed: Saying(
        logging.ERROR, "{pbx}: {count} events were not read, SequenceNumber {first} to {last}", ("pbx",)
    ),
    facts.SequenceNumbersAbsent: Saying(
        logging.WARNING,
        "{pbx}: sequence_audit finds no SequenceNumber: set debug = on in manager.conf [general] and reload manager",
    ),
    facts.ClockDiffers: Saying(
        logging.WARNING,
        "{pbx}: the PBX's clock is {apart}: keep both by a time service (NTP); delays are told without the difference",
        ("pbx",),
    ),
    facts.EventsLate: Saying(
        logging.WARNING,
        "{pbx}: events come late, {lag_ms} ms after the PBX made them: is the link, or the connector, too slow?",
        ("pbx",),
    ),
    facts.EventsOnTime: Saying(logging.INFO, "{pbx}: events are on time again, after {lag_ms} ms", ("pbx",)),
    facts.CanaryMissed: Saying(
        logging.ERROR, "{pbx}: a canary was not seen in {within_s:g} s, though the PBX took it: {then}"
    ),
    facts.CanaryUnsent: Saying(logging.WARNING, "{pbx}: no canary was sent: {reason}"),
    facts.CanarySeen: Saying(logging.INFO, "{pbx}: canaries are seen again"),
    facts.JournalFailed: Saying(
        logging.ERROR, "{pbx}: the journal on disk fails: {reason}; {again}", ("pbx", "reason")
    ),
    facts.JournalRestored: Saying(logging.INFO, "{pbx}: the journal is on disk again"),
    facts.JournalFound: Saying(logging.INFO, "{pbx}: journal in {folder}: {waiting} bytes wait for Kafka"),
    facts.JournalKept: Saying(logging.INFO, "{pbx}: {count} records stay in the journal for the next start"),
    facts.TakeOverReady: Saying(
        logging.INFO,
        "ready to take over, logged in at {up} of {pbxs} PBXs: stop the process that has the journals{waited}",
    ),
    facts.StreamJoined: Saying(
        logging.INFO, "{pbx}: goes on where the process before has ended, {events} events behind it"
    ),
    facts.StreamApart: Saying(logging.WARNING, "{pbx}: a gap is published: {reason}"),
    facts.KafkaLog: Saying(logging.WARNING, "Kafka client: {text}", ("text",)),
    facts.BrokerTrouble: Saying(logging.WARNING, "Kafka: {reason}", ("reason",)),
    facts.ProducerMeasured: Saying(
        logging.DEBUG, "producer: {queued} records queued, {queued_bytes} bytes, {brokers_up} brokers up", ()
    ),
    facts.RegistryTrouble: Saying(logging.WARNING, "registry: {subject}: {reason}; {again}", ("subject",)),
    facts.TracesUnsent: Saying(logging.WARNING, "traces: {reason}", ("reason",)),
    facts.TopicMade: Saying(logging.INFO, "made topic {topic} with {partitions} partitions"),
    # The audit: one line for each decision, and none is held back.
    facts.ActionBegun: Saying(logging.INFO, "{pbx}: {action} begun by {rule}: {subject}"),
    facts.ActionRefused: Saying(logging.WARNING, "{pbx}: {action} {status}: {reason} ({rule}): {subject}"),
    facts.ActionAnswered: Saying(
        logging.INFO, "{pbx}: {action} {status}, executed {executed}{again}, {took_ms} ms: {subject}"
    ),
    facts.CallUnresolved: Saying(
        logging.WARNING, "{pbx}: it is not known whether call {call_id} was made: {subject}"
    ),
    facts.ActionDoubtful: Saying(logging.WARNING, "{pbx}: {action} goes on: {reason}: {subject}"),
    facts.RequestUndecodable: Saying(
        logging.WARNING, "{topic}/{partition}/{offset} is no request, and goes to the dead letters: {reason}"
    ),
    facts.AnswerRefused: Saying(
        logging.ERROR,
        "{record_topic}: Kafka refuses a record for good: {reason}; instead {instead}: {subject}",
    ),
    facts.ClaimsRead: Saying(logging.INFO, "{topic}/{partition} is ours, with {claims} claims"),
    facts.PartitionsRevoked: Saying(logging.INFO, "{names} go to another owner, {in_flight} in flight"),
    facts.PartitionsLost: Saying(logging.WARNING, "{names} are another's, {in_flight} in flight"),
    facts.TransactionAborted: Saying(logging.WARNING, "transaction aborted: {reason}; {again}", ("reason",)),
    facts.ActionSessionUp: Saying(logging.INFO, "{pbx}: session for actions at {address}, hears {events}"),
    facts.ActionSessionDown: Saying(
        logging.WARNING, "{pbx}: session for actions: {reason}; {again}", ("pbx", "reason")
    ),
    facts.ActionLoginRefused: Saying(logging.ERROR, "{pbx}: session for actions: {reason}; {again}"),
    facts.StrayAnswer: Saying(logging.WARNING, "{pbx}: an answer that nobody waits for: {head}", ("pbx",)),
    facts.RequestsFenced: Saying(
        logging.WARNING, "transaction refused, a partition in it is another's: {reason}"
    ),
}


def level_of(fact: Fact) -> int:
    """Return the level of a fact's line, of Python's logging."""
    saying = SAYINGS[type(fact)]
    match fact:
        case facts.BrokerTrouble(fatal=True):
            return logging.ERROR
        case facts.LinkDown(retry_s=None) | facts.ActionSessionDown(retry_s=None):
            return logging.INFO
        case facts.KafkaLog(level=level):
            return level
        case _:
            return saying.level


def worded(fact: Fact) -> dict[str, str]:
    """Put into words what the fields of a fact say in numbers."""
    words = {}
    if hasattr(fact, "retry_s"):
        retry = fact.retry_s
        never = "none in its place for now" if isinstance(fact, facts.ActionSessionDown) else "stopped"
        words["again"] = never if retry is None else f"tried again in {retry:.1f} s"
    if isinstance(fact, facts.ActionFact):
        words["subject"] = f"{fact.request_id!r} at {fact.topic}/{fact.partition}/{fact.offset}"
        words["pbx"], words["action"] = fact.pbx or "no PBX", fact.action or "no request"
    if isinstance(fact, facts.ActionRefused):
        words["rule"] = fact.rule or "no rule"
    if isinstance(fact, facts.ActionAnswered):
        words["again"] = ", replayed" if fact.replayed else ""
    if isinstance(fact, facts.PartitionsRevoked | facts.PartitionsLost):
        words["names"] = ", ".join(fact.partitions) or "no partitions"
    if isinstance(fact, facts.EventsLost):
        words["lost"] = "records" if fact.count is None else f"{fact.count} records"
        words["last"] = "the end" if fact.last is None else str(fact.last)
    if isinstance(fact, facts.SnapshotTaken):
        words["without"] = f", without {', '.join(fact.missing)}" if fact.missing else ""
    if isinstance(fact, facts.TakeOverReady):
        words["waited"] = f"; waiting for {fact.waited_s:.0f} s" if fact.waited_s else ""
    if isinstance(fact, facts.LinkUp):
        words["asterisk_version"] = fact.asterisk_version or "of unknown version"
    return words | _watched(fact)


def _watched(fact: Fact) -> dict[str, str]:
    match fact:
        case facts.ClockDiffers(offset_ms=ahead):
            return {"apart": f"{abs(ahead)} ms {'ahead of' if ahead > 0 else 'behind'} ours"}
        case facts.GapTold(lasted_s=lasted_s):
            return {"lasted": f"{lasted_s:.1f}"}
        case facts.CanaryMissed(renewed=renewed):
            return {"then": _RENEWED if renewed else _NOT_RENEWED}
        case _:
            return {}
