"""What rules make of whole frames: fields, variables in all their forms, what no schema knows."""

from typing import Any

import pytest

from connector.privacy.ways import Key, digest
from tests.events.frames import NORMALISER, SCHEMAS, event, snapshot
from tests.privacy.given import KEY, rules, told

CALL = event(
    "Newchannel", snapshot("1.2", "1.1"), "ChanVariable: CUSTOMER=4711", "ChanVariable: LANG=de", "New: 100"
)
SET = event("VarSet", snapshot("1.2", "1.1"), "Variable: CUSTOMER", "Value: 4711")


def lines(frame: bytes) -> list[str]:
    return frame.decode().split("\r\n")


def changes(frame: bytes, *given: dict[str, Any]) -> dict[str, str]:
    """Return the lines that rules change, each with what it becomes; left out: ""."""
    before, after = lines(frame), lines(told(frame, *given))
    if len(before) == len(after):
        return {old: new for old, new in zip(before, after, strict=True) if old != new}
    return {old: "" for old in before if old not in after}


@pytest.mark.parametrize(
    ("rule", "changed"),
    [
        ({"headers": ["CallerIDNum"]}, {"CallerIDNum: 100": "CallerIDNum: ***"}),
        ({"headers": ["calleridnum"], "keep": 2}, {"CallerIDNum: 100": "CallerIDNum: ***00"}),
        ({"headers": ["*Num"], "do": "drop"}, {"CallerIDNum: 100": "", "ConnectedLineNum: 200": ""}),
        (
            {"headers": ["CallerIDName"], "do": "truncate", "keep": 1},
            {"CallerIDName: Ann": "CallerIDName: A"},
        ),
        ({"headers": ["New"], "events": ["@call"]}, {"New: 100": "New: ***"}),
        ({"headers": ["CallerIDNum"], "events": ["Hangup"]}, {}),
        ({"headers": ["CallerIDNum"], "events": ["*", "-Newchannel"]}, {}),
        ({"headers": ["CallerIDNum"], "do": "leave"}, {}),
        ({"headers": ["*id"]}, {}),
        ({"variables": ["CUSTOMER"]}, {"ChanVariable: CUSTOMER=4711": "ChanVariable: CUSTOMER=***"}),
        ({"variables": ["CUST*"], "do": "drop"}, {"ChanVariable: CUSTOMER=4711": ""}),
        ({"variables": ["customer"]}, {}),
        (
            {"headers": ["ChanVariable"], "keep": 1},
            {
                "ChanVariable: CUSTOMER=4711": "ChanVariable: CUSTOMER=***1",
                "ChanVariable: LANG=de": "ChanVariable: LANG=***e",
            },
        ),
    ],
)
def test_a_rule_changes_what_it_names_and_nothing_else(rule: dict[str, Any], changed: dict[str, str]) -> None:
    assert changes(CALL, rule) == changed


def test_the_first_rule_that_is_about_a_value_decides() -> None:
    mine = {"headers": ["CallerIDNum"], "do": "leave", "events": ["Newchannel"]}
    every = {"headers": ["Caller*"]}
    assert changes(CALL, mine, every) == {"CallerIDName: Ann": "CallerIDName: ***"}
    assert "CallerIDNum: 100" in changes(CALL, every, mine)


@pytest.mark.parametrize(
    ("line", "becomes"),
    [
        ("ChanVariable(SIP/100-1): CUSTOMER=4711", "ChanVariable(SIP/100-1): CUSTOMER=***"),
        ("DestChanVariable: CUSTOMER=4711", "DestChanVariable: CUSTOMER=***"),
        ("Variable: CUSTOMER=4711", "Variable: CUSTOMER=***"),
        ("Variable: __CUSTOMER=4711", "Variable: __CUSTOMER=***"),
        ("ChanVariable: OTHER=4711", "ChanVariable: OTHER=4711"),
        ("ChanVariable: CUSTOMER", "ChanVariable: CUSTOMER"),
    ],
)
def test_a_variable_is_found_by_its_name_in_each_form(line: str, becomes: str) -> None:
    assert changes(event("Status", line), {"variables": ["_CUSTOMER"]}) == (
        {line: becomes} if line != becomes else {}
    )


