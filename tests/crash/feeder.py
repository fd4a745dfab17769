"""Writes requests at a steady pace for as long as it has leave to."""

import threading
from typing import Self

from confluent_kafka import KafkaError, Message, Producer

from tests.crash.stream import Draft, Stream
from tests.parts.processes import wait_until

PACE_S = 0.03


class Feeder:
    """A thread that writes; `allow` gives leave for some more requests."""

    def __init__(self, bootstrap: str, topic: str, stream: Stream) -> None:
        self._producer = Producer(
            {"bootstrap.servers": bootstrap, "enable.idempotence": True, "log_level": 0}
        )
        self._topic = topic
        self._stream = stream
        self._changed = threading.Condition()
        self._leave = 0
        self._ended = False
        self._failed: list[KafkaError] = []
        self._acknowledged = 0
        self.written = 0
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join()

    @property
    def idle(self) -> bool:
        """Whether everything that it had leave for is written."""
        return self._leave == 0

    def allow(self, more: int) -> None:
        with self._changed:
            self._leave += more
            self._changed.notify()

    def finish(self) -> None:
        """Wait until all is in Kafka."""
        wait_until(lambda: self.idle, "all requests written", within=120)
        wait_until(lambda: self._acknowledged == self.written, "all requests acknowledged", within=60)
        assert not self._failed, self._failed

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ended or self._leave, 0.1)
                if self._ended:
                    return
                more = self._leave > 0
            # The wait for reports is the pace.
            self._producer.poll(PACE_S)
            if more:
                self._write(self._stream.draw())

    def _write(self, draft: Draft) -> None:
        headers: list[tuple[str, str | bytes | None]] = [*draft.headers]
        self._producer.produce(
            self._topic, draft.value, draft.key, headers=headers, on_delivery=self._delivered
        )
        self.written += 1
        with self._changed:
            self._leave -= 1

    def _delivered(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self._failed.append(error)
        self._acknowledged += 1
