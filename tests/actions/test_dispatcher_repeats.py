"""Repeats of a request id, order per key, and what the next owner of a partition knows."""

import pytest

from connector.actions.dispatch.claims import Memory
from connector.actions.dispatch.offsets import MAX_NOTE
from connector.actions.dispatch.transaction import QUIET_MS
from connector.actions.dispatch.turns import Bounds
from connector.actions.record import Incoming
from connector.ami.reach import Reach, Result
from tests.actions.dispatchers import (
    COMMITTED,
    NOW,
    OTHER,
    PLACE,
    Bench,
    answer,
    as_history,
    body,
    claims,
    effect,
    event,
    incoming,
    ping,
    responses,
)


def test_a_repeat_is_told_the_same_and_nothing_is_done() -> None:
    bench = Bench()
    bench.ask(effect(0), effect(1), effect(2, key=b"other"))
    bench.commit()
    assert len(bench.begun) == 1
    bench.answer(answer(), took_ms=7)
    [first] = responses(bench.commit())
    records = bench.commit()
    assert [*map(dict, responses(records))] == [{**first, "replayed": True}] * 2
    assert not claims(records), "a repeat writes no claim"
    assert not bench.begun
    assert bench.offsets == {PLACE: 3}
    bench.ask(effect(3))
    assert responses(bench.commit())[0]["replayed"]


def test_other_content_under_a_known_id_is_invalid_at_once_and_touches_no_claim() -> None:
    bench = Bench()
    other = effect(1, key=b"other", headers={"UserEvent": "Other"})
    bench.ask(effect(0))
    bench.commit()
    bench.ask(other)
    records = bench.commit()
    assert [each["status"] for each in responses(records)] == ["INVALID"]
    assert not claims(records)
    bench.answer(answer())
    bench.commit()
    bench.ask(other._replace(offset=2), effect(3))
    records = bench.commit()
    assert [each["status"] for each in responses(records)] == ["INVALID", "SUCCESS"]
    assert not claims(records)


def test_the_same_id_at_another_pbx_is_another_request() -> None:
    bench = Bench()
    bench.ask(effect(0), effect(1, key=b"other", pbx=OTHER))
    bench.commit()
    assert len(bench.begun) == 2


def test_a_repeat_of_what_was_invalid_is_looked_at_anew() -> None:
    bench = Bench()
    wrong = incoming(0, body("Hangup"))
    bench.ask(wrong, wrong._replace(offset=1, key=b"other"))
    bench.commit()
    [response] = responses(bench.commit())
    assert (response["status"], response["replayed"]) == ("INVALID", False)


def test_a_large_answer_is_kept_as_how_it_ended() -> None:
    bench = Bench()
    items = [event("CoreShowChannel", ("Channel", "x" * 100)) for _ in range(60)]
    bench.ask(incoming(0, body("CoreShowChannels")), incoming(1, body("CoreShowChannels")))
    bench.answer(answer("Success", "follows", *items))
    first, second = responses(bench.commit()) + responses(bench.commit())
    assert len(first["events"]) == 60
    assert (second["status"], second["truncated"], second["events"]) == ("SUCCESS", True, [])
    assert second["message"] == "follows; the answer had 2 lines and 60 events, and was not kept"


def test_an_answer_too_large_to_be_sent_is_told_alike_to_repeats() -> None:
    bench = Bench()
    items = [event("CoreShowChannel", ("Channel", "x" * 1_000)) for _ in range(30)]
    bench.ask(incoming(0, body("CoreShowChannels")), incoming(1, body("CoreShowChannels")))
    bench.answer(answer("Success", "follows", *items))
    first, second = responses(bench.commit()) + responses(bench.commit())
    assert (first["status"], first["executed"]) == ("FAILURE", "yes")
    assert {**first, "replayed": True} == second


def test_reads_beyond_what_is_kept_are_done_again_and_effects_are_not() -> None:
    bench = Bench(memory=Memory(3_600_000, 1))
    bench.ask(effect(0, "e"))
    bench.commit()
    bench.answer(answer())
    bench.commit()
    for offset, name in enumerate(["r1", "r2"], start=1):
        bench.ask(ping(offset, name))
        bench.answer(answer())
        bench.commit()
    bench.ask(effect(3, "e"), ping(4, "r2"), ping(5, "r1"))
    assert [each["replayed"] for each in responses(bench.commit())] == [True, True]
    assert len(bench.begun) == 1


