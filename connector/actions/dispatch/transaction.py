"""Everything that is ready goes into one transaction, and is taken apart again when that has ended."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Final

from connector.actions.dispatch import audit
from connector.actions.dispatch.lifecycle import Lifecycle
from connector.actions.dispatch.offsets import MAX_NOTE, Reached
from connector.actions.dispatch.outcome import unavailable
from connector.actions.dispatch.partition import Partition
from connector.actions.dispatch.settlement import Letter, Settlement
from connector.actions.dispatch.ticket import Role, Stage, Ticket
from connector.actions.record import Aborted, Commit, Committed, Place, Settled
from connector.facts import Report

QUIET_MS: Final = 1_000
"""How long offsets wait for a transaction that has something to tell besides."""


class Transactions:
    """One transaction after another.

    Args:
        lifecycle: where requests become claimable, and end.
        settlement: writes their records.
        partitions: those that are ours.
        report: told of what is final, and of what Kafka refuses.
    """

    def __init__(
        self,
        lifecycle: Lifecycle,
        settlement: Settlement,
        partitions: Mapping[Place, Partition],
        report: Report,
    ) -> None:
        self._lifecycle = lifecycle
        self._settlement = settlement
        self._partitions = partitions
        self._report = report
        self._letters: list[Letter] = []
        self._claims: list[Ticket] = []
        self._finals: list[Ticket] = []
        self._quiet_since: int | None = None
        self._under_way = False

    def work(self, now_ms: int) -> Commit | None:
        """Return the next transaction; None where there is nothing to do, or one is under way."""
        if self._under_way:
            return None
        self._lifecycle.expire(now_ms)
        claims = [*self._lifecycle.claimable]
        if not claims and self._is_quiet(now_ms):
            return None
        self._quiet_since = None
        reached = {}
        self._finals = []
        for place, tickets in _by_place([*self._lifecycle.finished, *claims]):
            reached[place], final = self._reached(
                place, [each for each in tickets if each.stage is Stage.FINISHED]
            )
            self._finals += final
        moved = self._moved()
        for place in moved:
            self._partitions[place].moved = False
            reached.setdefault(place, self._partitions[place].offsets.reached())
        return self._commit(claims, reached, now_ms) if claims or self._finals or moved else None

    def settled(self, settled: Settled, now_ms: int) -> None:
        """Take how the transaction under way ended, where its partitions are ours still."""
        letters, claims, finals = self._letters, _ours(self._claims), _ours(self._finals)
        self._letters, self._claims, self._finals, self._under_way = [], [], [], False
        if isinstance(settled, Committed):
            for ticket in finals:
                self._final(ticket, now_ms)
            for ticket in claims:
                self._lifecycle.claimed(ticket)
            return
        for ticket in claims:
            self._lifecycle.unclaimed(ticket)
        if isinstance(settled, Aborted):
            for index, reason in settled.refused.items():
                if letters[index].ticket.stage is not Stage.GONE:
                    self._refused(letters[index], reason)

    def due(self) -> int | None:
        """Return the instant at which offsets wait no longer; None: none do."""
        return None if self._quiet_since is None else self._quiet_since + QUIET_MS

    def _is_quiet(self, now_ms: int) -> bool:
        """Say whether all that could be committed are offsets of what nobody is told of, and they may wait."""
        if not self._lifecycle.finished and not self._moved():
            self._quiet_since = None
            return True
        if any(each.speaks or self._partitions[each.place].leaving for each in self._lifecycle.finished):
            return False
        if self._quiet_since is None:
            self._quiet_since = now_ms
        return now_ms < self._quiet_since + QUIET_MS

    def _moved(self) -> list[Place]:
        return [place for place, partition in self._partitions.items() if partition.moved]

    def _reached(self, place: Place, finished: list[Ticket]) -> tuple[Reached, list[Ticket]]:
        """Return what is reached with as many of the finished as a note can tell of."""
        offsets = self._partitions[place].offsets
        while True:
            reached = offsets.reached({each.record.offset for each in finished})
            if len(reached.note) <= MAX_NOTE or not finished:
                return reached, finished
            finished = finished[: len(finished) // 2]

    def _commit(self, claims: list[Ticket], reached: Mapping[Place, Reached], now_ms: int) -> Commit:
        write = self._settlement
        self._letters = [letter for ticket in self._finals for letter in write.finished(ticket, now_ms)]
        self._letters += [write.begun(ticket, now_ms) for ticket in claims]
        self._claims = claims
        for ticket in claims:
            del self._lifecycle.claimable[ticket]
            ticket.stage = Stage.CLAIMING
        self._under_way = True
        return Commit(
            [letter.record for letter in self._letters],
            {place: each.offset for place, each in reached.items()},
            {place: each.note for place, each in reached.items()},
        )

    def _final(self, ticket: Ticket, now_ms: int) -> None:
        partition = self._partitions[ticket.place]
        if ticket.keeps:
            partition.claims.keep(self._settlement.claim_of(ticket, now_ms), now_ms, effect=ticket.effect)
        partition.offsets.settle(ticket.record.offset)
        self._lifecycle.final(ticket)
        if ticket.outcome is not None:
            audit.answered(ticket, ticket.outcome, now_ms, self._report)

    def _refused(self, letter: Letter, reason: str) -> None:
        """Go on without a record that Kafka will never take."""
        ticket, role, record = letter
        audit.unanswerable(ticket, role, record.topic, reason, self._report)
        if role is Role.CLAIM:
            self._lifecycle.finish(ticket, unavailable(f"its claim could not be kept: {reason}"))
        else:
            ticket.refused[role] = reason


def _by_place(tickets: Iterable[Ticket]) -> list[tuple[Place, list[Ticket]]]:
    """Sort requests by partition and offset."""
    in_order = sorted(tickets, key=lambda each: (each.place, each.record.offset))
    return [(place, [*group]) for place, group in groupby(in_order, lambda each: each.place)]


def _ours(tickets: Iterable[Ticket]) -> list[Ticket]:
    return [each for each in tickets if each.stage is not Stage.GONE]
