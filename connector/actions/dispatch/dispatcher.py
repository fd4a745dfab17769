"""The road back as one machine: notices, answers and time go in; transactions and actions come out.

request --> turn --> memory --> judgement --> gates --> claim --(committed)--> PBX --> outcome --(committed)--> final

What is not in Kafka is not promised: an effect is sent only behind its claim, and a request counts as
answered only with its response. All that is not final is forgotten with the process, and done again or
told as unknown by the partition's next owner, who reads the claims. Times are milliseconds since 1970.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from connector.actions.dispatch.claims import Claims, Memory
from connector.actions.dispatch.job import Rules
from connector.actions.dispatch.lifecycle import Execute, Lifecycle
from connector.actions.dispatch.limits import Gates
from connector.actions.dispatch.offsets import Offsets
from connector.actions.dispatch.partition import Partition
from connector.actions.dispatch.settlement import Settlement
from connector.actions.dispatch.ticket import Stage, Ticket
from connector.actions.dispatch.transaction import Transactions
from connector.actions.dispatch.turns import Bounds, Turns
from connector.actions.dispatch.unread import Unread
from connector.actions.dispatch.waiting import Waiting
from connector.actions.record import Commit, Incoming, Place, Settled
from connector.ami.reach import Result
from connector.facts import PartitionsLost, PartitionsRevoked, Report


class Measures(NamedTuple):
    """How much the dispatcher holds and remembers of a partition, and what each PBX bears."""

    bounds: Bounds
    memory: Memory
    gates: Mapping[str, Gates]


class Flow(NamedTuple):
    """Partitions of which nothing more is to be taken for now, and those of which it is again."""

    pause: frozenset[Place]
    resume: frozenset[Place]


class Dispatcher:
    """All requests of the partitions that are ours.

    Args:
        unread: reads requests.
        rules: by what they are judged.
        settlement: writes what becomes of them.
        measures: how much is held, remembered, borne.
        report: told of each decision.
    """

    def __init__(
        self, unread: Unread, rules: Rules, settlement: Settlement, measures: Measures, report: Report
    ) -> None:
        self._unread = unread
        self._rules = rules
        self._settlement = settlement
        self._measures = measures
        self._report = report
        self._partitions: dict[Place, Partition] = {}
        self._waiting = Waiting(measures.gates)
        self._lifecycle = Lifecycle(rules, self._waiting, self._partitions, report)
        self._transactions = Transactions(self._lifecycle, settlement, self._partitions, report)
        self._revoked: set[Place] = set()
        self._closing = False

    def assigned(self, place: Place, note: str = "") -> None:
        """Take a partition that is ours now, and its offset's metadata; its claims follow, then its requests."""
        measures = self._measures
        self._forget(place)
        self._partitions[place] = Partition(
            Claims(measures.memory), Offsets(note), Turns(measures.bounds), leaving=self._closing
        )

    def missing(self, records: Iterable[Incoming]) -> frozenset[int]:
        """Return the ids of schemas that must be `learned` before these claims are remembered."""
        return self._unread.missing(records)

    def remember(self, place: Place, records: Sequence[Incoming], now_ms: int) -> None:
        """Take claims of a partition, the oldest first; in as many portions as is convenient."""
        partition = self._partitions.get(place)
        if partition is None:
            return
        for claim in self._settlement.read_claims(place, records):
            if claim.pbx in self._rules.served:
                partition.claims.keep(claim, now_ms, effect=self._rules.may_have_effect(claim.action))

    def requested(self, record: Incoming, now_ms: int) -> None:
        """Take a record of a request topic; one that is final already, or no business of ours, is passed over."""
        partition = self._partitions.get(record.place)
        if partition is None or partition.leaving:
            return
        if not partition.offsets.meet(record.offset):
            partition.moved = True
            return
        ticket = Ticket(record, now_ms)
        partition.turns.add(ticket)
        self._unread.take(ticket)
        self._go_on([ticket], now_ms)

    def learned(self, schema_id: int, text: str | None, now_ms: int) -> None:
        """Take the schema that was `wanted`; None: there is none with this id."""
        self._go_on(self._unread.learned(schema_id, text), now_ms)

    def revoking(self, places: Collection[Place], now_ms: int) -> None:
        """Begin nothing new in partitions that go to another owner; `released` tells when all is done there."""
        self._revoked |= set(places)
        in_flight = self._leave(places)
        self._report(PartitionsRevoked(_names(places), in_flight))
        self._lifecycle.run(now_ms)

    def lost(self, places: Collection[Place], now_ms: int) -> None:
        """Forget partitions that are another's already."""
        in_flight = sum(map(self._forget, places))
        self._report(PartitionsLost(_names(places), in_flight))
        self._lifecycle.run(now_ms)

    def close(self, now_ms: int) -> None:
        """Begin nothing new anywhere, for good; `idle` tells when all that was begun is final."""
        self._closing = True
        self._leave(self._partitions)
        self._lifecycle.run(now_ms)

    def link(self, pbx: str, now_ms: int, *, up: bool) -> None:
        """Take whether there is a session at a PBX; until this is told there is."""
        self._waiting.link(pbx, up=up)
        if not up:
            self._lifecycle.unlinked(pbx, now_ms)
        self._lifecycle.run(now_ms)

    def settled(self, settled: Settled, now_ms: int) -> None:
        """Take how the transaction of the last `work` ended."""
        self._transactions.settled(settled, now_ms)
        self._lifecycle.run(now_ms)

    def may_send(self, ticket: Ticket, now_ms: int) -> bool:
        """Take a last look, right before the first byte is written; where it says yes, that is written."""
        if ticket.stage is not Stage.BEGUN or ticket.asked.expires_at_ms < now_ms:
            return False
        ticket.sent_at_ms = now_ms
        return True

    def answered(self, ticket: Ticket, result: Result, now_ms: int) -> None:
        """Take what became of an action of `begin`."""
        self._lifecycle.answered(ticket, result, now_ms)
        self._lifecycle.run(now_ms)

    def spurned(self, ticket: Ticket, why: str, now_ms: int) -> None:
        """Take that an action of `begin` must not go on the wire, and has not."""
        self._lifecycle.spurned(ticket, why)
        self._lifecycle.run(now_ms)

    def tick(self, now_ms: int) -> None:
        """Let time pass: what waited too long ends, gates open."""
        self._lifecycle.run(now_ms)

    def work(self, now_ms: int) -> Commit | None:
        """Return the next transaction; None where there is nothing to do, or one is not settled yet."""
        return self._transactions.work(now_ms)

    def begin(self, now_ms: int) -> Sequence[Execute]:
        """Return the actions to be sent now; each must be `answered` or `spurned`."""
        return [*self._lifecycle.begin(now_ms)]

    def wanted(self) -> Sequence[int]:
        """Return the ids of schemas that must be `learned` for requests to be read; each once."""
        return self._unread.wanted()

    def flow(self) -> Flow:
        """Return of which partitions nothing more shall be taken from now on, and of which it shall again."""
        pause, resume = set(), set()
        for place, partition in self._partitions.items():
            if not partition.paused and partition.turns.full:
                partition.paused = True
                pause.add(place)
            elif partition.paused and partition.turns.roomy:
                partition.paused = False
                resume.add(place)
        return Flow(frozenset(pause), frozenset(resume))

    def released(self) -> frozenset[Place]:
        """Return revoked partitions of which nothing is in flight any more; each once, and then it is forgotten."""
        done = frozenset(place for place in self._revoked if self._is_empty(place))
        self._revoked -= done
        for place in done:
            self._partitions.pop(place, None)
        return done

    def due(self, now_ms: int) -> int | None:
        """Return the instant by which `tick` and `work` must be asked again; None: not before something happens."""
        instants = (self._waiting.due(now_ms), self._transactions.due())
        return min((each for each in instants if each is not None), default=None)

    @property
    def idle(self) -> bool:
        """Say whether every request that was taken is final, or left to the next owner."""
        return all(map(self._is_empty, self._partitions))

    def _go_on(self, tickets: Iterable[Ticket], now_ms: int) -> None:
        for ticket in tickets:
            self._lifecycle.see_to(ticket)
        self._lifecycle.run(now_ms)

    def _leave(self, places: Iterable[Place]) -> int:
        """Let go of what is not in flight; return how much is."""
        in_flight = 0
        for partition in filter(None, map(self._partitions.get, places)):
            partition.leaving = True
            self._lifecycle.forget(partition, [each for each in partition.turns if not each.in_flight])
            in_flight += len(partition.turns)
        return in_flight

    def _forget(self, place: Place) -> int:
        """Let go of everything; return how much was in flight."""
        self._revoked.discard(place)
        partition = self._partitions.pop(place, None)
        if partition is None:
            return 0
        in_flight = sum(each.in_flight for each in partition.turns)
        self._lifecycle.forget(partition, [*partition.turns])
        return in_flight

    def _is_empty(self, place: Place) -> bool:
        partition = self._partitions.get(place)
        return partition is None or not len(partition.turns)


def _names(places: Iterable[Place]) -> tuple[str, ...]:
    return tuple(f"{place.topic}/{place.partition}" for place in sorted(places))