def test_the_value_of_varset_goes_by_the_variable_beside_it() -> None:
    assert changes(SET, {"variables": ["CUSTOMER"]}) == {"Value: 4711": "Value: ***"}
    assert changes(SET, {"variables": ["OTHER"]}) == {}
    assert changes(SET, {"headers": ["Value"]}) == {"Value: 4711": "Value: ***"}


def test_a_channel_that_is_covered_does_not_stay_in_a_headers_name() -> None:
    frame = event("Status", "Channel: SIP/100-1", "ChanVariable(SIP/100-1): A=b")
    assert told(frame, {"headers": ["Channel"]}).split(b"\r\n")[-2:] == [
        b"Channel: ***",
        b"ChanVariable(): A=b",
    ]


def test_pseudonyms_join_across_headers_and_events_escaped_or_not() -> None:
    rule = {"headers": ["CallerIDName", "CallerID", "Whoever"], "do": "hmac"}
    name = digest(Key("k1", KEY.encode()), b'An"n').decode()
    call = event("Newchannel", snapshot("1.2", "1.1").replace("Ann", 'An\\"n'))
    for frame in (call, event("Cdr", 'CallerID: An"n'), event("NeverHeardOf", 'Whoever: An"n')):
        assert f": {name}" in told(frame, rule).decode()


@pytest.mark.parametrize("value", ["<unknown>", ""])
def test_what_names_nobody_stays(value: str) -> None:
    frame = event("Newchannel", snapshot("1.2", "1.1").replace("100", value))
    assert changes(frame, {"headers": ["CallerIDNum"], "do": "hmac"}) == {}


def test_headers_and_events_that_no_schema_knows_are_covered_too() -> None:
    frame = event("NeverHeardOf", "Customer: 4711", "Uniqueid: 1.2")
    assert changes(frame, {"headers": ["Cust*"]}) == {"Customer: 4711": "Customer: ***"}
    assert changes(frame, {"headers": ["Cust*"], "events": ["@unknown"]}) == {
        "Customer: 4711": "Customer: ***"
    }
    assert changes(frame, {"headers": ["Cust*"], "events": ["@call"]}) == {}
    mine = event("UserEvent", "UserEvent: Paid", "Customer: 4711")
    assert changes(mine, {"headers": ["*"], "events": ["UserEvent"]}) == {"Customer: 4711": "Customer: ***"}


def test_the_line_that_a_covered_value_goes_on_with_is_covered() -> None:
    frame = event("UserEvent", "UserEvent: Paid", "Customer: 4711", "and 0815", "Sum: 3")
    assert changes(frame, {"headers": ["Customer"]}) == {"Customer: 4711": "Customer: ***", "and 0815": "***"}
    assert changes(frame, {"headers": ["Customer"], "do": "drop"}) == {"Customer: 4711": "", "and 0815": ""}
    assert changes(frame, {"headers": ["Sum"]}) == {"Sum: 3": "Sum: ***"}


def test_what_asterisk_hides_behind_a_bare_line_feed_is_covered() -> None:
    frame = event("Agents", "Agent: 1", "CallStarted: n/a\nLoggedInTime: 17", "")
    assert b"LoggedInTime: ***" in told(frame, {"headers": ["LoggedInTime"]})


def test_events_that_no_rule_is_about_have_no_mask() -> None:
    only = rules({"headers": ["Digit"], "events": ["DTMFEnd"]})
    assert [schema.event for schema in SCHEMAS if only.of(schema) is not None] == ["DTMFEnd"]
    assert only.of(SCHEMAS.connector) is None
    assert rules({"headers": ["*"]}).of(SCHEMAS.connector) is None


def test_a_frame_of_which_nothing_is_covered_is_the_very_same() -> None:
    reading = NORMALISER.read(CALL)
    mask = rules({"headers": ["Nothing"]}).of(reading.shape.schema)
    assert mask is not None
    assert mask.frame(reading) is CALL
