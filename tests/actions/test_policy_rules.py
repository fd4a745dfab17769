"""The operator's rules: which applies, what it bounds, and that nothing slips by it."""

import re
from typing import Any

import pytest

from connector.actions.policy.policy import Policy, Verdict
from connector.actions.policy.rules import Bounds, Rule
from tests.actions.test_policy import KNOWN, action


def rule(name: str = "own", **said: Any) -> Rule:
    """Make a rule; expressions are given as texts."""
    for key in {"channels", "commands"} & said.keys():
        said[key] = tuple(map(re.compile, said[key]))
    headers: dict[str, str] = said.pop("arguments", {})
    arguments = {header: re.compile(each) for header, each in headers.items()}
    return Rule(name=name, arguments=arguments, **said)


def judged(line: str, *rules: Rule, topic: str = "asterisk.actions", **policy: Any) -> Verdict:
    return Policy(KNOWN, rules=rules, **policy).judge("berlin-1", topic, action(line))


DIALLER = rule(
    "dialler",
    actions=("Originate",),
    contexts=("sales",),
    channels=["PJSIP/[0-9]+@trunk"],
    arguments={"CallerID": '"Sales" <30>|'},
)
CALL = "Originate, Channel: PJSIP/030@trunk, Context: sales, Exten: 1"


def test_the_rule_that_applies_is_named() -> None:
    assert judged(CALL, DIALLER) == (True, "rule dialler", "")
    assert judged(f'{CALL}, CallerID: "Sales" <30>', DIALLER).allowed


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("CallerID: 112", "callerid is not as its arguments say"),
        ('CallerID: "Sales" <30>, callerid: 112', "callerid is not as its arguments say"),
        ("Context: evil", "Context: context 'evil' is not allowed by name"),
        ("Application: System", "Application: application 'System' is not allowed by name"),
        ("Variable: A=1", "Variable: variable to be set 'A' is not allowed by name"),
        ("Channel: Local/1@evil", "Channel: channel 'Local/1@evil' is not allowed by name"),
    ],
)
def test_a_rule_bounds_what_it_allows_and_says_why_it_did_not_apply(change: str, why: str) -> None:
    verdict = judged(f"{CALL}, {change}", DIALLER)
    assert (verdict.allowed, verdict.rule) == (False, "profile read-only")
    assert verdict.why == f"Originate is not among its actions; rule dialler: {why}"


@pytest.mark.parametrize(
    ("said", "applies"),
    [
        ({"pbx": ("berlin-*",)}, True),
        ({"pbx": ("paris", "berlin-1")}, True),
        ({"pbx": ("paris*",)}, False),
        ({"topics": ("asterisk.*",)}, True),
        ({"topics": ("billing.*",)}, False),
        ({"actions": ("core*",)}, True),
        ({"actions": ("*Auths", "reload")}, False),
    ],
)
def test_a_rule_is_for_pbxs_topics_and_actions(said: dict[str, Any], applies: bool) -> None:
    assert judged("CoreStatus", rule(effect="deny", **said)).allowed is not applies


def test_the_first_rule_that_applies_decides() -> None:
    allow, deny = rule("a", actions=("DBGet",)), rule("d", effect="deny", actions=("DBGet",))
    assert judged("DBGet, Family: f", allow, deny) == (True, "rule a", "")
    assert judged("DBGet, Family: f", deny, allow) == (False, "rule d", "it is denied by name")


def test_rules_add_up_where_one_alone_does_not_apply() -> None:
    inner = rule("inner", actions=("Originate",), channels=["PJSIP/[0-9]{3}"], contexts=("inner",))
    for line in (CALL, "Originate, Channel: PJSIP/100, Context: inner"):
        assert judged(line, DIALLER, inner).allowed
    assert not judged("Originate, Channel: PJSIP/100, Context: sales", DIALLER, inner).allowed


@pytest.mark.parametrize(
    "line",
    [
        "Originate, Channel: LOCAL/1@a, Context: sales",
        "Originate, Channel:   Local/1@a, Context: sales",
        "Originate, Channel: PJSIP/1, Channel: local/1@a, Context: sales",
        "Originate, CHANNEL: Local/1@a, Channel: PJSIP/1, Context: sales",
    ],
)
def test_no_case_and_no_repetition_escapes_a_rule_that_denies(line: str) -> None:
    no_local = rule(effect="deny", channels=["Local/.*"])
    assert judged(line, no_local, profile="full").rule == "rule own"
    assert (
        judged(line, rule(effect="deny", arguments={"channel": "Local/.*"}), profile="full").rule
        == "rule own"
    )
    assert judged("Originate, Channel: PJSIP/1, Context: sales", no_local, profile="full").allowed


