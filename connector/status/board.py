"""The board: what the facts say of the present, in bounded memory. No clock: each fact comes with its time."""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Final, NamedTuple

from connector import facts
from connector.facts import Fact
from connector.status.samples import Sample, Samples

LATEST: Final = 50
"""Gaps, actions and refusals that are kept, of each the latest."""

TOPICS: Final = 500
"""Names that are counted; what comes beyond them is counted together."""

OTHERS: Final = "(others)"
TEXT: Final = 300
"""Characters of a reason that are kept."""


class Trouble(NamedTuple):
    """Something that went wrong: when (microseconds since 1970), and why."""

    at_us: int
    reason: str


class Noted(NamedTuple):
    """Something that happened: when (microseconds since 1970), what, and its particulars."""

    at_us: int
    what: str
    said: dict[str, Any]


@dataclass(slots=True)
class Pbx:
    """What is known of one PBX; `since_us` is the time since which the session for events is as it is.

    `started` is what CoreStatus told of the PBX's start; `retry_s` the wait before the next login.
    """

    up: bool = False
    since_us: int | None = None
    address: str = ""
    ami_version: str = ""
    asterisk_version: str | None = None
    started: str | None = None
    trouble: Trouble | None = None
    retry_s: float | None = None
    action_sessions: int = 0
    action_trouble: Trouble | None = None
    journal_trouble: Trouble | None = None
    stalled: bool = False
    samples: Samples = field(default_factory=Samples)


class Board:
    """What is known now.

    Args:
        pbxs: the names of all PBXs.
        now_us: when the connector began, in microseconds since 1970.
    """

    def __init__(self, pbxs: Iterable[str], now_us: int) -> None:
        self.since_us = now_us
        self.pbxs = {name: Pbx() for name in pbxs}
        self.published: Counter[str] = Counter()
        self.dead_letters: Counter[str] = Counter()
        self.gaps: deque[Noted] = deque(maxlen=LATEST)
        self.actions: deque[Noted] = deque(maxlen=LATEST)
        self.partitions: set[str] = set()
        self.acknowledged_us: int | None = None
        self.kafka_trouble: Trouble | None = None
        self.registry_trouble: Trouble | None = None
        self.stopping = False

    def sample(self, pbx: str, sample: Sample) -> None:
        """Take a PBX's measures."""
        if pbx in self.pbxs:
            self.pbxs[pbx].samples.put(sample)

    def take(self, fact: Fact, now_us: int) -> None:
        """Take a fact."""
        taken = _TAKEN.get(type(fact))
        if taken is not None:
            taken(self, fact, now_us)

    def of(self, pbx: str) -> Pbx:
        """Return what is known of a PBX; of one that is not ours, what is kept nowhere."""
        return self.pbxs.get(pbx) or Pbx()

    def acknowledged(self, now_us: int) -> None:
        """Note that Kafka has taken something."""
        self.acknowledged_us = now_us
        self.kafka_trouble = None


def _link_up(board: Board, fact: facts.LinkUp, now_us: int) -> None:
    pbx = board.of(fact.pbx)
    pbx.up, pbx.since_us, pbx.address, pbx.started = True, now_us, fact.address, fact.started
    pbx.ami_version, pbx.asterisk_version = fact.ami_version, fact.asterisk_version
    pbx.retry_s, pbx.stalled = None, False


def _link_down(board: Board, fact: facts.LinkDown | facts.LoginWasRefused, now_us: int) -> None:
    pbx = board.of(fact.pbx)
    if pbx.up or pbx.since_us is None:
        pbx.since_us = now_us
    pbx.up, pbx.started, pbx.address, pbx.retry_s = False, None, fact.address, fact.retry_s
    pbx.trouble = Trouble(now_us, fact.reason[:TEXT])


def _published(board: Board, fact: facts.EventsPublished, now_us: int) -> None:
    for topic, count in fact.counts.items():
        _count(board.published, topic, count)
    board.acknowledged(now_us)


def _quarantined(board: Board, fact: facts.EventQuarantined, _: int) -> None:
    _count(board.dead_letters, fact.reason, 1)


def _undecodable(board: Board, _: facts.RequestUndecodable, __: int) -> None:
    _count(board.dead_letters, "request-undecodable", 1)


def _record_refused(board: Board, _: facts.RecordRefused, __: int) -> None:
    _count(board.dead_letters, "record-refused", 1)


def _count(counter: Counter[str], name: str, count: int) -> None:
    counter[name if name in counter or len(counter) < TOPICS else OTHERS] += count


def _gap(board: Board, fact: Fact, now_us: int) -> None:
    said = {name: value[:TEXT] if isinstance(value, str) else value for name, value in asdict(fact).items()}
    board.gaps.append(Noted(now_us, _GAPS[type(fact)], said))


