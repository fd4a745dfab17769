"""Facts to log lines and counts; one table says what each fact is worth.

A fact that repeats is said once in a while, with how often it was true in between. Logs go to stderr
only: stdout belongs to data.
"""

import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TextIO

from connector import facts
from connector.facts import Fact

LOGGER: Final = "connector"

REPEAT_S: Final = 10.0
"""Seconds within which the same fact is said only once."""

PUBLISHED_S: Final = 60.0
"""Seconds between two lines on what was published."""

_MAX_HELD: Final = 4_096
_RENEWED: Final = "the session for events is renewed"
_NOT_RENEWED: Final = (
    "to renew the session did not help; does the account have user in `read`, "
    "and does each eventfilter let UserEvents through?"
)
_RESET: Final = "\033[0m"
_COLOURS: Final = {"DEBUG": "\033[2m", "WARNING": "\033[33m", "ERROR": "\033[31m", "CRITICAL": "\033[1;31m"}


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
    facts.RegistryTrouble: Saying(logging.WARNING, "registry: {subject}: {reason}; {again}", ("subject",)),
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


@dataclass(slots=True)
class Tally:
    """What has happened since the start, for summaries.

    Records by topic, events left out by name, dead letters by reason, and how many were lost.
    """

    published: Counter[str] = field(default_factory=Counter)
    unselected: Counter[str] = field(default_factory=Counter)
    quarantined: Counter[str] = field(default_factory=Counter)
    lost: int = 0

    def take(self, fact: Fact) -> None:
        """Count a fact."""
        match fact:
            case facts.EventsPublished(counts):
                self.published.update(counts)
            case facts.EventDropped(event=event):
                self.unselected[event] += 1
            case facts.EventQuarantined(reason=reason):
                self.quarantined[reason] += 1
            case facts.EventsLost(count=count):
                self.lost += count or 0


@dataclass(slots=True)
class _Held:
    since: float
    times: int = 0
    last: Fact | None = None


class Telemetry:
    """Takes facts (it is a `Report`), counts them and says them in the log."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.tally = Tally()
        self._now = now
        self._log = logging.getLogger(LOGGER)
        self._held: dict[tuple[object, ...], _Held] = {}
        self._published: Counter[str] = Counter()
        self._published_at = now()

    def __call__(self, fact: Fact) -> None:
        """Take a fact."""
        self.tally.take(fact)
        if isinstance(fact, facts.EventsPublished):
            self._publish(fact)
        else:
            self._say(fact, SAYINGS[type(fact)])

    def unselected(self, event: str) -> None:
        """Count an event that the selection leaves out; it is no fact, since there are so many."""
        self.tally.unselected[event] += 1

    def flush(self) -> None:
        """Say what was held back."""
        for held in self._held.values():
            if held.last is not None:
                self._write(held.last, f" (the last of {held.times} more)")
        self._held.clear()
        self._say_published()

    def _say(self, fact: Fact, saying: Saying) -> None:
        more = ""
        if saying.same:
            key = (type(fact).__name__, *(getattr(fact, name) for name in saying.same))
            held = self._held.get(key)
            if held is not None and self._now() - held.since < REPEAT_S:
                held.times, held.last = held.times + 1, fact
                return
            if held is not None and held.times:
                more = f" ({held.times} more since the last such line)"
            self._remember(key)
        self._write(fact, more)

    def _remember(self, key: tuple[object, ...]) -> None:
        if len(self._held) >= _MAX_HELD:
            self.flush()
        self._held[key] = _Held(self._now())

    def _write(self, fact: Fact, more: str) -> None:
        saying = SAYINGS[type(fact)]
        level = _level(fact, saying)
        if self._log.isEnabledFor(level):
            text = saying.text.format_map(asdict(fact) | _worded(fact))
            self._log.log(level, "%s", text + more, extra={"fact": fact})

    def _publish(self, fact: facts.EventsPublished) -> None:
        self._published.update(fact.counts)
        if self._now() - self._published_at >= PUBLISHED_S:
            self._say_published()

    def _say_published(self) -> None:
        count, topics = self._published.total(), len(+self._published)
        if count:
            saying = SAYINGS[facts.EventsPublished]
            fact = facts.EventsPublished(dict(self._published))
            text = saying.text.format(count=count, topics=topics)
            self._log.log(saying.level, "%s", text, extra={"fact": fact})
        self._published.clear()
        self._published_at = self._now()


def _level(fact: Fact, saying: Saying) -> int:
    match fact:
        case facts.BrokerTrouble(fatal=True):
            return logging.ERROR
        case facts.LinkDown(retry_s=None) | facts.ActionSessionDown(retry_s=None):
            return logging.INFO
        case facts.KafkaLog(level=level):
            return level
        case _:
            return saying.level


def _worded(fact: Fact) -> dict[str, str]:
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
        case facts.CanaryMissed(renewed=renewed):
            return {"then": _RENEWED if renewed else _NOT_RENEWED}
        case _:
            return {}


def open_log(
    stream: TextIO, level: str = "info", form: str = "console", unsaid: tuple[type[Fact], ...] = ()
) -> None:
    """Send the connector's log to a stream, but for facts of the kinds `unsaid`.

    `form` is `console` or `json`, one line per fact in both.
    """
    handler = logging.StreamHandler(stream)
    handler.addFilter(lambda record: not isinstance(getattr(record, "fact", None), unsaid))
    handler.setFormatter(_Lines() if form == "json" else _Console(coloured=stream.isatty()))
    log = logging.getLogger(LOGGER)
    log.handlers[:] = [handler]
    log.setLevel(level.upper())
    log.propagate = False


class _Console(logging.Formatter):
    """`22:31:07 warning  text`, coloured by level in a terminal."""

    def __init__(self, *, coloured: bool) -> None:
        super().__init__()
        self._coloured = coloured

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%H:%M:%S", time.localtime(record.created))
        line = f"{at} {record.levelname.lower():<8} {_one_line(record.getMessage())}"
        colour = _COLOURS.get(record.levelname) if self._coloured else None
        line = f"{colour}{line}{_RESET}" if colour else line
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class _Lines(logging.Formatter):
    """One JSON object on a line: time, level, message, and the fact with its fields."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        value: dict[str, Any] = {"time": at, "level": record.levelname.lower()}
        value["message"] = record.getMessage()
        if record.exc_info:
            value["exception"] = self.formatException(record.exc_info)
        fact = getattr(record, "fact", None)
        if fact is not None:
            value |= {"fact": type(fact).__name__} | asdict(fact)
        return json.dumps(value, ensure_ascii=False, default=str)


def _one_line(text: str) -> str:
    """Keep one fact on one line: a PBX's text may hold line ends and terminal codes."""
    return "".join(each if each.isprintable() else " " for each in text)