@pytest.mark.parametrize(
    ("bounds", "line"),
    [
        ({"applications": ("System",)}, "Originate, Channel: PJSIP/1, Application: system"),
        ({"contexts": ("evil",)}, "Redirect, Channel: a, Context: EVIL, Exten: 1"),
        ({"variables": ("MONITOR_EXEC*",)}, 'Originate, Channel: PJSIP/1, Context: a, Variable: X=1;;__"MONITOR_EXEC"=x'),
        ({"commands": ("core stop.*",)}, 'Command, Command: core   "stop"  now'),
        ({"commands": ("core stop.*",)}, "Command, Command: core st\\op now"),
        ({"functions": ("SHELL",)}, "Getvar, Variable: SHELL(id)"),
    ],
)  # fmt: skip
def test_a_rule_denies_whatever_touches_what_it_names(bounds: dict[str, Any], line: str) -> None:
    policy: dict[str, Any] = {"profile": "full", "bounds": Bounds(functions=("*",))}
    assert judged(line, **policy).allowed
    assert judged(line, rule(effect="deny", **bounds), **policy).rule == "rule own"


def test_a_rule_that_denies_two_things_denies_what_has_both() -> None:
    both = rule(effect="deny", contexts=("night",), channels=["PJSIP/.*"])
    assert not judged("Originate, Channel: PJSIP/1, Context: night", both, profile="full").allowed
    assert judged("Originate, Channel: SIP/1, Context: night", both, profile="full").allowed


@pytest.mark.parametrize(
    ("functions", "variable", "allowed"),
    [
        (("CHANNEL",), "CHANNEL(name)", True),
        (("channel",), "CHANNEL(name)", True),
        (("CHANNEL",), "CURL(http://x)", False),
        (("CHANNEL",), "CHANNEL(${SHELL(id)})", False),
        (("CHANNEL",), "CHANNEL(SHELL(id))", False),
        (("CHANNEL", "SH*"), "CHANNEL(SHELL(id))", True),
        (("CHANNEL",), "${CHANNEL(name)}", True),
        (("CHANNEL",), "${${X}(name)}", False),
        (("CHANNEL", "${X}"), "CHANNEL(${X})", True),
        (("*",), "${${X}(name)}", True),
    ],
)
def test_functions_pass_where_a_rule_names_each(
    functions: tuple[str, ...], variable: str, allowed: bool
) -> None:
    reader = rule(actions=("Getvar",), functions=functions)
    assert judged(f"Getvar, Channel: a, Variable: {variable}", reader).allowed is allowed


def test_commands_pass_by_their_text() -> None:
    shows = rule(actions=("Command",), commands=("core show (channels|uptime)( concise)?",))
    assert judged("Command, Command: core  show channels concise", shows).allowed
    for text in (
        "core stop now",
        "core show channels; core stop now",
        "core show uptime, Command: core stop now",
    ):
        assert not judged(f"Command, Command: {text}", shows).allowed
    assert not judged("Command, Command: core show uptime", rule(actions=("*",))).allowed


def test_mixmonitor_and_agi_run_nothing_unless_it_is_named() -> None:
    recorder = rule(
        actions=("MixMonitor", "AGI"), commands=("/usr/local/bin/keep [a-z]+", "EXEC Playback [a-z]+")
    )
    assert judged("MixMonitor, Channel: a, File: x.wav", recorder).allowed
    assert judged("MixMonitor, Channel: a, Command: /usr/local/bin/keep a", recorder).allowed
    assert judged("AGI, Channel: a, Command: EXEC Playback tt", recorder).allowed
    assert not judged("MixMonitor, Channel: a, Command: id", recorder).allowed
    assert not judged("AGI, Channel: a, Command: EXEC System id", recorder).allowed


def test_many_at_once_must_be_spoken_of() -> None:
    line = "Hangup, Channel: /^PJSIP\\/1/"
    assert not judged(line, rule(actions=("Hangup",))).allowed
    assert judged(line, rule(actions=("Hangup",), arguments={"Channel": r"/\^PJSIP.*/"})).allowed


