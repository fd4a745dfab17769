"""Spring for Apache Kafka, a client that many requesters use."""

from pathlib import Path

from tests.parts import cache, java

VERSION = "4.0.0"
FOLDER = f"spring-kafka-{VERSION}"
JAVA = 17


def provided() -> Path:
    """Give the folder with its jars and those that they need."""
    return cache.provide(FOLDER, lambda draft: java.fetch("spring", draft / "jars"))
