"""One transaction after another: records and offsets become visible together, or not at all.

The offsets go last: whoever has lost a partition is refused then, and nothing of it is ever seen. Sent while the
records are still on their way they would be no fence: a claim could come behind the next owner's look at them. How a
transaction ended is always found out; where Kafka cannot be asked, that takes until it can.

librdkafka's sending of offsets heeds no timeout, and may wait for ever for a group coordinator that has left
the cluster (confluentinc/librdkafka#5456, #5511): it is given its time, and its producer is let go behind it.

Two transactional ids take turns. Kafka ends a transaction behind the answer to its commit; librdkafka
waits 20 ms where a new one of the same id comes too early for that.
"""

import itertools
import threading
import uuid
from collections.abc import Mapping
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from connector.actions.record import Aborted, Commit, Committed, Fenced, Place, Settled
from connector.edges.kafka.bounded import Bounded
from connector.edges.kafka.client import Config, Troubles, why
from connector.edges.kafka.destinations import Destinations
from connector.edges.kafka.handover import Handover
from connector.edges.kafka.ownership import Membership, Ownership
from connector.edges.kafka.positions import Positions, marked
from connector.edges.kafka.writer import STEP_S, Writer
from connector.errors import BrokerError
from connector.facts import Report

_ID: Final = "transactional.id"
_TURNS: Final = 2
_ASK_AGAIN_S: Final = 0.5

_NO_MEMBER: Final = frozenset(
    {
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.FENCED_INSTANCE_ID,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.STALE_MEMBER_EPOCH,
    }
)
"""The group has gone on without us, or we with it and were not told yet."""


class _NoMember(Exception):
    """The group's coordinator refused the offsets."""


class _Together(Exception):
    """A batch was refused for the content of records in it; they must go one by one."""

    def __init__(self, suspects: frozenset[int]) -> None:
        self.suspects = suspects


class Transactions:
    """Commits; used by one thread at a time.

    Args:
        config: the transactional producer's options.
        ownership: whether partitions are ours, and what proves it.
        destinations: looks at topics before they are produced to.
        positions: asks what was committed.
        report: takes facts, from any thread.

    Raises:
        SettingsError: librdkafka does not take an option.
    """

    def __init__(
        self,
        config: Config,
        ownership: Ownership,
        destinations: Destinations,
        positions: Positions,
        report: Report,
    ) -> None:
        self._ownership = ownership
        self._destinations = destinations
        self._positions = positions
        self._troubles = Troubles(report)
        self._writers = [
            Writer({**config, _ID: f"{config[_ID]}-{turn}"}, self._troubles, report) for turn in range(_TURNS)
        ]
        self._turns = itertools.cycle(self._writers)
        self._marks = (f"{uuid.uuid4().hex[:12]}.{number}" for number in itertools.count(1))
        self._closing = threading.Event()
        self._sending = Bounded(STEP_S)

    def close(self) -> None:
        """Let nobody wait for Kafka any more; from any thread."""
        self._closing.set()

    def end(self) -> None:
        """Give back what is held; nobody commits any more."""
        self._sending.close()

    def prepare(self) -> None:
        """Have Kafka end what these transactional ids have left open; `commit` does so too."""
        for writer in self._writers:
            try:
                writer.ready()
            except KafkaException as error:
                self._troubles(error.args[0])

    def commit(self, work: Commit, terms: Mapping[Place, int | None]) -> Settled:
        """Make the work visible, if its partitions are ours in these terms.

        Raises:
            BrokerError: closed before Kafka told how the transaction ended.
        """
        alone: frozenset[int] = frozenset()
        while True:
            membership = self._ownership.membership(terms)
            if membership is None:
                return Fenced("the partitions are not ours any more, or not all of them")
            if refused := self._destinations.refusals(work.records):
                return Aborted(refused, "topics do not take what they shall")
            try:
                return self._attempt(work, membership, alone)
            except _Together as together:
                alone = together.suspects
            except _NoMember as error:
                if not self._ownership.rebalanced(membership):
                    self._ownership.doubt()
                    return Fenced(str(error))

    def _attempt(self, work: Commit, membership: Membership, alone: frozenset[int]) -> Settled:
        writer, mark = next(self._turns), next(self._marks)
        try:
            producer = writer.ready()
            producer.begin_transaction()
            handover = Handover(producer, work.records, writer.expire_s)
            if not self._hand_over(handover, len(work.records), alone):
                writer.abort()
                return self._undelivered(handover, work)
            self._send_offsets(producer, work, membership, mark)
        except KafkaException as error:
            writer.abort()
            return self._refused(error.args[0])
        if self._conclude(producer) or self._find_out(writer, mark, work):
            return Committed()
        return Aborted({}, "Kafka ended the transaction")

    def _hand_over(self, handover: Handover, count: int, alone: frozenset[int]) -> bool:
        return handover.send(set(range(count)) - alone) and all(
            handover.send([index]) for index in sorted(alone)
        )

    def _undelivered(self, handover: Handover, work: Commit) -> Settled:
        verdict = handover.verdict()
        self._destinations.forget({record.topic for record in work.records})
        refused = {**self._destinations.refusals(work.records), **verdict.refused}
        if verdict.suspects and not refused:
            raise _Together(verdict.suspects)
        return Aborted(refused, verdict.reason)

    def _send_offsets(self, producer: Producer, work: Commit, membership: Membership, mark: str) -> None:
        offsets = [
            TopicPartition(*place, offset, marked(work.notes.get(place, ""), mark))
            for place, offset in work.offsets.items()
        ]
        asked = self._ownership.now()
        self._sending.call(producer.send_offsets_to_transaction, offsets, membership.metadata, STEP_S)
        self._ownership.heard(asked)

    def _refused(self, error: KafkaError) -> Settled:
        if error.code() in _NO_MEMBER:
            raise _NoMember(why(error))
        return Aborted({}, why(error))

    def _conclude(self, producer: Producer) -> bool:
        """Commit; say whether that was done for certain."""
        while True:
            try:
                producer.commit_transaction(STEP_S)
            except KafkaException as error:
                problem: KafkaError = error.args[0]
                self._troubles(problem)
                if not problem.retriable() or self._closing.is_set():
                    return False
            else:
                self._troubles.over()
                return True

    def _find_out(self, writer: Writer, mark: str, work: Commit) -> bool:
        """Say whether a transaction was committed; a new producer has Kafka end it first."""
        writer.drop()
        while not self._closing.wait(_ASK_AGAIN_S):
            try:
                writer.ready()
                return self._positions.bears(work.offsets, mark)
            except KafkaException as error:
                self._troubles(error.args[0])
        raise BrokerError("closed before Kafka told how the last transaction ended")
