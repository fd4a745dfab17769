"""Events followed in their topics while they come."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException

from tests.parts.processes import wait_until
from tests.real.reading import Decoder, Got, consuming, got_of


class Event(NamedTuple):
    """A record and what it says."""

    got: Got
    value: dict[str, Any]

    @property
    def name(self) -> str:
        """The event's name as its topic has it."""
        return self.got.topic.rpartition(".")[2]


class Follower:
    """Reads on in topics of events; keeps what it has read."""

    def __init__(self, consumer: Consumer, decoder: Decoder) -> None:
        self._consumer = consumer
        self._decoder = decoder
        self.events: list[Event] = []

    def expect(self, name: str, **fields: Any) -> Event:
        """Wait for an event with these values."""

        def there() -> Event | None:
            self.read()
            return next((each for each in self.events if _fits(each, name, fields)), None)

        return wait_until(there, f"{name} {fields} in its topic", within=30)

    def read(self) -> None:
        """Take what comes."""
        for message in self._consumer.consume(500, 0.1):
            error = message.error()
            if error is None:
                got = got_of(message)
                self.events.append(Event(got, self._decoder.value(got)))
            elif error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)


def _fits(event: Event, name: str, fields: dict[str, Any]) -> bool:
    return event.name == name and all(event.value[field] == value for field, value in fields.items())


@contextmanager
def following(bootstrap: str, registry: str, prefix: str) -> Iterator[Follower]:
    """Follow the topics of events under a prefix; they exist already."""
    with consuming(bootstrap, f"{prefix}.events") as (consumer, _), Decoder(registry) as decoder:
        yield Follower(consumer, decoder)
