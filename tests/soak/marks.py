"""Marks sent through everything: where one of them is in Kafka, events are read and delivered again."""

import re
import time
from typing import Final, Self

from confluent_kafka import Consumer, TopicPartition

from tests.parts.asterisk import Pbx
from tests.parts.processes import wait_until

_MARK: Final = re.compile(rb'"name":\s*"Number",\s*"value":\s*"(\d+)"')
_AGAIN_S: Final = 2.0


class Marks:
    """UserEvents with numbers, and the topic that they come to."""

    def __init__(self, pbx: Pbx, bootstrap: str, topic: str, partitions: int) -> None:
        self._ami = pbx.manager(events="off")
        self._told = self._seen = 0
        # Brokers will be away: its log would tell of nothing else.
        options = {"bootstrap.servers": bootstrap, "group.id": topic, "log_level": 0}
        self._consumer = Consumer({**options, "enable.auto.commit": False})
        self._consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions)])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()
        self._ami.close()

    def tell(self, name: str = "SoakMark") -> int:
        """Have the PBX tell a mark; return its number."""
        self._told += 1
        self._ami.action("UserEvent", UserEvent=name, Number=self._told)
        return self._told

    def arrive(self) -> None:
        """Wait until a mark that is told from now on is in Kafka: one is told again and again."""
        first, due = self.tell(), time.monotonic() + _AGAIN_S

        def there() -> bool:
            nonlocal due
            if time.monotonic() > due:
                self.tell()
                due = time.monotonic() + _AGAIN_S
            return self._seen_since(first)

        wait_until(there, "a mark in Kafka", within=180)

    def await_one(self, number: int) -> None:
        """Wait until this mark, or a later one, is in Kafka."""
        wait_until(lambda: self._seen_since(number), f"mark {number} in Kafka", within=180)

    def _seen_since(self, number: int) -> bool:
        for message in self._consumer.consume(500, 0.05):
            found = None if message.error() else _MARK.search(message.value() or b"")
            if found:
                self._seen = max(self._seen, int(found[1]))
        return self._seen >= number
