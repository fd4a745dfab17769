"""The next transaction: which records tell how requests stand, and what goes in place of a refused one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from connector.actions.claim import Claim
from connector.actions.dispatch.outcome import is_small, slim, undelivered
from connector.actions.dispatch.ticket import Role, Ticket
from connector.actions.record import Incoming, Outgoing, Place
from connector.actions.request import Request, Undecodable
from connector.actions.response import Outcome
from connector.actions.writing.serde import Serde


class Letter(NamedTuple):
    """One record of a transaction, whose it is, and what it is to its request."""

    ticket: Ticket
    role: Role
    record: Outgoing


class Settlement:
    """Writes what becomes visible of requests.

    Args:
        serdes: by request topic.
        owner: who claims, for people.
        max_kept: characters of an answer that is kept whole for repeats of its request.
    """

    def __init__(self, serdes: Mapping[str, Serde], owner: str, max_kept: int = 4_096) -> None:
        self._serdes = serdes
        self._owner = owner
        self._max_kept = max_kept

    def begun(self, ticket: Ticket, now_ms: int) -> Letter:
        """Return the claim that a request is begun."""
        return Letter(ticket, Role.CLAIM, self._claim(ticket, self.claim_of(ticket, now_ms)))

    def finished(self, ticket: Ticket, now_ms: int) -> Iterator[Letter]:
        """Yield all that tells how a request ended; nothing where it was none of ours."""
        match ticket.request:
            case Undecodable() as undecodable:
                yield from self._rejected(ticket, undecodable, now_ms)
            case Request() as request if ticket.outcome is not None:
                yield from self._answered(ticket, request, ticket.outcome, now_ms)
                if ticket.keeps and Role.DONE not in ticket.refused:
                    yield Letter(ticket, Role.DONE, self._claim(ticket, self.claim_of(ticket, now_ms)))

    def claim_of(self, ticket: Ticket, now_ms: int) -> Claim:
        """Return a request's claim as it stands now."""
        request, place = ticket.asked, ticket.place
        return Claim(
            request_id=request.request_id,
            pbx=ticket.key[0],
            action=request.action,
            digest=request.digest,
            topic=place.topic,
            offset=ticket.record.offset,
            owner=self._owner,
            at_ms=now_ms,
            outcome=None if ticket.outcome is None else self._kept(ticket, ticket.outcome),
        )

    def _kept(self, ticket: Ticket, outcome: Outcome) -> Outcome:
        """Return what repeats are told: the same, or how it ended and the size of it."""
        if is_small(outcome, self._max_kept):
            return outcome
        # Whoever was told that the answer is too large is told so again.
        return slim(self._serdes[ticket.place.topic].fitted(ticket.asked, outcome))

    def read_claims(self, place: Place, records: Sequence[Incoming]) -> Iterator[Claim]:
        """Yield the claims that a partition's claim records tell of; what is none is passed over."""
        read = self._serdes[place.topic].read_claim
        return (claim for record in records if (claim := read(record)) is not None)

    def _claim(self, ticket: Ticket, claim: Claim) -> Outgoing:
        return self._serdes[ticket.place.topic].claim(claim, ticket.place)

    def _rejected(self, ticket: Ticket, undecodable: Undecodable, now_ms: int) -> Iterator[Letter]:
        serde = self._serdes[ticket.place.topic]
        if Role.DEAD_LETTER not in ticket.refused:
            yield Letter(ticket, Role.DEAD_LETTER, serde.dead_letter(undecodable))
        if Role.ANSWER not in ticket.refused:
            for record in serde.rejections(undecodable, now_ms):
                yield Letter(ticket, Role.ANSWER, record)

    def _answered(self, ticket: Ticket, request: Request, outcome: Outcome, now_ms: int) -> Iterator[Letter]:
        serde, reason = self._serdes[ticket.place.topic], ticket.refused.get(Role.ANSWER)
        if reason is None:
            for record in serde.responses(request, outcome, now_ms):
                yield Letter(ticket, Role.ANSWER, record)
        elif Role.FALLBACK not in ticket.refused:
            here = replace(request.reply, topic=serde.pair.responses, partition=None)
            for record in serde.responses(replace(request, reply=here), undelivered(outcome, reason), now_ms):
                yield Letter(ticket, Role.FALLBACK, record)
        elif Role.DEAD_LETTER not in ticket.refused:
            letter = Undecodable(request.record, f"no answer could be delivered: {reason}")
            yield Letter(ticket, Role.DEAD_LETTER, serde.dead_letter(letter))
