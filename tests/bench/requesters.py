"""Those who ask the PBX for the same actions: over a bare socket, on a session of the connector's pool, through Kafka.

Latencies are in milliseconds, one request in flight; rates are in actions/s, of a stream of requests.
"""

import asyncio
import json
import socket
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from connector.ami.action import AmiAction
from connector.ami.reach import Reach
from connector.ami.steps import Account
from connector.demo.world import PHONES
from connector.edges.pbx.asterisk import Address, AsteriskPbx
from connector.edges.pbx.pool import ActionPool
from tests.bench.scene import USER, Scene

END = b"\r\n\r\n"
WARM_UP = 20
WINDOW = 64
"""Actions under way at once where many are: as many as the connector has in flight for a PBX (max_in_flight)."""

ANSWER_S = 30.0
ACTIONS: dict[str, tuple[tuple[str, str], ...]] = {
    "Ping": (),
    "QueuePause": (("Interface", f"PJSIP/{PHONES[-1].number}"), ("Paused", "true")),
}
"""A read, and an effect that the simulated PBX can do, each with its headers."""


def timed(one: Callable[[], None], count: int) -> list[float]:
    """Return how long each of `count` calls took, behind some that are not counted."""
    for _ in range(WARM_UP):
        one()
    latencies = []
    for _ in range(count):
        begun = time.perf_counter()
        one()
        latencies.append((time.perf_counter() - begun) * 1e3)
    return latencies


class Bare:
    """An AMI session with nothing between: a blocking socket, actions as bytes."""

    def __init__(self, scene: Scene) -> None:
        self._socket = socket.create_connection(("127.0.0.1", scene.port), 10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pending = b""
        self._ask("Login", (("Username", USER), ("Secret", USER), ("Events", "off")))
        self._read(1)

    def latencies(self, action: str, count: int) -> list[float]:
        def one() -> None:
            self._ask(action, ACTIONS[action])
            self._read(1)

        return timed(one, count)

    def rate(self, action: str, count: int) -> float:
        """Write ahead of the answers: `WINDOW` actions at a time."""
        begun = time.perf_counter()
        for start in range(0, count, WINDOW):
            size = min(WINDOW, count - start)
            self._ask(action, ACTIONS[action], size)
            self._read(size)
        return count / (time.perf_counter() - begun)

    def _ask(self, action: str, headers: Sequence[tuple[str, str]], times: int = 1) -> None:
        lines = [f"Action: {action}", *(f"{name}: {value}" for name, value in headers), "ActionID: bench"]
        self._socket.sendall(("\r\n".join(lines).encode() + END) * times)

    def _read(self, count: int) -> None:
        while self._pending.count(END) < count:
            self._pending += self._socket.recv(65_536)
        *answers, self._pending = self._pending.split(END)
        assert len(answers) == count, answers
        assert all(b"Response: Success" in answer for answer in answers), answers


class Session:
    """The connector's own pool with one session, without Kafka: one action outstanding at a time."""

    def __init__(self, scene: Scene) -> None:
        address = Address("127.0.0.1", scene.port)
        self._pbx = AsteriskPbx("main", [address], Account(USER, USER))

    def rate(self, action: str, count: int) -> float:
        return asyncio.run(self._rate(AmiAction(action, ACTIONS[action]), count))

    async def _rate(self, action: AmiAction, count: int) -> float:
        async with ActionPool(self._pbx, 1, lambda _: None) as pool:

            async def work(times: int) -> None:
                for _ in range(times):
                    result = await pool.execute(action, lambda: True, ANSWER_S)
                    assert result.reach is Reach.ANSWERED, result

            await work(WARM_UP)
            begun = time.perf_counter()
            await asyncio.gather(*(work(count // WINDOW) for _ in range(WINDOW)))
            return count // WINDOW * WINDOW / (time.perf_counter() - begun)


class ThroughKafka:
    """A microservice: confluent-kafka's producer and its consumer, read_committed, JSON."""

    def __init__(self, scene: Scene) -> None:
        self._requests = scene.topic("actions.json")
        self._producer = Producer({"bootstrap.servers": scene.bootstrap, "acks": "all", "linger.ms": 0})
        self._consumer = at_end(scene, scene.topic("responses.json"))

    def latencies(self, action: str, count: int) -> list[float]:
        def one() -> None:
            self._wait({self._ask(action)})

        return timed(one, count)

    def rate(self, action: str, count: int) -> float:
        self._wait({self._ask(action) for _ in range(WARM_UP)})
        begun = time.perf_counter()
        self._wait({self._ask(action) for _ in range(count)})
        return count / (time.perf_counter() - begun)

    def _ask(self, action: str) -> str:
        request_id = uuid.uuid4().hex
        headers = dict(ACTIONS[action])
        value = json.dumps({"request_id": request_id, "action": action, "headers": headers})
        self._producer.produce(self._requests, value, request_id)
        self._producer.poll(0)
        return request_id

    def _wait(self, wanted: set[str]) -> None:
        while wanted:
            answer = json.loads(consumed(self._consumer))
            assert answer["status"] == "SUCCESS", answer
            wanted.remove(answer["request_id"])


def at_end(scene: Scene, topic: str) -> Consumer:
    """Return a consumer that reads what comes from now on."""
    consumer = Consumer(
        {
            "bootstrap.servers": scene.bootstrap,
            "group.id": f"{scene.prefix}-requester",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": scene.fetch_ms,
        }
    )
    places = [
        TopicPartition(topic, number) for number in consumer.list_topics(topic).topics[topic].partitions
    ]
    for place in places:
        _, place.offset = consumer.get_watermark_offsets(place, 10)
    consumer.assign(places)
    return consumer


def consumed(consumer: Consumer) -> bytes:
    """Return the next record's value."""
    message = consumer.poll(ANSWER_S)
    assert message is not None, "nothing came"
    assert message.error() is None, message.error()
    value: Any = message.value()
    return bytes(value)
