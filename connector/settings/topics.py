"""Every topic that the settings lead to: the plan, and what of it exists already."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from connector.avro.schema import EventSchema, SchemaSet
from connector.errors import SettingsError
from connector.settings import road_back
from connector.settings.fields import near
from connector.settings.kinds import Option, Secret
from connector.settings.sections import Settings, TopicFamily

CONNECTOR: Final = "connector"
DEAD_LETTER: Final = "dlq"

_SAFE_COPIES: Final = 3
_CLEANUP: Final = "compact,delete"
# A new owner reads a partition's claims to the end; only closed segments are compacted.
_CLAIMS_CONFIG: Final = {"segment.bytes": str(64 << 20)}


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it should be.

    `replication_factor` None is the cluster's own default. `of_calls`: its records are keyed by
    call, so that its partition count is that of all such topics. `beside` is the topic whose number of
    partitions it must have.
    """

    name: str
    partitions: int
    replication_factor: int | None
    config: Mapping[str, str] = field(default_factory=dict)
    families: tuple[str, ...] = ()
    of_calls: bool = False
    beside: str | None = None


class Present(NamedTuple):
    """A topic as it is; `config` holds what is known of it."""

    partitions: int
    replicas: int
    config: Mapping[str, str] = {}


class Drift(NamedTuple):
    """A topic's option that is not as planned."""

    topic: str
    option: str
    wanted: str
    found: str


class Difference(NamedTuple):
    """What the plan asks for and the cluster has not.

    `recount` are topics with another number of partitions: none is changed by the connector, since
    keys would move to other partitions.
    """

    missing: Sequence[Topic]
    recount: Sequence[tuple[Topic, Present]]
    drift: Sequence[Drift]


class Totals(NamedTuple):
    """What a plan costs a cluster.

    `unknown` are topics that get the cluster's own number of copies: each counts with one.
    """

    topics: int
    partitions: int
    replicas: int
    unknown: int = 0


def plan(settings: Settings, schemas: Iterable[EventSchema]) -> list[Topic]:
    """Return every topic that is read or written: those of these schemas, of actions, and the dead letters', by name.

    Args:
        settings: the whole file.
        schemas: what the selection publishes, the connector's own and `unknown` where selected.

    Raises:
        SettingsError: topics of calls would get different numbers of partitions.
    """
    routing = settings.routing
    by_topic: dict[str, list[EventSchema]] = {}
    for schema in schemas:
        by_topic.setdefault(routing.topic_of(schema), []).append(schema)
    topics = [_topic(settings, name, members) for name, members in by_topic.items()]
    if routing.dead_letter_topic not in by_topic:
        topics.append(_shaped(settings, routing.dead_letter_topic, (DEAD_LETTER,)))
    topics += _of_actions(settings)
    _check_calls(settings, topics)
    return sorted(topics, key=lambda topic: topic.name)


def _of_actions(settings: Settings) -> Iterable[Topic]:
    for pair in road_back.pairs(settings):
        requests = _shaped(settings, pair.requests, (road_back.REQUESTS,))
        claims = _shaped(settings, pair.claims, (road_back.CLAIMS,))
        config = {**_CLAIMS_CONFIG, **claims.config}
        config |= {"cleanup.policy": _CLEANUP, "retention.ms": str(road_back.claims_retention_ms(settings))}
        yield requests
        yield _shaped(settings, pair.responses, (road_back.RESPONSES,))
        yield replace(claims, partitions=requests.partitions, config=config, beside=pair.requests)


def _topic(settings: Settings, name: str, members: Sequence[EventSchema]) -> Topic:
    families = tuple(sorted({schema.family for schema in members}))
    return replace(_shaped(settings, name, families), of_calls=any(schema.channels for schema in members))


