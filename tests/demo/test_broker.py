"""The embedded broker: clients reach it, topics have the partitions they were given, faults come and go."""

import pytest
from confluent_kafka import Consumer, KafkaException, Producer

from connector.demo.broker import EmbeddedBroker
from connector.errors import BrokerError

ANSWER_S = 10.0
INVALID_RECORD = 87


def test_it_takes_records_and_gives_them_back() -> None:
    with EmbeddedBroker() as broker:
        broker.create_topic("calls", 5)
        producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
        assert len(producer.list_topics("calls", ANSWER_S).topics["calls"].partitions) == 5
        producer.produce("calls", b"value")
        assert producer.flush(ANSWER_S) == 0
        consumer = Consumer(
            {"bootstrap.servers": broker.bootstrap_servers, "group.id": "g", "auto.offset.reset": "earliest"}
        )
        consumer.subscribe(["calls"])
        message = consumer.poll(ANSWER_S)
        assert message is not None
        assert message.value() == b"value"
        consumer.close()


def test_a_topic_that_is_there_stays_as_it_is() -> None:
    with EmbeddedBroker() as broker:
        broker.create_topic("calls", 2)
        broker.create_topic("calls", 7)
        producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
        assert len(producer.list_topics("calls", ANSWER_S).topics["calls"].partitions) == 2


def test_several_brokers_are_one_cluster() -> None:
    with EmbeddedBroker(3) as broker:
        producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
        assert len(producer.list_topics(timeout=ANSWER_S).brokers) == 3


def test_it_goes_down_and_comes_back() -> None:
    with EmbeddedBroker() as broker:
        client = {"bootstrap.servers": broker.bootstrap_servers, "log_level": 2}
        broker.down()
        with pytest.raises(KafkaException):
            Producer(client).list_topics(timeout=0.3)
        broker.up()
        assert Producer(client).list_topics(timeout=ANSWER_S).brokers


def test_a_broker_that_is_not_there_is_named() -> None:
    with EmbeddedBroker() as broker, pytest.raises(BrokerError):
        broker.down(7)


def test_errors_come_and_go() -> None:
    with EmbeddedBroker() as broker:
        producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
        seen: list[object] = []
        producer.produce("calls", b"1", on_delivery=lambda error, _: seen.append(error and error.code()))
        producer.flush(ANSWER_S)
        broker.fail_requests([INVALID_RECORD, INVALID_RECORD])
        producer.produce("calls", b"2", on_delivery=lambda error, _: seen.append(error and error.code()))
        producer.flush(ANSWER_S)
        broker.heal_requests()
        producer.produce("calls", b"3", on_delivery=lambda error, _: seen.append(error and error.code()))
        producer.flush(ANSWER_S)
        assert seen == [None, INVALID_RECORD, None]


def test_closing_twice_does_no_harm() -> None:
    broker = EmbeddedBroker()
    broker.close()
    broker.close()
