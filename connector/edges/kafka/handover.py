"""The records of one transaction on their way to Kafka, and which of them it refuses."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from connector.actions.record import Outgoing
from connector.edges.kafka.batch import UNPROVEN
from connector.edges.kafka.client import why
from connector.edges.kafka.destinations import REFUSED as NO_DESTINATION

_ROOM_S: Final = 0.05
_BEYOND_S: Final = 2.0

_REFUSED: Final = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.INVALID_MSG_SIZE,
        KafkaError.INVALID_RECORD,
        KafkaError.INVALID_TIMESTAMP,
        KafkaError.POLICY_VIOLATION,
        KafkaError.UNSUPPORTED_FOR_MESSAGE_FORMAT,
    }
)
"""Errors that a record has for its content; brokers say so of the whole batch in which it came."""


class Verdict(NamedTuple):
    """What was learnt of records that were not delivered.

    `refused` says by index why Kafka will never take it. `suspects` came in one batch, of which
    Kafka will not take one at least. `reason` is why the transaction failed, in words.
    """

    refused: dict[int, str]
    suspects: frozenset[int]
    reason: str


class Handover:
    """One attempt to deliver records.

    Args:
        producer: within a transaction.
        records: all records of the transaction.
        expire_s: after how long librdkafka gives a record up, in seconds.
    """

    def __init__(self, producer: Producer, records: Sequence[Outgoing], expire_s: float) -> None:
        self._producer = producer
        self._records = records
        self._expire_s = expire_s
        self._left = 0
        self._failed: dict[int, tuple[KafkaError, int]] = {}
        self._proven = True
        self._batches: list[frozenset[int]] = []

    def send(self, indexes: Iterable[int]) -> bool:
        """Produce records, and wait until each is acknowledged or failed; say whether none has failed."""
        sent = frozenset(indexes)
        self._batches.append(sent)
        for index in sorted(sent):
            self._produce(index)
        self._producer.flush(self._expire_s + _BEYOND_S)
        return not self._failed and not self._left and self._proven

    def verdict(self) -> Verdict:
        """Return what is known of those that failed."""
        refused, suspects = {}, set()
        for index, (error, partition) in self._failed.items():
            code, topic = error.code(), self._records[index].topic
            if code in NO_DESTINATION or (code in _REFUSED and self._is_alone(index, partition)):
                refused[index] = why(error, f"topic {topic}")
            elif code in _REFUSED:
                suspects.add(index)
        return Verdict(refused, frozenset(suspects), self._reason())

    def _reason(self) -> str:
        for index, (error, _) in self._failed.items():
            return why(error, f"topic {self._records[index].topic}")
        if not self._proven:
            return UNPROVEN
        return "Kafka did not acknowledge the records in time"

    def _is_alone(self, index: int, partition: int) -> bool:
        """Say whether no other record can have come in the same batch."""
        together = next(sent for sent in self._batches if index in sent)
        topic = self._records[index].topic
        return not any(
            other != index
            and other in together
            and self._records[other].topic == topic
            and place == partition
            for other, (_, place) in self._failed.items()
        )

    def _produce(self, index: int) -> None:
        topic, partition, key, value, headers = self._records[index]
        more: dict[str, Any] = {} if partition is None else {"partition": partition}
        self._left += 1
        while True:
            try:
                self._producer.produce(
                    topic,
                    value,
                    key,
                    headers=list(headers),
                    on_delivery=partial(self._delivered, index),
                    **more,
                )
            except BufferError:
                self._producer.poll(_ROOM_S)
            except KafkaException as error:
                self._settle(index, error.args[0], -1)
                return
            else:
                return

    def _delivered(self, index: int, error: KafkaError | None, message: Message) -> None:
        if error is None and message.offset() is None:
            self._proven = False
        self._settle(index, error, message.partition() or 0)

    def _settle(self, index: int, error: KafkaError | None, partition: int) -> None:
        self._left -= 1
        if error is not None:
            self._failed[index] = error, partition