@pytest.mark.parametrize(
    ("actions", "allowed"),
    [(("QuectelReset",), True), (("quectelreset",), True), (("*",), False), (("Quectel*",), False)],
)
def test_an_unknown_action_must_be_spelt(actions: tuple[str, ...], allowed: bool) -> None:
    spelt = rule(actions=actions)
    assert judged("QuectelReset, Device: 1", spelt).allowed is allowed
    assert (
        "QuectelReset"
        in [
            name.replace("quectelreset", "QuectelReset")
            for name in Policy(KNOWN, rules=[spelt]).possible("p")
        ]
    ) is allowed
    assert not judged("QuectelReset, Device: SHELL(id)", spelt).allowed


def test_variables_bound_what_is_read() -> None:
    narrow = Bounds(variables=("X_*",))
    for line in ("Getvar, Variable: X_A", "Status, Variables: X_A;;X_B"):
        assert judged(line, bounds=narrow).allowed
    for line in ("Getvar, Variable: SECRET", "Status, Variables: X_A;;SECRET", "Status, AllVariables: yes"):
        assert not judged(line, bounds=narrow).allowed


def test_rules_inherit_what_they_do_not_say() -> None:
    calls = rule(actions=("Originate",))
    assert not judged(CALL, calls).allowed
    named = Bounds(contexts=("sales",), channels=(re.compile("PJSIP/.*"),))
    assert judged(CALL, calls, bounds=named) == (True, "rule own", "")
    assert not judged(f"{CALL}, Application: System", calls, bounds=named).allowed


def test_what_rules_say_shows_in_what_may_pass() -> None:
    def possible(*rules: Rule) -> set[str]:
        return set(Policy(KNOWN, rules=rules).possible("berlin-1"))

    plain = possible()
    assert possible(DIALLER) == plain | {"Originate"}
    assert possible(rule(actions=("Originate",))) == plain
    assert possible(rule(effect="deny", actions=("Get*",))) == plain - {"Getvar"}
    for partly in (
        {"topics": ("other",)},
        {"functions": ("*",)},
        {"arguments": {"Channel": "x"}},
        {"pbx": ("paris",)},
    ):
        assert possible(rule(effect="deny", actions=("Get*",), **partly)) == plain


def test_no_refusal_repeats_what_may_be_a_secret() -> None:
    said = judged(
        "Command, Command: core show secret-7, X: ${${secret-7}}", rule(actions=("Command",), functions=())
    )
    assert "secret-7" not in said.why


def test_a_header_that_is_not_there_is_the_empty_text() -> None:
    strict = rule(
        actions=("Originate",), contexts=("sales",), channels=["PJSIP/.*"], arguments={"CallerID": ".+"}
    )
    assert not judged(CALL, strict).allowed
    assert judged(f"{CALL}, CallerID: 30", strict).allowed
    unnamed = rule(effect="deny", actions=("Originate",), arguments={"CallerID": ""})
    assert judged(CALL, unnamed, profile="full").rule == "rule own"
    assert judged(f"{CALL}, CallerID: 30", unnamed, profile="full").allowed


def test_the_whole_value_must_match_to_be_denied() -> None:
    one = rule(effect="deny", arguments={"Channel": "PJSIP/1"})
    assert not judged("Hangup, Channel: PJSIP/1", one, profile="full").allowed
    assert judged("Hangup, Channel: PJSIP/100", one, profile="full").allowed


def test_channels_joined_into_one_lead_where_each_of_them_leads() -> None:
    wide = rule(actions=("Originate",), contexts=("sales",), channels=[".*"])
    assert judged("Originate, Channel: PJSIP/1&Local/1@sales, Context: sales", wide).allowed
    verdict = judged("Originate, Channel: PJSIP/1&Local/1@evil, Context: sales", wide)
    assert "Channel: context 'evil' is not allowed by name" in verdict.why


def test_functions_within_functions_are_functions_wherever_they_stand() -> None:
    channel = rule(actions=("SendText",), functions=("CHANNEL",))
    assert judged("SendText, Channel: a, Message: ${CHANNEL(name)}", channel).allowed
    assert not judged("SendText, Channel: a, Message: ${CHANNEL(SHELL(id))}", channel).allowed
