"""Asking Kafka: what the embedded broker can answer; creation and rights are tried on a real Kafka."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from connector.demo.broker import EmbeddedBroker
from connector.edges.kafka.admin import KafkaAdmin
from connector.edges.kafka.topics import TopicMaker
from connector.errors import BrokerError, SettingsError
from connector.settings.rights import Right
from connector.settings.topics import Topic
from tests.edges.kafka_ends import DEADLINE_S, admin_of, nobody


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), 60))


def test_brokers_that_answer_are_counted(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        assert await KafkaAdmin(admin_of(broker), DEADLINE_S, nobody).reach() == 1

    run(scenario)


def test_brokers_that_do_not_answer_are_an_error_that_says_what_to_do(broker: EmbeddedBroker) -> None:
    broker.down()

    async def scenario() -> None:
        with pytest.raises(
            BrokerError, match=r"^Kafka: .*; are the brokers up, and is kafka\.bootstrap_servers"
        ):
            await KafkaAdmin(admin_of(broker), 0.5, nobody).reach()

    run(scenario)


def test_topics_that_exist_are_described(broker: EmbeddedBroker) -> None:
    broker.create_topic("calls", 4)

    async def scenario() -> None:
        admin = KafkaAdmin(admin_of(broker), 1.0, nobody)
        found = await admin.present(["calls", "absent"])
        assert {name: (topic.partitions, topic.replicas) for name, topic in found.items()} == {
            "calls": (4, 1)
        }
        assert await admin.present([]) == {}
        rights = [Right("topic", name, ("WRITE",)) for name in ("calls", "absent")]
        assert await admin.lacking([*rights, Right("group", "g", ("READ",))]) == []

    run(scenario)


def test_a_topic_that_cannot_be_made_is_named(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        admin = KafkaAdmin(admin_of(broker), 1.0, nobody)
        with pytest.raises(BrokerError, match="creating topic calls: "):
            await admin.create([Topic("calls", 1, None)])
        with pytest.raises(BrokerError, match="creating topic calls: "):
            await TopicMaker(admin, [Topic("calls", 1, None)], nobody).ensure("calls")
        assert await admin.create([]) == []

    run(scenario)


def test_topics_of_others_are_left_alone(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        await TopicMaker(None, [Topic("calls", 1, None)], nobody).ensure("calls")
        admin = KafkaAdmin(admin_of(broker), 1.0, nobody)
        await TopicMaker(admin, [], nobody).ensure("calls")

    run(scenario)


def test_an_option_that_librdkafka_does_not_take_is_a_wrong_setting(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        with pytest.raises(SettingsError, match="nonsense"):
            KafkaAdmin(admin_of(broker) | {"nonsense": 1}, DEADLINE_S, nobody)
        secured = {"security.protocol": "SSL", "ssl.ca.location": "/nowhere.pem"}
        with pytest.raises(SettingsError, match=r"ssl\.ca\.location failed.*is the file there"):
            KafkaAdmin(admin_of(broker) | secured, DEADLINE_S, nobody)

    run(scenario)
