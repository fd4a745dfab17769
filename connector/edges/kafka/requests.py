"""The request topics and their answers: a consumer in a thread of its own, transactions in another.

    loop ---- take() <-- notices ---- consumer's thread: rebalances, claims, requests
      |                                   |
      |                              ownership: what is ours, and what proves it
      |                                   |
      +------ commit() -----------> transactions' thread

Neither thread polls for the other: both wait in librdkafka. They need no common order, since the proof
that goes with a transaction is taken when partitions are assigned, and Kafka refuses it once the group
has gone on.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient

from connector.actions.record import Assigned, Commit, Lost, Notice, Place, Revoking, Settled
from connector.edges.kafka.client import Config, Troubles, make, report_to
from connector.edges.kafka.destinations import Destinations
from connector.edges.kafka.group import Group, Shared
from connector.edges.kafka.history import History
from connector.edges.kafka.notices import Notices
from connector.edges.kafka.ownership import Ownership
from connector.edges.kafka.positions import Positions
from connector.edges.kafka.transactions import Transactions
from connector.errors import BrokerError
from connector.facts import Report

_SESSION_MS: Final = 45_000
_HEARTBEAT_MS: Final = 3_000


class Clients(NamedTuple):
    """The options of a member of the group, a transactional producer and an admin client."""

    member: Config
    producer: Config
    admin: Config


class KafkaRequests:
    """Takes requests and commits what becomes of them; made inside a running event loop, which it joins at once.

    Args:
        clients: options.
        claims: the topic of claims for each request topic; both have equally many partitions.
        grace_s: how long what is in flight may take when partitions go to another owner, in seconds.
        report: takes facts, in the event loop.

    Raises:
        SettingsError: librdkafka does not take an option.
    """

    def __init__(self, clients: Clients, claims: Mapping[str, str], grace_s: float, report: Report) -> None:
        tell = report_to(asyncio.get_running_loop(), report)
        session_s, heartbeat_s = _times(clients.member)
        troubles = Troubles(tell)
        admin = make(AdminClient, {**clients.admin, "error_cb": troubles}, tell)
        reads = {**clients.member, **_READER, "error_cb": troubles}
        reader = make(Consumer, reads, tell)
        self._positions = positions = Positions(admin, make(Consumer, reads, tell))
        self._ownership = Ownership(session_s - min(heartbeat_s, session_s / 3))
        self._notices = Notices()
        self._terms: dict[Place, int] = {}
        self._is_closed = False
        self._transactions = Transactions(
            clients.producer, self._ownership, Destinations(admin), positions, tell
        )
        self._group = Group(
            clients.member,
            History(reader, positions, claims, troubles),
            Shared(self._ownership, self._notices),
            grace_s,
            tell,
        )
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="transactions")
        self._thread.submit(self._transactions.prepare)
        self._group.start()

    async def take(self) -> Sequence[Notice]:
        """Wait for what happens next: one notice at least, in the order in which it happened.

        Raises:
            BrokerError: nothing will come any more.
        """
        happened = await self._notices.take()
        for notice, term in happened:
            match notice:
                case Assigned(place):
                    self._terms[place] = term
                    self._group.unwanted -= {place}
                case Lost(places):
                    for place in places:
                        self._terms.pop(place, None)
                case Revoking():
                    pass
        return [notice for notice, _ in happened]

    async def commit(self, work: Commit) -> Settled:
        """Make the work visible in one transaction; one call at a time.

        Raises:
            BrokerError: closed, maybe before Kafka told how the transaction ended.
        """
        terms = {place: self._terms.get(place) for place in work.offsets}
        loop = asyncio.get_running_loop()
        if self._is_closed:
            raise BrokerError("closed")
        return await loop.run_in_executor(self._thread, self._transactions.commit, work, terms)

    def owns(self, place: Place) -> bool:
        """Say at once whether a partition is ours, as far as can be known here; so it is while it is revoked."""
        return self._ownership.owns(place, self._terms.get(place))

    def pause(self, places: Iterable[Place]) -> None:
        """Take nothing more from these partitions until `resume`, but what is on its way."""
        self._group.unwanted |= frozenset(places)

    def resume(self, places: Iterable[Place]) -> None:
        """Take from these partitions again."""
        self._group.unwanted -= frozenset(places)

    def released(self, places: Iterable[Place]) -> None:
        """Let these partitions go, which were told as `Revoking`: nothing of them is in flight any more."""
        self._ownership.release(places)

    async def close(self) -> None:
        """Leave the group, so that others take over at once; a transaction that is under way ends before."""
        self._is_closed = True
        self._transactions.close()
        self._ownership.close()
        await asyncio.to_thread(self._thread.shutdown)
        self._transactions.end()
        await asyncio.to_thread(self._group.close)
        await asyncio.to_thread(self._positions.close)


_READER: Final[Config] = {"enable.partition.eof": True, "statistics.interval.ms": 0}


def _times(member: Config) -> tuple[float, float]:
    session = float(member.get("session.timeout.ms", _SESSION_MS))
    return session / 1000, float(member.get("heartbeat.interval.ms", _HEARTBEAT_MS)) / 1000
