"""How far topics reach, and how far a group has come in them.

Each transaction leaves a mark of its own behind its note in the metadata of the offsets that it commits.
Where Kafka did not tell how the transaction ended, the mark does.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from typing import Any, Final, Generic, TypeVar

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined] # its public names
    AdminClient,
    ListOffsetsResultInfo,
    OffsetSpec,
)

from connector.actions.record import Place

Answer = TypeVar("Answer")

_ANSWER_S: Final = 5.0
_ASK_AGAIN_S: Final = 0.2
_MARKED: Final = "#"
_LATEST: Final[OffsetSpec] = OffsetSpec.latest()  # type: ignore[no-untyped-call]


def marked(note: str, mark: str) -> str:
    """Return an offset's metadata: a note, and the mark of the transaction that commits it."""
    return f"{note}{_MARKED}{mark}"


class Question(Generic[Answer]):
    """A question to Kafka that is asked again until it is answered; `answer` is None until then."""

    def __init__(self, ask: Callable[[], "Future[Any]"], read: Callable[[Any], Answer]) -> None:
        self._ask = ask
        self._read = read
        self._asked = ask()
        self._again_at: float | None = None
        self.answer: Answer | None = None

    def look(self, now: float) -> None:
        """Take the answer, if it is there; `now` is a monotonic time in seconds.

        Raises:
            KafkaException: there was none; once for each time that the question is asked.
        """
        if self.answer is not None:
            return
        if self._again_at is not None:
            if now < self._again_at:
                return
            self._asked, self._again_at = self._ask(), None
        if self._asked.done():
            try:
                self.answer = self._read(self._asked.result())
            except KafkaException:
                self._again_at = now + _ASK_AGAIN_S
                raise


class Positions:
    """Asks for ends and committed offsets.

    Args:
        admin: asks.
        watcher: a consumer with the group's id that joins nothing, and sees what is committed.
    """

    def __init__(self, admin: AdminClient, watcher: Consumer) -> None:
        self._admin = admin
        self._watcher = watcher
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="positions")
        self._renewal: Future[Any] | None = None

    def end(self, place: Place) -> Question[int]:
        """Ask for the high watermark: the offset behind everything that was ever acknowledged.

        Not the last stable offset, and not what a fetch tells of it: a new leader may lag there.
        """
        partition = TopicPartition(*place)
        tries = count()

        def ask() -> "Future[Any]":
            if next(tries):
                self._renew(place.topic)
            self._admin.poll(0)
            return self._admin.list_offsets(
                {partition: _LATEST},
                isolation_level=IsolationLevel.READ_UNCOMMITTED,
                request_timeout=_ANSWER_S,
            )[partition]

        return Question(ask, _known)

    def note(self, place: Place) -> Question[str]:
        """Ask for the note beside the committed offset, "" where there is none.

        There is no answer while a transaction that changes it is open.
        """
        return Question(
            lambda: self._committed([place]),
            lambda result: _metadata(result)[0].rpartition(_MARKED)[0],
        )

    def bears(self, places: Iterable[Place], mark: str) -> bool:
        """Say whether the transaction with this mark has committed offsets for any of these partitions.

        Raises:
            KafkaException: it is not known now.
        """
        found = _metadata(self._committed(places).result())
        return any(each.rpartition(_MARKED)[2] == mark for each in found)

    def close(self) -> None:
        """Answer no more questions."""
        self._thread.shutdown()
        self._watcher.close()

    def _renew(self, topic: str) -> None:
        """Look up the partitions' leaders; the answer counts for questions to come.

        By itself librdkafka's admin client asks a former leader, or with a former epoch, again and again.
        """
        if self._renewal is None or self._renewal.done():
            self._renewal = self._thread.submit(self._admin.list_topics, topic, _ANSWER_S)

    def _committed(self, places: Iterable[Place]) -> "Future[Any]":
        # The admin client could be asked too, but where the coordinator's connection ends under its
        # question, librdkafka 2.16 never answers, or aborts the process (confluentinc/librdkafka#5397).
        asked = [TopicPartition(*place) for place in places]
        return self._thread.submit(self._watcher.committed, asked, _ANSWER_S)


def _known(result: ListOffsetsResultInfo) -> int:
    """Return an offset.

    Raises:
        KafkaException: there is none: while a partition has no leader, librdkafka answers with no error,
            and with an offset below zero.
    """
    offset = int(result.offset)
    if offset < 0:
        raise KafkaException(KafkaError(KafkaError.OFFSET_NOT_AVAILABLE))
    return offset


def _metadata(partitions: list[TopicPartition]) -> list[str]:
    for each in partitions:
        if each.error is not None:
            raise KafkaException(each.error)
    return [each.metadata or "" for each in partitions]
