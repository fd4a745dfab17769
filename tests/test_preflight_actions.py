"""Checks of the road back: its topics, its rules, the account that runs actions."""

import asyncio
import re
import time
from dataclasses import replace
from typing import Any, cast

import pytest

from connector.actions.policy.rules import Rule
from connector.ami.message import parse
from connector.app.opening import open_pbx
from connector.demo.channels import Event
from connector.demo.pbx import SimulatedPbx
from connector.demo.traffic import Traffic
from connector.edges.kafka.admin import KafkaAdmin
from connector.edges.schemas import load_action_catalogue
from connector.preflight import Finding, State, actions, canary, ends, pbx, requests
from connector.settings import kinds, road_back
from connector.settings.actions import ActionAccount, Actions, Standard
from connector.settings.sections import Kafka, Pbx, Settings
from connector.settings.topics import Present, plan
from tests.edges.scripted import GREETING, Peer, scripted
from tests.test_preflight import PBX, Admin

CATALOGUE = load_action_catalogue()
DAY = 86_400_000
REQUESTS, RESPONSES, CLAIMS = (f"asterisk.{name}.json" for name in ("actions", "responses", "claims"))
CALLS = Standard(profile="call-control", channels=(re.compile("PJSIP/.*"),), contexts=("sales",))


def settings(pbx: Pbx = PBX, **said: Any) -> Settings:
    return Settings(pbx={"main": pbx}, kafka=Kafka(bootstrap_servers=("k",)), actions=Actions(**said))


def as_planned(**changed: Present) -> dict[str, Present]:
    found = {topic.name: Present(topic.partitions, 1, topic.config) for topic in plan(settings(), [])}
    names = {"requests": REQUESTS, "claims": CLAIMS}
    return {**found, **{names[key]: each for key, each in changed.items()}}


def test_claims_as_planned_are_right() -> None:
    (found,) = requests.claims(settings(), plan(settings(), []), as_planned())
    assert found.state is State.OK
    assert requests.claims(replace(settings(), actions=None), [], {}) == []


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"claims": Present(5, 1)}, f"{CLAIMS} has 5 partitions, but {REQUESTS} has 3"),
        ({"requests": Present(5, 1)}, f"{CLAIMS} has 3 partitions, but {REQUESTS} has 5"),
        ({"claims": Present(3, 1, {"cleanup.policy": "delete"})}, "cleanup.policy is delete, it must be compact,delete"),
        ({"claims": Present(3, 1, {"cleanup.policy": "compact"})}, "cleanup.policy is compact"),
        ({"claims": Present(3, 1, {"retention.ms": str(7 * DAY)})}, f"retention.ms is {7 * DAY}, requests are kept {7 * DAY}"),
        ({"requests": Present(3, 1, {"retention.ms": str(30 * DAY)})}, f"requests are kept {30 * DAY}"),
        ({"requests": Present(3, 1, {"retention.ms": "-1"})}, "requests are kept -1"),
    ],
)  # fmt: skip
def test_claims_that_would_not_know_a_repeat_are_fatal(changed: dict[str, Present], told: str) -> None:
    found = requests.claims(settings(), plan(settings(), []), as_planned(**changed))
    assert [finding.fatal for finding in found] == [True]
    assert told in found[0].seen


@pytest.mark.parametrize(
    "changed",
    [
        {"claims": Present(3, 1)},
        {"claims": Present(3, 1, {"cleanup.policy": "delete, compact", "retention.ms": "-1"})},
    ],
)
def test_what_kafka_does_not_tell_of_claims_is_not_doubted(changed: dict[str, Present]) -> None:
    (found,) = requests.claims(settings(), plan(settings(), []), as_planned(**changed))
    assert found.state is State.OK


def test_claims_are_checked_with_kafka() -> None:
    admin = cast("KafkaAdmin", Admin(as_planned(claims=Present(5, 1))))
    found = asyncio.run(ends.kafka(admin, settings(), plan(settings(), [])))
    by_name = {finding.what: finding for finding in found}
    assert by_name["claims"].fatal


