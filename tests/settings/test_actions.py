"""The tables of the road back: what they say, what follows from them, and what is refused."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from connector.actions.dispatch.limits import Limit
from connector.actions.pair import Pair
from connector.actions.policy.rules import Rule
from connector.ami.action import AmiAction
from connector.ami.catalogue import load as catalogue
from connector.settings.actions import Actions
from connector.settings.load import load
from connector.settings.road_back import (
    account,
    actions,
    claims_retention_ms,
    group,
    pairs,
    request_rules,
    sessions,
    transactional_id,
)
from connector.settings.sections import Settings
from tests.settings.test_load import LEAST, no_file, problems

KNOWN = catalogue((Path(__file__).parents[2] / "schemas" / "catalogue" / "actions.json").read_text("utf-8"))
REGISTRY = '[registry]\nurl = "http://registry.example"\n'
DAY = 86_400_000


def settings(
    text: str = "[actions]", environ: Mapping[str, str] | None = None, start: str = LEAST
) -> Settings:
    return load(f"{start}\n{text}", environ or {}, no_file)


def test_without_its_table_the_road_back_is_off() -> None:
    found = load(LEAST, {}, no_file)
    assert found.actions is None
    assert pairs(found) == ()
    with pytest.raises(Exception, match=r"^actions: must be set"):
        actions(found)


def test_an_empty_table_is_enough() -> None:
    found = settings()
    assert found.actions == Actions()
    assert pairs(found) == (
        Pair("asterisk.actions.json", "asterisk.responses.json", "asterisk.claims.json", "json"),
    )
    policy = actions(found).judge(KNOWN)
    assert policy.judge("main", "t", AmiAction("Ping")).rule == "profile read-only"
    assert actions(found).bounds == (Limit(),)
    rules = request_rules(found)
    assert (rules.ttl_ms, rules.max_ttl_ms, rules.timeout_ms, rules.max_timeout_ms) == (
        30_000,
        3_600_000,
        30_000,
        600_000,
    )
    assert rules.pairs == pairs(found)


AVRO = Pair("asterisk.actions", "asterisk.responses", "asterisk.claims", "avro")
JSON = Pair("asterisk.actions.json", "asterisk.responses.json", "asterisk.claims.json", "json")


@pytest.mark.parametrize(
    ("form", "registry", "expected"),
    [
        ("auto", False, [JSON]),
        ("auto", True, [AVRO]),
        ("json", True, [JSON]),
        ("avro", True, [AVRO]),
        ("both", True, [AVRO, JSON]),
    ],
)
def test_the_form_is_that_of_the_pair_of_topics(form: str, registry: bool, expected: list[Pair]) -> None:
    found = settings(f'{REGISTRY if registry else ""}[actions]\nformat = "{form}"')
    assert list(pairs(found)) == expected


def test_topics_may_be_named() -> None:
    text = '[events]\ntopic_prefix = "pbx"\n[actions]\nrequests = "calls.todo"\nclaims = "calls.begun"'
    assert pairs(settings(text)) == (
        Pair("calls.todo.json", "pbx.responses.json", "calls.begun.json", "json"),
    )


TWO = LEAST + '[pbx."a-1"]\naddress = "h"\nusername = "u"\nsecret = "s"\n'


def test_the_group_is_that_of_a_set_of_pbxs() -> None:
    assert group(settings(start=TWO)) == "ami-kafka-actions-a-1+main"
    many = "".join(f'[pbx.pbx-{n}]\naddress = "h"\nusername = "u"\nsecret = "s"\n' for n in range(40))
    assert re.fullmatch(r"ami-kafka-actions-41-[0-9a-f]{12}", group(settings(start=LEAST + many)))
    assert group(settings('[actions]\ngroup = "mine"')) == "mine"


def test_the_transactional_id_lasts_where_the_instance_is_named() -> None:
    assert transactional_id(settings(), "x7") == "ami-kafka-actions-main-x7"
    assert transactional_id(settings('[actions]\ninstance_id = "one"'), "x7") == "ami-kafka-actions-main-one"


def test_actions_may_have_an_account_of_their_own() -> None:
    usual = account(settings(), "main")
    assert (usual.username, usual.secret, usual.events) == ("kafka", "deep-in-the-sea", "call")
    own = settings(
        '[actions]\nsessions = 3\n[pbx.main.actions]\nusername = "doer"\nsecret = "t"\nsessions = 5'
    )
    assert (account(own, "main").username, account(own, "main").secret, sessions(own, "main")) == (
        "doer",
        "t",
        5,
    )
    assert sessions(settings("[actions]\nsessions = 3\n[pbx.main.actions]"), "main") == 3


def test_rules_are_read_in_order() -> None:
    text = r"""
        [actions.policy]
        profile = "call-control"
        contexts = "sales"
        channels = ['PJSIP/[0-9]{3,5}']

        [[actions.rules]]
        name = "no night calls"
        effect = "deny"
        topics = ["*.json"]
        contexts = ["night-*"]

        [[actions.rules]]
        name = "dialler"
        pbx = "main"
        actions = ["Originate"]
        arguments = { CallerID = '"Sales" <30>', Account = "sales|" }
        variables = ["X_*"]
    """
    own = actions(settings(text))
    assert own.policy.channels == (re.compile("PJSIP/[0-9]{3,5}"),)
    assert own.rules == (
        Rule(name="no night calls", effect="deny", topics=("*.json",), contexts=("night-*",)),
        Rule(
            name="dialler",
            pbx=("main",),
            actions=("Originate",),
            arguments={"CallerID": re.compile('"Sales" <30>'), "Account": re.compile("sales|")},
            variables=("X_*",),
        ),
    )
    call = AmiAction(
        "Originate", (("Channel", "PJSIP/100"), ("Context", "sales"), ("CallerID", '"Sales" <30>'))
    )
    assert own.judge(KNOWN).judge("main", "t", call).rule == "rule dialler"
    assert own.judge(KNOWN).judge("other", "t", call).rule == "profile call-control"


def test_limits_are_those_of_a_pbx_and_of_channels() -> None:
    text = '[actions.limits]\ncalls_per_s = 2\n[[actions.limits.channels]]\nprefix = "PJSIP/trunk"\ncalls_in_flight = 30'
    assert actions(settings(text)).bounds == (
        Limit(calls_per_s=2.0),
        Limit(channel="PJSIP/trunk", calls_in_flight=30),
    )


def test_the_environment_says_it_too() -> None:
    environ = {
        "AMI_KAFKA__ACTIONS__POLICY__PROFILE": "call-control",
        "AMI_KAFKA__ACTIONS__POLICY__CONTEXTS": "sales,support",
        "AMI_KAFKA__ACTIONS__POLICY__CHANNELS": "PJSIP/[0-9]{3,5}",
        "AMI_KAFKA__ACTIONS__RULES__1__NAME": "second",
        "AMI_KAFKA__ACTIONS__RULES__0__PBX": "main",
        "AMI_KAFKA__ACTIONS__RULES__1__ARGUMENTS__CALLERID": "30|31",
        "AMI_KAFKA__ACTIONS__LIMITS__CALLS_PER_S": "0.5",
        "AMI_KAFKA__ACTIONS__LIMITS__CHANNELS__0__PREFIX": "SIP/",
        "AMI_KAFKA__PBX__MAIN__ACTIONS__SESSIONS": "4",
    }
    found = settings('[[actions.rules]]\nname = "first"', environ)
    own = actions(found)
    assert own.policy.contexts == ("sales", "support")
    assert own.policy.channels == (re.compile("PJSIP/[0-9]{3,5}"),)
    assert own.rules == (
        Rule(name="first", pbx=("main",)),
        Rule(name="second", arguments={"callerid": re.compile("30|31")}),
    )
    assert own.bounds == (Limit(calls_per_s=0.5), Limit(channel="SIP/"))
    assert sessions(found, "main") == 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 8 * DAY + 4_200_000),
        ("[topics]\nretention_ms = -1", -1),
        ("[topics.families.actions]\nretention_ms = 1000", DAY + 1000 + 4_200_000),
        (f"[topics.families.claims]\nretention_ms = {9 * DAY}", 9 * DAY),
        ("[topics.families.claims]\nretention_ms = -1", -1),
    ],
)
def test_claims_stay_longer_than_requests_can_come_again(text: str, expected: int) -> None:
    assert claims_retention_ms(settings(f"[actions]\n{text}")) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('format = "avro"', "actions.format: avro needs registry.url"),
        ('format = "both"', "actions.format: both needs registry.url"),
        ('formt = "json"', "actions.formt: no such setting; did you mean 'format'?"),
        ("ttl_ms = 3_600_001", "actions.ttl_ms: must not be above actions.max_ttl_ms, 3,600,000"),
        ("timeout_ms = 600_001", "actions.timeout_ms: must not be above actions.max_timeout_ms, 600,000"),
        ('reply_topics = ["a b"]', "actions.reply_topics[0]: must be a legal topic name"),
        ('reply_topics = ["app", "ast*"]', "actions.reply_topics[1]: 'ast*' covers asterisk.actions.json, asterisk.claims.json, asterisk.dlq"),
        ('reply_topics = ["asterisk.claims.json"]', "actions.reply_topics[0]: 'asterisk.claims.json' covers"),
        ('requests = "a"\nresponses = "a"', "actions.responses: a.json is the topic of requests already"),
        ("drain_s = 300", "actions.drain_s: must be below max.poll.interval.ms, 300 s"),
        ("[kafka.consumer]\nmax.poll.interval.ms = 20_000", "actions.drain_s: must be below max.poll.interval.ms, 20 s"),
        ("transaction_timeout_ms = 1", "actions.transaction_timeout_ms: must be 1,000 to 900,000"),
        ('[actions.policy]\nprofile = "all"', "actions.policy.profile: must be one of read-only, call-control, full"),
        ('[actions.policy]\nchannels = "PJSIP/("', "actions.policy.channels[0]: must be a regular expression: missing )"),
        ('[actions.policy]\nchannels = "[[a]"', "actions.policy.channels[0]: must be a regular expression: Possible nested set"),
        ("[[actions.rules]]\nactions = []", "actions.rules[0].name: must be set"),
        ('[[actions.rules]]\nname = "a"\n[[actions.rules]]\nname = "a"', "actions.rules[1].name: 'a' is another rule's name"),
        ('[[actions.rules]]\nname = "a"\nefect = "deny"', "actions.rules[0].efect: no such setting; did you mean 'effect'?"),
        ('[[actions.rules]]\nname = "a"\neffect = "denied"', "actions.rules[0].effect: must be one of allow, deny"),
        ('[[actions.rules]]\nname = "a"\narguments = { Channel = "[" }', "actions.rules[0].arguments.Channel: must be a regular expression"),
        ('rules = "a"', "actions.rules: must be tables, [[actions.rules]]"),
        ("rules = [1]", "actions.rules[0]: must be a table"),
        ("[[actions.limits.channels]]\ncalls_per_s = 1", "actions.limits.channels[0].prefix: must be set"),
        ("[actions.limits]\ncalls_per_s = 0", "actions.limits.calls_per_s: must be 0.001 to"),
        ('[pbx.main.actions]\nusername = "u"', "pbx.main.actions.username: username and secret go together"),
        ("[topics.families.claims]\npartitions = 5", "topics.families.claims.partitions: must be 3, as many as requests have"),
        ("[topics.families.claims]\nretention_ms = 604_800_000", "topics.families.claims.retention_ms: must be above 609,000,000"),
        ("[topics]\nretention_ms = -1\n[topics.families.claims]\nretention_ms = 5", "topics.families.claims.retention_ms: must be -1"),
        ('[topics.families.claims.config]\n"cleanup.policy" = "delete"', "topics.families.claims.config.cleanup.policy: must be compact,delete"),
    ],
)  # fmt: skip
def test_an_error_names_the_key(text: str, said: str) -> None:
    assert said in problems(f"{LEAST}\n[actions]\n{text}")


def test_equal_settings_of_partitions_and_cleaning_are_no_errors() -> None:
    text = """
        [topics.families.actions]
        partitions = 5
        [topics.families.claims]
        partitions = 5
        config = { "cleanup.policy" = "delete,compact" }
    """
    assert settings(f"[actions]\n{text}").actions


def test_the_account_of_actions_is_checked_where_the_road_back_is_off_too() -> None:
    assert "pbx.main.actions.username" in problems(f'{LEAST}\n[pbx.main.actions]\nsecret = "u"')
    assert "pbx.main.actions.secret: must be text" in problems(f'{LEAST}\n[pbx.main.actions]\nsecret = ""')
