"""What a heartbeat record says: that the connector is alive, and how it fares."""

from typing import NamedTuple


class Depth(NamedTuple):
    """What of a journal waits for Kafka: entries at most, bytes, and when the oldest was read (microseconds since 1970)."""

    entries: int
    size: int
    oldest_us: int | None


class Health(NamedTuple):
    """How a PBX's road fares: what waits, and how many records of the whole process Kafka has taken."""

    depth: Depth
    published: int
    connector: str
    version: str