def test_rules_that_speak_of_nothing_are_named() -> None:
    wrong = (
        Rule(name="a", effect="deny", actions=("Orignate", "Get*", "Ping")),
        Rule(name="b", pbx=("berlin*",), topics=("other", "asterisk.*")),
        Rule(name="c", topics=("asterisk.actions",)),
    )
    assert [finding.seen for finding in requests.rules(settings(rules=wrong), CATALOGUE)] == [
        "actions.rules[0].actions: 'Orignate' is in no catalogue; did you mean 'Originate'?",
        "actions.rules[1].pbx: none of main is meant by it",
        f"actions.rules[2].topics: none of {REQUESTS} is meant by it",
    ]


@pytest.mark.parametrize(
    ("policy", "told", "warned"),
    [
        (Standard(), "profile read-only: ", False),
        (Standard(profile="call-control"), "profile call-control: ", True),
        (CALLS, "profile call-control: ", False),
    ],
)
def test_what_the_policy_lets_through_is_told(policy: Standard, told: str, warned: bool) -> None:
    own = settings(policy=policy)
    found = requests.reach(road_back.actions(own).judge(CATALOGUE), own, CATALOGUE)
    assert found[0].seen.startswith(told)
    assert (found[0].seen.endswith(" 0 of them change something")) is (policy.profile == "read-only")
    assert [finding.state for finding in found[1:]] == [State.WARNING] * warned


LISTED = (
    b"Response: Success\r\nActionID: 1\r\nPing: Keepalive. (Priv: <none>)\r\nHangup: Hang up. (Priv: system,call,all)\r\n"
    b"Originate: Originate. (Priv: originate,all)\r\nAgents: List. (Priv: agent,all)"
)


def test_each_action_that_may_pass_is_held_against_the_account() -> None:
    possible = ["Agents", "Originate", "PJSIPShowAors", "Ping", "QueueSummary", "QuectelReset", "AgentLogoff"]
    may, absent, lacking, unasked = actions.allowed("main", possible, pbx.listed(parse(LISTED)), CATALOGUE)
    assert (may.state, may.seen) == (State.OK, "the account may run Agents, Originate, Ping")
    # Without a class of its own, or of a class that is proved: it is the PBX that has not got it.
    assert (absent.state, absent.seen[-25:]) == (State.OK, "QueueSummary, AgentLogoff")
    assert lacking.state is State.WARNING
    assert lacking.seen.endswith("PJSIPShowAors needs system; QuectelReset needs a right that is not known")
    assert unasked.state is State.WARNING
    assert unasked.seen.endswith("UNKNOWN cannot be asked: Status needs system or call or reporting")


@pytest.mark.parametrize(
    ("possible", "listed_too", "warned"),
    [
        (["Originate"], b"", True),
        (["Originate"], b"\r\nStatus: Show. (Priv: system,call,reporting,all)", False),
        (["Hangup"], b"", False),
    ],
)
def test_what_became_of_calls_must_be_askable(
    possible: list[str], listed_too: bytes, *, warned: bool
) -> None:
    found = actions.allowed("main", possible, pbx.listed(parse(LISTED + listed_too)), CATALOGUE)
    assert any(finding.what == "main unknown calls" for finding in found) is warned


def looked_at(simulated: SimulatedPbx, own: Settings, *events: Event) -> dict[str, Finding]:
    async def look() -> list[Finding]:
        async with asyncio.timeout(30), simulated:
            host, port = simulated.address
            at = replace(road_back.for_actions(own, "main"), address=(kinds.Address(host, port),))
            possible = road_back.actions(own).judge(CATALOGUE).possible("main")
            target = open_pbx("main", at, 1 << 20)
            # As long as it takes where something comes, else not at all.
            listen_s = 30.0 if events else 0.0
            looking = asyncio.create_task(actions.check(target, possible, CATALOGUE, listen_s))
            while events and not looking.done():
                for event in events:
                    simulated.tell(event)
                await asyncio.sleep(0)
            return await looking

    return {finding.what: finding for finding in asyncio.run(look())}


