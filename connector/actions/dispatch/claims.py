"""What is remembered of a partition's requests, so that none is done twice and repeats are answered alike."""

from collections import defaultdict
from dataclasses import replace
from enum import Enum, auto
from typing import Final, NamedTuple

from connector.actions.claim import Claim
from connector.actions.dispatch.job import invalid
from connector.actions.dispatch.outcome import unknown
from connector.actions.dispatch.ticket import Id, Ticket
from connector.actions.request import Request
from connector.actions.response import Outcome

_OTHER_CONTENT: Final = "this request_id is known with other content"


class Memory(NamedTuple):
    """How much is remembered.

    Args:
        retention_ms: how long; as long as claims stay in their topic, and longer than any repeat takes.
        max_reads: reads kept in a partition: of more, the oldest are done again when they are repeated.
    """

    retention_ms: int
    max_reads: int


class Recalled(NamedTuple):
    """What memory says to a request: how it ends, and whether that is to be kept; None: it was answered."""

    outcome: Outcome | None
    keeps: bool = False


class Wait(Enum):
    """Memory says: not yet."""

    FOR_FIRST = auto()
    """The first request with this id is under way."""


class Claims:
    """One partition's memory: what was begun and done, and what is under way."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._effects: dict[Id, Claim] = {}
        self._reads: dict[Id, Claim] = {}
        self._live: dict[Id, Ticket] = {}
        self._waiting: defaultdict[Id, list[Ticket]] = defaultdict(list)

    def keep(self, claim: Claim, now_ms: int, *, effect: bool) -> None:
        """Remember a claim as it stands in Kafka, in place of an earlier one of the same request."""
        key = (claim.pbx, claim.request_id)
        for kind in (self._effects, self._reads):
            kind.pop(key, None)
        (self._effects if effect else self._reads)[key] = claim
        while len(self._reads) > self._memory.max_reads:
            del self._reads[next(iter(self._reads))]
        for kind in (self._effects, self._reads):
            while kind and next(iter(kind.values())).at_ms < now_ms - self._memory.retention_ms:
                del kind[next(iter(kind))]

    def recall(self, request: Request, pbx: str, *, effect: bool) -> Recalled | Wait | None:
        """Say what is known of a request; None: it is new, or must be done again."""
        key = (pbx, request.request_id)
        live, claim = self._live.get(key), self._effects.get(key) or self._reads.get(key)
        if live is not None:
            return _same_as(live, request)
        if claim is None:
            return None
        if not claim.digest:
            return Recalled(unknown("it may have been begun before: its claim cannot be read"))
        if claim.digest != request.digest:
            return Recalled(invalid(_OTHER_CONTENT))
        if claim.outcome is None:
            reason = f"it was begun by {claim.owner}, and how it ended is not known"
            return Recalled(unknown(reason), keeps=True) if effect else None
        return _again(claim, claim.outcome, request)

    def begin(self, ticket: Ticket) -> None:
        """Remember that a request is under way."""
        self._live[ticket.key] = ticket

    def wait(self, ticket: Ticket) -> None:
        """Hold a repeat back until the first request with its id is final."""
        self._waiting[ticket.key].append(ticket)

    def end(self, ticket: Ticket) -> list[Ticket]:
        """Take note that a request is final; return the repeats that waited for it, in the order they came."""
        if self._live.get(ticket.key) is not ticket:
            return []
        del self._live[ticket.key]
        return self._waiting.pop(ticket.key, [])


def _same_as(live: Ticket, request: Request) -> Recalled | Wait:
    if live.asked.digest != request.digest:
        return Recalled(invalid(_OTHER_CONTENT))
    return Wait.FOR_FIRST


def _again(claim: Claim, outcome: Outcome, request: Request) -> Recalled:
    """Tell a repeat what the first was told; the first itself has been told, together with this claim."""
    if (claim.topic, claim.offset) == (request.record.place.topic, request.record.offset):
        return Recalled(None)
    return Recalled(replace(outcome, replayed=True))
