"""Kafka as the crash test sees it: who owns what, what lies where; by confluent-kafka alone."""

import json
import struct
import warnings
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined] # its public names

from tests.crash.connectors import Setting
from tests.crash.evidence import Asked, Begun, Place, Told
from tests.crash.stream import CORRELATION, KIND, NUMBER
from tests.parts.processes import wait_until

PARTITIONS = 6
_ANSWER_S = 5.0


class Cluster:
    """What is in the run's topics, and who is in its group."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._admin = AdminClient({"bootstrap.servers": setting.bootstrap, "log_level": 0})
        # It never joins: it looks at the group's offsets.
        self._watcher = Consumer(
            {"bootstrap.servers": setting.bootstrap, "group.id": setting.prefix, "log_level": 0}
        )

    def lay_out(self) -> None:
        """Make the topic that is the requesters' own; the connectors make theirs."""
        replies = NewTopic(self._setting.replies, PARTITIONS, 3, config={"min.insync.replicas": "2"})
        self._admin.create_topics([replies])[self._setting.replies].result()

    def owners(self) -> dict[str, set[int]]:
        """Return the partitions of each member by name; nothing while the group is in motion, or not known."""
        # Deprecated, but what replaces it aborts the process where the coordinator goes away under the
        # question (confluentinc/librdkafka#5397).
        try:
            with warnings.catch_warnings(action="ignore"):
                groups: Any = self._admin.list_groups(self._setting.prefix, timeout=_ANSWER_S)
        except KafkaException:
            return {}
        if not groups or groups[0].state != "Stable":
            return {}
        return {each.client_id: _assigned(each.assignment) for each in groups[0].members}

    def shared_by(self, names: Collection[str]) -> bool:
        """Say whether these members, and no others, have all partitions, and each has some."""
        owners = self.owners()
        held = [partition for partitions in owners.values() for partition in partitions]
        return owners.keys() == set(names) and all(owners.values()) and sorted(held) == [*range(PARTITIONS)]

    def in_step(self) -> bool:
        """Say whether every replica of every partition is up to date."""
        try:
            topics = self._admin.list_topics(timeout=_ANSWER_S).topics.values()
        except KafkaException:
            return False
        partitions = [each for topic in topics for each in topic.partitions.values()]
        return all(len(each.isrs) == len(each.replicas) and each.leader >= 0 for each in partitions)

    def left(self) -> dict[Place, int] | None:
        """Return how many requests of each partition lie behind the group's offset; None: not known now."""
        topic = self._setting.requests
        places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        try:
            committed = self._watcher.committed(places, timeout=_ANSWER_S)
            ends = [self._watcher.get_watermark_offsets(each, timeout=_ANSWER_S)[1] for each in places]
        except KafkaException:
            return None
        return {
            (topic, each.partition): end - max(each.offset, 0)
            for each, end in zip(committed, ends, strict=True)
        }

    def asked(self) -> list[Asked]:
        """Return every request."""
        return [_asked(each) for each in self._read([self._setting.requests])]

    def told(self) -> list[Told]:
        """Return every response that is committed."""
        return [_told(each) for each in self._read([self._setting.responses, self._setting.replies])]

    def begun(self) -> list[Begun]:
        """Return every claim that a request is begun."""
        values = [(each, json.loads(each.value() or b"{}")) for each in self._read([self._setting.claims])]
        return [
            Begun(value["request_id"], int(value["owner"].rpartition("/")[2]), each.timestamp()[1])
            for each, value in values
            if value["outcome"] is None
        ]

    def _read(self, topics: Sequence[str]) -> Iterator[Message]:
        """Yield the committed records of topics, to their ends."""
        consumer = Consumer(
            {
                "bootstrap.servers": self._setting.bootstrap,
                "group.id": f"{self._setting.prefix}-judge",
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "enable.auto.commit": False,
            }
        )
        open_ends = {(topic, number) for topic in topics for number in range(PARTITIONS)}
        consumer.assign([TopicPartition(*place, 0) for place in open_ends])
        try:
            while open_ends:
                messages = wait_until(lambda: consumer.consume(500, 1.0), f"the ends of {topics}", within=60)
                for message in messages:
                    error = message.error()
                    if error is None:
                        yield message
                    elif error.code() == KafkaError._PARTITION_EOF:
                        open_ends.discard((message.topic() or "", message.partition() or 0))
        finally:
            consumer.close()


def _assigned(assignment: bytes) -> set[int]:
    """Read the partitions of one topic out of a member's assignment, as Kafka's consumers write it."""
    _version, topics = struct.unpack_from(">hi", assignment)
    if not topics:
        return set()
    (length,) = struct.unpack_from(">h", assignment, 6)
    (size,) = struct.unpack_from(">i", assignment, 8 + length)
    return {*struct.unpack_from(f">{size}i", assignment, 12 + length)}


def _headers(message: Message) -> dict[str, str]:
    pairs: Any = message.headers() or []
    return {name: value.decode() for name, value in pairs if name in (KIND, NUMBER, CORRELATION)}


def _asked(message: Message) -> Asked:
    headers, value = _headers(message), message.value() or b""
    readable = headers[KIND] != "no-request"
    return Asked(
        place=(message.topic() or "", message.partition() or 0),
        offset=message.offset() or 0,
        at_ms=message.timestamp()[1],
        key=message.key(),
        correlation=headers[CORRELATION],
        request_id=json.loads(value)["request_id"] if readable else "",
        kind=headers[KIND],
        number=headers[NUMBER],
    )


def _told(message: Message) -> Told:
    value = json.loads(message.value() or b"{}")
    return Told(
        correlation=_headers(message)[CORRELATION],
        status=value["status"],
        executed=value["executed"],
        replayed=value["replayed"],
        at_ms=message.timestamp()[1],
        part=value["part"],
        parts=value["parts"],
        message=value["message"] or "",
    )