def test_the_account_for_actions_is_the_one_that_is_looked_at() -> None:
    doer = Pbx(
        address=PBX.address,
        username="demo",
        secret=kinds.Secret("wrong"),
        actions=ActionAccount(username="doer", secret=kinds.Secret("right")),
    )
    simulated = SimulatedPbx({"doer": "right"}, Traffic(int(time.time())))
    found = looked_at(simulated, settings(doer))
    assert found["main actions allowed"].state in (State.OK, State.WARNING)
    assert found["main actions' sessions"].state is State.OK
    assert not {"main OriginateResponse", "main AsyncAGIExec"} & found.keys()
    refused = looked_at(SimulatedPbx({"doer": "right"}), settings(PBX))["main actions' login"]
    assert refused.state is State.FAILED


async def in_use(peer: Peer) -> None:
    peer.say(GREETING)
    await peer.hear()
    peer.respond("Message: Login Already In Use", status="Error")


async def lists_nothing(peer: Peer) -> None:
    peer.say(GREETING)
    while (await peer.hear())["Action"] != "Logoff":
        peer.respond()


def test_an_account_that_may_have_one_session_only_is_told() -> None:
    async def look() -> list[Finding]:
        async with asyncio.timeout(30), scripted(lists_nothing, in_use) as (address, _):
            at = replace(PBX, address=(kinds.Address(address.host, address.port),), auth="plain")
            return await actions.check(open_pbx("main", at, 1 << 20), ["Ping"], CATALOGUE)

    found = {finding.what: finding for finding in asyncio.run(look())}["main actions' sessions"]
    assert found.state is State.FAILED
    assert "Already In Use" in found.seen
    assert "allowmultiplelogin = yes" in found.remedy


@pytest.mark.parametrize(
    ("listed_too", "state"),
    [("UserEvent: Send. (Priv: user,all)", State.OK), ("Ping: Keepalive. (Priv: <none>)", State.FAILED)],
)
def test_an_account_that_cannot_send_canaries_is_told(listed_too: str, state: State) -> None:
    async def lists(peer: Peer) -> None:
        peer.say(GREETING)
        while (await peer.hear())["Action"] != "Logoff":
            peer.respond(listed_too)

    async def look() -> list[Finding]:
        async with asyncio.timeout(30), scripted(lists) as (address, _):
            at = replace(PBX, address=(kinds.Address(address.host, address.port),), auth="plain")
            return await canary.check(open_pbx("main", at, 1 << 20))

    (found,) = asyncio.run(look())
    assert (found.what, found.state) == ("main canary", state)
    assert ("add user to `write`" in found.remedy) is (state is State.FAILED)


def test_who_may_not_log_in_sends_no_canaries() -> None:
    async def look() -> list[Finding]:
        async with asyncio.timeout(30), scripted(in_use) as (address, _):
            at = replace(PBX, address=(kinds.Address(address.host, address.port),), auth="plain")
            return await canary.check(open_pbx("main", at, 1 << 20))

    (found,) = asyncio.run(look())
    assert (found.what, found.state) == ("main canary", State.FAILED)


FULL = Standard(profile="full")
HUNG_UP = Event("Hangup", "call", ["Channel: PJSIP/100-00000001"])
EXECUTED = Event("AsyncAGIExec", "agi", ["Channel: PJSIP/100-00000001"])


@pytest.mark.parametrize(
    ("policy", "events", "classes"),
    [
        (CALLS, (), {"OriginateResponse": "call"}),
        (CALLS, (HUNG_UP,), {"OriginateResponse": "call"}),
        (FULL, (), {"OriginateResponse": "call", "AsyncAGIExec": "agi"}),
        (FULL, (HUNG_UP, EXECUTED), {"OriginateResponse": "call", "AsyncAGIExec": "agi"}),
    ],
)
def test_how_actions_ended_is_unproven_until_an_event_of_that_class_comes(
    policy: Standard, events: tuple[Event, ...], classes: dict[str, str]
) -> None:
    found = looked_at(SimulatedPbx({"demo": "demo"}), settings(policy=policy), *events)
    assert {name for name in found if "Response" in name or "Exec" in name} == {
        f"main {each}" for each in classes
    }
    for event, event_class in classes.items():
        finding = found[f"main {event}"]
        assert finding.state is (State.OK if events else State.UNPROVEN)
        assert (f"read = {event_class} in" in finding.remedy) is not bool(events)
