"""Whose turn it is in a partition: one after another with the same key, side by side with others."""

from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from connector.actions.dispatch.ticket import Ticket


class Bounds(NamedTuple):
    """What is held of a partition before it is paused; it goes on at half of that.

    Args:
        requests: requests not final.
        bytes: the size of their values together.
    """

    requests: int
    bytes: int


@dataclass(slots=True)
class _Line:
    """Requests with one key; the first `finished` of them have ended and are not in Kafka yet."""

    tickets: deque[Ticket] = field(default_factory=deque)
    finished: int = 0


class Turns:
    """One partition's requests that are not final."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._lines: dict[bytes, _Line] = {}
        self._tickets: dict[int, Ticket] = {}
        self._bytes = 0

    def __iter__(self) -> Iterator[Ticket]:
        return iter(self._tickets.values())

    def __len__(self) -> int:
        return len(self._tickets)

    @property
    def full(self) -> bool:
        """Say whether nothing more should come."""
        return len(self._tickets) >= self._bounds.requests or self._bytes >= self._bounds.bytes

    @property
    def roomy(self) -> bool:
        """Say whether more may come again."""
        return len(self._tickets) <= self._bounds.requests // 2 and self._bytes <= self._bounds.bytes // 2

    def add(self, ticket: Ticket) -> None:
        """Take a request, behind all others with its key; one without a key stands alone."""
        self._tickets[ticket.record.offset] = ticket
        self._bytes += len(ticket.record.value or b"")
        if ticket.record.key is not None:
            self._lines.setdefault(ticket.record.key, _Line()).tickets.append(ticket)

    def is_next(self, ticket: Ticket) -> bool:
        """Say whether all before it with its key have ended: it may be seen to."""
        line = self._line(ticket)
        return line is None or line.tickets[line.finished] is ticket

    def is_first(self, ticket: Ticket) -> bool:
        """Say whether all before it with its key are final: it may be begun."""
        line = self._line(ticket)
        return line is None or line.tickets[0] is ticket

    def finished(self, ticket: Ticket) -> Ticket | None:
        """Take note that a request has ended; return the one whose turn it is now."""
        line = self._line(ticket)
        if line is None:
            return None
        line.finished += 1
        return line.tickets[line.finished] if line.finished < len(line.tickets) else None

    def final(self, ticket: Ticket) -> Ticket | None:
        """Let go of a request that stands in Kafka as ended; return the one that is first now."""
        self._drop(ticket)
        line = self._line(ticket)
        if line is None or ticket.record.key is None:
            return None
        line.tickets.popleft()
        line.finished -= 1
        if line.tickets:
            return line.tickets[0]
        del self._lines[ticket.record.key]
        return None

    def forget(self, tickets: Collection[Ticket]) -> None:
        """Let go of requests that the next owner will see to; none of them has ended."""
        for ticket in tickets:
            self._drop(ticket)
        for key, line in [*self._lines.items()]:
            line.tickets = deque(each for each in line.tickets if each.record.offset in self._tickets)
            if not line.tickets:
                del self._lines[key]

    def _line(self, ticket: Ticket) -> _Line | None:
        return None if ticket.record.key is None else self._lines[ticket.record.key]

    def _drop(self, ticket: Ticket) -> None:
        del self._tickets[ticket.record.offset]
        self._bytes -= len(ticket.record.value or b"")
