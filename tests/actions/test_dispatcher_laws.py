"""What design section 7 promises, under any order of requests, answers, losses, crashes and rebalances.

Two connectors share two partitions. A connector may crash, be stopped while its partitions go to the
other and go on as a zombie, or hand them over in order; Kafka is a log of what was committed, the PBX a
count of what it has executed.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from connector.actions.dispatch.limits import Room
from connector.actions.dispatch.ticket import Stage
from connector.actions.record import Aborted, Committed, Fenced, Incoming, Place
from connector.ami.reach import Reach, Result
from connector.facts import AnswerRefused
from tests.actions.dispatchers import NOW, OTHER, PAIR, PBX, body, told
from tests.actions.worlds import MAX_IN_FLIGHT, RESULTS, Connector, Kafka, Sent, Subject

PLACES = [Place(PAIR.requests, number) for number in range(2)]
HEADERS = [{"UserEvent": "Done"}, {"UserEvent": "Other"}]
T = TypeVar("T")

picks = st.integers(0, 9)
places = st.sampled_from(PLACES)


def one(pick: int, of: Sequence[T]) -> T:
    return of[pick % len(of)]


def unkept(connector: Connector) -> set[tuple[Place, str, str]]:
    """Return the requests of which Kafka has refused something."""
    return {
        (Place(fact.topic, fact.partition), fact.pbx, fact.request_id)
        for fact in connector.facts
        if isinstance(fact, AnswerRefused)
    }


class Dispatchers(RuleBasedStateMachine):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = NOW
        self.kafka = Kafka({place: [] for place in PLACES}, {place: [] for place in PLACES})
        self.connectors: list[Connector] = []
        self.names = 0
        self.executed: Counter[tuple[Place, str, str]] = Counter()
        self.faulted: set[tuple[Place, str, str]] = set()
        self.refused: set[Subject] = set()
        self.unkept: set[tuple[Place, str, str]] = set()

    @initialize()
    def start(self) -> None:
        self.connectors = [self.fresh(), self.fresh()]
        for place, connector in zip(PLACES, self.connectors, strict=True):
            connector.assign(place, self.kafka)

    def fresh(self) -> Connector:
        self.names += 1
        return Connector(self.names, lambda: self.now_ms)

    # What requesters do.

    @rule(
        place=st.sampled_from([*PLACES[:1] * 3, *PLACES]),
        key=st.sampled_from([b"a", b"a", b"b", b"b", None]),
        name=st.sampled_from(["i1", "i2", "i3", "i4", "i5"]),
        what=st.sampled_from(["effect", "effect", "effect", "other", "read", "read", "nonsense"]),
        pbx=st.sampled_from([PBX] * 6 + [OTHER, "elsewhere"]),
        reply=st.sampled_from([None] * 5 + ["good.one", "bad.one"]),
        gap=st.sampled_from([0, 0, 1]),
    )
    def ask(self, place: Place, name: str, what: str, gap: int, **rest: Any) -> None:
        fields = {"pbx": rest["pbx"]} | ({"reply_to": rest["reply"]} if rest["reply"] else {})
        if what == "read":
            value = body("Ping", name, **fields)
        elif what == "nonsense":
            value = b"nonsense"
        else:
            value = body("UserEvent", name, headers=HEADERS[what == "other"], **fields)
        log = self.kafka.requests[place]
        offset = log[-1].offset + 1 + gap if log else gap
        log.append(Incoming(place, offset, self.now_ms, rest["key"], value))

    # What goes on in a connector.

    @precondition(lambda self: self.unread())
    @rule(pick=picks, count=st.integers(1, 4))
    def read(self, pick: int, count: int) -> None:
        connector, place = one(pick, self.unread())
        for _ in range(count):
            if not connector.read(place, self.kafka):
                break

    def unread(self) -> list[tuple[Connector, Place]]:
        return [
            (connector, place)
            for connector in self.connectors
            for place in connector.epochs
            if connector.has_more(place, self.kafka)
        ]

    @precondition(lambda self: any(each.work is None for each in self.connectors))
    @rule(pick=picks)
    def work(self, pick: int) -> None:
        one(pick, [each for each in self.connectors if each.work is None]).draw_up()

    @precondition(lambda self: self.working())
    @rule(pick=picks)
    def settle(self, pick: int) -> None:
        self.commit(one(pick, self.working()), {})

    @precondition(lambda self: self.working())
    @rule(pick=picks, spot=st.integers(0, 3))
    def abort(self, pick: int, spot: int) -> None:
        """Let a transaction fail for once, or for a record that Kafka will not take."""
        connector = one(pick, self.working())
        assert connector.work is not None
        if spot < len(connector.work.records):
            self.commit(connector, {spot: "too large"})
        else:
            self.tell(connector, Aborted({}, "the coordinator moved"))

    def working(self) -> list[Connector]:
        return [each for each in self.connectors if each.work is not None]

    @rule(pick=picks, times=st.integers(1, 3))
    def proceed(self, pick: int, times: int) -> None:
        """Let all go well for a while, but that the last answers are not told yet."""
        connector = one(pick, self.connectors)
        for place in [*connector.epochs]:
            connector.read(place, self.kafka)
        for _ in range(times):
            for sent in [each for each in connector.sent if each.written]:
                self.result(connector, sent, RESULTS[0])
            connector.draw_up()
            if connector.work is not None:
                self.commit(connector, {})
            for sent in [each for each in connector.sent if not each.written]:
                self.put_on_the_wire(connector, sent)

    @precondition(lambda self: self.sent(written=False))
    @rule(pick=picks)
    def write(self, pick: int) -> None:
        self.put_on_the_wire(*one(pick, self.sent(written=False)))

    @precondition(lambda self: self.sent(written=False))
    @rule(pick=picks)
    def cannot_send(self, pick: int) -> None:
        self.result(*one(pick, self.sent(written=False)), Result(Reach.NOT_SENT, reason="no session"))

    @precondition(lambda self: self.sent(written=True))
    @rule(pick=picks, result=st.sampled_from([RESULTS[0]] * 4 + [*RESULTS]))
    def hear(self, pick: int, result: Result) -> None:
        self.result(*one(pick, self.sent(written=True)), result)

    def sent(self, *, written: bool) -> list[tuple[Connector, Sent]]:
        return [(each, sent) for each in self.connectors for sent in each.sent if sent.written == written]

    def put_on_the_wire(self, connector: Connector, sent: Sent) -> None:
        ticket = sent.execute.ticket
        if ticket.place in connector.epochs and connector.dispatcher.may_send(ticket, self.now_ms):
            self.check_write(connector, sent)
            sent.written = True
            if ticket.asked.action == "UserEvent":
                self.executed[self.subject(ticket)] += 1
        else:
            self.result(connector, sent, Result(Reach.NOT_SENT, reason="not now"))

    def result(self, connector: Connector, sent: Sent, result: Result) -> None:
        if result.reach is Reach.SENT:
            self.faulted.add(self.subject(sent.execute.ticket))
        connector.sent.remove(sent)
        connector.dispatcher.answered(sent.execute.ticket, result, self.now_ms)
        connector.go_on()

    @rule(step=st.sampled_from([1, 1, 1, 900, 2_000, 8_000, 31_000]))
    def time_passes(self, step: int) -> None:
        self.now_ms += step
        for connector in self.connectors:
            connector.dispatcher.tick(self.now_ms)
            connector.go_on()

    @rule(
        kind=st.sampled_from(
            ["link", "link", "crash", "crash untold", "take away", "wake", "revoke", "revoke"]
        ),
        pick=picks,
        place=places,
        up=st.booleans(),
    )
    def trouble(self, kind: str, pick: int, place: Place, *, up: bool) -> None:
        connector = one(pick, self.connectors)
        match kind:
            case "link":
                self.link(connector, up=up)
            case "crash" | "crash untold":
                self.crash(pick % 2, committed=kind == "crash untold")
            case "take away":
                self.take_away(place)
            case "wake":
                self.wake(connector)
            case _:
                self.revoke(place)

    def link(self, connector: Connector, *, up: bool) -> None:
        connector.dispatcher.link(PBX, self.now_ms, up=up)
        connector.go_on()

    def commit(self, connector: Connector, refused: dict[int, str]) -> None:
        assert connector.work is not None
        self.tell(connector, self.kafka.commit(connector.work, connector.work_epochs, refused))

    def tell(self, connector: Connector, settled: Committed | Aborted | Fenced) -> None:
        connector.work = None
        connector.dispatcher.settled(settled, self.now_ms)
        connector.go_on()

    # What befalls connectors.

    def crash(self, name: int, *, committed: bool) -> None:
        """Forget all but what is in Kafka; the transaction under way may have come through, untold."""
        old = self.connectors[name]
        if committed and old.work is not None:
            self.kafka.commit(old.work, old.work_epochs, {})
        self.fault(set(old.epochs))
        self.bury(old)
        owned = [place for place in old.epochs if old.epochs[place] == self.kafka.epochs[place]]
        self.connectors[name] = self.fresh()
        for place in owned:
            self.kafka.epochs[place] += 1
            self.connectors[name].assign(place, self.kafka)

    def take_away(self, place: Place) -> None:
        """Give a partition to the other connector without the owner's knowledge."""
        for old, new in (self.connectors, self.connectors[::-1]):
            if self.is_owner(old, place):
                self.fault({place})
                self.kafka.epochs[place] += 1
                if place in new.epochs:
                    new.dispatcher.lost([place], self.now_ms)
                    new.forget(place)
                new.assign(place, self.kafka)
                new.go_on()
                return

    def wake(self, connector: Connector) -> None:
        """Tell a zombie what it has lost."""
        gone = [place for place in connector.epochs if not self.is_owner(connector, place)]
        if gone:
            connector.dispatcher.lost(gone, self.now_ms)
            for place in gone:
                connector.forget(place)
            connector.go_on()

    def revoke(self, place: Place) -> None:
        """Begin to hand a partition over in order."""
        for connector in self.connectors:
            if self.is_owner(connector, place) and place not in connector.revoked:
                connector.revoked.add(place)
                connector.dispatcher.revoking([place], self.now_ms)
                connector.go_on()

    @precondition(lambda self: any(each.revoked for each in self.connectors))
    @rule()
    def release(self) -> None:
        """Hand over what is drained."""
        for old, new in (self.connectors, self.connectors[::-1]):
            for place in old.dispatcher.released():
                assert not any(
                    sent.execute.ticket.place == place and sent.execute.ticket.stage is Stage.BEGUN
                    for sent in old.sent
                )
                if self.is_owner(old, place):
                    self.kafka.epochs[place] += 1
                    if place in new.epochs:
                        new.dispatcher.lost([place], self.now_ms)
                        new.forget(place)
                    new.assign(place, self.kafka)
                    new.go_on()
                old.forget(place)

    def is_owner(self, connector: Connector, place: Place) -> bool:
        return connector.epochs.get(place) == self.kafka.epochs[place]

    def bury(self, connector: Connector) -> None:
        """Keep of a connector's facts what excuses a missing answer, or one told anew."""
        self.refused |= connector.refused_all()
        self.unkept |= unkept(connector)

    def fault(self, places: set[Place]) -> None:
        """Note which requests were claimed and not done when their connector was struck."""
        for place in places:
            for claim in map(told, self.kafka.claims[place]):
                subject = place, str(claim["pbx"]), str(claim["request_id"])
                if claim["outcome"] is None:
                    self.faulted.add(subject)

    # The laws.

    @staticmethod
    def subject(ticket: Any) -> tuple[Place, str, str]:
        return ticket.place, ticket.asked.pbx, ticket.asked.request_id

    def check_write(self, connector: Connector, sent: Sent) -> None:
        """At the last look: in time; claimed, if it is an effect; all before it with its key are final."""
        ticket = sent.execute.ticket
        assert ticket.asked.expires_at_ms >= self.now_ms
        if ticket.asked.action == "UserEvent":
            claims = map(told, self.kafka.claims[ticket.place])
            assert any(claim["request_id"] == ticket.asked.request_id for claim in claims), "no claim"
        if not self.is_owner(connector, ticket.place) or ticket.record.key is None:
            return
        for former in self.kafka.requests[ticket.place]:
            if former.key == ticket.record.key and former.offset < ticket.record.offset:
                assert self.is_final(former), "a former request with its key is not final"

    def is_final(self, record: Incoming) -> bool:
        subject = record.place, record.offset
        if b'"pbx": "elsewhere"' in (record.value or b"") or self.kafka.answers[subject]:
            return True
        return bool(self.kafka.letters[subject]) or subject in self.given_up()

    def given_up(self) -> set[Subject]:
        return self.refused.union(*(each.refused_all() for each in self.connectors))

    @invariant()
    def no_effect_twice(self) -> None:
        assert all(count == 1 for count in self.executed.values()), self.executed

    @invariant()
    def one_answer_each(self) -> None:
        assert all(count == 1 for count in self.kafka.answers.values()), self.kafka.answers
        assert all(count == 1 for count in self.kafka.letters.values()), self.kafka.letters

    @invariant()
    def claims_keep_their_content(self) -> None:
        for claims in self.kafka.claims.values():
            digests: dict[object, object] = {}
            for claim in map(told, claims):
                key = claim["pbx"], claim["request_id"]
                assert digests.setdefault(key, claim["digest"]) == claim["digest"]

    @invariant()
    def only_faults_make_unknown(self) -> None:
        for (place, _), answer in self.kafka.told.items():
            if answer["status"] == "UNKNOWN":
                assert (place, answer["pbx"], answer["request_id"]) in self.faulted

    @invariant()
    def done_is_what_is_told(self) -> None:
        """Who is told that nothing was done is right; so is who is told that it was.

        Where a claim was refused, its request was not done, and a repeat may be.
        """
        excused = self.unkept.union(*map(unkept, self.connectors))
        for (place, _), answer in self.kafka.told.items():
            subject = place, str(answer["pbx"]), str(answer["request_id"])
            if answer["action"] == "UserEvent" and answer["status"] in {"EXPIRED", "UNAVAILABLE"}:
                assert not self.executed[subject] or subject in excused
            if answer["action"] == "UserEvent" and answer["executed"] == "yes":
                assert self.executed[subject]

    @invariant()
    def offsets_pass_only_what_is_final(self) -> None:
        for place, (offset, _) in self.kafka.offsets.items():
            for record in self.kafka.requests[place]:
                assert record.offset >= offset or self.is_final(record), (
                    "an offset beyond a request not final"
                )

    @invariant()
    def bounds_hold(self) -> None:
        for connector in self.connectors:
            by_pbx = Counter(sent.execute.pbx for sent in connector.sent)
            assert all(count <= MAX_IN_FLIGHT for count in by_pbx.values())
            for partition in connector.dispatcher._partitions.values():
                assert len(partition.turns) <= 16

    def teardown(self) -> None:
        """When faults end and all is read, nothing is left unanswered, and repeats were told the same."""
        if not self.connectors:
            return
        for _ in range(60):
            self.heal()
        for place in PLACES:
            for record in self.kafka.requests[place]:
                assert self.is_final(record), f"{record} was never answered"
            offset, note = self.kafka.offsets.get(place, (0, ""))
            assert not self.kafka.requests[place] or offset == self.kafka.requests[place][-1].offset + 1
            assert note == ""
        for connector in self.connectors:
            assert connector.dispatcher.idle
            for partition in connector.dispatcher._partitions.values():
                assert not partition.claims._live
                assert not partition.claims._waiting
                assert not partition.turns._lines
            for gates in connector.dispatcher._measures.gates.values():
                assert isinstance(room := gates._common[1], Room)
                assert room._free == MAX_IN_FLIGHT
            self.bury(connector)
        self.check_repeats()

    def heal(self) -> None:
        self.release()
        for connector in self.connectors:
            self.wake(connector)
            self.link(connector, up=True)
            for place in [*connector.epochs]:
                while connector.read(place, self.kafka):
                    pass
            while connector.sent:
                sent = connector.sent[0]
                if sent.written:
                    self.result(connector, sent, RESULTS[0])
                else:
                    self.put_on_the_wire(connector, sent)
            self.now_ms += 1_100
            connector.dispatcher.tick(self.now_ms)
            connector.draw_up()
            if connector.work is not None:
                self.commit(connector, {})

    def check_repeats(self) -> None:
        """Only the first is not replayed, and repeats are told the same, unless Kafka refused to keep or tell it."""
        firsts: dict[tuple[Place, str, str], dict[str, Any]] = {}
        # Whoever came first need not have the lowest offset: another key may have gone ahead.
        answers = sorted(self.kafka.told.items(), key=lambda each: bool(each[1]["replayed"]))
        for (place, offset), answer in answers:
            subject = place, str(answer["pbx"]), str(answer["request_id"])
            if answer["status"] == "INVALID" or subject in self.unkept:
                continue
            first = firsts.setdefault(subject, answer)
            if answer["replayed"]:
                assert {**answer, "replayed": False} == {**first, "replayed": False}, (place, offset)
            else:
                assert first is answer, f"{subject} was done twice"


TestDispatchers = Dispatchers.TestCase
TestDispatchers.settings = settings(max_examples=100, stateful_step_count=60, deadline=None)