def _action(
    board: Board, fact: facts.ActionRefused | facts.ActionAnswered | facts.CallUnresolved, now_us: int
) -> None:
    rule = fact.rule if isinstance(fact, facts.ActionRefused) else None
    took_ms = fact.took_ms if isinstance(fact, facts.ActionAnswered) else None
    status = "UNKNOWN" if isinstance(fact, facts.CallUnresolved) else fact.status
    said = {
        "request_id": fact.request_id[:TEXT],
        "pbx": fact.pbx,
        "action": fact.action[:TEXT],
        "status": status,
        "rule": rule,
        "took_ms": took_ms,
    }
    what = "refused" if isinstance(fact, facts.ActionRefused) else "answered"
    if isinstance(fact, facts.ActionAnswered):
        board.acknowledged(now_us)
        if _same(board, fact.request_id):
            # What was refused is answered with the refusal: one line says both.
            return
    board.actions.append(Noted(now_us, what, said))


def _same(board: Board, request_id: str) -> bool:
    asked = request_id[:TEXT]
    return any(each.what == "refused" and each.said["request_id"] == asked for each in board.actions)


def _claims_read(board: Board, fact: facts.ClaimsRead, now_us: int) -> None:
    board.partitions.add(f"{fact.topic}/{fact.partition}")
    board.acknowledged(now_us)


def _gone(board: Board, fact: facts.PartitionsRevoked | facts.PartitionsLost, _: int) -> None:
    board.partitions.difference_update(fact.partitions)


def _broker(
    board: Board, fact: facts.BrokerTrouble | facts.TransactionAborted | facts.RequestsFenced, now_us: int
) -> None:
    board.kafka_trouble = Trouble(now_us, fact.reason[:TEXT])


def _registry(board: Board, fact: facts.RegistryTrouble, now_us: int) -> None:
    board.registry_trouble = Trouble(now_us, f"{fact.subject}: {fact.reason}"[:TEXT])


def _journal_failed(board: Board, fact: facts.JournalFailed, now_us: int) -> None:
    board.of(fact.pbx).journal_trouble = Trouble(now_us, fact.reason[:TEXT])


def _journal_restored(board: Board, fact: facts.JournalRestored, _: int) -> None:
    board.of(fact.pbx).journal_trouble = None


def _action_up(board: Board, fact: facts.ActionSessionUp, _: int) -> None:
    pbx = board.of(fact.pbx)
    pbx.action_sessions, pbx.action_trouble = fact.sessions, None


def _action_down(board: Board, fact: facts.ActionSessionDown | facts.ActionLoginRefused, now_us: int) -> None:
    pbx = board.of(fact.pbx)
    pbx.action_sessions = max(0, pbx.action_sessions - 1)
    pbx.action_trouble = Trouble(now_us, fact.reason[:TEXT])


def _stalled(board: Board, fact: facts.CanaryMissed, now_us: int) -> None:
    board.of(fact.pbx).stalled = True
    _gap(board, fact, now_us)


def _flows(board: Board, fact: facts.CanarySeen, _: int) -> None:
    board.of(fact.pbx).stalled = False


_GAPS: Final[dict[type[Fact], str]] = {
    facts.EventsLost: "lost",
    facts.EventsMissed: "missed",
    facts.GapTold: "gap",
    facts.StreamApart: "apart",
    facts.CanaryMissed: "stalled",
}
_TAKEN: Final[dict[type[Fact], Callable[[Board, Any, int], None]]] = {
    facts.LinkUp: _link_up,
    facts.LinkDown: _link_down,
    facts.LoginWasRefused: _link_down,
    facts.EventsPublished: _published,
    facts.EventQuarantined: _quarantined,
    facts.RequestUndecodable: _undecodable,
    facts.RecordRefused: _record_refused,
    facts.EventsLost: _gap,
    facts.EventsMissed: _gap,
    facts.GapTold: _gap,
    facts.StreamApart: _gap,
    facts.CanaryMissed: _stalled,
    facts.CanarySeen: _flows,
    facts.ActionRefused: _action,
    facts.ActionAnswered: _action,
    facts.CallUnresolved: _action,
    facts.ClaimsRead: _claims_read,
    facts.PartitionsRevoked: _gone,
    facts.PartitionsLost: _gone,
    facts.BrokerTrouble: _broker,
    facts.TransactionAborted: _broker,
    facts.RequestsFenced: _broker,
    facts.RegistryTrouble: _registry,
    facts.JournalFailed: _journal_failed,
    facts.JournalRestored: _journal_restored,
    facts.ActionSessionUp: _action_up,
    facts.ActionSessionDown: _action_down,
    facts.ActionLoginRefused: _action_down,
}
