"""The section for manager.conf that the settings lead to, given to a real Asterisk as it is printed."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from connector.actions.policy.policy import Policy
from connector.actions.policy.rules import Bounds
from connector.ami.steps import Account
from connector.avro.schema import load
from connector.edges.pbx import Address as At
from connector.edges.pbx import AsteriskPbx
from connector.edges.schemas import load_action_catalogue
from connector.preflight import State, actions
from connector.settings.account import USEFUL_VARIABLES, action_rights, own_rights
from connector.settings.kinds import Address, Secret
from connector.settings.manager_conf import action_conf, manager_conf
from connector.settings.sections import Pbx
from tests.parts.ami import Manager
from tests.parts.asterisk import Asterisk

SCHEMAS = Path(__file__).parents[2] / "schemas" / "events"
SECRET = "its-own-secret"


@pytest.mark.parametrize(("version", "advanced"), [(22, True), (22, False), (16, False)])
def test_of_the_dialplan_only_the_useful_variables_come(
    start_asterisk: Callable[..., Asterisk], version: int, *, advanced: bool
) -> None:
    pbx = Pbx(
        address=(Address("h"),),
        username="kafka",
        secret=Secret(SECRET),
        event_classes=("system", "call", "agent", "cdr", "user", "dialplan"),
    )
    selected = [
        load((SCHEMAS / f"{name}.avsc").read_text(), name) for name in ("hangup", "var_set", "dial_end")
    ]
    own = own_rights(pbx, [], load_action_catalogue())
    section = manager_conf(pbx, selected, own, advanced=advanced)
    section = section.replace("<the secret of the settings>", SECRET)
    section = section.replace("<the connector's address>/255.255.255.255", "127.0.0.1/255.255.255.255")
    asterisk = start_asterisk(version, manager_extra=section)
    everyone = asterisk.manager()
    ours = Manager(asterisk.host, asterisk.port, "kafka", SECRET, events="call,dialplan")
    with everyone, ours:
        call = {"Channel": "Local/108@internal/n", "Application": "Wait", "Data": "1", "Async": "true"}
        everyone.action("Originate", **call)
        everyone.expect("Newexten", Application="Dial")
        ours.expect("VarSet", Variable="DIALSTATUS", Value="ANSWER")
        ours.expect("Hangup", times=4)
        variables = {event["Variable"] for event in ours.events if event["Event"] == "VarSet"}
        assert variables <= set(USEFUL_VARIABLES)
        assert not [event for event in ours.events if event["Event"] == "Newexten"]
        assert [event for event in ours.events if event["Event"] == "DialEnd"]


@pytest.mark.parametrize(("version", "advanced"), [(22, True), (22, False), (16, False)])
def test_the_account_for_actions_may_run_them_and_hears_how_calls_ended(
    start_asterisk: Callable[..., Asterisk], version: int, *, advanced: bool
) -> None:
    catalogue = load_action_catalogue()
    named = Bounds(channels=(re.compile("Local/.*"),), contexts=("parties",), applications=("Wait",))
    possible = Policy(catalogue, "call-control", named).possible("main")
    rights = action_rights(possible, catalogue)
    section = action_conf("doer", rights, advanced=advanced)
    section = section.replace("<the secret of the settings>", SECRET)
    section = section.replace("<the connector's address>/255.255.255.255", "127.0.0.1/255.255.255.255")
    asterisk = start_asterisk(version, manager_extra=section)
    with (
        asterisk.manager() as everyone,
        Manager(asterisk.host, asterisk.port, "doer", SECRET, events="call") as ours,
    ):
        may = {name.lower() for name, _ in ours.action("ListCommands").headers}
        there = {name.lower() for name, _ in everyone.action("ListCommands").headers}
        beyond = {name for names in rights.beyond.values() for name in names}
        assert {name for name in possible if name.lower() in there and name not in beyond} == {
            name for name in possible if name.lower() in may
        }
        assert not {"command", "moduleload", "updateconfig", "getconfig"} & may
        ours.action("Originate", Channel="Local/brief@parties", Application="Wait", Data="1", Async="true")
        assert ours.expect("OriginateResponse")["Response"] == "Success"
        everyone.expect("Hangup", times=2)
        ours.action("Ping")
        assert {event["Event"] for event in ours.events} == {"OriginateResponse"}


@pytest.mark.parametrize("version", [22, 16])
def test_the_account_for_actions_has_several_sessions_though_the_pbx_gives_others_one(
    start_asterisk: Callable[..., Asterisk], version: int
) -> None:
    section = action_conf("doer", action_rights(["Ping"], load_action_catalogue()))
    section = section.replace("<the secret of the settings>", SECRET)
    section = section.replace("<the connector's address>/255.255.255.255", "127.0.0.1/255.255.255.255")
    asterisk = start_asterisk(version, manager_extra=f"allowmultiplelogin = no\n{section}")
    with (
        Manager(asterisk.host, asterisk.port, "doer", SECRET, events="off") as one,
        Manager(asterisk.host, asterisk.port, "doer", SECRET, events="off") as other,
    ):
        assert one.action("Ping")["Ping"] == other.action("Ping")["Ping"] == "Pong"


@pytest.mark.parametrize(("said", "state"), [("", State.OK), ("allowmultiplelogin = no", State.FAILED)])
def test_the_check_tells_whether_an_account_may_have_several_sessions(
    start_asterisk: Callable[..., Asterisk], said: str, state: State
) -> None:
    asterisk = start_asterisk(22, manager_extra=said)
    account = Account("actions", asterisk.secret, events="call")
    target = AsteriskPbx("main", [At(asterisk.host, asterisk.port)], account)
    possible, catalogue = ["Originate", "Command"], load_action_catalogue()
    found = {each.what: each for each in asyncio.run(actions.check(target, possible, catalogue, 0.0))}
    assert found["main actions' sessions"].state is state
    assert found["main OriginateResponse"].state is State.UNPROVEN
    assert "main unknown calls" not in found
    assert "Command needs command" in str(found["main actions allowed"])
