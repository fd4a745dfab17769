"""One request at the dispatcher: how each ends, what stands in Kafka, and when it is sent."""

from collections.abc import Callable
from typing import Any

import pytest

from connector.actions.dispatch.limits import Limit
from connector.actions.dispatch.transaction import QUIET_MS
from connector.actions.policy.policy import Policy
from connector.actions.record import Aborted, Incoming
from connector.ami.message import Kind
from connector.ami.reach import Reach, Result
from connector.facts import (
    ActionAnswered,
    ActionBegun,
    ActionDoubtful,
    ActionFact,
    ActionRefused,
    RequestUndecodable,
)
from tests.actions.dispatchers import (
    AVRO,
    CATALOGUE,
    COMMITTED,
    LETTERS,
    NOW,
    PBX,
    PLACE,
    SCHEMAS,
    TTL_MS,
    Bench,
    answer,
    body,
    claims,
    effect,
    event,
    header,
    incoming,
    message,
    ping,
    responses,
    told,
)

CUT = Result(Reach.SENT, reason="the connection ended")
LATE = Result(Reach.SENT, late=True, reason="no answer in 5 s")
NOT_SENT = Result(Reach.NOT_SENT, reason="no session")


def test_a_read_needs_no_claim_and_one_transaction_tells_its_answer() -> None:
    bench = Bench()
    bench.ask(ping(5, headers={"ActionID": "mine"}))
    assert bench.begun[0].pbx == PBX
    assert bench.begun[0].timeout_s == 5.0
    bench.answer(answer(), sent_ms=2, took_ms=3)
    records = bench.commit()
    [response], [claim] = responses(records), claims(records)
    assert (response["status"], response["executed"], response["message"]) == ("SUCCESS", "yes", "Done")
    assert (response["sent_time"], response["answered_time"]) == (NOW + 2, NOW + 5)
    assert response["action_id"] == "mine"
    assert {"name": "ActionID", "value": "mine"} in response["response"]
    assert claim["outcome"]["status"] == "SUCCESS"
    assert claim["offset"] == 5
    assert bench.offsets == {PLACE: 6}
    assert bench.dispatcher.idle
    assert bench.dispatcher.work(bench.now_ms) is None


def test_our_action_id_is_not_told_where_the_requester_gave_none() -> None:
    bench = Bench()
    bench.ask(ping(0))
    bench.answer(answer())
    [response] = responses(bench.commit())
    assert [each["name"] for each in response["response"]] == ["Response", "Message"]


def test_an_effect_is_begun_behind_its_claim_and_not_before() -> None:
    bench = Bench()
    bench.ask(effect(0))
    assert not bench.begun
    work = bench.dispatcher.work(bench.now_ms)
    assert work
    assert [told(each)["outcome"] for each in work.records] == [None]
    assert work.offsets == {PLACE: 0}
    assert not bench.begin()
    assert bench.dispatcher.work(bench.now_ms) is None, "a second transaction beside the first"
    bench.dispatcher.settled(Aborted({}, "again"), bench.now_ms)
    assert not bench.begin()
    bench.commit()
    assert len(bench.begun) == 1
    bench.answer(answer())
    records = bench.commit()
    assert responses(records)[0]["status"] == "SUCCESS"
    assert claims(records)[0]["outcome"]["executed"] == "yes"
    assert bench.offsets == {PLACE: 1}


READS: list[tuple[Result, str, str, str]] = [
    (answer(), "SUCCESS", "yes", "Done"),
    (answer("Error", "Permission denied"), "FAILURE", "no", "Permission denied"),
    (LATE, "TIMEOUT", "unknown", "no answer was heard: no answer in 5 s"),
]
EFFECTS: list[tuple[Result, str, str, str]] = [
    (answer(), "SUCCESS", "yes", "Done"),
    (answer("Error", "No such channel"), "FAILURE", "no", "No such channel"),
    (LATE, "UNKNOWN", "unknown", "no answer in 5 s"),
    (CUT, "UNKNOWN", "unknown", "the connection ended"),
    (Result(Reach.SENT), "UNKNOWN", "unknown", "it was sent, and no answer was heard"),
    (NOT_SENT, "UNAVAILABLE", "no", "no session"),
    (Result(Reach.NOT_SENT), "UNAVAILABLE", "no", "there is no session at the PBX"),
]


