"""How a request goes on: its turn, what is remembered of it, the judgement, the gates, and the PBX.

Nothing here knows of transactions. What is claimable or finished lies ready for the next of them.
"""

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from connector.actions.dispatch import audit
from connector.actions.dispatch.claims import Claims, Recalled, Wait
from connector.actions.dispatch.job import Job, Rules, invalid
from connector.actions.dispatch.outcome import discreet, expired, outcome_of, unavailable
from connector.actions.dispatch.partition import Partition
from connector.actions.dispatch.ticket import Stage, Ticket
from connector.actions.dispatch.waiting import Waiting
from connector.actions.record import Place
from connector.actions.request import Request, Undecodable
from connector.actions.response import Outcome, Status
from connector.ami.action import AmiAction
from connector.ami.reach import Reach, Result
from connector.facts import Report

TRIES: Final = 2
"""How often a read is sent before it is given up."""


class Execute(NamedTuple):
    """An action to be sent now; its answer may take `timeout_s` seconds from then on."""

    ticket: Ticket
    pbx: str
    action: AmiAction
    timeout_s: float


class Lifecycle:
    """Carries requests from their turn to their end.

    Args:
        rules: by what a request is judged.
        waiting: who waits at which gate.
        partitions: those that are ours.
        report: told of each decision.
    """

    def __init__(
        self, rules: Rules, waiting: Waiting, partitions: Mapping[Place, Partition], report: Report
    ) -> None:
        self._rules = rules
        self._waiting = waiting
        self._partitions = partitions
        self._report = report
        self._agenda: deque[Ticket] = deque()
        self._ready: deque[Ticket] = deque()
        self.claimable: dict[Ticket, None] = {}
        self.finished: dict[Ticket, None] = {}

    def see_to(self, ticket: Ticket) -> None:
        """Put a request on the agenda of the next `run`: something about it has changed."""
        self._agenda.append(ticket)

    def run(self, now_ms: int) -> None:
        """Let every request go on as far as it can."""
        for ticket in self._waiting.late(now_ms):
            self._too_late(ticket)
        self._work_off(now_ms)
        for ticket in self._waiting.called(now_ms):
            self._approach(ticket, now_ms)
        self._work_off(now_ms)

    def finish(self, ticket: Ticket, outcome: Outcome | None, *, keeps: bool = False) -> None:
        """Take note of how a request ended; None: nobody is told, for it is none of ours or was told before."""
        ticket.stage, ticket.outcome, ticket.keeps = Stage.FINISHED, outcome, keeps
        self.claimable.pop(ticket, None)
        self.finished[ticket] = None
        audit.finished(ticket, self._report)
        successor = self._partitions[ticket.place].turns.finished(ticket)
        if successor is not None:
            self.see_to(successor)

    def expire(self, now_ms: int) -> None:
        """End those that might be claimed and may not be sent any more."""
        for ticket in [each for each in self.claimable if each.asked.expires_at_ms < now_ms]:
            self._too_late(ticket)
        self._work_off(now_ms)

    def claimed(self, ticket: Ticket) -> None:
        """Take note that a claim stands in Kafka: now the request may be sent."""
        ticket.claimed = True
        self._get_ready(ticket)

    def unclaimed(self, ticket: Ticket) -> None:
        """Take note that a claim does not stand in Kafka: it is tried again, unless the partition leaves."""
        ticket.stage = Stage.CLAIMABLE
        self.claimable[ticket] = None
        if self._partitions[ticket.place].leaving:
            self.forget(self._partitions[ticket.place], [ticket])

    def forget(self, partition: Partition, tickets: Collection[Ticket]) -> None:
        """Let go of requests that the partition's next owner will see to."""
        # With what was begun the PBX is busy until it has answered.
        self._waiting.forget(each for each in tickets if each.stage is not Stage.BEGUN)
        for ticket in tickets:
            ticket.stage = Stage.GONE
            self.claimable.pop(ticket, None)
            self.finished.pop(ticket, None)
        partition.turns.forget(tickets)

    def final(self, ticket: Ticket) -> None:
        """Take note that how a request ended stands in Kafka."""
        ticket.stage = Stage.GONE
        del self.finished[ticket]
        self._waiting.leave(ticket)
        partition = self._partitions[ticket.place]
        self._agenda.extend(partition.claims.end(ticket))
        first = partition.turns.final(ticket)
        if first is not None and first.stage is Stage.READY:
            self._ready.append(first)

    def begin(self, now_ms: int) -> Iterator[Execute]:
        """Yield what is to be sent now."""
        while self._ready:
            ticket = self._ready.popleft()
            if ticket.stage is not Stage.READY:
                continue
            request, job = ticket.asked, ticket.job
            if request.expires_at_ms < now_ms:
                self._too_late(ticket)
                continue
            ticket.stage, ticket.sends = Stage.BEGUN, ticket.sends + 1
            audit.begun(ticket, job, self._report)
            yield Execute(ticket, job.pbx, job.action, request.timeout_ms / 1_000)

    def answered(self, ticket: Ticket, result: Result, now_ms: int) -> None:
        """Take what became of an action that was begun."""
        if ticket.stage is not Stage.BEGUN:
            # Its partition was lost meanwhile; the PBX was busy with it until now.
            self._waiting.leave(ticket)
            return
        request, job = ticket.asked, ticket.job
        late = request.expires_at_ms < now_ms
        again = not (job.effect or result.late or late or result.reach is Reach.ANSWERED)
        if again and ticket.sends < TRIES:
            self._waiting.leave(ticket)
            self._approach(ticket, now_ms)
            return
        if result.reach is Reach.NOT_SENT and late and self._waiting.is_up(job.pbx):
            outcome = expired()
        else:
            outcome = discreet(outcome_of(request, job, result), self._rules.privacy)
        self._end(ticket, outcome, result.reach, now_ms)

    def spurned(self, ticket: Ticket, why: str) -> None:
        """Take note that an action must not go on the wire, and has not."""
        if ticket.stage is Stage.BEGUN:
            self.finish(ticket, invalid(why), keeps=ticket.claimed)
        else:
            self._waiting.leave(ticket)

    def unlinked(self, pbx: str, now_ms: int) -> None:
        """Let those of a PBX that is down wait again, as long as no claim of theirs is on its way to Kafka."""
        for ticket in [each for each in self.claimable if each.job.pbx == pbx]:
            del self.claimable[ticket]
            self._waiting.leave(ticket)
            self._approach(ticket, now_ms)

    def _work_off(self, now_ms: int) -> None:
        while self._agenda:
            ticket = self._agenda.popleft()
            if ticket.stage is Stage.QUEUED and self._partitions[ticket.place].turns.is_next(ticket):
                self._turn(ticket, now_ms)

    def _turn(self, ticket: Ticket, now_ms: int) -> None:
        """See to a request whose turn it is; one whose schema is not known yet comes again."""
        match ticket.request:
            case Undecodable():
                self.finish(ticket, None)
            case Request() as request:
                ticket.pbx = self._rules.pbx(request)
                ticket.effect = self._rules.has_effect(request)
                if ticket.pbx is None:
                    self.finish(ticket, None)
                    return
                # Who named no PBX is told which it was.
                ticket.request = request = replace(request, pbx=ticket.pbx)
                if not ticket.pbx or request.flaw:
                    self._judge(ticket, request, now_ms)
                else:
                    self._recall(ticket, request, self._partitions[ticket.place].claims, now_ms)

    def _recall(self, ticket: Ticket, request: Request, claims: Claims, now_ms: int) -> None:
        """Answer a repeat as the first was answered, once that stands in Kafka; judge what is new."""
        match claims.recall(request, ticket.key[0], effect=ticket.effect):
            case Wait.FOR_FIRST:
                claims.wait(ticket)
            case Recalled(outcome, keeps):
                if keeps and outcome is not None:
                    claims.begin(ticket)
                    outcome = replace(outcome, call_id=self._rules.call_id(request))
                self.finish(ticket, outcome, keeps=keeps)
            case None:
                claims.begin(ticket)
                self._judge(ticket, request, now_ms)

    def _judge(self, ticket: Ticket, request: Request, now_ms: int) -> None:
        match self._rules.judge(request, ticket.key[0]):
            case Job() as job:
                ticket.judged = job
                audit.doubted(ticket, job, self._report)
                self._approach(ticket, now_ms)
            case Outcome() as outcome:
                self.finish(ticket, outcome, keeps=outcome.status is not Status.INVALID)

    def _approach(self, ticket: Ticket, now_ms: int) -> None:
        """Let a request pass the gates, or wait before them."""
        request, job = ticket.asked, ticket.job
        if request.expires_at_ms < now_ms:
            self._too_late(ticket)
        elif not self._waiting.admit(ticket, request, job, now_ms):
            ticket.stage = Stage.WAITING
        elif job.effect:
            ticket.stage = Stage.CLAIMABLE
            self.claimable[ticket] = None
        else:
            self._get_ready(ticket)

    def _get_ready(self, ticket: Ticket) -> None:
        ticket.stage = Stage.READY
        if self._partitions[ticket.place].turns.is_first(ticket):
            self._ready.append(ticket)

    def _too_late(self, ticket: Ticket) -> None:
        up = self._waiting.is_up(ticket.job.pbx)
        self.finish(ticket, expired() if up else unavailable(""), keeps=True)

    def _end(self, ticket: Ticket, outcome: Outcome, reach: Reach, now_ms: int) -> None:
        """Add to an outcome when it was sent and answered, and which call it made."""
        outcome = replace(
            outcome,
            sent_at_ms=None if reach is Reach.NOT_SENT else ticket.sent_at_ms,
            answered_at_ms=now_ms if reach is Reach.ANSWERED else None,
            call_id=ticket.job.action.get("ChannelId") or None,
        )
        self.finish(ticket, outcome, keeps=True)
