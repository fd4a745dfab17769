"""Which partitions are ours, as every thread sees it: the consumer's, the transactions' and the event loop.

Two kinds of knowledge meet here. What a rebalance says is certain, and comes when the consumer's thread
is told. That the coordinator still counts us in is known only for a while: by each question that it has
answered, for as long as it would miss us from then on. A process that was stopped knows nothing any more.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final, NamedTuple

from connector.actions.record import Place

_NEVER: Final = float("-inf")


class Membership(NamedTuple):
    """What proves to Kafka that partitions are ours: the group's metadata, as of a number of rebalances."""

    metadata: object
    rebalances: int


class Ownership:
    """What is ours, each partition since its last assignment: its *term*, which has a number.

    Args:
        lease_s: how long the coordinator counts us in after a question that it has answered, in seconds.
        now: a monotonic clock, in seconds.
    """

    def __init__(self, lease_s: float, now: Callable[[], float] = time.monotonic) -> None:
        self._lease_s = lease_s
        self.now = now
        self._changed = threading.Condition()
        self._terms: dict[Place, int] = {}
        self._released: set[Place] = set()
        self._metadata: object = None
        self._rebalances = 0
        self._begun = 0
        self._heard = _NEVER
        self._doubted = False
        self._closed = False

    def owns(self, place: Place, term: int | None) -> bool:
        """Say whether a partition is ours in this term, as far as can be known."""
        with self._changed:
            in_term = term is not None and self._terms.get(place) == term
            return in_term and not self._is_off and self.now() < self._heard + self._lease_s

    def heard(self, asked: float) -> None:
        """Take that the coordinator answered, as to a member, a question asked at this time."""
        with self._changed:
            self._heard = max(self._heard, asked)

    def joined(self, metadata: object) -> None:
        """Take the group's metadata after a rebalance; None: we are no member."""
        with self._changed:
            self._metadata = metadata
            self._rebalances += 1
            self._doubted = False
            self._changed.notify_all()

    def begin(self, place: Place) -> int:
        """Begin a term, and return its number."""
        with self._changed:
            self._begun += 1
            self._terms[place] = self._begun
            self._released.discard(place)
            return self._begun

    def end(self, places: Iterable[Place]) -> frozenset[Place]:
        """End terms; return of which partitions there was one."""
        with self._changed:
            ended = frozenset(place for place in places if self._terms.pop(place, None) is not None)
            self._changed.notify_all()
            return ended

    def held(self) -> frozenset[Place]:
        """Return all partitions that are ours as far as the rebalances say."""
        with self._changed:
            return frozenset(self._terms)

    def release(self, places: Iterable[Place]) -> None:
        """Take that nothing of these partitions is in flight any more."""
        with self._changed:
            self._released |= {place for place in places if place in self._terms}
            self._changed.notify_all()

    def drained(self, places: Collection[Place], grace_s: float) -> frozenset[Place]:
        """Wait until partitions are released; return those that are not when the grace is over.

        It is over at once where the coordinator does not know us.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._is_off or self._released.issuperset(places), grace_s)
            return frozenset(places) - self._released

    def membership(self, terms: Mapping[Place, int | None]) -> Membership | None:
        """Return what proves that partitions are ours in these terms; None where they are not."""
        with self._changed:
            ours = all(term is not None and self._terms.get(place) == term for place, term in terms.items())
            if not ours or self._metadata is None or self._is_off:
                return None
            return Membership(self._metadata, self._rebalances)

    def rebalanced(self, membership: Membership) -> bool:
        """Wait for a rebalance later than those behind `membership`; say whether there was one.

        The consumer hears of it with its next heartbeat, if the coordinator still knows it.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or self._rebalances > membership.rebalances, self._lease_s
            )
            return self._rebalances > membership.rebalances

    def doubt(self) -> None:
        """Take that the coordinator does not know us, though the consumer was not told: nothing is ours."""
        with self._changed:
            self._doubted = True
            self._changed.notify_all()

    def close(self) -> None:
        """Let nobody wait any more, and nothing be ours."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def doubted(self) -> bool:
        """Whether the group must be joined anew."""
        with self._changed:
            return self._doubted

    @property
    def _is_off(self) -> bool:
        return self._doubted or self._closed