@pytest.mark.parametrize(("result", "status", "executed", "said"), READS)
def test_results_of_reads(result: Result, status: str, executed: str, said: str) -> None:
    bench = Bench()
    bench.ask(ping(0))
    bench.answer(result)
    [response] = responses(bench.commit())
    assert (response["status"], response["executed"], response["message"]) == (status, executed, said)


@pytest.mark.parametrize(("result", "status", "executed", "said"), EFFECTS)
def test_results_of_effects(result: Result, status: str, executed: str, said: str) -> None:
    bench = Bench()
    bench.ask(effect(0))
    bench.commit()
    bench.answer(result)
    assert not bench.begun, "an effect was sent again"
    records = bench.commit()
    [response] = responses(records)
    assert (response["status"], response["executed"], response["message"]) == (status, executed, said)
    assert (response["sent_time"] is None) == (result.reach is Reach.NOT_SENT)
    assert claims(records)[0]["outcome"]["status"] == status


@pytest.mark.parametrize("first", [CUT, NOT_SENT])
def test_a_read_that_was_cut_off_is_sent_once_more_and_no_oftener(first: Result) -> None:
    bench = Bench()
    bench.ask(ping(0))
    bench.answer(first)
    bench.answer(first)
    assert not bench.begun
    assert responses(bench.commit())[0]["status"] == "UNAVAILABLE"


def test_a_read_that_was_cut_off_is_not_sent_again_when_its_time_is_over() -> None:
    bench = Bench()
    bench.ask(ping(0))
    bench.answer(CUT, took_ms=TTL_MS + 1)
    assert not bench.begun
    assert responses(bench.commit())[0]["status"] == "UNAVAILABLE"


def test_a_list_that_is_cut_in_the_middle_is_told_with_what_came_of_it() -> None:
    start = message(Kind.RESPONSE, ("", "Success"), ("EventList", "start"))
    items = tuple(event("CoreShowChannel", ("Channel", f"Local/{number}")) for number in range(3))
    part = answer().answer
    assert part
    bench = Bench()
    bench.ask(incoming(0, body("CoreShowChannels")))
    bench.answer(Result(Reach.SENT, part._replace(response=start, events=items), late=True))
    [response] = responses(bench.commit())
    assert response["status"] == "TIMEOUT"
    assert response["message"] == "the list was cut after 3 items"
    assert len(response["events"]) == 3


def test_an_error_that_means_an_empty_list_is_a_success() -> None:
    bench = Bench()
    bench.ask(incoming(0, body("PJSIPShowEndpoints")))
    bench.answer(answer("Error", "No endpoints found"))
    [response] = responses(bench.commit())
    assert (response["status"], response["events"]) == ("SUCCESS", [])


@pytest.mark.parametrize(
    ("response", "reason", "status", "words"),
    [("Success", "4", "SUCCESS", "answered"), ("Failure", "5", "FAILURE", "busy")],
)
def test_an_originate_ends_as_its_later_event_says(
    response: str, reason: str, status: str, words: str
) -> None:
    bench = Bench()
    headers = {"Channel": "Local/1@a", "Exten": "1", "ChannelId": "call-1", "Async": "true"}
    bench.ask(incoming(0, body("Originate", headers=headers)))
    bench.commit()
    result = event("OriginateResponse", ("Response", response), ("Reason", reason))
    bench.answer(answer("Success", "queued", result))
    [said] = responses(bench.commit())
    assert (said["status"], said["executed"], said["call_id"]) == (status, "yes", "call-1")
    assert said["message"] == words


INVALID: list[tuple[Incoming, str]] = [
    (effect(0, key=None), "needs a key"),
    (ping(0, pbx=""), "pbx is required"),
    (incoming(0, body("UserEvent", headers={"UserEvent": "a\r\nAction: b"})), "control character"),
    (incoming(0, body("Hangup")), "Hangup needs Channel"),
]


@pytest.mark.parametrize(("record", "said"), INVALID)
def test_what_could_never_be_done_is_invalid_and_not_kept(record: Incoming, said: str) -> None:
    bench = Bench()
    bench.ask(record)
    records = bench.commit()
    [response] = responses(records)
    assert (response["status"], response["executed"]) == ("INVALID", "no")
    assert said in response["message"]
    assert not claims(records)
    assert [fact.status for fact in bench.of(ActionRefused)] == ["INVALID"]
    assert bench.offsets == {PLACE: 1}


