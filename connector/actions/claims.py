"""What is remembered of a partition's requests, so that none is done twice and repeats are answered alike."""

from collections import defaultdict
from dataclasses import replace
from typing import NamedTuple

from connector.actions.claim import Claim
from connector.actions.errand import invalid
from connector.actions.outcome import unknown
from connector.actions.request import Request
from connector.actions.response import Outcome
from connector.actions.ticket import Id, Ticket


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


class Claims:
    """One partition's memory: what was begun and done, and what is under way."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._effects: dict[Id, Claim] = {}
        self._reads: dict[Id, Claim] = {}
        self._live: dict[Id, Ticket] = {}
        self._waiting: defaultdict[Id, list[Ticket]] = defaultdict(list)

    def keep(self, claim: Claim, *, effect: bool) -> None:
        """Remember a claim as it stands in Kafka, in place of an earlier one of the same request."""
        key = (claim.pbx, claim.request_id)
        kind = self._effects if effect else self._reads
        kind.pop(key, None)
        kind[key] = claim
        while len(self._reads) > self._memory.max_reads:
            del self._reads[next(iter(self._reads))]

    def forget(self, now_ms: int) -> None:
        """Let go of what is older than the retention."""
        for kind in (self._effects, self._reads):
            while kind:
                key, claim = next(iter(kind.items()))
                if claim.at_ms >= now_ms - self._memory.retention_ms:
                    break
                del kind[key]

    def recall(self, request: Request, pbx: str, *, effect: bool) -> Recalled | None:
        """Say what is known of a request; None: it is new, or must be done again."""
        claim = self._find((pbx, request.request_id))
        if claim is None:
            return None
        if claim.digest != request.digest:
            return Recalled(invalid(f"request_id {request.request_id!r} is known with other content"))
        if claim.outcome is None:
            reason = f"it was begun by {claim.owner}, and how it ended is not known"
            return Recalled(unknown(reason), keeps=True) if effect else None
        place = request.record.place.topic, request.record.offset
        if (claim.topic, claim.offset) == place:
            return Recalled(None)
        return Recalled(replace(claim.outcome, replayed=True))

    def under_way(self, key: Id) -> Ticket | None:
        """Return the request with this id that is not final yet."""
        return self._live.get(key)

    def begin(self, key: Id, ticket: Ticket) -> None:
        """Remember that a request is under way."""
        self._live[key] = ticket

    def wait(self, key: Id, ticket: Ticket) -> None:
        """Hold a repeat back until the request under way is finished."""
        self._waiting[key].append(ticket)

    def waiting(self, key: Id) -> list[Ticket]:
        """Return the repeats that waited, in the order they came; they wait no more."""
        return self._waiting.pop(key, [])

    def end(self, key: Id) -> None:
        """Forget that a request is under way: it is final, and kept where it shall be."""
        del self._live[key]

    def _find(self, key: Id) -> Claim | None:
        return self._effects.get(key) or self._reads.get(key)
