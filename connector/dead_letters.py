"""The headers that Kafka Connect gives to dead letters (its DeadLetterQueueReporter); every value is text."""


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
    return [(f"__connect.errors.{name}", text.encode()) for name, text in texts.items()]