def test_what_the_policy_forbids_is_refused_by_name_and_kept() -> None:
    bench = Bench(policy=Policy(CATALOGUE))
    bench.ask(effect(0))
    records = bench.commit()
    [response], [claim] = responses(records), claims(records)
    assert (response["status"], response["executed"]) == ("REFUSED", "no")
    assert response["rule"] == "profile read-only"
    assert claim["outcome"]["status"] == "REFUSED"
    assert [(fact.status, fact.rule) for fact in bench.of(ActionRefused)] == [
        ("REFUSED", "profile read-only")
    ]


def test_a_parameter_that_the_action_does_not_have_is_told_and_goes_on() -> None:
    bench = Bench()
    bench.ask(incoming(0, body("Ping", headers={"Colour": "red"})))
    assert len(bench.begun) == 1
    assert [fact.reason for fact in bench.of(ActionDoubtful)] == ["Ping has no Colour"]


def test_a_request_without_pbx_is_for_the_only_one_where_that_is_allowed() -> None:
    bench = Bench(served=(PBX,), only=PBX)
    bench.ask(ping(0, pbx=""))
    assert bench.begun[0].pbx == PBX
    bench.answer(answer())
    assert responses(bench.commit())[0]["pbx"] == PBX


def test_a_request_for_anothers_pbx_is_passed_over_in_silence_and_not_in_haste() -> None:
    bench = Bench()
    bench.ask(ping(0, pbx="elsewhere"))
    assert bench.dispatcher.work(bench.now_ms) is None
    assert bench.dispatcher.due(bench.now_ms) == bench.now_ms + QUIET_MS
    bench.pass_ms(QUIET_MS)
    assert not bench.commit()
    assert bench.offsets == {PLACE: 1}
    assert bench.dispatcher.due(bench.now_ms) is None
    assert not bench.facts


def test_what_is_passed_over_goes_with_the_next_that_speaks() -> None:
    bench = Bench()
    bench.ask(ping(0, pbx="elsewhere", key=None), ping(1))
    bench.answer(answer())
    bench.commit()
    assert bench.offsets == {PLACE: 2}


def test_what_is_no_request_goes_to_the_dead_letters_and_holds_nothing_up() -> None:
    bench = Bench()
    bench.ask(incoming(0, b"nonsense"), ping(1))
    assert len(bench.begun) == 0, "the former with its key is not final"
    [letter] = bench.commit()
    assert (letter.topic, letter.value) == (LETTERS, b"nonsense")
    assert bench.offsets == {PLACE: 1}
    assert len(bench.begun) == 1
    assert [fact.offset for fact in bench.of(RequestUndecodable)] == [0]


def test_who_can_be_answered_is_told_that_it_was_no_request() -> None:
    bench = Bench()
    correlated = (("kafka_correlationId", b"\x01\x02"),)
    bench.ask(incoming(0, b"nonsense")._replace(headers=correlated))
    records = bench.commit()
    [response] = responses(records)
    assert response["status"] == "INVALID"
    assert {each.topic for each in records} == {LETTERS, "responses"}


def expired_in_its_turn(bench: Bench) -> None:
    bench.now_ms += TTL_MS + 1
    bench.ask(effect(0))


def expired_at_a_gate(bench: Bench) -> None:
    bench.ask(ping(9, "first", key=b"other"), effect(10))
    bench.pass_ms(TTL_MS)
    assert not bench.dispatcher.work(bench.now_ms)
    assert bench.dispatcher.due(bench.now_ms) == bench.now_ms + 1
    bench.pass_ms(1)


def expired_before_the_claim(bench: Bench) -> None:
    bench.ask(effect(0))
    bench.now_ms += TTL_MS + 1


def expired_behind_the_claim(bench: Bench) -> None:
    bench.ask(effect(0))
    work = bench.dispatcher.work(bench.now_ms)
    assert work
    bench.now_ms += TTL_MS + 1
    bench.dispatcher.settled(COMMITTED, bench.now_ms)
    assert not bench.begin()


