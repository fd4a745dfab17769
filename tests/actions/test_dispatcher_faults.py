"""Partitions that come and go, transactions that fail, records that Kafka will not take."""

import pytest

from connector.actions.record import Aborted, Fenced, Place
from connector.ami.reach import Reach, Result
from connector.facts import AnswerRefused, PartitionsLost, PartitionsRevoked
from tests.actions.dispatchers import (
    COMMITTED,
    LETTERS,
    PLACE,
    Bench,
    answer,
    as_history,
    claims,
    effect,
    incoming,
    ping,
    responses,
)

AGAIN = Aborted({}, "the coordinator moved")


@pytest.mark.parametrize("settled", [AGAIN, Fenced("another's")])
def test_a_transaction_that_was_not_committed_is_done_again_with_the_same_work(
    settled: Aborted | Fenced,
) -> None:
    bench = Bench()
    bench.ask(ping(0), effect(1, "e", key=b"other"))
    bench.answer(answer())
    first = bench.commit(settled)
    assert len(first) == 3
    assert not bench.begun, "begun without its claim"
    assert bench.commit() == first
    assert len(bench.begun) == 1


def test_what_is_in_flight_is_seen_through_when_its_partition_is_revoked() -> None:
    bench = Bench()
    bench.ask(effect(0), effect(1, "r2"), ping(2, "r3", key=b"other"))
    bench.commit()
    bench.dispatcher.revoking([PLACE], bench.now_ms)
    assert [(fact.partitions, fact.in_flight) for fact in bench.of(PartitionsRevoked)] == [
        (("requests/0",), 2)
    ]
    assert not bench.dispatcher.released()
    bench.ask(ping(3, "r4", key=b"fourth"))
    bench.answer(answer())
    bench.answer(answer())
    assert not bench.begun, "something was begun although the partition leaves"
    assert not bench.dispatcher.released(), "the answers are not in Kafka"
    assert len(responses(bench.commit())) == 2
    assert bench.offsets == {PLACE: 1}
    assert bench.notes == {PLACE: "1:2,1"}
    assert bench.dispatcher.released() == {PLACE}
    assert not bench.dispatcher.released()


def test_a_partition_without_anything_in_flight_is_released_at_once() -> None:
    bench = Bench(in_flight=1)
    bench.ask(effect(0), ping(1, "r2", key=b"b"))
    bench.dispatcher.revoking([PLACE, Place("requests", 7)], bench.now_ms)
    assert bench.dispatcher.released() == {PLACE, Place("requests", 7)}
    assert bench.dispatcher.work(bench.now_ms) is None, "claimed although the partition has left"


def test_what_was_claimed_while_its_partition_was_revoked_is_done_and_what_was_not_is_left() -> None:
    for settled, begun in ((COMMITTED, 1), (AGAIN, 0)):
        bench = Bench()
        bench.ask(effect(0))
        work = bench.dispatcher.work(bench.now_ms)
        assert work
        bench.dispatcher.revoking([PLACE], bench.now_ms)
        assert not bench.dispatcher.released()
        bench.dispatcher.settled(settled, bench.now_ms)
        assert len(bench.begin()) == begun
        assert bench.dispatcher.released() == (frozenset() if begun else {PLACE})
        assert bench.dispatcher.work(bench.now_ms) is None


def test_a_rebalance_in_order_makes_nothing_unknown() -> None:
    bench = Bench()
    bench.ask(effect(0))
    records = bench.commit()
    bench.dispatcher.revoking([PLACE], bench.now_ms)
    bench.answer(answer())
    records += bench.commit()
    successor = Bench(bench.notes[PLACE], as_history(records))
    successor.ask(effect(1))
    assert responses(successor.commit())[0]["status"] == "SUCCESS"


def test_nothing_of_a_lost_partition_is_committed_or_begun() -> None:
    bench = Bench()
    other = Place("requests", 1)
    bench.dispatcher.assigned(other)
    bench.ask(effect(0), ping(1, "r2", key=None), ping(0, "r3")._replace(place=other))
    bench.commit()
    bench.answer(answer())
    bench.dispatcher.lost([PLACE], bench.now_ms)
    assert [(fact.partitions, fact.in_flight) for fact in bench.of(PartitionsLost)] == [(("requests/0",), 2)]
    bench.answer(answer())
    work = bench.dispatcher.work(bench.now_ms)
    assert work
    assert {*work.offsets} == {other}
    assert not bench.dispatcher.may_send(bench.begun[0].ticket, bench.now_ms)
    bench.dispatcher.settled(COMMITTED, bench.now_ms)
    bench.answer(Result(Reach.NOT_SENT))
    assert bench.dispatcher.idle