def test_what_is_older_than_the_retention_is_forgotten() -> None:
    bench = Bench(memory=Memory(1_000, 10))
    bench.ask(effect(0))
    bench.commit()
    bench.answer(answer())
    bench.commit()
    bench.now_ms += 1_001
    bench.ask(ping(1, "r2"))
    bench.answer(answer())
    bench.commit()
    assert not bench.dispatcher._partitions[PLACE].claims._effects


def test_the_next_with_a_key_begins_when_the_former_is_final_and_others_beside_it() -> None:
    bench = Bench()
    bench.ask(effect(0, "r1"), ping(1, "r2"), ping(2, "r3", key=b"other"), ping(3, "r4", key=None))
    assert [each.ticket.record.offset for each in bench.begun] == [2, 3]
    bench.begun.clear()
    bench.commit()
    [first] = bench.begun
    bench.answer(answer())
    assert not bench.begun, "the former is finished and not yet final"
    work = bench.dispatcher.work(bench.now_ms)
    assert work
    assert not bench.begin()
    bench.dispatcher.settled(COMMITTED, bench.now_ms)
    assert [each.ticket.record.offset for each in bench.begin()] == [1]
    assert first.ticket.record.offset == 0


def test_the_next_claim_may_go_with_the_formers_answer() -> None:
    bench = Bench()
    bench.ask(effect(0, "r1"), effect(1, "r2"))
    assert [each["request_id"] for each in claims(bench.commit())] == ["r1"]
    bench.answer(answer())
    assert [each["request_id"] for each in claims(bench.commit())] == ["r1", "r2"]
    assert [each.ticket.record.offset for each in bench.begun] == [1]


def test_the_offset_stays_at_the_first_that_is_not_final_and_the_note_tells_the_rest() -> None:
    bench = Bench()
    bench.ask(effect(0), ping(1, "r2", key=None), ping(2, "r3", key=None))
    bench.answer(answer())
    records = bench.commit()
    assert bench.offsets == {PLACE: 0}
    assert bench.notes == {PLACE: "1:1,1"}
    successor = Bench(bench.notes[PLACE], as_history(records))
    successor.ask(effect(0), ping(1, "r2", key=None), ping(2, "r3", key=None))
    assert [each.ticket.record.offset for each in successor.begun] == [2]
    records = successor.commit()
    assert [each["status"] for each in responses(records)] == ["UNKNOWN"]


def test_the_offset_goes_on_over_what_the_note_tells_without_another_request() -> None:
    bench = Bench("1:5,2")
    bench.ask(ping(5), ping(6, "r2"))
    assert bench.dispatcher.work(bench.now_ms) is None
    bench.pass_ms(QUIET_MS)
    assert not bench.commit()
    assert bench.offsets == {PLACE: 7}
    assert bench.dispatcher.work(bench.now_ms) is None
    assert bench.dispatcher.due(bench.now_ms) is None


def test_its_own_record_is_not_answered_again_where_the_note_was_lost() -> None:
    bench = Bench()
    bench.ask(ping(0))
    bench.answer(answer())
    successor = Bench("", as_history(bench.commit()))
    successor.ask(ping(0), ping(1))
    assert not successor.begun
    records = successor.commit()
    assert [each["replayed"] for each in responses(records)] == [True]
    assert successor.offsets == {PLACE: 2}


def test_claimed_and_not_done_is_unknown_for_an_effect_and_so_it_stays() -> None:
    bench = Bench()
    bench.ask(effect(0))
    history = as_history(bench.commit())
    successor = Bench("", history)
    successor.ask(effect(0), effect(1))
    assert not successor.begun
    records = successor.commit()
    [response], [claim] = responses(records), claims(records)
    assert (response["status"], response["executed"]) == ("UNKNOWN", "unknown")
    assert response["message"] == "it was begun by me, and how it ended is not known"
    assert claim["outcome"]["status"] == "UNKNOWN"
    assert [each["status"] for each in responses(successor.commit())] == ["UNKNOWN"]


def test_claimed_and_not_done_is_done_again_where_it_is_a_read() -> None:
    bench = Bench()
    bench.ask(effect(0))
    [claim] = as_history(bench.commit())
    digest = bench.begun[0].ticket.asked.digest
    probe = Bench()
    probe.ask(ping(0))
    value = (claim.value or b"").replace(digest.encode(), probe.begun[0].ticket.asked.digest.encode())
    successor = Bench("", [claim._replace(value=value)])
    successor.ask(ping(0))
    assert len(successor.begun) == 1


