"""The rights in Kafka that the settings ask for: what `check` proves, as far as Kafka tells."""

from collections.abc import Iterable, Iterator
from typing import Final, Literal, NamedTuple

from connector.settings import road_back
from connector.settings.sections import Settings
from connector.settings.topics import Topic

READ: Final = "READ"
WRITE: Final = "WRITE"
CREATE: Final = "CREATE"
DESCRIBE_CONFIGS: Final = "DESCRIBE_CONFIGS"


class Right(NamedTuple):
    """What the connector's user must be allowed on one thing; `prefixed`: on all that begin so."""

    kind: Literal["topic", "group", "transactional-id"]
    name: str
    operations: tuple[str, ...]
    prefixed: bool = False


def rights(settings: Settings, planned: Iterable[Topic]) -> Iterator[Right]:
    """Give the rights that running needs; making topics needs Create beside, which Kafka is asked for itself.

    DescribeConfigs is for the check that claims are kept as long as their requests.

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
        kept = (DESCRIBE_CONFIGS,) if reads else ()
        yield Right("topic", topic.name, (*reads, *writes, *kept))
    if settings.actions:
        yield Right("group", road_back.group(settings), (READ,))
        yield transactional(settings)


def transactional(settings: Settings) -> Right:
    """Return the right on transactional ids; two take turns, so what is set is only how they begin."""
    begins = road_back.transactional_id(settings, "").removesuffix("-") + "-"
    return Right("transactional-id", begins, (WRITE,), prefixed=True)


def least(settings: Settings, planned: Iterable[Topic]) -> list[Right]:
    """Return what to grant for these settings, and no more: `rights`, Create where topics are made, reply topics.

    Topics of events are granted together, by how their names begin, so that a change of the selection needs
    no other rights.
    """
    found = dict.fromkeys(_granted(settings, right) for right in rights(settings, planned))
    return [*found, *replies(settings)]


def replies(settings: Settings) -> list[Right]:
    """Return the rights on topics where requesters may have answers sent."""
    allowed = settings.actions.reply_topics if settings.actions else ()
    return [Right("topic", each.removesuffix("*"), (WRITE,), prefixed=each.endswith("*")) for each in allowed]


def _granted(settings: Settings, right: Right) -> Right:
    """Return what to grant for a right that running needs."""
    if right.kind != "topic":
        return right
    makes = () if settings.topics.create == "never" else (CREATE,)
    of_events = f"{settings.events.topic_prefix}.events."
    prefixed = right.name.startswith(of_events)
    return Right("topic", of_events if prefixed else right.name, (*right.operations, *makes), prefixed)
