"""The catalogue of actions: what the file must be, and what is asked of it."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.ami.action import AmiAction
from connector.ami.catalogue import ActionCatalogue, ActionFacts, AnswerKind, Later, ProblemKind, load
from connector.errors import SchemaError

TEXT = (Path(__file__).parents[2] / "schemas" / "catalogue" / "actions.json").read_text("utf-8")
CATALOGUE = load(TEXT)
CLASSES = {
    *("agent", "agi", "aoc", "call", "cdr", "command", "config", "dialplan", "log", "message", "originate"),
    *("reporting", "system", "user"),
}
READ_VERBS = ("Show", "List", "Status", "Count", "State", "Stats", "Summary", "Settings", "Check", "Get")
LISTS = {AnswerKind.LIST, AnswerKind.EVENT}


def _one(**row: object) -> str:
    return json.dumps({"Do": {"rights": [], "versions": [22], **row}})


def _problems(name: str, *headers: str) -> list[tuple[str, str]]:
    action = AmiAction(name, tuple((header, "1") for header in headers))
    return [(problem.kind.value, problem.parameter) for problem in CATALOGUE.problems(action)]


def test_every_action_of_asterisk_13_to_23_is_in_it() -> None:
    counts = Counter(version for facts in CATALOGUE for version in facts.versions)
    assert counts == {13: 154, 16: 159, 18: 167, 20: 169, 21: 152, 22: 154, 23: 154}
    assert len(CATALOGUE) == 172


def test_rows_are_in_order_and_their_names_differ_in_more_than_case() -> None:
    names = [name.lower() for name in json.loads(TEXT)]
    assert names == sorted(set(names))


@pytest.mark.parametrize("row", list(CATALOGUE), ids=lambda row: row.name)
def test_a_row_agrees_with_itself(row: ActionFacts) -> None:
    names = [one.name.lower() for one in row.parameters]
    assert set(row.rights) <= CLASSES
    assert len(names) == len(set(names))
    assert {name.lower() for name in row.functions} <= set(names)
    assert bool(row.items) == (row.answer in LISTS)
    assert bool(row.complete) == (row.answer in {AnswerKind.LIST, AnswerKind.EVENTS})
    assert not row.empty or row.answer is AnswerKind.LIST
    assert row.later is None or row.later.parameter.lower() in {*names, "actionid", ""}
    assert bool(row.later is None or row.effect)


def test_what_acts_on_the_session_or_has_no_end_is_forbidden() -> None:
    forbidden = {facts.name for facts in CATALOGUE if facts.forbidden}
    assert forbidden == {
        *("Challenge", "DataGet", "Events", "Filter", "FilterList", "IAXnetstats", "Login", "Logoff"),
        *("Queues", "WaitEvent"),
    }
    assert {facts.name for facts in CATALOGUE if facts.answer is AnswerKind.TEXT} <= forbidden


def test_a_list_changes_nothing_but_for_a_mass_hang_up() -> None:
    assert {row.name for row in CATALOGUE if row.answer is AnswerKind.LIST and row.effect} == {"Hangup"}


def test_what_reads_like_a_question_is_a_read_and_nothing_else_is() -> None:
    odd = {facts.name for facts in CATALOGUE if not facts.effect}
    odd -= {name for name in odd if any(verb in name for verb in READ_VERBS)}
    assert odd == {
        *("Agents", "BridgeInfo", "Challenge", "FAXSession", "FAXSessions", "IAXnetstats", "IAXpeers"),
        *("IAXregistry", "ParkedCalls", "Parkinglots", "Ping", "QueueRule", "Queues", "SIPpeers"),
        *("SIPpeerstatus", "SIPshowpeer", "SIPshowregistry", "SKINNYdevices", "SKINNYlines"),
        *("SKINNYshowdevice", "SKINNYshowline", "IAXpeerlist", "WaitEvent"),
    }


@pytest.mark.parametrize(
    "name",
    [
        *("Originate", "Hangup", "Command", "Reload", "QueueReset", "PJSIPQualify", "Setvar", "UserEvent"),
        *("LoggerRotate", "DBPut", "MixMonitor", "Redirect", "PJSIPRegister", "QueueLog", "ModuleLoad"),
    ],
)
def test_what_changes_something_has_an_effect(name: str) -> None:
    facts = CATALOGUE.get(name)
    assert facts is not None
    assert facts.effect


def test_a_name_is_found_in_any_case() -> None:
    assert CATALOGUE.get("pInG") == CATALOGUE.get("Ping") is not None
    assert CATALOGUE.get("RptStatus") is None


def test_what_is_not_known_may_have_an_effect() -> None:
    assert CATALOGUE.has_effect(AmiAction("RptStatus"))
    assert not CATALOGUE.has_effect(AmiAction("ping"))
    assert CATALOGUE.has_effect(AmiAction("hangup"))


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (AmiAction("Getvar", (("Variable", "EXTEN"),)), False),
        (AmiAction("Getvar", (("variable", "DB_DELETE(a/b)"),)), True),
        (AmiAction("Getvar", (("Channel", "Local/1@a(b)"), ("Variable", "X"))), False),
        (AmiAction("Status", (("Variables", "X,CURL(http://x)"),)), True),
    ],
)
def test_a_read_with_a_dialplan_function_may_have_an_effect(action: AmiAction, expected: bool) -> None:
    assert CATALOGUE.has_effect(action) is expected


def test_missing_parameters_are_named() -> None:
    assert _problems("Redirect", "channel", "EXTEN") == [("missing", "Context"), ("missing", "Priority")]
    text = CATALOGUE.problems(AmiAction("hangup"))[0].text
    assert text == "Hangup needs Channel"


def test_unknown_parameters_are_named_as_they_were_given() -> None:
    assert _problems("Ping", "Foo") == [("unknown", "Foo")]
    assert _problems("RptStatus", "Foo") == []


@pytest.mark.parametrize(
    ("name", "headers"),
    [
        ("Originate", ["Channel", "Variable", "variable"]),
        ("UpdateConfig", ["SrcFilename", "DstFilename", "Action-000000", "cat-000000", "Value-000123"]),
        ("UserEvent", ["UserEvent", "Anything", "X-1"]),
        ("Setvar", ["Variable"]),
        ("Ping", ["ActionID"]),
    ],
)
def test_parameters_that_are_right(name: str, headers: list[str]) -> None:
    assert _problems(name, *headers) == []


def test_a_number_is_only_for_numbered_parameters() -> None:
    assert _problems("Ping", "Channel-000000") == [("unknown", "Channel-000000")]
    assert _problems("UpdateConfig", "SrcFilename", "DstFilename", "SrcFilename-1") == [
        ("unknown", "SrcFilename-1")
    ]


def test_variables_go_with_the_actions_that_take_them() -> None:
    takers = {facts.name for facts in CATALOGUE if facts.takes_variables}
    assert takers == {"MessageSend", "Originate", "PJSIPNotify", "SIPnotify"}


def test_an_error_may_mean_an_empty_list() -> None:
    facts = CATALOGUE.get("ConfbridgeListRooms")
    assert facts is not None
    assert facts.means_empty("No active conferences.")
    assert facts.means_empty("no active conferences")
    assert not facts.means_empty("Permission denied")
    assert not facts.means_empty("")


def test_an_originate_is_answered_later() -> None:
    facts = CATALOGUE.get("Originate")
    assert facts is not None
    assert facts.later == Later("OriginateResponse", "ActionID", "ActionID")
    assert facts.blocking


def test_passwords_are_marked() -> None:
    marked = {facts.name for facts in CATALOGUE if "Password" in facts.secrets}
    assert marked == {"PJSIPShowAuths", "PJSIPShowEndpoint", "PJSIPShowRegistrationsOutbound"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        '{"Do": 1}',
        '{"Do": {"rights": []}}',
        _one(answer="many"),
        _one(colour="red"),
        _one(later={"events": "x"}),
        _one(later=3),
        _one(rights=None),
    ],
)
def test_a_file_that_is_wrong_is_refused(text: str) -> None:
    with pytest.raises(SchemaError, match=r"actions\.json: "):
        load(text)


def test_an_empty_catalogue_knows_nothing() -> None:
    assert ActionCatalogue([]).get("Ping") is None


@given(st.text(), st.lists(st.tuples(st.text(), st.text())))
def test_no_action_raises(name: str, headers: list[tuple[str, str]]) -> None:
    action = AmiAction(name, tuple(headers))
    CATALOGUE.problems(action)
    assert CATALOGUE.has_effect(action) in {True, False}


@given(st.sampled_from(list(CATALOGUE)), st.data())
def test_an_action_with_all_its_required_parameters_and_no_others_has_no_problem(
    row: ActionFacts, data: st.DataObject
) -> None:
    wanted = [(one.name, "") for one in row.parameters if one.required]
    assert row.problems(data.draw(st.permutations(wanted))) == ()
    for gone in range(len(wanted)):
        (problem,) = row.problems(wanted[:gone] + wanted[gone + 1 :])
        assert problem[:2] == (ProblemKind.MISSING, wanted[gone][0])