def expired_at_the_last_look(bench: Bench) -> None:
    bench.ask(effect(0))
    bench.commit()
    bench.now_ms += TTL_MS + 1
    [execute] = bench.begun
    assert not bench.dispatcher.may_send(execute.ticket, bench.now_ms)
    bench.answer(Result(Reach.NOT_SENT, reason="forbidden"))


@pytest.mark.parametrize(
    "wait",
    [
        expired_in_its_turn,
        expired_at_a_gate,
        expired_before_the_claim,
        expired_behind_the_claim,
        expired_at_the_last_look,
    ],
)
def test_what_is_late_is_never_sent(wait: Callable[[Bench], None]) -> None:
    bench = Bench(in_flight=1)
    wait(bench)
    records = bench.commit()
    [response], [claim] = responses(records), claims(records)
    assert (response["status"], response["executed"], response["sent_time"]) == ("EXPIRED", "no", None)
    assert claim["outcome"]["status"] == "EXPIRED"


def test_in_time_is_up_to_the_last_millisecond() -> None:
    bench = Bench()
    bench.now_ms += TTL_MS
    bench.ask(ping(0))
    assert bench.dispatcher.may_send(bench.begun[0].ticket, bench.now_ms)
    assert not bench.dispatcher.may_send(bench.begun[0].ticket, bench.now_ms + 1)


def test_while_a_pbx_is_down_its_requests_wait_unclaimed_until_they_expire() -> None:
    bench = Bench()
    bench.ask(effect(0), ping(1, "r2", key=b"other"))
    bench.answer(answer())
    bench.dispatcher.link(PBX, bench.now_ms, up=False)
    bench.ask(effect(2, "r3", key=b"third"))
    records = bench.commit()
    assert len(records) == 2, "claimed while the PBX was down"
    bench.pass_ms(TTL_MS + 1)
    said = responses(bench.commit())
    assert [each["status"] for each in said] == ["UNAVAILABLE", "UNAVAILABLE"]
    assert [each["executed"] for each in said] == ["no", "no"]


def test_a_pbx_that_comes_back_gets_what_waited() -> None:
    bench = Bench()
    bench.dispatcher.link(PBX, bench.now_ms, up=False)
    bench.ask(effect(0), ping(1, "r2", key=b"other"))
    assert not bench.begun
    bench.dispatcher.link(PBX, bench.now_ms, up=True)
    bench.begin()
    bench.commit()
    assert [each.action.name for each in bench.begun] == ["Ping", "UserEvent"]


def test_calls_above_the_limit_wait_until_one_ends() -> None:
    bench = Bench(limits=[Limit(channel="PJSIP/trunk", calls_in_flight=1)])
    for offset, channel in enumerate(("PJSIP/trunk-a", "pjsip/trunk-b", "Local/1@a")):
        headers = {"Channel": channel, "Exten": "1"}
        bench.ask(incoming(offset, body("Originate", f"r{offset}", headers=headers), b"%d" % offset))
    bench.commit()
    assert [each.ticket.record.offset for each in bench.begun] == [0, 2]
    bench.answer(answer())
    bench.commit()
    bench.commit()
    assert [each.ticket.record.offset for each in bench.begun] == [2, 1]


def test_actions_above_the_rate_wait_for_its_next_second() -> None:
    bench = Bench(limits=[Limit(actions_per_s=2)])
    bench.ask(*(ping(offset, f"r{offset}", key=None) for offset in range(4)))
    assert len(bench.begun) == 2
    assert bench.dispatcher.due(bench.now_ms) == bench.now_ms + 500
    bench.pass_ms(500)
    assert len(bench.begun) == 3


def test_no_more_is_under_way_than_is_allowed_and_kafka_must_have_the_answers() -> None:
    bench = Bench(in_flight=2)
    bench.ask(*(ping(offset, f"r{offset}", key=None) for offset in range(4)))
    assert len(bench.begun) == 2
    bench.answer(answer())
    assert len(bench.begun) == 1
    bench.commit()
    bench.pass_ms(1)
    assert len(bench.begun) == 2


def test_an_action_that_the_wire_refuses_is_invalid_and_its_claim_done() -> None:
    bench = Bench()
    bench.ask(effect(0), effect(1))
    bench.commit()
    bench.dispatcher.spurned(bench.begun.pop().ticket, "a line is too long", bench.now_ms)
    records = bench.commit()
    assert responses(records)[0]["status"] == "INVALID"
    assert claims(records)[0]["outcome"]["status"] == "INVALID"
    assert responses(bench.commit())[0]["replayed"]


