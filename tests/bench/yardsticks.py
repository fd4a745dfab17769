"""What Kafka itself takes, at the same broker: one hop, and one transaction. In milliseconds."""

import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

from tests.bench.requesters import at_end, consumed, timed
from tests.bench.scene import Scene

_VALUE = b"x" * 200
_JOINED_S = 30.0


def hops(scene: Scene, count: int) -> list[float]:
    """From produce, with acks=all, to the same record consumed."""
    topic = scene.topic("yard")
    producer = Producer({"bootstrap.servers": scene.bootstrap, "acks": "all", "linger.ms": 0})
    consumer = at_end(scene, topic)

    def one() -> None:
        producer.produce(topic, _VALUE, b"key")
        producer.poll(0)
        consumed(consumer)

    return timed(one, count)


def commits(scene: Scene, count: int) -> list[float]:
    """Begin, produce one record, send the group's offsets, commit.

    Two transactional ids take turns, as in the connector: one alone would wait 20 ms in librdkafka where
    it comes too early for Kafka.
    """
    topic = scene.topic("yard")
    member = _member(scene, topic)
    producers = [_transactional(scene, number) for number in range(2)]
    offset = 0

    def one() -> None:
        nonlocal offset
        offset += 1
        producer = producers[offset % 2]
        producer.begin_transaction()
        producer.produce(topic, _VALUE, b"key")
        metadata = member.consumer_group_metadata()
        producer.send_offsets_to_transaction([TopicPartition(topic, 0, offset)], metadata)
        producer.commit_transaction()

    return timed(one, count)


def _member(scene: Scene, topic: str) -> Consumer:
    options = {
        "bootstrap.servers": scene.bootstrap,
        "group.id": f"{scene.prefix}-yard-{time.time_ns()}",
        "enable.auto.commit": False,
        "fetch.wait.max.ms": scene.fetch_ms,
    }
    member = Consumer(options)
    member.subscribe([topic])
    due = time.monotonic() + _JOINED_S
    while not (places := member.assignment()):
        assert time.monotonic() < due, "the group is not joined"
        member.poll(0.1)
    member.pause([TopicPartition(place.topic, place.partition, OFFSET_BEGINNING) for place in places])
    return member


def _transactional(scene: Scene, number: int) -> Producer:
    name = f"{scene.prefix}-yard-{number}"
    producer = Producer(
        {"bootstrap.servers": scene.bootstrap, "transactional.id": name, "acks": "all", "linger.ms": 0}
    )
    producer.init_transactions(30)
    return producer
