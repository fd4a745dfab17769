"""The headers that Kafka Connect gives to dead letters (its DeadLetterQueueReporter); every value is text."""

from collections.abc import Sequence
from typing import Final, NamedTuple

_PREFIX: Final = "__connect.errors."


class Cause(NamedTuple):
    """What a dead letter's headers say: fields as in `error_headers`, and where its record stood, if it was one.

    A header that is not there is "".
    """

    topic: str
    connector: str
    stage: str
    where: str
    reason: str
    detail: str
    partition: str
    offset: str


def error_headers(
    *, topic: str, connector: str, stage: str, where: str, reason: str, detail: str
) -> list[tuple[str, bytes]]:
    """Return them.

    Args:
        topic: where the record came from, or should have gone.
        connector: the connector's name.
        stage: one of Connect's stages.
        where: the part of the connector that gave it up.
        reason: a word that programs can rely on.
        detail: what was seen, for people.
    """
    texts = {
        "topic": topic,
        "connector.name": connector,
        "stage": stage,
        "class.name": where,
        "exception.class.name": reason,
        "exception.message": detail,
    }
    return [(f"{_PREFIX}{name}", text.encode()) for name, text in texts.items()]


def cause_of(headers: Sequence[tuple[str, bytes | None]]) -> Cause:
    """Read them; the last of a name counts, since a request's own headers stand before ours."""
    texts = {name: (value or b"").decode("utf-8", "replace") for name, value in headers}
    return Cause(*(texts.get(f"{_PREFIX}{name}", "") for name in _NAMES))


_NAMES: Final = (
    "topic",
    "connector.name",
    "stage",
    "class.name",
    "exception.class.name",
    "exception.message",
    "partition",
    "offset",
)
"""Those of `Cause`, in its order."""
