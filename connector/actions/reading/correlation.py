"""What a request's Kafka headers say: who asks, where the answer goes, what it takes back.

CloudEvents' names (`ce_id`, `ce_correlationid`, `ce_expirytime`), W3C's (`traceparent`), and Spring's
(`kafka_correlationId`, `kafka_replyTopic`, `kafka_replyPartition`). Of a header that stands twice the
last counts, as Kafka's clients have it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from connector.actions.instant import milliseconds
from connector.actions.record import Headers
from connector.actions.request import Reply
from connector.errors import ActionError

CORRELATION_ID: Final = "kafka_correlationId"
REPLY_TOPIC: Final = "kafka_replyTopic"
REPLY_PARTITION: Final = "kafka_replyPartition"

_ECHOED: Final = (
    *(CORRELATION_ID, REPLY_TOPIC, REPLY_PARTITION),
    *("traceparent", "tracestate", "ce_traceparent", "ce_tracestate"),
)
_TRACE: Final = ("traceparent", "ce_traceparent")
_TRACEPARENT: Final = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_MAX_BYTES: Final = 1_024
_TOPIC: Final = re.compile(r"[A-Za-z0-9._-]{1,249}")
_PARTITION_BYTES: Final = 4


class Correlation:
    """The headers of one request.

    Args:
        headers: as consumed.
        default: the topic of answers that nothing sends elsewhere.
        allowed: topics that a requester may name: whole names, or `prefix*`.
    """

    def __init__(self, headers: Headers, default: str, allowed: Sequence[str]) -> None:
        self._headers: Mapping[str, bytes] = {name: value for name, value in headers if value is not None}
        self._default = default
        self._allowed = allowed

    @property
    def correlated(self) -> bool:
        """Say whether the requester can tell by a header whose answer it is."""
        return any(self._headers.get(name) for name in (CORRELATION_ID, "ce_correlationid", "ce_id"))

    def text(self, name: str) -> str:
        """Return a header's text; "" where there is none.

        Raises:
            ActionError: it is no text, or too long.
        """
        raw = self._headers.get(name, b"")
        if len(raw) > _MAX_BYTES:
            raise ActionError(f"header {name}: {len(raw)} bytes; {_MAX_BYTES} are allowed")
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise ActionError(f"header {name}: not UTF-8 at byte {error.start}") from None

    def expires_at_ms(self) -> int | None:
        """Return `ce_expirytime`, None where there is none.

        Raises:
            ActionError: it is no time.
        """
        text = self.text("ce_expirytime")
        return milliseconds("header ce_expirytime", text) if text else None

    def reply(self, reply_to: str = "") -> Reply:
        """Return where the answer goes: Spring's header, else `reply_to`, else the default topic.

        Raises:
            ActionError: it may not go there, or a header cannot be read; it goes to `fallback`.
        """
        named = self.text(REPLY_TOPIC)
        topic = named or reply_to or self._default
        if not _TOPIC.fullmatch(topic):
            raise ActionError(f"{_field(named)}: not a topic's name")
        if topic != self._default and not any(_fits(topic, rule) for rule in self._allowed):
            raise ActionError(f"{_field(named)}: answers may not go to {topic}; the settings name the topics")
        if len(self._headers.get(CORRELATION_ID, b"")) > _MAX_BYTES:
            raise ActionError(f"header {CORRELATION_ID}: more than {_MAX_BYTES} bytes")
        return self._reply(topic, self._partition(), self.text("ce_correlationid"), self.text("ce_id"))

    def fallback(self) -> Reply:
        """Return the default topic, with what of the headers can be read."""
        return self._reply(self._default, None, self._lenient("ce_correlationid"), self._lenient("ce_id"))

    def _reply(self, topic: str, partition: int | None, correlation_id: str, cause: str) -> Reply:
        echo = tuple(
            (name, value)
            for name in _ECHOED
            if (value := self._headers.get(name)) is not None and len(value) <= _MAX_BYTES
        )
        return Reply(topic=topic, partition=partition, echo=echo, correlation_id=correlation_id, cause=cause)

    def _lenient(self, name: str) -> str:
        try:
            return self.text(name)
        except ActionError:
            return ""

    def _partition(self) -> int | None:
        raw = self._headers.get(REPLY_PARTITION)
        if raw is None:
            return None
        if len(raw) != _PARTITION_BYTES or raw[0] & 0x80:
            raise ActionError(f"header {REPLY_PARTITION}: not a partition in four bytes, big-endian")
        return int.from_bytes(raw, "big")


def traceparent(headers: Headers) -> str:
    """Return the trace context that a record was sent in, "" where there is none or it is not as W3C has it."""
    values = dict(headers)
    found = (values.get(name) or b"" for name in _TRACE)
    return next((value.decode() for value in found if _TRACEPARENT.fullmatch(value)), "")


def _field(named: str) -> str:
    return f"header {REPLY_TOPIC}" if named else "reply_to"


def _fits(topic: str, rule: str) -> bool:
    return topic.startswith(rule[:-1]) if rule.endswith("*") else topic == rule
