"""What each profile lets through, and what it refuses: the attacks that AMI's actions offer, by table."""

import re
from pathlib import Path

import pytest

from connector.actions.policy.policy import Policy, Verdict
from connector.actions.policy.profiles import ACTIONS, CONTROLS, NEEDS, NEVER, READS, ProfileName
from connector.actions.policy.rules import Bounds
from connector.ami.action import AmiAction
from connector.ami.catalogue import load

KNOWN = load((Path(__file__).parents[2] / "schemas" / "catalogue" / "actions.json").read_text("utf-8"))
DIALLED = Bounds(
    contexts=("sales", "support-*"),
    channels=(re.compile(r"PJSIP/[0-9]{3,5}"), re.compile(r"Local/[0-9]+@\w+(/n)?")),
    applications=("Playback", "Queue"),
    variables=("CAMPAIGN", "X_*"),
)


def action(line: str) -> AmiAction:
    """Read `Name, Header: value, Header: value`, `;;` standing for a comma."""
    name, *headers = line.split(", ")
    pairs = (each.replace(";;", ",").partition(":") for each in headers)
    return AmiAction(name, tuple((header, value.removeprefix(" ")) for header, _, value in pairs))


def judged(line: str, profile: ProfileName, bounds: Bounds | None = None, **variables: str) -> Verdict:
    return Policy(KNOWN, profile, bounds).judge(
        "main", "asterisk.actions", action(line), [*variables.items()]
    )


READ = [
    "Ping", "PING", "CoreShowChannels", "QueueStatus, Queue: sales", "ExtensionState, Exten: 100, Context: default",
    "Getvar, Channel: PJSIP/100-00000001, Variable: CAMPAIGN", "Getvar, Variable: DIALSTATUS",
    "Getvar, Variable: EXTEN:0:3", "Status", "Status, Variables: CAMPAIGN", "Status, Variables: CAMPAIGN;;DIALSTATUS",
    "Status, AllVariables: true", "PJSIPShowEndpoints", "MWIGet, Mailbox: 100@default",
]  # fmt: skip


@pytest.mark.parametrize("line", READ)
@pytest.mark.parametrize("profile", ["read-only", "call-control", "full"])
def test_reads_pass_under_every_profile(line: str, profile: ProfileName) -> None:
    assert judged(line, profile) == (True, f"profile {profile}", "")


FUNCTIONS = [
    "Getvar, Variable: AST_CONFIG(manager.conf;;kafka;;secret)",
    "Getvar, Variable: CURL(http://169.254.169.254/)",
    "Getvar, Variable: FILE(/etc/passwd)",
    "Getvar, Variable: SHELL(id)",
    "Getvar, Channel: PJSIP/1-1, Variable: CHANNEL(name)",
    "Getvar, Variable: CAMPAIGN, Variable: SHELL(id)",
    "Getvar, Variable: SHELL(id), Variable: CAMPAIGN",
    "Getvar, variable: SHELL(id)",
    "Getvar, VARIABLE:   SHELL(id)",
    "Getvar, Variable: ${SHELL(id)}",
    "Getvar, Variable: ${CAMPAIGN}",
    "Getvar, Variable: $[1 + 1]",
    "Getvar, Variable: ${${EVIL}}",
    "Getvar, Variable: SHELL(id",
    'Getvar, Variable: S"HELL"(id)',
    "Getvar, Variable: SHELL (id)",
    "Getvar, Channel: ${SHELL(id)}, Variable: CAMPAIGN",
    "Status, Variables: SHELL(id)",
    "Status, Variables: CAMPAIGN;;SHELL(id)",
    "Status, Variables: CAMPAIGN;;(;;SHELL(id);;)",
    "Status, Variables: CAMPAIGN, Variables: CURL(http://x/)",
    "QueueStatus, Queue: ${SHELL(id)}",
    "QueueStatus, Queue: SHELL(id)",
    "QueueStatus, Nonsense: SHELL(id)",
]


