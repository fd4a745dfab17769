"""The fuzzer's corpus and a few of its inputs, in each run; and that it would find something."""

import pytest

from connector.actions.record import Incoming, Place
from connector.avro.codec import wire_prefix
from connector.edges.schemas import load_action_schemas
from tests.fuzz import requests
from tests.fuzz.mutation import Mutator

TEXTS = {1: load_action_schemas().request.text}


def _incoming(name: str, data: bytes) -> Incoming:
    avro = name.startswith("avro")
    value = wire_prefix(1) + data if avro else data
    return Incoming(Place("a" if avro else "j", 0), 1, 1_700_000_000_000, b"k", value)


@pytest.mark.parametrize(("name", "data"), requests.corpus().items(), ids=lambda each: str(each)[:20])
def test_the_corpus_is_survived(name: str, data: bytes) -> None:
    requests.judge(_incoming(name, data), TEXTS)


def test_damage_is_survived() -> None:
    once = requests.target(7)
    for _ in range(500):
        once()


def test_the_same_seed_does_the_same_damage() -> None:
    one, other = (Mutator([b"abc" * 9, b"xyz"], [b"!"], 5) for _ in range(2))
    made = [one.make() for _ in range(50)]
    assert made == [other.make() for _ in range(50)]
    assert len(set(made)) > 20


def test_a_repeated_value_would_be_found() -> None:
    requests.judge_text(f"unknown field '{requests.SECRET}'; known are action")
    with pytest.raises(AssertionError, match="a value is repeated"):
        requests.judge_text(f"header Secret: {requests.SECRET}")