def test_the_last_claim_of_a_request_counts() -> None:
    bench = Bench()
    bench.ask(effect(0))
    records = bench.commit()
    bench.answer(answer())
    records += bench.commit()
    successor = Bench("", as_history(records))
    successor.ask(effect(1))
    assert [each["status"] for each in responses(successor.commit())] == ["SUCCESS"]


def test_a_claim_that_cannot_be_read_makes_its_request_unknown() -> None:
    claim = Incoming(PLACE._replace(topic="claims"), 0, NOW, b"pbx1|r1", b"not JSON")
    bench = Bench("", [claim, claim._replace(key=b"neither", value=None)])
    bench.ask(effect(0))
    records = bench.commit()
    assert [each["status"] for each in responses(records)] == ["UNKNOWN"]
    assert not claims(records), "what cannot be read here may be readable elsewhere"


def test_claims_of_other_groups_are_not_remembered() -> None:
    bench = Bench()
    bench.ask(effect(0, pbx=OTHER))
    history = as_history(bench.commit())
    successor = Bench("", history, served=("pbx1",))
    assert not successor.dispatcher._partitions[PLACE].claims._effects


def test_nothing_is_taken_beyond_a_bound_until_half_of_it_is_final() -> None:
    bench = Bench(bounds=Bounds(4, 1 << 20))
    bench.ask(*(ping(offset, f"r{offset}", key=None) for offset in range(4)))
    assert bench.dispatcher.flow() == (frozenset({PLACE}), frozenset())
    assert bench.dispatcher.flow() == (frozenset(), frozenset())
    bench.answer(answer())
    bench.commit()
    assert bench.dispatcher.flow() == (frozenset(), frozenset())
    bench.answer(answer())
    bench.commit()
    assert bench.dispatcher.flow() == (frozenset(), frozenset({PLACE}))


def test_bytes_count_too() -> None:
    record = ping(0)
    size = len(record.value or b"")
    bench = Bench(bounds=Bounds(100, 2 * size - 1))
    bench.ask(record)
    assert not bench.dispatcher.flow().pause
    bench.ask(ping(1, "r2", key=None))
    assert bench.dispatcher.flow().pause == {PLACE}
    bench.answer(answer())
    bench.commit()
    assert not bench.dispatcher.flow().resume
    bench.answer(answer())
    bench.commit()
    assert bench.dispatcher.flow().resume == {PLACE}


def test_what_no_note_could_tell_waits_until_the_offset_goes_on() -> None:
    """Every other request is stuck, so that each final one beyond the offset costs a number in the note."""
    count = 2_400
    bench = Bench(bounds=Bounds(count, 1 << 30), in_flight=count)
    for offset in range(0, count, 2):
        bench.ask(ping(offset, f"r{offset}", key=None), ping(offset + 1, f"r{offset + 1}", key=None))
    by_offset = {each.ticket.record.offset: each for each in bench.begun}
    for offset in range(1, count, 2):
        bench.dispatcher.answered(by_offset[offset].ticket, answer(), bench.now_ms)
    told_first = len(responses(bench.commit()))
    assert 0 < told_first < count // 2
    assert len(bench.notes[PLACE]) <= MAX_NOTE
    while bench.dispatcher._transactions.work(bench.now_ms) is not None:
        bench.dispatcher.settled(COMMITTED, bench.now_ms)
    assert bench.dispatcher.due(bench.now_ms) is None, "it would ask for a transaction without an end"
    for offset in range(0, count, 2):
        bench.dispatcher.answered(by_offset[offset].ticket, answer(), bench.now_ms)
    while not bench.dispatcher.idle:
        bench.commit()
    assert bench.offsets == {PLACE: count}
    assert bench.notes == {PLACE: ""}


@pytest.mark.parametrize("known", [True, False])
def test_the_wires_refusal_after_a_loss_gives_back_its_place(known: bool) -> None:
    bench = Bench(in_flight=1)
    bench.ask(ping(0))
    [execute] = bench.begun
    bench.dispatcher.lost([PLACE], bench.now_ms)
    bench.dispatcher.assigned(PLACE)
    bench.ask(ping(0))
    assert len(bench.begun) == 1
    if known:
        bench.dispatcher.spurned(execute.ticket, "no", bench.now_ms)
    else:
        bench.dispatcher.answered(execute.ticket, Result(Reach.SENT), bench.now_ms)
    bench.pass_ms(0)
    assert len(bench.begun) == 2