def _shaped(settings: Settings, name: str, families: tuple[str, ...]) -> Topic:
    general = settings.topics
    own = general.families.get(families[0], TopicFamily()) if len(families) == 1 else TopicFamily()
    # Few records, read as one story: one partition keeps them in order.
    usual = 1 if families in ((CONNECTOR,), (DEAD_LETTER,)) else general.partitions
    retention = general.retention_ms if own.retention_ms is None else own.retention_ms
    config = {"cleanup.policy": "delete", "retention.ms": str(retention)}
    if (general.replication_factor or 0) >= _SAFE_COPIES:
        config["min.insync.replicas"] = "2"
    for options in (general.config, own.config):
        config |= {key: _text(option) for key, option in options.items()}
    return Topic(name, own.partitions or usual, general.replication_factor, config, families)


def _text(option: Option) -> str:
    if isinstance(option, Secret):
        return option.reveal()
    return str(option).lower() if isinstance(option, bool) else str(option)


def _check_calls(settings: Settings, topics: Iterable[Topic]) -> None:
    shared = settings.topics.partitions
    wrong = {topic.families[0] for topic in topics if topic.of_calls and topic.partitions != shared}
    if wrong:
        raise SettingsError(
            "\n".join(
                f"topics.families.{family}.partitions: must be {shared} (topics.partitions): topics of "
                "calls share one number, so that they can be joined"
                for family in sorted(wrong)
            )
        )


def compare(planned: Iterable[Topic], present: Mapping[str, Present]) -> Difference:
    """Return what of the plan is missing or otherwise."""
    topics = list(planned)
    both = [(topic, present[topic.name]) for topic in topics if topic.name in present]
    return Difference(
        missing=[topic for topic in topics if topic.name not in present],
        recount=[(topic, found) for topic, found in both if found.partitions != topic.partitions],
        drift=[each for topic, found in both for each in _drift(topic, found)],
    )


def _drift(topic: Topic, found: Present) -> Iterable[Drift]:
    for option, wanted in topic.config.items():
        is_now = found.config.get(option, wanted)
        same = option == "cleanup.policy" and road_back.policies(is_now) == road_back.policies(wanted)
        if is_now != wanted and not same:
            yield Drift(topic.name, option, wanted, is_now)
    copies = topic.replication_factor
    if copies is not None and copies != found.replicas:
        yield Drift(topic.name, "replication factor", str(copies), str(found.replicas))


def uneven(planned: Iterable[Topic], present: Mapping[str, Present]) -> list[str]:
    """Return where topics that must have equally many partitions have not, or would not once made.

    A claim stands in the partition of its request: with other numbers a repeat would not be known.
    """
    counts = {topic.name: topic.partitions for topic in planned}
    counts |= {name: found.partitions for name, found in present.items()}
    return [
        f"{topic.name} {_has(topic.name, present)} {counts[topic.name]} partitions, but {topic.beside} "
        f"{_has(topic.beside, present)} {counts[topic.beside]}: they must be equal (topics.families.actions.partitions), and grow together"
        for topic in planned
        if topic.beside is not None and counts[topic.name] != counts[topic.beside]
    ]


def _has(name: str, present: Mapping[str, Present]) -> str:
    return "has" if name in present else "would get"


def totals(planned: Iterable[Topic], present: Mapping[str, Present] | None = None) -> Totals:
    """Return the sums of a plan; of topics that exist the copies are known."""
    topics = list(planned)
    known = {name: found.replicas for name, found in (present or {}).items()}
    copies = [known.get(topic.name, topic.replication_factor) for topic in topics]
    return Totals(
        len(topics),
        sum(topic.partitions for topic in topics),
        sum(topic.partitions * (each or 1) for topic, each in zip(topics, copies, strict=True)),
        copies.count(None),
    )


def check_names(settings: Settings, schemas: SchemaSet) -> None:
    """Refuse names of events and families that are none.

    Raises:
        SettingsError: each with what may have been meant.
    """
    events = {schema.user_event or schema.event for schema in schemas}
    families = {schema.family for schema in schemas} | {
        CONNECTOR,
        DEAD_LETTER,
        schemas.unknown.family,
        *road_back.FAMILIES,
    }
    problems = [
        f"events.topics.{name}: no such event{near(name, events)}"
        for name in settings.events.topics
        if name not in events
    ]
    problems += [
        f"topics.families.{name}: no such family{near(name, families)}"
        for name in settings.topics.families
        if name not in families
    ]
    if problems:
        raise SettingsError("\n".join(problems))
