"""Records as JSON lines instead of Kafka: `replay --output json`."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Self

from connector.events.records.outcome import Publish, Refused


class JsonLines:
    """A sink that writes each record as one JSON object: topic, key, headers, value.

    A value that is JSON stands as it is; a dead letter's is text, or `{"base64": ...}` where its bytes
    are not UTF-8.

    Args:
        write: takes one line with its end.
        raw_topic: the topic whose values are no JSON: the dead letters'.
    """

    def __init__(self, write: Callable[[str], object], raw_topic: str) -> None:
        self._write = write
        self._raw_topic = raw_topic

    def lane(self) -> Self:
        """Return itself: nothing fails on this way."""
        return self

    async def put(self, batch: Sequence[Publish]) -> Awaitable[Sequence[Refused]]:
        """Write records; all are acknowledged at once."""
        for record in batch:
            self._write(self._line(record))
        acknowledged: asyncio.Future[Sequence[Refused]] = asyncio.get_running_loop().create_future()
        acknowledged.set_result(())
        return acknowledged

    def _line(self, record: Publish) -> str:
        head = {
            "topic": record.topic,
            "key": None if record.key is None else record.key.decode("utf-8", "replace"),
            "headers": {name: value.decode("utf-8", "replace") for name, value in record.headers},
        }
        raw = record.topic == self._raw_topic
        value = json.dumps(readable(record.value), ensure_ascii=False) if raw else record.value.decode()
        begin = json.dumps(head, ensure_ascii=False, separators=(",", ":"))
        return f'{begin[:-1]},"value":{value}}}\n'


def readable(value: bytes) -> Any:
    """Return bytes as JSON can hold them: text where they are UTF-8, else `{"base64": ...}`."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode("ascii")}