@pytest.mark.parametrize("line", FUNCTIONS)
@pytest.mark.parametrize("profile", ["read-only", "call-control", "full"])
def test_functions_are_refused_under_every_profile(line: str, profile: ProfileName) -> None:
    verdict = judged(line, profile)
    assert (verdict.allowed, verdict.rule) == (False, f"profile {profile}")
    assert "not allowed by name" in verdict.why


DISCLOSING = [
    "GetConfig, Filename: manager.conf", "GetConfigJSON, Filename: pjsip.conf", "ListCategories, Filename: sip.conf",
    "DBGet, Family: a, Key: b", "DBGetTree, Family: a", "PJSIPShowAuths", "PJSIPShowEndpoint, Endpoint: 100",
    "PJSIPShowRegistrationsOutbound", "VoicemailUsersList", "ShowDialPlan", "Command, Command: core show channels",
]  # fmt: skip
CHANGING = [
    "UpdateConfig, SrcFilename: manager.conf, DstFilename: manager.conf", "CreateConfig, Filename: x.conf",
    "ModuleLoad, LoadType: unload, Module: x", "Reload", "DialplanExtensionAdd, Context: sales, Extension: 1",
    "AGI, Channel: PJSIP/1-1, Command: EXEC System id", "MixMonitor, Channel: PJSIP/1-1, Command: id", "DBPut, Family: a",
    "DBDelTree, Family: a", "PRIDebugFileSet, File: /etc/x", "ConfbridgeStartRecord, Conference: 1, RecordFile: /x",
    "BridgeTechnologySuspend, BridgeTechnology: softmix", "QueueReset", "QueueReload", "DAHDIRestart",
    "DAHDIDialOffhook, DAHDIChannel: 1, Number: 0900", "MessageSend, To: sip:a@b", "PJSIPNotify, Endpoint: 1",
    "QueueLog, Queue: sales, Event: X", "UserEvent, UserEvent: X", "LoggerRotate", "JabberSend, Jabber: x",
    "VoicemailRemove, Mailbox: 1",
]  # fmt: skip


@pytest.mark.parametrize("line", [*DISCLOSING, *CHANGING])
@pytest.mark.parametrize("profile", ["read-only", "call-control"])
def test_what_discloses_or_rewrites_is_not_among_the_actions_of_a_narrow_profile(
    line: str, profile: ProfileName
) -> None:
    name = line.split(",", maxsplit=1)[0]
    verdict = judged(line, profile, DIALLED)
    assert verdict == (False, f"profile {profile}", f"{name} is not among its actions")


@pytest.mark.parametrize("line", [*DISCLOSING, *CHANGING, "Hangup, Channel: /.*/", "QuectelReset, Device: 1"])
def test_full_lets_them_through(line: str) -> None:
    assert judged(line, "full").allowed


@pytest.mark.parametrize("name", sorted({*NEVER, *(facts.name for facts in KNOWN if facts.forbidden)}))
def test_what_acts_on_the_session_never_passes(name: str) -> None:
    for spelt in (name, name.upper(), name.title()):
        verdict = Policy(KNOWN, "full").judge("main", "t", AmiAction(spelt))
        assert (verdict.allowed, verdict.rule) == (False, "session")


