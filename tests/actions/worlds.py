"""Kafka, PBXs and connectors as a model: what is committed lasts, everything else dies with its connector."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from connector.actions.dispatch.dispatcher import Dispatcher
from connector.actions.dispatch.lifecycle import Execute
from connector.actions.record import (
    Aborted,
    Commit,
    Committed,
    Fenced,
    Incoming,
    Outgoing,
    Place,
    Settled,
)
from connector.ami.reach import Reach, Result
from connector.facts import AnswerRefused, Fact
from tests.actions.dispatchers import AVRO, LETTERS, PAIR, answer, header, make_dispatcher, told

MAX_IN_FLIGHT = 4
GONE_WRONG = "nothing"
CLAIMS = {pair.claims: pair.requests for pair in (PAIR, AVRO)}

_WHERE = "__connect.errors."

Subject = tuple[Place, int]
"""A request record: its partition and its offset."""


@dataclass
class Kafka:
    """The topics as a read_committed consumer sees them."""

    requests: dict[Place, list[Incoming]]
    claims: dict[Place, list[Incoming]]
    answers: Counter[Subject] = field(default_factory=Counter)
    told: dict[Subject, dict[str, object]] = field(default_factory=dict)
    letters: Counter[Subject] = field(default_factory=Counter)
    offsets: dict[Place, tuple[int, str]] = field(default_factory=dict)
    epochs: Counter[Place] = field(default_factory=Counter)

    def commit(self, work: Commit, epochs: Mapping[Place, int], refused: dict[int, str]) -> Settled:
        """End a transaction: another epoch of a partition fences it, a record for `bad` topics aborts it."""
        if any(self.epochs[place] != epochs.get(place) for place in work.offsets):
            return Fenced("another's")
        bad = {
            at: "no such partition" for at, each in enumerate(work.records) if each.topic.startswith("bad.")
        }
        if bad or refused:
            return Aborted(bad | refused, "refused")
        for record in work.records:
            self._write(record)
        for place, offset in work.offsets.items():
            assert offset >= self.offsets.get(place, (0, ""))[0], "an offset went back"
            self.offsets[place] = offset, work.notes[place]
        return Committed()

    def _write(self, record: Outgoing) -> None:
        if record.topic in CLAIMS:
            assert record.partition is not None
            log = self.claims[Place(CLAIMS[record.topic], record.partition)]
            log.append(Incoming(Place(record.topic, record.partition), len(log), 0, record.key, record.value))
        elif record.topic == LETTERS:
            place = Place(header(record, _WHERE + "topic"), int(header(record, _WHERE + "partition")))
            self.letters[place, int(header(record, _WHERE + "offset"))] += 1
        else:
            topic, partition, offset = header(record, "ce_id").split("/")[:3]
            subject = Place(topic, int(partition)), int(offset)
            self.answers[subject] += 1
            if topic == PAIR.requests:
                self.told[subject] = dict(told(record))


@dataclass
class Sent:
    """An action that a connector was told to send; `written` once it is on the wire."""

    execute: Execute
    written: bool = False


class Connector:
    """One connector: a dispatcher, what it has read, and what it has not told yet."""

    def __init__(self, name: int, now: Callable[[], int]) -> None:
        self.name = name
        self.now = now
        self.facts: list[Fact] = []
        self.dispatcher: Dispatcher = make_dispatcher(self.facts.append, in_flight=MAX_IN_FLIGHT)
        self.epochs: dict[Place, int] = {}
        self.positions: dict[Place, int] = {}
        self.paused: set[Place] = set()
        self.revoked: set[Place] = set()
        self.sent: list[Sent] = []
        self.work: Commit | None = None
        self.work_epochs: dict[Place, int] = {}

    def assign(self, place: Place, kafka: Kafka) -> None:
        offset, note = kafka.offsets.get(place, (0, ""))
        self.epochs[place], self.positions[place] = kafka.epochs[place], offset
        self.paused.discard(place)
        self.dispatcher.assigned(place, note)
        self.dispatcher.remember(place, kafka.claims[place], self.now())

    def forget(self, place: Place) -> None:
        del self.epochs[place], self.positions[place]
        self.revoked.discard(place)
        self.paused.discard(place)

    def has_more(self, place: Place, kafka: Kafka) -> bool:
        """Say whether the partition has a request that could be read now."""
        more = any(each.offset >= self.positions[place] for each in kafka.requests[place])
        return more and place not in self.paused

    def read(self, place: Place, kafka: Kafka) -> bool:
        """Take the next request of a partition, if there is one."""
        if not self.has_more(place, kafka):
            return False
        log, position = kafka.requests[place], self.positions[place]
        record = next(each for each in log if each.offset >= position)
        self.positions[place] = record.offset + 1
        self.dispatcher.requested(record, self.now())
        self.go_on()
        return True

    def draw_up(self) -> None:
        """Begin a transaction if there is work, under the assignments as they are now."""
        if self.work is None:
            self.work, self.work_epochs = self.dispatcher.work(self.now()), {**self.epochs}
        self.go_on()

    def go_on(self) -> None:
        """Do what the driver does after whatever happened."""
        self.sent += map(Sent, self.dispatcher.begin(self.now()))
        pause, resume = self.dispatcher.flow()
        self.paused = (self.paused | pause) - resume

    def refused_all(self) -> set[Subject]:
        """Return the requests of which Kafka has refused every answer."""
        return {
            (Place(each.topic, each.partition), each.offset)
            for each in self.facts
            if isinstance(each, AnswerRefused) and each.instead == GONE_WRONG
        }


RESULTS: Sequence[Result] = (
    answer(),
    answer("Error", "No such channel"),
    Result(Reach.SENT, reason="the connection ended"),
    Result(Reach.SENT, late=True, reason="no answer in 5 s"),
)
