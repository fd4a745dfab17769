"""What the policy forbids is refused through Kafka: nothing reaches the PBX, and no secret leaves it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.parts.asterisk import Pbx
from tests.parts.kafka import Cluster, Kafka
from tests.real import reading
from tests.real.asking import Inbox, ask
from tests.real.bridge import MEASURED, Bridge, Tables, bridge, fresh, pbx_table
from tests.real.reading import Got

LAMP = f"DEVICE_STATE(Custom:{fresh('lamp')})"
CALLS = "Local/refused@parties"
CALL = {"Channel": f"{CALLS}/n", "Application": "Wait", "Data": "1"}
PLAIN: dict[str, dict[str, Any]] = {
    "call": {"action": "Originate", "headers": CALL},
    "set": {"action": "Setvar", "headers": {"Variable": "STOLEN", "Value": "yes"}},
    "print": {"action": "Command", "headers": {"Command": "manager show user full"}},
}
"""What `read-only` forbids."""


def calls_of_functions(pbx: Pbx) -> dict[str, dict[str, Any]]:
    """Return what every profile forbids."""
    secret = f"AST_CONFIG(manager.conf,{pbx.username},secret)"
    return {
        "get": {"action": "Getvar", "headers": {"Variable": secret}},
        "show": {"action": "Status", "headers": {"Variables": f"PARTS,{secret}"}},
        "light": {"action": "Setvar", "headers": {"Variable": LAMP, "Value": "INUSE"}},
        "expand": {"action": "Setvar", "headers": {"Variable": "STOLEN", "Value": f"${{{secret}}}"}},
        "light by a call": {"action": "Originate", "headers": CALL, "variables": {LAMP: "INUSE"}},
    }


def tables(bootstrap: str, prefix: str, pbx: Pbx, policy: dict[str, Any]) -> Tables:
    return {
        "pbx.main": pbx_table(pbx.host, pbx.port, pbx.username, pbx.secret),
        "kafka": {"bootstrap_servers": [bootstrap]},
        "events": {"topic_prefix": prefix},
        "topics": {"partitions": 1},
        "actions": {"format": "json"},
        "http": MEASURED,
        **({"actions.policy": policy} if policy else {}),
    }


class Place:
    """A connector at work under one profile, and its topics."""

    def __init__(self, running: Bridge, bootstrap: str, prefix: str) -> None:
        self.running = running
        self._bootstrap = bootstrap
        self._prefix = prefix

    def answers(self, asked: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
        """Give the one response to each of these."""
        requests = {name: {"request_id": name, **request} for name, request in asked.items()}
        ask(self._bootstrap, f"{self._prefix}.actions.json", requests)
        inbox = Inbox(self._bootstrap, f"{self._prefix}.responses.json", 1)
        try:
            answers = inbox.expect(requests)
        finally:
            inbox.close()
        return {name: answer for name in requests for (answer,) in [answers[name]]}

    def records(self) -> list[Got]:
        return reading.read_all(self._bootstrap, self._prefix)


@contextmanager
def place(cluster: Cluster | Kafka, pbx: Pbx, folder: Path, policy: dict[str, Any]) -> Iterator[Place]:
    prefix = fresh("refused")
    settings = tables(cluster.bootstrap, prefix, pbx, policy)
    with bridge(folder, settings, "--only", "actions") as running:
        running.expect("ClaimsRead")
        yield Place(running, cluster.bootstrap, prefix)
        assert running.stop() == 0, running.text()
    reading.remove(cluster.bootstrap, prefix)


def forbidden(profile: str, pbx: Pbx) -> dict[str, dict[str, Any]]:
    return {**calls_of_functions(pbx), **(PLAIN if profile == "read-only" else {})}


def assert_refused(profile: str, asked: Mapping[str, Any], one: Place) -> None:
    """See that all but the Ping is refused by the profile, in the responses and in the log."""
    answers = one.answers({"ping": {"action": "Ping"}, **asked})
    assert answers.pop("ping")["status"] == "SUCCESS"
    for name, answer in answers.items():
        assert (answer["status"], answer["executed"]) == ("REFUSED", "no"), (name, answer)
        assert answer["rule"] == f"profile {profile}", (name, answer)
        assert (answer["response"], answer["events"], answer["output"]) == ([], [], []), name
    told = {fact["request_id"]: fact["rule"] for fact in one.running.facts("ActionRefused")}
    assert told == dict.fromkeys(asked, f"profile {profile}")
    refused = len(asked)
    assert one.running.metric("actions_refused_total", rule=f"profile {profile}") == refused
    assert one.running.metric("actions_total", status="REFUSED") == refused
    assert one.running.metric("actions_total", action="Ping", status="SUCCESS") == 1
    assert one.running.metric("action_seconds_count", pbx="main") == refused + 1


def assert_nothing_told(secret: str, one: Place) -> None:
    records = one.records()
    assert not [got.topic for got in records if got.topic.endswith(".dlq")]
    assert not [got for got in records if secret.encode() in got.value or secret in str(got)]
    assert secret not in one.running.text()


def test_the_pbx_would_do_all_of_this(asterisk22: Pbx) -> None:
    """Else its refusal would prove nothing."""
    secret = f"AST_CONFIG(manager.conf,{asterisk22.username},secret)"
    with asterisk22.manager() as ami:
        assert ami.ask("Getvar", Variable=secret)["Value"] == asterisk22.secret
        lamp = f"DEVICE_STATE(Custom:{fresh('lamp')})"
        ami.action("Setvar", Variable=lamp, Value="INUSE")
        assert ami.ask("Getvar", Variable=lamp)["Value"] == "INUSE"


@pytest.mark.parametrize("profile", ["read-only", "full"])
def test_what_is_forbidden_is_refused_and_tells_nothing(
    profile: str, kafka: Cluster | Kafka, asterisk22: Pbx, tmp_path: Path
) -> None:
    # What stands in no settings is the default.
    policy = {} if profile == "read-only" else {"profile": profile}
    asked = forbidden(profile, asterisk22)
    with asterisk22.manager() as ami, place(kafka, asterisk22, tmp_path, policy) as one:
        assert_refused(profile, asked, one)
        assert_nothing_told(asterisk22.secret, one)
        assert ami.ask("Getvar", Variable=LAMP)["Value"] != "INUSE"
        assert ami.ask("Getvar", Variable="STOLEN")["Value"] == ""
        assert not [each for each in ami.events if each["Event"] == "Newchannel" and CALLS in each["Channel"]]
