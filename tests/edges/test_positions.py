"""Where topics end: an answer that is none is asked for again, for behind a wrong end claims are not seen."""

from concurrent.futures import Future
from typing import Any
from unittest.mock import Mock

import pytest
from confluent_kafka import KafkaException

from connector.actions.record import Place
from connector.edges.kafka.positions import Positions

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