CONTROL = [
    "Hangup, Channel: PJSIP/100-00000001",
    "Redirect, Channel: PJSIP/100-1, Context: sales, Exten: 1, Priority: 1",
    "Redirect, Channel: a, ExtraChannel: b, Context: sales, ExtraContext: support-1, Exten: 1, Priority: 1",
    "Originate, Channel: PJSIP/100, Context: support-night, Exten: 200, Priority: 1",
    "Originate, Channel: PJSIP/100, Application: playback, Data: hello-world",
    "Originate, Channel: Local/200@sales/n, Context: sales, Exten: 200, Priority: 1",
    "Originate, Channel: PJSIP/100, Context: sales, Exten: 1, Variable: X_A=1;;X_B=2, Variable: __CAMPAIGN=spring",
    'Originate, Channel: PJSIP/100, Context: sales, Exten: 1, CallerID: "Sales (Berlin)" <30>',
    "Originate, Channel: PJSIP/100, Context: sales, Exten: 1, PreDialGoSub: sales;;s;;1(a;;b)",
    "BlindTransfer, Channel: PJSIP/100-1, Exten: 1, Context: sales",
    "Atxfer, Channel: PJSIP/100-1, Exten: 1, Context: sales",
    "Park, Channel: PJSIP/100-1, TimeoutChannel: PJSIP/100-1",
    "QueueAdd, Queue: sales, Interface: PJSIP/100",
    "QueueAdd, Queue: sales, Interface: Local/200@sales",
    "QueuePause, Interface: PJSIP/7777777, Paused: true",
    "MuteAudio, Channel: PJSIP/100-1, Direction: in, State: on",
    "Setvar, Channel: PJSIP/100-1, Variable: CAMPAIGN, Value: spring (2)",
    "Bridge, Channel1: a, Channel2: b",
    "SendText, Channel: PJSIP/100-1, Message: call me (soon)",
]


@pytest.mark.parametrize("line", CONTROL)
def test_call_control_goes_where_the_settings_name(line: str) -> None:
    assert judged(line, "call-control", DIALLED) == (True, "profile call-control", "")
    assert not judged(line, "read-only", DIALLED).allowed


