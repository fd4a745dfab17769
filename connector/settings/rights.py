"""The rights in Kafka that the settings ask for: what `check` proves, as far as Kafka tells."""

from collections.abc import Iterable, Iterator
from typing import Final, Literal, NamedTuple

from connector.settings import road_back
from connector.settings.sections import Settings
from connector.settings.topics import Topic

READ: Final = "READ"
WRITE: Final = "WRITE"


class Right(NamedTuple):
    """What the connector's user must be allowed on one thing; `prefixed`: on all that begin so."""

    kind: Literal["topic", "group", "transactional-id"]
    name: str
    operations: tuple[str, ...]
    prefixed: bool = False


def rights(settings: Settings, planned: Iterable[Topic]) -> Iterator[Right]:
    """Give the rights that running needs; making topics needs Create beside, which Kafka is asked for itself.

    Args:
        settings: the whole file.
        planned: every topic of theirs.
    """
    pairs = road_back.pairs(settings)
    requests = {pair.requests for pair in pairs}
    claims = {pair.claims for pair in pairs}
    for topic in planned:
        reads = (READ,) if topic.name in requests | claims else ()
        writes = () if topic.name in requests else (WRITE,)
        yield Right("topic", topic.name, (*reads, *writes))
    if settings.actions:
        yield Right("group", road_back.group(settings), (READ,))
        lasting = settings.actions.instance_id is not None
        yield Right(
            "transactional-id", road_back.transactional_id(settings, ""), (WRITE,), prefixed=not lasting
        )
