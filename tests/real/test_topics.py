"""Topics on a real Kafka: made as planned, compared, mended; rights that are missing are named."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined] # its public names all the same
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from connector.edges.kafka.admin import KafkaAdmin
from connector.edges.kafka.client import Config, admin_config, producer_config
from connector.edges.kafka.producer import KafkaSink
from connector.edges.kafka.topics import TopicMaker
from connector.errors import BrokerError
from connector.facts import Fact, TopicMade
from connector.preflight import State
from connector.preflight.ends import kafka as kafka_findings
from connector.settings.actions import Actions
from connector.settings.kinds import Address, Options, Secret
from connector.settings.rights import Right
from connector.settings.sections import Events, Kafka, Pbx, Settings
from connector.settings.topics import Drift, Topic, compare, plan
from tests.edges.kafka_ends import DEADLINE_S, nobody, record
from tests.parts import kafka as parts

NUMBERS = count()
USER, PASSWORD = "connector", "its-password"


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), 120))


def settings(bootstrap: str, options: Options | None = None) -> Kafka:
    return Kafka(bootstrap_servers=(bootstrap,), librdkafka=options or {})


def admin(bootstrap: str, options: Options | None = None, deadline_s: float = DEADLINE_S) -> KafkaAdmin:
    return KafkaAdmin(admin_config(settings(bootstrap, options), "test"), deadline_s, nobody)


def topic(partitions: int = 2, **config: str) -> Topic:
    options = {name.replace("_", "."): value for name, value in config.items()}
    return Topic(f"made.{next(NUMBERS)}", partitions, None, options)


def test_a_plan_is_carried_out_once(kafka: parts.Kafka) -> None:
    planned = [topic(3, retention_ms="86400000"), topic(1, cleanup_policy="delete")]

    async def scenario() -> None:
        client = admin(kafka.bootstrap)
        assert [
            each.name for each in compare(planned, await client.present(_names(planned))).missing
        ] == _names(planned)
        assert await client.create(planned, dry=True) == planned
        assert await client.present(_names(planned)) == {}
        assert await client.create(planned) == planned
        assert await client.create(planned) == []
        found = await client.present(_names(planned))
        assert compare(planned, found) == ([], [], [])
        assert found[planned[0].name].partitions == 3

    run(scenario)


def _names(topics: list[Topic]) -> list[str]:
    return [each.name for each in topics]


def test_what_is_otherwise_is_told_and_options_are_mended(kafka: parts.Kafka) -> None:
    made = topic(2, retention_ms="86400000")
    wanted = replace(made, partitions=5, config={"retention.ms": "1000000", "max.message.bytes": "2000000"})

    async def scenario() -> None:
        client = admin(kafka.bootstrap)
        await client.create([made])
        difference = compare([wanted], await client.present([made.name]))
        assert [(each.name, found.partitions) for each, found in difference.recount] == [(made.name, 2)]
        assert set(difference.drift) == {
            Drift(made.name, "retention.ms", "1000000", "86400000"),
            Drift(made.name, "max.message.bytes", "2000000", "1048588"),
        }
        await client.configure(difference.drift)
        assert compare([wanted], await client.present([made.name])).drift == []

    run(scenario)


def road_back(bootstrap: str) -> tuple[Settings, dict[str, Topic]]:
    """Give settings with topics of their own, and by family the topics that they plan."""
    pbx = Pbx(address=(Address("h"),), username="u", secret=Secret("s"))
    events = Events(topic_prefix=f"made.{next(NUMBERS)}")
    wanted = Settings(pbx={"main": pbx}, kafka=settings(bootstrap), events=events, actions=Actions())
    return wanted, {each.families[0]: each for each in plan(wanted, [])}


def test_the_topics_of_the_road_back_are_made_as_planned(kafka: parts.Kafka) -> None:
    wanted, planned = road_back(kafka.bootstrap)

    async def scenario() -> None:
        client = admin(kafka.bootstrap)
        await client.create([*planned.values()])
        found = await client.present(_names([*planned.values()]))
        assert compare(planned.values(), found) == ([], [], [])
        findings = await kafka_findings(client, wanted, [*planned.values()])
        assert [each for each in findings if each.state is not State.OK] == []

    run(scenario)


def test_claims_that_others_made_wrong_are_fatal(kafka: parts.Kafka) -> None:
    wanted, planned = road_back(kafka.bootstrap)
    wrong = {"cleanup.policy": "delete", "retention.ms": "604800000"}

    async def scenario() -> None:
        client = admin(kafka.bootstrap)
        await client.create([planned["actions"], replace(planned["claims"], partitions=5, config=wrong)])
        findings = await kafka_findings(client, wanted, [*planned.values()])
        fatal = [each.seen for each in findings if each.fatal]
        assert len(fatal) == 3
        assert "has 5 partitions" in fatal[0]
        assert "cleanup.policy is delete" in fatal[1]
        assert "retention.ms is 604800000" in fatal[2]

    run(scenario)


def test_what_kafka_does_not_make_is_named_and_the_rest_is_made(kafka: parts.Kafka) -> None:
    good, copies, option = topic(), replace(topic(), replication_factor=5), topic(no_such_option="1")

    async def scenario() -> None:
        client = admin(kafka.bootstrap)
        with pytest.raises(BrokerError) as refused:
            await client.create([good, copies, option])
        first, second = str(refused.value).split("\n")
        assert copies.name in first
        assert "topics.replication_factor" in first
        assert option.name in second
        assert list(await client.present(_names([good, copies, option]))) == [good.name]

    run(scenario)


def test_a_topic_is_made_before_its_first_record(kafka: parts.Kafka) -> None:
    planned, facts = topic(2), list[Fact]()

    async def scenario() -> None:
        client = admin(kafka.bootstrap)
        maker = TopicMaker(client, [planned], facts.append)
        await maker.ensure(planned.name)
        await maker.ensure(planned.name)
        assert facts == [TopicMade(planned.name, 2)]
        assert list(await client.present([planned.name])) == [planned.name]

    run(scenario)


def grant(
    bootstrap: str, name: str, *operations: AclOperation, kind: ResourceType = ResourceType.TOPIC
) -> None:
    bindings = [
        AclBinding(
            kind, name, ResourcePatternType.LITERAL, f"User:{USER}", "*", operation, AclPermissionType.ALLOW
        )
        for operation in operations
    ]
    super_user = AdminClient({"bootstrap.servers": bootstrap})
    for future in super_user.create_acls(bindings).values():
        future.result(DEADLINE_S)


def as_user(cluster: parts.Kafka, password: str = PASSWORD) -> dict[str, str]:
    return {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "PLAIN",
        "sasl.username": USER,
        "sasl.password": password,
        "ssl.ca.location": str(cluster.certificate),
    }


def producer(cluster: parts.Kafka) -> Config:
    options = as_user(cluster) | {"topic.metadata.propagation.max.ms": "500"}
    return producer_config(settings(cluster.secure_bootstrap, options), "test")


def test_rights_that_are_missing_are_named(start_kafka: Callable[..., parts.Kafka]) -> None:
    cluster = start_kafka(users={USER: PASSWORD})
    hidden, seen, full = topic(), topic(), topic()

    async def scenario() -> None:
        await admin(cluster.bootstrap).create([hidden, seen, full])
        await asyncio.to_thread(grant, cluster.bootstrap, seen.name, AclOperation.DESCRIBE)
        await asyncio.to_thread(grant, cluster.bootstrap, full.name, AclOperation.WRITE)
        client = admin(cluster.secure_bootstrap, as_user(cluster))
        assert await client.reach() == 1
        needed = [Right("topic", each.name, ("READ", "WRITE")) for each in (hidden, seen, full)]
        groups = [Right("group", name, ("READ",)) for name in ("theirs", "ours")]
        unseen = Right("transactional-id", "t", ("WRITE",))
        await asyncio.to_thread(grant, cluster.bootstrap, "ours", AclOperation.READ, kind=ResourceType.GROUP)
        assert await client.lacking([*needed, *groups, unseen]) == [
            groups[0],
            *sorted(
                [
                    Right("topic", hidden.name, ("READ", "WRITE")),
                    Right("topic", seen.name, ("READ", "WRITE")),
                    Right("topic", full.name, ("READ",)),
                ]
            ),
        ]
        assert "give the connector's user the right" in await client.objection([topic()])
        with pytest.raises(BrokerError, match="give the connector's user the right"):
            await client.create([topic()])
        kind = ResourceType.BROKER
        await asyncio.to_thread(grant, cluster.bootstrap, "kafka-cluster", AclOperation.CREATE, kind=kind)
        # The brokers tell one another of a right in their own time.
        async with asyncio.timeout(DEADLINE_S):
            while await client.objection([topic()]):
                pass
        sink = KafkaSink(producer(cluster), nobody)
        lane = sink.lane()
        refused = await (await lane.put([record("no", seen.name), record("yes", full.name)]))
        assert [(each.place, "the right to it" in each.reason) for each in refused] == [(0, True)]
        assert await sink.close(DEADLINE_S) == 0
        with pytest.raises(BrokerError, match=r"sasl\.username"):
            await admin(cluster.secure_bootstrap, as_user(cluster, "wrong"), 3.0).reach()
        untrusting = as_user(cluster)
        del untrusting["ssl.ca.location"]
        with pytest.raises(BrokerError, match=r"ssl\.ca\.location"):
            await admin(cluster.secure_bootstrap, untrusting, 3.0).reach()

    run(scenario)
