"""Requests of the crash test: by their seed, of every kind, each with a correlation of its own."""

import json
from collections import Counter
from itertools import islice

from tests.crash import steps
from tests.crash.faults import plan, round_length
from tests.crash.judge import FINE
from tests.crash.stream import CORRELATION, KIND, NUMBER, Draft, Stream


def drafts(seed: int, number: int = 2_000) -> list[Draft]:
    stream = Stream(seed, "replies")
    return [stream.draw() for _ in range(number)]


def header(draft: Draft, name: str) -> str:
    return dict(draft.headers).get(name, b"").decode()


def test_the_same_seed_gives_the_same_requests() -> None:
    assert drafts(3) == drafts(3) != drafts(4)


def test_every_kind_comes_and_the_shares_hold() -> None:
    kinds = Counter(header(each, KIND) for each in drafts(1))
    assert kinds.keys() == FINE.keys()
    assert 0.55 < kinds["originate"] / 2_000 < 0.75
    assert 20 < sum(number for kind, number in kinds.items() if kind not in ("originate", "read")) < 120


def test_every_record_has_a_correlation_of_its_own() -> None:
    told = [header(each, CORRELATION) for each in drafts(1)]
    assert len({*told}) == len(told)


def test_repeats_have_the_key_and_the_content_of_the_first() -> None:
    first: dict[str, Draft] = {}
    repeats = 0
    for draft in drafts(1):
        if header(draft, KIND) not in ("originate", "read"):
            continue
        known = first.setdefault(json.loads(draft.value)["request_id"], draft)
        repeats += known is not draft
        assert (known.key, known.value, header(known, NUMBER)) == (
            draft.key,
            draft.value,
            header(draft, NUMBER),
        )
        assert known is draft or draft.key is not None
    assert 50 < repeats < 200


def test_every_originate_dials_a_number_of_its_own() -> None:
    numbers = {
        header(each, NUMBER): json.loads(each.value)["request_id"]
        for each in drafts(1)
        if header(each, KIND) == "originate"
    }
    assert len({*numbers.values()}) == len(numbers)


def test_a_round_of_faults_has_each_kind_at_each_step() -> None:
    blows = [*islice(plan(1), round_length())]
    assert {(each.kind, each.step) for each in blows} >= {
        (kind, step) for kind in ("kill", "stop") for step in steps.ALL
    }
    assert {each.kind for each in blows} == {"kill", "stop", "broker", "pbx", "link", "member"}
    assert blows == [*islice(plan(1), round_length())]
