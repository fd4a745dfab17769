"""What the policy takes for a call of a function or for a context, held against what a real Asterisk takes for one."""

import re

import pytest

from connector.actions.policy.policy import Policy
from connector.actions.policy.rules import Rule
from connector.actions.policy.uses import Kind, uses
from connector.ami.action import AmiAction
from connector.edges.schemas import load_action_catalogue
from tests.parts.ami import Manager
from tests.parts.asterisk import Pbx
from tests.real.bridge import fresh

KNOWN = load_action_catalogue()
MARK = "MARK"
SPELLINGS = [
    "TOUPPER(mark)",
    "  TOUPPER(mark)",
    "TOUPPER (mark)",
    "toupper(mark)",
    "${TOUPPER(mark)}",
    "TOUPPER(mark",
    '"TOUPPER"(mark)',
    "TOUP\\PER(mark)",
    "TOUPPER(mark):0:2",
    "EVAL(${TOUPPER(mark)})",
    "PARTS,TOUPPER(mark)",
    "PARTS,,(,TOUPPER(mark),)",
    "[TOUPPER(mark)",
]
LOCALS = [
    "Local/caller@parties",
    "LOCAL/caller@parties/n",
    "  local/caller@parties",
    "Local/caller",
    "Local/caller/n@parties",
    "Local/caller@parties@internal/n",
    "Local/caller@parties/x@internal",
    "Local/caller@parties&Local/100@internal",
    "Local/caller@parties,x",
]


@pytest.fixture(params=["asterisk16", "asterisk22"])
def pbx(request: pytest.FixtureRequest) -> Pbx:
    found: Pbx = request.getfixturevalue(request.param)
    return found


def refused(name: str, **headers: str) -> bool:
    return not any(
        Policy(KNOWN, profile).judge("main", "t", AmiAction(name, tuple(headers.items()))).allowed
        for profile in ("read-only", "call-control", "full")
    )


def test_the_secret_that_a_getvar_hands_out_is_refused(asterisk22: Pbx) -> None:
    asked = {"Variable": f"AST_CONFIG(manager.conf,{asterisk22.username},secret)"}
    with asterisk22.manager() as manager:
        assert manager.ask("Getvar", **asked)["Value"] == asterisk22.secret
    assert refused("Getvar", **asked)


def test_whatever_asterisk_evaluates_is_refused(pbx: Pbx) -> None:
    with pbx.manager() as manager:
        evaluated = [each for each in SPELLINGS if manager.ask("Getvar", Variable=each)["Value"] == MARK]
        manager.action(
            "Originate", Channel="Local/caller@parties/n", Application="Wait", Data="60", Async="true"
        )
        channel = manager.expect("OriginateResponse")["Channel"]
        by_status = [each for each in SPELLINGS if MARK in shown(manager, channel, each)]
        manager.action("Hangup", Channel=channel)
    assert evaluated[:2] == SPELLINGS[:2]
    assert {'"TOUPPER"(mark)', "TOUP\\PER(mark)", "PARTS,TOUPPER(mark)"} <= set(by_status)
    for each in SPELLINGS:
        assert refused("Getvar", Variable=each)
        assert refused("Status", Variables=each)


def shown(manager: Manager, channel: str, variables: str) -> set[str]:
    """Return the values that a Status gives of these variables."""
    items = manager.items("Status", Channel=channel, Variables=variables)
    return {value.partition("=")[2] for item in items for name, value in item.headers if name == "Variable"}


def test_the_context_that_a_local_channel_reaches_is_one_that_the_policy_asks_for(pbx: Pbx) -> None:
    seen: set[str] = set()
    with pbx.manager() as manager:
        for place, local in enumerate(LOCALS):
            # The call before may still be on its way.
            call_id = f"{fresh('local')}-{place}."
            asked = {"Channel": local, "ChannelId": call_id, "Application": "Wait", "Data": "0.1"}
            manager.action("Originate", **asked, Async="true")
            manager.expect("OriginateResponse", Uniqueid=call_id)
            made = [each for each in manager.events if each["Event"] == "Newchannel"]
            reached = {each["Context"] for each in made if each["Uniqueid"].startswith(call_id)}
            seen |= reached
            call = AmiAction("Originate", (("Channel", local), ("Application", "Wait")))
            asked_for = {use.text for use in uses(call) if use.kind is Kind.CONTEXT}
            # What is oddly written asks for a context that nobody has.
            assert reached <= asked_for or any("/" in context for context in asked_for), local
    assert len(seen) > 1


def test_variables_are_set_under_the_names_that_the_policy_asks_for(pbx: Pbx) -> None:
    headers = ["A=1,B=2", 'C="x,D=5"', '"E"=6', "F\\F=7", "__G=8", " H=10", "J= 12"]
    with pbx.manager() as manager:
        manager.action(
            "Originate",
            Channel="Local/brief@parties/n",
            Application="Wait",
            Data="1",
            Async="true",
            Variable=headers,
        )
        manager.expect("OriginateResponse")
        told = [each["Variable"] for each in manager.events if each["Event"] == "VarSet"]
    are_set = {name.lstrip("_") for name in told if re.fullmatch(r"_*[A-Z]{1,2}", name)}
    call = AmiAction("Originate", tuple(("Variable", each) for each in headers))
    assert {"A", "B", "E", "FF", "G"} <= are_set <= {use.text for use in uses(call) if use.kind is Kind.SET}


def test_no_spelling_of_a_command_escapes_a_rule_that_denies_it(pbx: Pbx) -> None:
    denies = Rule(name="no uptime", effect="deny", commands=(re.compile("core show uptime"),))
    policy = Policy(KNOWN, "full", rules=[denies])
    with pbx.manager() as manager:
        for text in ("core  show   uptime", 'core "show" uptime', "CORE SHOW UPTIME", "core sh\\ow uptime"):
            assert manager.ask("Command", Command=text)["Output"].startswith("System uptime")
            verdict = policy.judge("main", "t", AmiAction("Command", (("Command", text),)))
            assert (verdict.allowed, verdict.rule) == (False, "rule no uptime")