def test_every_decision_is_in_the_audit_and_no_parameter() -> None:
    bench = Bench()
    secret = {"UserEvent": "hunter2", "Id": "hunter2"}
    bench.ask(effect(0, headers=secret))
    bench.commit()
    assert not bench.of(ActionAnswered)
    bench.answer(answer("Success", "hunter2"), sent_ms=3)
    bench.commit()
    [begun], [answered] = bench.of(ActionBegun), bench.of(ActionAnswered)
    assert (begun.request_id, begun.pbx, begun.action, begun.rule) == ("r1", PBX, "UserEvent", "profile full")
    assert (answered.status, answered.executed, answered.replayed, answered.took_ms) == (
        "SUCCESS",
        "yes",
        False,
        3,
    )
    times = answered.consumed_at_ms, answered.sent_at_ms, answered.answered_at_ms
    assert times == (NOW, NOW + 3, NOW + 3)
    assert "hunter2" not in repr(bench.facts)


def test_every_decision_tells_the_trace_that_it_was_asked_in() -> None:
    trace = f"00-{7:032x}-{9:016x}-01"
    headers = [("traceparent", trace.encode())]
    bench = Bench(policy=Policy(CATALOGUE, "read-only"))
    traced = [each._replace(headers=headers) for each in (ping(0), effect(1, "r2", b"l"))]
    bench.ask(*traced, ping(2, "r3", b"m"))
    bench.answer(answer())
    bench.answer(answer())
    bench.commit()
    assert {(type(fact), fact.request_id, fact.traceparent) for fact in bench.of(ActionFact)} == {
        (ActionBegun, "r1", trace),
        (ActionAnswered, "r1", trace),
        (ActionRefused, "r2", trace),
        (ActionAnswered, "r2", trace),
        (ActionBegun, "r3", ""),
        (ActionAnswered, "r3", ""),
    }


def avro(offset: int, schema_id: int, **fields: Any) -> Incoming:
    empty = {"headers": [], "variables": [], "accept_parts": False} | dict.fromkeys(
        ("expires_at", "timeout_ms", "reply_to")
    )
    value = SCHEMAS.request.encode({"action": "Ping", "request_id": "a", "pbx": PBX} | empty | fields)
    framed = b"\0" + schema_id.to_bytes(4, "big") + value
    return incoming(offset, framed, place=PLACE._replace(topic=AVRO.requests))


def test_a_request_waits_for_its_schema_and_the_next_with_its_key_behind_it() -> None:
    bench = Bench()
    place = PLACE._replace(topic=AVRO.requests)
    bench.dispatcher.assigned(place)
    bench.ask(avro(0, 7), avro(1, 7, request_id="b"), avro(2, 8, request_id="c"))
    assert [*bench.dispatcher.wanted()] == [7, 8]
    assert not bench.dispatcher.wanted()
    assert not bench.begun
    bench.dispatcher.learned(7, SCHEMAS.request.text, bench.now_ms)
    bench.begin()
    assert [each.ticket.asked.request_id for each in bench.begun] == ["a"]
    bench.dispatcher.learned(8, None, bench.now_ms)
    bench.answer(answer())
    bench.commit()
    bench.answer(answer())
    letter = bench.commit()[-1]
    assert letter.topic == LETTERS
    assert b"8" in (dict(letter.headers)["__connect.errors.exception.message"] or b"")
    assert bench.offsets[place] == 3


def test_the_schemas_of_claims_are_known_before_they_are_read() -> None:
    bench = Bench()
    record = avro(0, 7)
    assert bench.dispatcher.missing([record, record, incoming(1, None), incoming(2, b"{}")]) == {7}
    bench.dispatcher.learned(7, SCHEMAS.request.text, bench.now_ms)
    assert not bench.dispatcher.missing([record])


def test_the_response_goes_where_it_was_asked_for() -> None:
    bench = Bench()
    bench.ask(ping(0, reply_to="good.place"))
    bench.answer(answer())
    records = bench.commit()
    assert [each.topic for each in records] == ["good.place", "claims"]
    assert header(records[0], "ce_id") == "requests/0/0"
