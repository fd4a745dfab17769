"""What manager.conf must grant."""

from pathlib import Path

import pytest

from connector.avro.schema import EventSchema, SchemaSet, load
from connector.settings.account import (
    doubtful_filters,
    event_filters,
    manager_conf,
    read_classes,
    unheard,
    write_classes,
)
from connector.settings.kinds import Address, Secret
from connector.settings.sections import EventClass, Pbx

ROOT = Path(__file__).parents[2] / "schemas"


def schema(path: str) -> EventSchema:
    return load((ROOT / path).read_text(), path)


HANGUP, VARSET, CDR, FAIL, RENAME = (
    schema(f"events/{name}.avsc") for name in ("hangup", "var_set", "cdr", "failed_acl", "rename")
)
SCHEMAS = SchemaSet([HANGUP, VARSET, CDR, FAIL, RENAME], schema("unknown.avsc"), schema("connector.avsc"))


def pbx(*classes: EventClass, filters: tuple[str, ...] = ()) -> Pbx:
    return Pbx(
        address=(Address("h"),),
        username="kafka",
        secret=Secret("deep"),
        event_classes=classes or ("call", "cdr"),
        filters=filters,
    )


def test_no_more_is_read_than_is_selected() -> None:
    assert read_classes(pbx("system", "call", "cdr"), [HANGUP, CDR]) == ["call", "cdr"]
    assert read_classes(pbx("call"), [HANGUP, CDR]) == ["call"]
    assert read_classes(pbx("all"), [HANGUP, FAIL]) == ["call", "security"]


def test_a_filter_action_needs_system() -> None:
    assert write_classes(pbx()) == ["reporting"]
    assert write_classes(pbx(filters=("Event: Hangup",))) == ["system", "reporting"]


def test_selected_events_that_never_come_are_told() -> None:
    assert unheard(pbx("call"), [HANGUP, CDR, FAIL]) == {"Cdr": ["cdr"], "FailedACL": ["security"]}
    assert unheard(pbx("all"), [HANGUP, FAIL]) == {}


def test_without_the_dialplan_no_filter_is_needed() -> None:
    assert event_filters(pbx("call")) == []


def test_of_the_dialplan_only_the_useful_variables_are_let_through() -> None:
    variables = "(QUEUESTATUS|DIALSTATUS|MIXMONITOR_FILENAME)"
    assert event_filters(pbx("call", "cdr", "dialplan")) == [
        "eventfilter(action(include),header(Privilege),method(regex)) = ^(call|cdr)",
        f"eventfilter(action(include),name(VarSet),header(Variable),method(regex)) = ^{variables}$",
    ]
    assert event_filters(pbx("call", "dialplan"), advanced=False) == [
        "eventfilter = Privilege: (call)",
        f"eventfilter = Variable: {variables}",
    ]
    assert "security" in event_filters(pbx("all"))[0]
    assert len(event_filters(pbx("dialplan"))) == 1


def test_the_section_for_manager_conf_holds_no_secret() -> None:
    text = manager_conf(pbx("call", "dialplan"), [HANGUP, VARSET])
    assert text.startswith("[kafka]\n")
    assert "read = call,dialplan\nwrite = reporting\nwritetimeout = 15000\neventfilter(" in text
    assert "deep" not in text


@pytest.mark.parametrize(
    "line", ["action(exclude),name(Hangap)", "!Event: Hangap", "^Event: (Hangup|Hangap)$"]
)
def test_names_in_filters_are_checked(line: str) -> None:
    assert doubtful_filters("pbx.main", pbx(filters=("Variable: x", line)), SCHEMAS) == [
        "pbx.main.filters[1]: 'Hangap' is no event; did you mean 'Hangup'?"
    ]


def test_known_names_in_filters_are_not_doubted() -> None:
    assert doubtful_filters("pbx.main", pbx(filters=("action(include),name(VarSet)",)), SCHEMAS) == []
