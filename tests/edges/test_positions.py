"""Where topics end: an answer that is none is asked for again, for behind a wrong end claims are not seen."""

import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from typing import Any
from unittest.mock import Mock

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from connector.actions.record import Place
from connector.edges.kafka.positions import Positions, Question

CLAIMS = Place("claims", 0)


def answering(*offsets: int) -> Positions:
    """Return positions at an admin client that gives these answers, one after another."""
    left = iter(offsets)

    def list_offsets(asked: dict[Any, Any], **_: Any) -> dict[Any, "Future[Any]"]:
        future: Future[Any] = Future()
        future.set_result(Mock(offset=next(left)))
        return dict.fromkeys(asked, future)

    return Positions(Mock(list_offsets=list_offsets), Mock())


def test_an_end() -> None:
    question = answering(7).end(CLAIMS)
    question.look(0.0)
    assert question.answer == 7


def test_the_end_of_an_empty_topic() -> None:
    question = answering(0).end(CLAIMS)
    question.look(0.0)
    assert question.answer == 0


@pytest.mark.parametrize("nothing", [-1, -1001])
def test_no_end_without_an_error_is_no_answer(nothing: int) -> None:
    question = answering(nothing, 7).end(CLAIMS)
    with pytest.raises(KafkaException):
        question.look(0.0)
    assert question.answer is None
    question.look(0.1)
    assert question.answer is None
    question.look(1.0)
    question.look(1.0)
    assert question.answer == 7


ENOUGH_S = 30.0


class FormerLeader:
    """An admin client that asks with a former leader's epoch until it has looked up the topic's leaders.

    It answers 7. No look-up ends before `free` is set; `looked_up` holds the topics that were asked for.
    """

    def __init__(self) -> None:
        self.free = threading.Event()
        self.free.set()
        self.looked_up: list[str] = []
        self.questions = 0
        self._known: set[str] = set()

    def poll(self, _: float) -> int:
        return 0

    def list_offsets(self, asked: dict[TopicPartition, Any], **_: Any) -> dict[TopicPartition, Any]:
        self.questions += 1
        answers: dict[TopicPartition, Any] = {partition: Future() for partition in asked}
        for partition, future in answers.items():
            if partition.topic in self._known:
                future.set_result(Mock(offset=7))
            else:
                future.set_exception(KafkaException(KafkaError(KafkaError.FENCED_LEADER_EPOCH)))
        return answers

    def list_topics(self, topic: str, timeout: float) -> None:
        assert timeout > 0
        self.looked_up.append(topic)
        assert self.free.wait(ENOUGH_S)
        self._known.add(topic)


def answer_of(question: Question[int], rounds: int) -> int | None:
    """Look at a question this often, each time long enough after the last that it may be asked again."""
    for number in range(rounds):
        with suppress(KafkaException):
            question.look(float(number))
        if question.answer is not None:
            break
        time.sleep(0.001)
    return question.answer


def test_a_former_leader_is_not_asked_for_ever() -> None:
    admin = FormerLeader()
    positions = Positions(admin, Mock())  # type: ignore[arg-type] # what it is asked for
    question = positions.end(CLAIMS)
    assert admin.looked_up == []
    assert answer_of(question, 10_000) == 7
    assert set(admin.looked_up) == {"claims"}
    positions.close()


def test_leaders_are_looked_up_once_at_a_time() -> None:
    admin = FormerLeader()
    admin.free.clear()
    positions = Positions(admin, Mock())  # type: ignore[arg-type] # what it is asked for
    questions = [positions.end(Place("claims", number)) for number in range(3)]
    assert [answer_of(question, 10) for question in questions] == [None] * 3
    assert admin.questions > len(questions)
    admin.free.set()
    positions.close()
    assert admin.looked_up == ["claims"]