def test_a_partition_lost_in_a_transaction_is_not_touched_when_that_ends() -> None:
    for settled in (COMMITTED, AGAIN, Aborted({0: "no"}, "refused"), Fenced("another's")):
        bench = Bench()
        bench.ask(ping(0), effect(1, key=b"other"))
        bench.answer(answer())
        work = bench.dispatcher.work(bench.now_ms)
        assert work
        bench.dispatcher.lost([PLACE], bench.now_ms)
        bench.dispatcher.assigned(PLACE)
        bench.dispatcher.settled(settled, bench.now_ms)
        assert not bench.begin()
        assert bench.dispatcher.work(bench.now_ms) is None


def test_a_partition_that_becomes_ours_anew_begins_anew() -> None:
    bench = Bench(in_flight=2)
    bench.ask(effect(0), ping(1, "r2", key=b"other"))
    bench.dispatcher.assigned(PLACE)
    assert bench.dispatcher.work(bench.now_ms) is None
    [before] = bench.begun
    assert not bench.dispatcher.may_send(before.ticket, bench.now_ms)
    bench.dispatcher.answered(before.ticket, Result(Reach.NOT_SENT), bench.now_ms)
    bench.ask(effect(0), ping(1, "r2", key=b"other"))
    bench.commit()
    assert len(bench.begun) == 3


def test_at_the_end_nothing_new_is_begun_and_what_was_begun_is_told() -> None:
    bench = Bench()
    bench.ask(effect(0), effect(1, "r2"))
    bench.commit()
    bench.dispatcher.close(bench.now_ms)
    still = bench.dispatcher.idle
    bench.answer(answer())
    records = bench.commit()
    assert [each["request_id"] for each in claims(records)] == ["r1"]
    assert (still, bench.dispatcher.idle) == (False, True)
    assert not bench.dispatcher.released(), "nobody has revoked it"
    bench.dispatcher.assigned(Place("requests", 1))
    bench.ask(ping(0)._replace(place=Place("requests", 1)))
    assert not bench.begun


def test_a_refused_answer_is_told_on_the_default_topic_and_spoils_no_others() -> None:
    bench = Bench()
    bench.ask(effect(0, reply_to="bad.place"), ping(1, "r2", key=b"other"))
    bench.commit()
    bench.answer(answer())
    bench.answer(answer())
    bench.refuse("bad.place")
    records = bench.commit()
    said = {each["request_id"]: each for each in responses(records)}
    assert (said["r1"]["status"], said["r1"]["executed"]) == ("FAILURE", "yes")
    assert said["r1"]["message"] == "the answer could not be delivered: no"
    assert said["r2"]["status"] == "SUCCESS"
    assert {each["outcome"]["status"] for each in claims(records)} == {"SUCCESS"}
    assert bench.offsets == {PLACE: 2}
    assert [fact.instead for fact in bench.of(AnswerRefused)] == ["a short response on the default topic"]


def test_an_answer_that_no_topic_takes_is_a_dead_letter_and_at_last_given_up() -> None:
    bench = Bench()
    bench.ask(ping(0, reply_to="bad.place"))
    bench.answer(answer())
    bench.refuse("bad.place")
    bench.refuse("responses")
    work = bench.dispatcher.work(bench.now_ms)
    assert work
    assert [each.topic for each in work.records] == [LETTERS, "claims"]
    bench.dispatcher.settled(AGAIN, bench.now_ms)
    bench.refuse(LETTERS)
    assert [each.topic for each in bench.commit()] == ["claims"]
    assert bench.offsets == {PLACE: 1}
    assert len(bench.of(AnswerRefused)) == 3


def test_an_answer_of_which_nothing_could_be_done_stays_what_it_was() -> None:
    bench = Bench()
    bench.ask(effect(0, key=None, reply_to="bad.place"))
    bench.refuse("bad.place")
    [response] = responses(bench.commit())
    assert response["status"] == "INVALID"


def test_an_effect_whose_claim_is_refused_is_not_done() -> None:
    bench = Bench()
    bench.ask(effect(0), ping(1, "r2"))
    bench.refuse("claims")
    assert not bench.begun
    records = bench.commit()
    assert [each["status"] for each in responses(records)] == ["UNAVAILABLE"]
    assert not claims(records)
    assert len(bench.begun) == 1


def test_a_refused_done_claim_costs_its_repeats_and_no_answer() -> None:
    bench = Bench()
    bench.ask(ping(0), ping(1))
    bench.answer(answer())
    bench.refuse("claims")
    records = bench.commit()
    assert len(responses(records)) == 1
    assert not claims(records)
    assert responses(bench.commit())[0]["replayed"]


def test_a_dead_letter_that_is_refused_is_given_up() -> None:
    bench = Bench()
    bench.ask(incoming(0, b"nonsense")._replace(headers=(("kafka_correlationId", b"\x01"),)))
    bench.refuse(LETTERS)
    bench.refuse("responses")
    assert not bench.commit()
    assert bench.offsets == {PLACE: 1}
