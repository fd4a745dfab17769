"""Whether records can be produced at all: a single one that cannot would spoil its whole transaction."""

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final, NamedTuple

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AclOperation, AdminClient  # type: ignore[attr-defined] # its public names

from connector.actions.record import Outgoing
from connector.edges.kafka.client import why

_ANSWER_S: Final = 2.0
_KEEP_S: Final = 60.0
_KEEP_BAD_S: Final = 5.0
_MANY: Final = 1 << 31

REFUSED: Final = frozenset(
    {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.TOPIC_EXCEPTION,
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001 (its public name)
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001 (its public name)
        KafkaError._INVALID_ARG,  # noqa: SLF001 (its public name)
    }
)
"""Errors that say that a topic takes nothing from us."""


class _Seen(NamedTuple):
    """A topic as it was at a time; `error` why nothing can be produced to it."""

    at: float
    keep_s: float
    partitions: int
    error: KafkaError | None = None


class Destinations:
    """Looks at topics before they are produced to, and remembers what it saw.

    Args:
        admin: asks.
        now: a monotonic clock, in seconds.
    """

    def __init__(self, admin: AdminClient, now: Callable[[], float] = time.monotonic) -> None:
        self._admin = admin
        self._now = now
        self._seen: dict[str, _Seen] = {}

    def refusals(self, records: Sequence[Outgoing]) -> dict[int, str]:
        """Return by index which records Kafka will not take, and why; what it does not tell is left to it."""
        now = self._now()
        self._look({each.topic for each in records if not self._is_known(each, now)})
        return {index: said for index, each in enumerate(records) if (said := self._refusal(each))}

    def forget(self, topics: Iterable[str]) -> None:
        """Look at these topics again the next time."""
        for topic in topics:
            self._seen.pop(topic, None)

    def _is_known(self, record: Outgoing, now: float) -> bool:
        seen = self._seen.get(record.topic)
        keep_s = _KEEP_BAD_S if self._refusal(record) else _KEEP_S
        return seen is not None and now < seen.at + min(seen.keep_s, keep_s)

    def _refusal(self, record: Outgoing) -> str:
        seen = self._seen.get(record.topic)
        if seen is None:
            return ""
        if seen.error is not None:
            return why(seen.error, f"topic {record.topic}")
        if record.partition is not None and not 0 <= record.partition < seen.partitions:
            return (
                f"topic {record.topic}: has {seen.partitions} partitions, none with number {record.partition}"
            )
        return ""

    def _look(self, topics: Collection[str]) -> None:
        if not topics:
            return
        self._admin.poll(0)
        futures = self._admin.describe_topics(
            TopicCollection(sorted(topics)), include_authorized_operations=True, request_timeout=_ANSWER_S
        )
        for topic, future in futures.items():
            self._seen[topic] = self._judged(future)

    def _judged(self, future: Any) -> _Seen:
        try:
            topic = future.result()
        except KafkaException as failure:
            error: KafkaError = failure.args[0]
            # Where there is no answer it is not waited for again and again.
            found = (0, error) if error.code() in REFUSED else (_MANY, None)
            return _Seen(self._now(), _KEEP_BAD_S, *found)
        # A cluster without access control tells no rights.
        allowed = topic.authorized_operations
        if allowed and AclOperation.WRITE not in allowed:
            return _Seen(self._now(), _KEEP_BAD_S, 0, KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))
        return _Seen(self._now(), _KEEP_S, len(topic.partitions))
