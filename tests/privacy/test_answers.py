"""Rules on the road back: answers are changed once, before a response, a claim or a repeat tells them."""

from connector.actions.dispatch.outcome import discreet
from connector.actions.response import Executed, Outcome, Status
from connector.privacy.ways import Key, digest
from tests.actions.dispatchers import Bench, answer, as_history, claims, effect, event, ping, responses
from tests.privacy.given import KEY, rules

NUMBER = "4930123456"
PSEUDONYM = digest(Key("k1", KEY.encode()), NUMBER.encode()).decode()


def outcome(
    *response: tuple[str, str], message: str = "", events: tuple[tuple[tuple[str, str], ...], ...] = ()
) -> Outcome:
    return Outcome(
        status=Status.SUCCESS,
        executed=Executed.YES,
        message=message,
        response=(("Response", "Success"), *response),
        events=events,
    )


def test_headers_output_and_variables_of_a_response_are_covered() -> None:
    said = outcome(
        ("Message", NUMBER),
        ("Output", NUMBER),
        ("Output", "2"),
        ("Variable", "CUSTOMER"),
        ("Value", NUMBER),
        message=NUMBER,
    )
    told = discreet(said, rules({"headers": ["Output"], "variables": ["CUSTOMER"]}))
    assert told.response == (
        ("Response", "Success"), ("Message", NUMBER), ("Output", "***"), ("Output", "***"),
        ("Variable", "CUSTOMER"), ("Value", "***"),
    )  # fmt: skip
    assert told.message == NUMBER
    assert discreet(said, rules({"headers": ["Message"], "events": ["@answers"]})).message == "***"
    assert discreet(said, rules({"headers": ["Message"], "do": "drop"})).message == ""
    assert discreet(said, rules({"headers": ["*"], "do": "drop"})).response == (("Response", "Success"),)


def test_a_rule_for_events_leaves_responses_alone_and_covers_list_items() -> None:
    item = (("Event", "CoreShowChannel"), ("CallerIDNum", NUMBER), ("Uniqueid", "1.2"))
    said = outcome(("CallerIDNum", NUMBER), events=(item, (("Event", "Other"), ("CallerIDNum", NUMBER))))
    told = discreet(said, rules({"headers": ["CallerIDNum"], "events": ["CoreShowChannel"], "keep": 2}))
    assert told.response == said.response
    assert told.events == (
        (("Event", "CoreShowChannel"), ("CallerIDNum", "***56"), ("Uniqueid", "1.2")),
        said.events[1],
    )
    assert discreet(said, rules()) is said


def test_an_answer_is_told_alike_by_response_claim_and_repeat() -> None:
    privacy = rules({"headers": ["CallerIDNum", "Message"], "do": "hmac"})
    bench = Bench(privacy=privacy)
    bench.ask(effect(0))
    bench.commit()
    bench.answer(answer("Success", NUMBER, event("OriginateResponse", ("CallerIDNum", NUMBER))))
    records = bench.commit()
    [first], [claim] = responses(records), claims(records)
    assert first["message"] == claim["outcome"]["message"] == PSEUDONYM
    assert first["events"] == claim["outcome"]["events"]
    assert first["events"][0]["headers"][-1] == {"name": "CallerIDNum", "value": PSEUDONYM}
    bench.ask(effect(1))
    heir = Bench(claims=as_history(records), privacy=privacy)
    heir.ask(effect(1))
    for each in (bench, heir):
        [repeat] = responses(each.commit())
        assert repeat == {**first, "replayed": True}
    assert NUMBER not in str(bench.facts + heir.facts)


def test_a_read_is_covered_too() -> None:
    bench = Bench(privacy=rules({"headers": ["CallerID*"]}))
    bench.ask(ping(0))
    bench.answer(answer("Success", "x", event("Status", ("CallerIDName", "Ann"))))
    [response] = responses(bench.commit())
    assert response["events"][0]["headers"][-1] == {"name": "CallerIDName", "value": "***"}
