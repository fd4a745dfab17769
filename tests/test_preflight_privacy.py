"""What `check` says of personal fields: what leaves the house, and by which rule it does not."""

from typing import Any

import pytest

from connector.events.selection import Selection
from connector.preflight import Finding, State
from connector.preflight.privacy import check, personal
from connector.privacy.personal import KINDS, kind_of
from connector.privacy.rules import is_needed
from tests.events.frames import SCHEMAS
from tests.privacy.given import rules, section


def published(*terms: str) -> list[Any]:
    return Selection(SCHEMAS, terms or ("@default",)).schemas


def found(*given: dict[str, Any], terms: tuple[str, ...] = (), **settings: Any) -> dict[str, Finding]:
    own, ready = section(*given, **settings), rules(*given, **settings)
    findings = check(own, ready, published(*terms), asked=True)
    return {finding.what: finding for finding in findings}


def test_each_kind_says_what_leaves_and_what_is_covered_by_which_rule() -> None:
    findings = found({"name": "numbers", "headers": ["*CallerIDNum"]})
    numbers = findings["privacy: numbers"]
    assert numbers.state is State.OK
    left, covered = numbers.seen.split(" leave as they are; ")
    assert "ConnectedLineNum" in left
    assert "CallerIDNum" not in left
    assert covered.startswith("CallerIDNum (")
    assert covered.endswith("by 'numbers'")
    every = found({"headers": ["*"]})
    assert all(
        "nothing leaves as it is" in each.seen for name, each in every.items() if name != "privacy: answers"
    )


def test_secrets_that_leave_are_a_warning() -> None:
    name, terms = "privacy: digits", ("@default", "DTMFEnd")
    assert name not in found()
    assert found(terms=terms, defaults=True)[name].state is State.OK
    assert found(terms=terms, defaults=False)[name].state is State.WARNING
    left = {"headers": ["Digit"], "do": "leave"}
    assert found(left, terms=terms, defaults=True)[name].state is State.WARNING


def test_a_rule_that_decides_about_nothing_is_a_warning() -> None:
    findings = found(
        {"name": "typo", "headers": ["CalerIDNum"]},
        {"name": "fine", "headers": ["callerid*"]},
        {"name": "behind it", "headers": ["CallerIDName"]},
        {"name": "elsewhere", "headers": ["Digit"], "events": ["DTMFEnd"]},
        {"name": "answers", "headers": ["Output"], "events": ["@answers"]},
        {"name": "variables", "variables": ["X"]},
    )
    idle = [name.removeprefix("privacy rule ") for name in findings if name.startswith("privacy rule ")]
    assert idle == ["typo", "behind it", "elsewhere"]
    assert findings["privacy rule typo"].state is State.WARNING


def test_answers_tell_by_which_rules_they_go() -> None:
    assert "by 'mine'; items" in found({"name": "mine", "headers": ["Output"]})["privacy: answers"].seen
    assert "by no rule" in found({"headers": ["Exten"], "events": ["@call"]})["privacy: answers"].seen


def test_that_suspects_are_not_marked_is_a_warning() -> None:
    name, own = "privacy: suspects", ({"headers": ["Exten"]},)
    for given, marks, warned in ((own, True, True), (own, False, False), ((), True, False)):
        findings = check(section(*given), rules(*given, defaults=True), published(), asked=False, marks=marks)
        assert (name in {each.what for each in findings}) == warned


def test_that_covered_values_are_on_a_disk_is_told() -> None:
    for before, disk, told in ((False, True, True), (True, True, False), (False, False, False)):
        own = section({"headers": ["Exten"]}, before_journal=before)
        findings = check(own, rules({"headers": ["Exten"]}), published(), asked=False, disk=disk)
        assert ("privacy: journal" in {each.what for each in findings}) == told


def test_rules_for_variables_cover_a_part() -> None:
    rows = personal(published("VarSet", "Hangup"), rules({"name": "mine", "variables": ["X"]}))
    assert {(row.event, row.header) for row in rows if row.variables == ("mine",)} == {
        ("VarSet", "ChanVariable"),
        ("VarSet", "Variable"),
        ("VarSet", "Value"),
        ("Hangup", "ChanVariable"),
    }
    assert {row.told for row in rows if row.variables} == {"leaves, but for some variables"}


@pytest.mark.parametrize("header", ["Uniqueid", "DestLinkedid", "Privilege", "Cause", "Queue", "Language"])
def test_what_tells_nothing_of_a_person_is_not_in_the_table(header: str) -> None:
    assert kind_of(header) is None


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_each_kind_is_met_by_some_event(kind: str) -> None:
    headers = {field.header for schema in SCHEMAS for field in schema.fields if field.header}
    met = {header for header in headers if (of := kind_of(header)) is not None and of.name == kind}
    assert met
    assert not any(map(is_needed, met))


def test_what_schemas_call_secret_is_in_the_table_as_secret() -> None:
    for schema in SCHEMAS:
        for field in schema.fields:
            kind = kind_of(field.header) if field.secret and field.header != "Response" else None
            assert kind is None or kind.secret, field.header
