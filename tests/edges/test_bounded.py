"""Calls that never return are left to themselves, and the next one is made."""

import threading

import pytest
from confluent_kafka import KafkaError, KafkaException

from connector.edges.kafka.bounded import Bounded

PATIENT_S = 30.0


def test_a_call_is_made_in_one_thread_and_its_error_is_the_callers() -> None:
    bounded, threads = Bounded(PATIENT_S), []

    def refused() -> None:
        raise KafkaException(KafkaError(KafkaError.ILLEGAL_GENERATION))

    bounded.call(lambda: threads.append(threading.current_thread()))
    with pytest.raises(KafkaException) as caught:
        bounded.call(refused)
    bounded.call(lambda: threads.append(threading.current_thread()))
    assert caught.value.args[0].code() == KafkaError.ILLEGAL_GENERATION
    assert threads[0] is threads[1] is not threading.current_thread()
    bounded.close()
    threads[0].join(PATIENT_S)
    assert not threads[0].is_alive()


def test_a_call_that_does_not_return_is_left_behind() -> None:
    bounded, end, left, made = Bounded(0.5), threading.Event(), threading.Event(), []

    def never() -> None:
        end.wait(PATIENT_S)
        left.set()

    with pytest.raises(KafkaException, match="no end of never") as caught:
        bounded.call(never)
    assert caught.value.args[0].code() == KafkaError._TIMED_OUT
    bounded.call(lambda: made.append(1))
    assert made == [1]
    assert not left.is_set()
    end.set()
    assert left.wait(PATIENT_S)
    bounded.close()
