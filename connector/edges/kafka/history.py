"""The claims of partitions that have become ours, read to the end before the first request is handed out.

The end is the high watermark. A transaction that was left open holds back what may be read before it: it
is waited for, until its owner ends it or the brokers abort it (`transaction.timeout.ms`). What an owner
who has lost the partition still produces is never committed: nothing that counts can lie behind the end.
"""

import time
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from connector.actions.record import Assigned, Incoming, Place
from connector.edges.kafka.client import Troubles
from connector.edges.kafka.messages import incoming, place_of
from connector.edges.kafka.positions import Positions, Question

_AT_ONCE: Final = 1_000


class _Reading:
    """One partition's claims."""

    __slots__ = ("claims", "end", "followed", "note", "place", "reached", "records")

    def __init__(self, place: Place, claims: Place, note: Question[str], end: Question[int]) -> None:
        self.place = place
        self.claims = claims
        self.note = note
        self.end = end
        self.records: list[Incoming] = []
        self.followed = False
        self.reached = 0

    @property
    def whole(self) -> bool:
        """Whether all is known."""
        return (
            self.note.answer is not None and self.end.answer is not None and self.reached >= self.end.answer
        )


class History:
    """Reads the claims of partitions, a slice at a time; used by the consumer's thread alone.

    Args:
        consumer: told what to read, in no group; it gives what is committed, and tells where that ends.
        positions: asks where the claims end, and for notes.
        claims: the topic of claims by request topic.
        troubles: told of what cannot be read now.
    """

    def __init__(
        self, consumer: Consumer, positions: Positions, claims: Mapping[str, str], troubles: Troubles
    ) -> None:
        self._consumer = consumer
        self._positions = positions
        self._claims = claims
        self._troubles = troubles
        self._readings: dict[Place, _Reading] = {}
        """By the partition of the claims."""

    @property
    def topics(self) -> Collection[str]:
        """The request topics."""
        return self._claims.keys()

    @property
    def idle(self) -> bool:
        """Whether nothing is to be read."""
        return not self._readings

    def begin(self, places: Iterable[Place]) -> None:
        """Take partitions that have become ours: `read` gives each with its claims."""
        for place in places:
            claims = Place(self._claims[place.topic], place.partition)
            self._readings[claims] = _Reading(
                place, claims, self._positions.note(place), self._positions.end(claims)
            )

    def drop(self, places: Collection[Place]) -> None:
        """Take that partitions are not ours any more."""
        for reading in [each for each in self._readings.values() if each.place in places]:
            self._finish(reading)

    def read(self, wait_s: float) -> list[Assigned]:
        """Read what has come by now, or comes within `wait_s` seconds; return those that are whole."""
        for reading in self._readings.values():
            self._heed(reading)
        first = self._consumer.poll(wait_s)
        for message in [first, *self._consumer.consume(_AT_ONCE, 0)] if first else []:
            self._take(message)
        whole = [each for each in self._readings.values() if each.whole]
        for reading in whole:
            self._finish(reading)
        return [Assigned(each.place, each.records, each.note.answer or "") for each in whole]

    def close(self) -> None:
        """End it."""
        self._consumer.close()

    def _heed(self, reading: _Reading) -> None:
        now = time.monotonic()
        for question in (reading.note, reading.end):
            try:
                question.look(now)
            except KafkaException as error:
                self._troubles(error.args[0])
        if reading.end.answer and not reading.followed:
            reading.followed = True
            self._consumer.incremental_assign([TopicPartition(*reading.claims, OFFSET_BEGINNING)])

    def _take(self, message: Message) -> None:
        error, reading = message.error(), self._readings.get(place_of(message))
        if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 (its public name)
            self._troubles(error)
        elif reading is None:
            return
        elif error is None:
            reading.records.append(incoming(message))
        else:
            # Behind the last record may lie the marker of a transaction: only this tells that it was passed.
            reading.reached = message.offset() or 0

    def _finish(self, reading: _Reading) -> None:
        del self._readings[reading.claims]
        if reading.followed:
            self._consumer.incremental_unassign([TopicPartition(*reading.claims)])
