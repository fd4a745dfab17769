"""What manager.conf must grant."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from connector.actions.policy.policy import Policy
from connector.ami.action import AmiAction
from connector.ami.catalogue import load as load_catalogue
from connector.ami.completion import later_event
from connector.avro.schema import EventSchema, SchemaSet, load
from connector.edges.pbx.pool import CALLS as CALL_SESSION
from connector.settings.account import (
    LATER,
    Rights,
    action_rights,
    doubtful_filters,
    event_filters,
    own_rights,
    read_classes,
    unheard,
    with_own_questions,
)
from connector.settings.kinds import Address, Secret
from connector.settings.manager_conf import action_conf, general_conf, manager_conf
from connector.settings.sections import EventClass, Pbx

CALLS = LATER["Originate"]
ORDER = get_args(EventClass)
ROOT = Path(__file__).parents[2] / "schemas"


def schema(path: str) -> EventSchema:
    return load((ROOT / path).read_text(), path)


HANGUP, VARSET, CDR, FAIL, RENAME = (
    schema(f"events/{name}.avsc") for name in ("hangup", "var_set", "cdr", "failed_acl", "rename")
)
CATALOGUE = load_catalogue((ROOT / "catalogue" / "actions.json").read_text())
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


def conf(
    pbx: Pbx,
    schemas: Sequence[EventSchema],
    lists: Sequence[str] = (),
    *,
    advanced: bool = True,
    actions: Rights | None = None,
) -> str:
    return manager_conf(pbx, schemas, own_rights(pbx, lists, CATALOGUE), advanced=advanced, actions=actions)


CANARY = replace(pbx("call", "user", "dialplan"), canary_s=60.0)


def test_a_canary_is_heard_though_no_user_event_is_published_and_gets_through_the_filters() -> None:
    assert read_classes(CANARY, [HANGUP]) == ["call", "user"]
    privilege, _ = event_filters(CANARY)
    assert re.search(privilege.partition(" = ")[2], "user,all")
    old, _ = event_filters(CANARY, advanced=False)
    assert re.search(old.partition(": ")[2], "Event: UserEvent\r\nPrivilege: user,all")


def test_filters_that_name_what_comes_name_canaries_too() -> None:
    hangups, all_but = ("Event: Hangup",), ("!Event: Newexten",)
    assert replace(CANARY, filters=hangups).account().filters == (*hangups, "UserEvent: AmiKafkaCanary")
    assert replace(CANARY, filters=all_but).account().filters == all_but
    assert pbx(filters=hangups).account().filters == hangups


def test_who_sends_canaries_needs_the_right() -> None:
    assert with_own_questions(["Ping"], CANARY) == ("Ping", "UserEvent")
    assert with_own_questions(["UserEvent"], CANARY) == ("UserEvent",)
    assert with_own_questions(["Ping"], pbx("user")) == ("Ping",)
    assert action_rights(with_own_questions([], CANARY), CATALOGUE).classes == ("user",)


def test_a_filter_action_needs_system() -> None:
    assert own_rights(pbx(), [], CATALOGUE).classes == ("reporting",)
    filtering = own_rights(pbx(filters=("Event: Hangup",)), ["PJSIPShowContacts"], CATALOGUE)
    assert (filtering.classes, filtering.beyond) == (("system", "reporting"), {})


LISTED = ["CoreShowChannels", "Agents", "ParkedCalls", "DeviceStateList", "PJSIPShowContacts"]


def test_the_lists_of_snapshots_are_asked_with_classes_of_their_own() -> None:
    found = own_rights(pbx(), LISTED, CATALOGUE)
    assert found.classes == ("call", "agent", "reporting")
    assert found.beyond == {"system": ("PJSIPShowContacts",)}
    assert own_rights(pbx(), ["CoreShowChannels", "BridgeList"], CATALOGUE).classes == ("reporting",)
    assert own_rights(replace(pbx(), snapshot="off"), LISTED, CATALOGUE).classes == ("reporting",)
    text = conf(pbx("call"), [HANGUP], LISTED)
    assert "\nwrite = call,agent,reporting\n" in text
    assert "; call in write opens more" in text
    assert text.count("left out: ParkedCalls\n") == text.count("left out: Agents\n") == 1
    assert text.count("; system in write opens much more; it is left out, and with it PJSIPShowContacts") == 1
    both = conf(pbx("call"), [HANGUP], LISTED, actions=Rights((), {"system": ("ModuleCheck",)}))
    assert both.count("; system in write") == 1
    assert "with it ModuleCheck, PJSIPShowContacts\n" in both


def test_the_general_section_is_added_to() -> None:
    assert general_conf(pbx()) == "[general](+)\ntimestampevents = yes\n"
    assert general_conf(replace(pbx("all"), sequence_audit=True)).endswith("\ndebug = on\n")


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
    text = conf(pbx("call", "dialplan"), [HANGUP, VARSET])
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


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        (["Ping", "QueueStatus"], []),
        (["CoreStatus", "Status", "Getvar"], ["reporting"]),
        (["Getvar", "Hangup"], ["call"]),
        (["Hangup", "FAXStats", "Getvar"], ["call", "reporting"]),
        (["Originate", "QueueAdd", "UserEvent"], ["agent", "user", "originate"]),
        (["OfAnotherVendor"], []),
    ],
)
def test_actions_get_one_harmless_class_each(names: list[str], classes: list[str]) -> None:
    found = action_rights(names, CATALOGUE)
    assert (found.classes, found.beyond) == (tuple(classes), {})


def test_what_opens_the_pbx_is_left_out_and_told() -> None:
    found = action_rights(
        ["Command", "PJSIPShowAors", "PJSIPShowContacts", "Ping", "UpdateConfig"], CATALOGUE
    )
    assert found == Rights(
        (),
        {
            "command": ("Command",),
            "config": ("UpdateConfig",),
            "system": ("PJSIPShowAors", "PJSIPShowContacts"),
        },
    )
    assert "; system in write opens much more; it is left out, and with it PJSIPShowAors" in action_conf(
        "u", found
    )
    # Where the account has it for its filters, it may run these too.
    assert "left out" not in conf(
        pbx("call", filters=("x",)), [HANGUP], actions=Rights((), {"system": ("A",)})
    )


def test_read_only_gets_no_class_that_changes_calls_by_its_own_account() -> None:
    found = action_rights(Policy(CATALOGUE).possible("main"), CATALOGUE)
    # FAXSessions and ParkedCalls need call, though they only read.
    assert found.classes == ("call", "agent", "reporting")
    assert set(found.beyond) == {"system"}


def test_one_account_for_both_roads_has_the_rights_of_both() -> None:
    rights = Rights(("originate", "agent"), {}, (CALLS,))
    text = conf(pbx("cdr"), [CDR], actions=rights)
    assert "read = call,cdr\nwrite = agent,reporting,originate\n" in text
    assert "read = cdr\nwrite = agent,reporting\n" in conf(pbx("cdr"), [CDR], actions=Rights(("agent",), {}))


def test_an_account_of_its_own_hears_how_actions_ended_and_nothing_else() -> None:
    text = action_conf("doer", Rights(("call", "originate"), {}, (CALLS,)))
    assert text.startswith("[doer]\n")
    assert "read = call\nwrite = call,originate\n" in text
    assert text.endswith("eventfilter(action(include),name(OriginateResponse)) =\n")
    old = action_conf("doer", Rights(("call", "originate"), {}, (CALLS,)), advanced=False)
    assert old.endswith("eventfilter = ^Event: OriginateResponse\n")
    assert "read = \n" in action_conf("doer", Rights(("call",), {}))
    assert "eventfilter" not in action_conf("doer", Rights(("call",), {}))


@pytest.mark.parametrize(
    ("possible", "read", "write", "heard"),
    [
        (["Ping", "QueueStatus"], "", "", []),
        (["Getvar"], "", "reporting", []),
        (["Originate"], "call", "reporting,originate", ["OriginateResponse"]),
        (["Originate", "Status"], "call", "reporting,originate", ["OriginateResponse"]),
        (["Originate", "FAXSessions"], "call", "call,originate", ["OriginateResponse"]),
        (["AGI"], "agi", "agi", ["AsyncAGIExec"]),
        (["AGI", "Originate"], "call,agi", "agi,reporting,originate", ["OriginateResponse", "AsyncAGIExec"]),
        (["Command"], "", "", []),
    ],
)
def test_what_actions_need_and_no_more(possible: list[str], read: str, write: str, heard: list[str]) -> None:
    text = action_conf("doer", action_rights(with_own_questions(possible), CATALOGUE))
    assert re.findall(r"^(?:read|write) = (.*)$", text, re.MULTILINE) == [
        read,
        ",".join(name for name in ORDER if name in write.split(",")),
    ]
    assert re.findall(r"^eventfilter.*name\((.*?)\)", text, re.MULTILINE) == heard


def test_the_events_that_tell_how_actions_ended_are_those_that_are_waited_for() -> None:
    asked = (AmiAction(facts.name, (("Async", "true"),)) for facts in CATALOGUE)
    later = {action.name: event for action in asked if (event := later_event(action))}
    assert later == {name: each.event for name, each in LATER.items()}
    heard = {each.event_class for each in LATER.values()}
    assert heard == set(CALL_SESSION.split(","))


def test_an_account_for_actions_may_have_several_sessions() -> None:
    assert "\nallowmultiplelogin = yes\n" in action_conf("doer", Rights((), {}))
    assert "\nallowmultiplelogin = yes\n" in conf(pbx(), [CDR], actions=Rights((), {}))
    assert "allowmultiplelogin" not in conf(pbx(), [CDR])


def test_the_filters_of_one_account_for_both_roads_let_both_pass() -> None:
    rights = Rights((), {}, (CALLS, LATER["AGI"]))
    text = conf(pbx("call", "dialplan"), [], actions=rights)
    assert text.endswith("\neventfilter(action(include),name(AsyncAGIExec)) =\n")
    assert "OriginateResponse" not in text
    old = conf(pbx("cdr", "dialplan"), [], actions=rights, advanced=False)
    assert old.endswith("eventfilter = ^Event: OriginateResponse\neventfilter = ^Event: AsyncAGIExec\n")
    for account in (pbx("all"), pbx("call", "agi", "dialplan")):
        assert "AsyncAGIExec" not in conf(account, [], actions=rights)
    assert "eventfilter" not in conf(pbx("cdr"), [], actions=rights)
