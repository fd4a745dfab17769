"""An Originate that is told as UNKNOWN names its channel, and a fact says that it is unresolved."""

import pytest

from connector.actions.preparation import own_channel
from connector.actions.record import Incoming
from connector.ami.reach import Reach, Result
from connector.facts import CallUnresolved
from tests.actions.dispatchers import PAIR, PBX, Bench, answer, as_history, body, effect, incoming, responses

CALL = own_channel(PBX, "r1")
CUT = Result(Reach.SENT, reason="the connection ended")


def originate(offset: int = 0, call_id: str = CALL, key: bytes = b"k") -> Incoming:
    headers = {"Channel": "Local/1@x", "Application": "Wait", "Data": "1", "ChannelId": call_id}
    return incoming(offset, body("Originate", "r1", headers={k: v for k, v in headers.items() if v}), key)


def left_to_the_next(request: Incoming) -> Bench:
    """Have a connector die with a request begun, and the next one take over."""
    first = Bench()
    first.ask(request)
    successor = Bench(claims=as_history(first.commit()))
    successor.ask(request)
    return successor


def unresolved(bench: Bench) -> list[tuple[str, str, str, str, int, int]]:
    return [
        (each.call_id, each.request_id, each.action, each.topic, each.partition, each.offset)
        for each in bench.of(CallUnresolved)
    ]


def test_a_call_whose_session_was_cut_is_unresolved_once_that_is_told() -> None:
    bench = Bench()
    bench.ask(originate())
    bench.commit()
    bench.answer(CUT)
    assert unresolved(bench) == []
    (response,) = responses(bench.commit())
    assert (response["status"], response["call_id"]) == ("UNKNOWN", CALL)
    assert unresolved(bench) == [(CALL, "r1", "Originate", PAIR.requests, 0, 0)]
    bench.ask(originate(1))
    assert [each["replayed"] for each in responses(bench.commit())] == [True]
    assert len(unresolved(bench)) == 1


def test_so_is_one_that_was_left_to_the_next_owner() -> None:
    bench = left_to_the_next(originate())
    (response,) = responses(bench.commit())
    assert (response["status"], response["call_id"]) == ("UNKNOWN", CALL)
    assert unresolved(bench) == [(CALL, "r1", "Originate", PAIR.requests, 0, 0)]


@pytest.mark.parametrize("call_id", ["my-own", own_channel(PBX, "r2"), ""], ids=["own", "anothers", "none"])
def test_an_id_that_the_requester_chose_proves_nothing(call_id: str) -> None:
    bench = left_to_the_next(originate(call_id=call_id))
    (response,) = responses(bench.commit())
    assert (response["status"], response["call_id"]) == ("UNKNOWN", call_id or None)
    assert unresolved(bench) == []


def test_an_answered_call_is_resolved_and_another_effect_has_no_channel() -> None:
    bench = Bench()
    bench.ask(originate())
    bench.commit()
    bench.answer(answer())
    assert [each["status"] for each in responses(bench.commit())] == ["SUCCESS"]
    other = left_to_the_next(effect(0, headers={"UserEvent": "Done", "ChannelId": CALL}))
    assert [each["call_id"] for each in responses(other.commit())] == [None]
    assert unresolved(bench) == unresolved(other) == []


def test_only_what_is_committed_is_told() -> None:
    bench = left_to_the_next(originate())
    assert bench.dispatcher.work(bench.now_ms) is not None
    assert unresolved(bench) == []