LED_ASTRAY = [
    # What AMI takes an Originate for: an application that runs programs, or a dialplan nobody named.
    ("Originate, Channel: PJSIP/100, Application: System, Data: id", "application 'System'"),
    ("Originate, Channel: PJSIP/100, Application: Playback, Application: System, Data: id", "application 'System'"),
    ("Originate, Channel: PJSIP/100, Application: System, Application: Playback, Data: id", "application 'System'"),
    ("Originate, Channel: PJSIP/100, application:  system, Data: id", "application 'system'"),
    ("Originate, Channel: PJSIP/100, Context: evil, Exten: 1", "context 'evil'"),
    ("Originate, Channel: PJSIP/100, Context: sales, CONTEXT: evil, Exten: 1", "context 'evil'"),
    ("Originate, Channel: PJSIP/100, Application: Playback, Context: evil, Exten: 1", "context 'evil'"),
    ("Originate, Channel: PJSIP/100, Exten: 1", "without a context"),
    ("Originate, Channel: PJSIP/100, Application:, Application: Playback, Exten: 1", "without a context"),
    ("Originate, Channel: PJSIP/100, Context:, Exten: 1", "without a context"),
    ("Originate, Channel: PJSIP/0900123456, Context: sales, Exten: 1", "channel 'PJSIP/0900123456'"),
    ("Originate, Channel: PJSIP/100, Channel: SIP/x, Context: sales, Exten: 1", "channel 'SIP/x'"),
    ("Originate, Channel: PJSIP/100&SIP/x, Context: sales, Exten: 1", "channel 'PJSIP/100&SIP/x'"),
    # A Local channel runs the dialplan that it names, whatever the channel's pattern lets through.
    ("Originate, Channel: Local/1@evil, Context: sales, Exten: 1", "context 'evil'"),
    ("Originate, Channel: Local/1@evil/n, Context: sales, Exten: 1", "context 'evil'"),
    ("QueueAdd, Queue: sales, Interface: Local/1@evil", "context 'evil'"),
    ("Park, Channel: a, TimeoutChannel: Local/1@evil-00000001;;2", "context 'evil'"),
    ("Park, Channel: a, Channel2: Local/1@evil-00000001;;2", "context 'evil'"),
    ("Park, Channel: a, TimeoutChannel: SIP/x-1", "channel 'SIP/x'"),
    ("Originate, Channel: PJSIP/100, Application: Queue, Data: sales;;Local/1@evil", "context 'evil'"),
    # Subroutines and functions.
    ("Originate, Channel: PJSIP/100, Context: sales, Exten: 1, PreDialGoSub: evil;;s;;1", "context 'evil'"),
    ("Originate, Channel: PJSIP/100, Context: sales, Exten: 1, PreDialGoSub: s;;1", "without a context"),
    (
        "Originate, Channel: PJSIP/100, Context: sales, Exten: 1, PreDialGoSub: sales;;s;;1(SHELL(id))",
        "dialplan function 'SHELL'",
    ),
    ("Originate, Channel: PJSIP/100, Application: Queue, Data: sales;;;;;;;;;;SHELL(id)", "dialplan function 'SHELL'"),
    ("Originate, Channel: PJSIP/100, Application: Playback, Data: ${SHELL(id)}", "dialplan function 'SHELL'"),
    ("Originate, Channel: PJSIP/100, Context: sales, Exten: ${CURL(http://x)}", "dialplan function 'CURL'"),
    ("Originate, Channel: PJSIP/100, Context: sales, Exten: 1, Codecs: ${SHELL(id)}", "dialplan function 'SHELL'"),
    ("Originate, Channel: PJSIP/100, Context: sales, Exten: 1, CallerID: ${SHELL(id)}", "dialplan function 'SHELL'"),
    # Variables.
    ("Originate, Channel: PJSIP/100, Context: sales, Exten: 1, Variable: MONITOR_EXEC=id", "variable to be set"),
    ("Originate, Channel: PJSIP/100, Context: sales, Exten: 1, Variable: X_A=1;;MONITOR_EXEC=id", "'MONITOR_EXEC'"),
    ("Originate, Channel: PJSIP/100, Context: sales, Exten: 1, Variable: X_A=1, variable: EVIL=1", "'EVIL'"),
    ("Originate, Channel: PJSIP/100, Context: sales, Exten: 1, Variable: __EVIL=1", "'EVIL'"),
    ('Originate, Channel: PJSIP/100, Context: sales, Exten: 1, Variable: "E\\VIL"=1', "'EVIL'"),
    ("Originate, Channel: PJSIP/100, Context: sales, Exten: 1, Variable: CALLERID(num)=1", "function 'CALLERID'"),
    ("Originate, Channel: PJSIP/100, Context: sales, Exten: 1, Variable: X_A=${SHELL(id)}", "function 'SHELL'"),
    ("Originate, Channel: PJSIP/100, Context: sales, Exten: 1, Variable: X_A=${X_B}", "function '${X_B}'"),
    ("Setvar, Channel: PJSIP/100-1, Variable: EVIL, Value: 1", "'EVIL'"),
    ("Setvar, Channel: PJSIP/100-1, Variable: FILE(/etc/x), Value: 1", "function 'FILE'"),
    ("Setvar, Channel: PJSIP/100-1, Variable: CAMPAIGN, Value: ${SHELL(id)}", "function 'SHELL'"),
    ("Setvar, Variable: CAMPAIGN, Value: 1", "function 'GLOBAL'"),
    ("Setvar, Channel:, Variable: CAMPAIGN, Value: 1", "function 'GLOBAL'"),
    # Elsewhere.
    ("Redirect, Channel: a, Context: evil, Exten: 1, Priority: 1", "context 'evil'"),
    ("Redirect, Channel: a, Exten: 1, Priority: 1", "without a context"),
    ("Redirect, Channel: a, ExtraChannel: b, Context: sales, ExtraContext: evil, Exten: 1", "ExtraContext: context 'evil'"),
    ("BlindTransfer, Channel: a, Exten: 1, Context: evil", "context 'evil'"),
    ("BlindTransfer, Channel: a, Exten: 1", "without a context"),
    ("Atxfer, Channel: a, Exten: 1", "without a context"),
    ("QueueAdd, Queue: sales, Interface: SIP/x", "channel 'SIP/x'"),
    ("Hangup, Channel: /^PJSIP/", "many at once"),
    ("Hangup, Channel:  /.*/", "many at once"),
    ("Hangup, Channel: PJSIP/100-1, channel: /.*/", "many at once"),
    ("MWIGet, Mailbox: /.*/", "many at once"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "why"), LED_ASTRAY)
