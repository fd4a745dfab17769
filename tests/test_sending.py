"""What a sender hears of a request that Kafka does not take: whether it may still be executed."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import KafkaError

from connector.app.sending import Asked, NotAnswered, send
from connector.demo.broker import EmbeddedBroker
from connector.errors import BrokerError, ConnectorError
from connector.settings.actions import Actions
from connector.settings.sections import Kafka, Settings
from tests.test_preflight import PBX

FIELDS: dict[str, Any] = {"request_id": "r7", "action": "Ping", "headers": [], "accept_parts": True}
MANY = 10_000


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as running:
        for topic in ("asterisk.actions.json", "asterisk.responses.json"):
            running.create_topic(topic, 1)
        yield running


def failing(broker: EmbeddedBroker, error: int, reach_s: float) -> tuple[ConnectorError, int]:
    """Send where Kafka answers the request's record with an error; return what is raised, and how often it left."""
    broker.fail_requests([error] * MANY)
    chosen = Settings(
        pbx={"main": PBX}, kafka=Kafka(bootstrap_servers=(broker.bootstrap_servers,)), actions=Actions()
    )
    left: list[None] = []
    asked = Asked(fields=FIELDS, key="k", within_s=60.0, reach_s=reach_s)
    with pytest.raises((BrokerError, NotAnswered)) as failed:
        asyncio.run(send(chosen, asked, lambda _: None, lambda: left.append(None)))
    return failed.value, len(left)


def test_what_was_handed_over_in_vain_may_still_be_executed(broker: EmbeddedBroker) -> None:
    error, left = failing(broker, KafkaError.REQUEST_TIMED_OUT, 1.0)
    assert isinstance(error, NotAnswered)
    assert str(error).endswith("; request r7 may still be executed")
    assert left == 1


def test_what_kafka_refuses_is_not_executed(broker: EmbeddedBroker) -> None:
    error, _ = failing(broker, KafkaError.TOPIC_AUTHORIZATION_FAILED, 30.0)
    assert isinstance(error, BrokerError)
    assert str(error).startswith("asterisk.actions.json: ")
    assert "may still be executed" not in str(error)
