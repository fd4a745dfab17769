"""What holds an action back although its turn has come: the link, a free place, a rate, calls in flight.

Each is a gate. Who wants to pass asks all of them first and takes from all of them then, so nothing is
spent on an action that waits elsewhere. Times are milliseconds since 1970; a clock that steps back
costs one interval at most.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

BURST_MS: Final = 1_000
"""How much of a rate may be used at once: that of the last second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What a PBX bears; None: no bound.

    Args:
        channel: counts only actions whose `Channel` begins so, in any case; "" counts all.
        actions_per_s: actions a second; above 0.
        calls_per_s: Originates a second; above 0.
        calls_in_flight: Originates whose outcome is not known yet; above 0.
    """

    channel: str = ""
    actions_per_s: float | None = None
    calls_per_s: float | None = None
    calls_in_flight: int | None = None


class Rate:
    """So many a second, and after a pause those of one second at once."""

    def __init__(self, per_s: float) -> None:
        self._interval_ms = 1_000 / per_s
        # A rate below one a second lets one through at a time.
        self._burst_ms = max(BURST_MS - self._interval_ms, 0.0)
        self._next_ms = 0.0

    def opens_at(self, now_ms: int) -> int | None:
        """Return the instant from which one may pass, not above `now_ms` where it may at once."""
        # Whoever passes moves the instant on by one interval, so it is never further off than this.
        self._next_ms = min(self._next_ms, now_ms + self._burst_ms + self._interval_ms)
        return -int(-(self._next_ms - self._burst_ms) // 1)

    def take(self, now_ms: int) -> None:
        """Let one pass."""
        self._next_ms = max(self._next_ms, now_ms) + self._interval_ms

    def give_back(self) -> None:
        """Let one be over: it counts for its second all the same."""


class Room:
    """So many at a time."""

    def __init__(self, places: int) -> None:
        self._free = places

    def opens_at(self, now_ms: int) -> int | None:
        """Return `now_ms` where one may pass at once; None: not before another gives back its place."""
        return now_ms if self._free > 0 else None

    def take(self, now_ms: int) -> None:  # noqa: ARG002 (a gate)
        """Let one pass."""
        self._free -= 1

    def give_back(self) -> None:
        """Let one be over."""
        self._free += 1


class Door:
    """Open or closed: the link to a PBX."""

    def __init__(self) -> None:
        self.open = True

    def opens_at(self, now_ms: int) -> int | None:
        """Return `now_ms` where it is open; None: nobody knows."""
        return now_ms if self.open else None

    def take(self, now_ms: int) -> None:
        """Let one pass."""

    def give_back(self) -> None:
        """Let one be over."""


Gate = Rate | Room | Door


class Gates:
    """All gates of one PBX, its link's first.

    Args:
        in_flight: actions that may be under way at once: claimed, sent, or not yet answered in Kafka.
        limits: further bounds.
    """

    def __init__(self, in_flight: int, limits: Iterable[Limit] = ()) -> None:
        self.link = Door()
        self._common: tuple[Gate, ...] = (self.link, Room(in_flight))
        self._rules = [
            (limit.channel.lower(), calls, gate) for limit in limits for gate, calls in _gates(limit)
        ]

    def before(self, channel: str, *, call: bool) -> tuple[Gate, ...]:
        """Return the gates before an action with this `Channel`, "" where it has none; `call`: an Originate."""
        # Asterisk takes a technology's name in any case.
        lower = channel.lower()
        rules = (gate for prefix, calls, gate in self._rules if lower.startswith(prefix) and call >= calls)
        return (*self._common, *rules)


def _gates(limit: Limit) -> Iterator[tuple[Gate, bool]]:
    """Make a limit's gates, each with whether it is before calls only."""
    if limit.actions_per_s is not None:
        yield Rate(limit.actions_per_s), False
    if limit.calls_per_s is not None:
        yield Rate(limit.calls_per_s), True
    if limit.calls_in_flight is not None:
        yield Room(limit.calls_in_flight), True