def test_call_control_is_not_led_astray(line: str, why: str) -> None:
    verdict = judged(line, "call-control", DIALLED)
    assert (verdict.allowed, verdict.rule) == (False, "profile call-control")
    assert why in verdict.why


@pytest.mark.parametrize("line", CONTROL)
def test_call_control_leads_nowhere_until_something_is_named(line: str) -> None:
    leads = line.split(",", maxsplit=1)[0].lower() in {*NEEDS, "park"}
    assert judged(line, "call-control").allowed is not leads


@pytest.mark.parametrize(
    ("variables", "allowed"),
    [
        ({"CAMPAIGN": "Smith, X=1"}, True),
        ({"__X_A": "Smith (Berlin)"}, True),
        ({"EVIL": "1"}, False),
        ({"X_A": "${SHELL(id)}"}, False),
        ({"X_A": "SHELL(id)"}, False),
        ({"CALLERID(num)": "1"}, False),
        ({"X_A,EVIL": "1"}, False),
    ],
)
def test_variables_beside_the_headers_count_too(variables: dict[str, str], allowed: bool) -> None:
    line = "Originate, Channel: PJSIP/100, Context: sales, Exten: 1"
    assert judged(line, "call-control", DIALLED, **variables).allowed is allowed


def test_variables_of_an_action_that_reads_its_variable_header_are_no_way_round() -> None:
    assert not judged("Getvar, Variable: CAMPAIGN", "full", None, CAMPAIGN="1").allowed


@pytest.mark.parametrize(
    ("local", "context"),
    [
        ("Local/1", "default"),
        ("LOCAL/1@a", "a"),
        ("local/1@a/nj", "a"),
        ("Local/1@a@b", "Local/1@a@b"),
        ("Local/1/n@b", "Local/1/n@b"),
        ("Local/1@a,b", "a,b"),
    ],
)
def test_the_context_of_a_local_channel_is_found_or_the_channel_stands_for_it(
    local: str, context: str
) -> None:
    anything = Bounds(channels=(re.compile(".*"),), applications=("Playback",))
    line = f"Originate, Channel: {local.replace(',', ';;')}, Application: Playback"
    verdict = judged(line, "call-control", anything)
    assert not verdict.allowed
    assert verdict.why.startswith(f"Channel: context {context!r} ")


def test_an_unknown_action_passes_under_full_alone() -> None:
    verdict = judged("QuectelReset, Device: 1", "call-control", DIALLED)
    assert (
        verdict.why
        == "QuectelReset is not among its actions and unknown to the catalogue: a rule must spell its name"
    )
    assert not judged("QuectelReset, Device: SHELL(id)", "full").allowed


def test_no_profile_but_full_holds_what_discloses_secrets_or_changes_beyond_calls() -> None:
    by_name = {facts.name: facts for facts in KNOWN}
    assert not [
        name for name in READS if by_name[name].effect or by_name[name].secrets or by_name[name].forbidden
    ]
    assert all(by_name[name].effect for name in CONTROLS)
    assert not {name.lower() for name in ACTIONS["call-control"]} & NEVER
    assert len(set(ACTIONS["call-control"])) == len(READS) + len(CONTROLS)


def test_what_may_pass_at_all_is_known_beforehand() -> None:
    assert Policy(KNOWN).possible("main") == sorted(READS)
    quiet = Policy(KNOWN, "call-control").possible("main")
    assert {"Hangup", "Park"} <= set(quiet)
    assert not {"Originate", "Redirect", "QueueAdd", "Setvar"} & set(quiet)
    assert {"Originate", "Redirect", "Setvar"} <= set(Policy(KNOWN, "call-control", DIALLED).possible("main"))
    full = Policy(KNOWN, "full").possible("main")
    assert "UpdateConfig" in full
    assert "Login" not in full
