"""Requests whose turn has come and that something holds back, until it lets them pass or their time is over."""

from collections.abc import Iterable, Iterator, Mapping

from connector.actions.dispatch.job import Job
from connector.actions.dispatch.limits import Gate, Gates
from connector.actions.dispatch.ticket import Ticket
from connector.actions.request import Request


class Waiting:
    """Who waits at which gate, in the order they came to it.

    Args:
        gates: each served PBX's.
    """

    def __init__(self, gates: Mapping[str, Gates]) -> None:
        self._gates = gates
        self._parked: dict[Gate, dict[Ticket, int]] = {}
        self._first_end: int | None = None
        """No later than the first instant at which somebody's time is over."""

    def admit(self, ticket: Ticket, request: Request, job: Job, now_ms: int) -> bool:
        """Let a request pass all its gates; where one is closed, it waits there."""
        gates = self._gates[job.pbx].before(job.action.get("Channel"), call=job.call)
        for gate in gates:
            if not _is_open(gate, now_ms):
                self._park(gate, ticket, request.expires_at_ms)
                return False
        for gate in gates:
            gate.take(now_ms)
        ticket.gates = gates
        return True

    def leave(self, ticket: Ticket) -> None:
        """Give back what a request has taken: it is over, or waits anew."""
        for gate in ticket.gates:
            gate.give_back()
        ticket.gates = ()

    def forget(self, tickets: Iterable[Ticket]) -> None:
        """Let go of requests that another will see to."""
        for ticket in tickets:
            self.leave(ticket)
            for parked in self._parked.values():
                parked.pop(ticket, None)

    def link(self, pbx: str, *, up: bool) -> None:
        """Open or close the way to a PBX."""
        self._gates[pbx].link.open = up

    def is_up(self, pbx: str) -> bool:
        """Say whether the way to a PBX is open."""
        return self._gates[pbx].link.open

    def called(self, now_ms: int) -> Iterator[Ticket]:
        """Yield who may try again; each must be admitted, parked or given up before the next is asked for."""
        for gate, parked in [*self._parked.items()]:
            while parked and _is_open(gate, now_ms):
                ticket = next(iter(parked))
                del parked[ticket]
                yield ticket
            if not parked:
                del self._parked[gate]

    def late(self, now_ms: int) -> Iterator[Ticket]:
        """Yield who waits and may not be sent any more."""
        if self._first_end is None or self._first_end >= now_ms:
            return
        for parked in [*self._parked.values()]:
            for ticket in [each for each, end in parked.items() if end < now_ms]:
                del parked[ticket]
                yield ticket
        self._first_end = min((end for each in self._parked.values() for end in each.values()), default=None)

    def due(self, now_ms: int) -> int | None:
        """Return the instant at which a gate opens or somebody's time is over; None: neither will by itself."""
        instants = [gate.opens_at(now_ms) for gate, parked in self._parked.items() if parked]
        if self._first_end is not None:
            instants.append(self._first_end + 1)
        return min((each for each in instants if each is not None), default=None)

    def _park(self, gate: Gate, ticket: Ticket, end: int) -> None:
        self._parked.setdefault(gate, {})[ticket] = end
        self._first_end = end if self._first_end is None else min(self._first_end, end)


def _is_open(gate: Gate, now_ms: int) -> bool:
    at = gate.opens_at(now_ms)
    return at is not None and at <= now_ms
