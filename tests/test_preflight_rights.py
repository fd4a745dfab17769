"""Checks of the rights in Kafka that the road back needs."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import cast

import pytest

from connector.edges.kafka.admin import KafkaAdmin
from connector.edges.kafka.probe import TransactionProbe
from connector.errors import BrokerError
from connector.preflight import State, ends
from connector.settings.rights import Right, rights
from connector.settings.topics import plan
from tests.test_preflight import Admin
from tests.test_preflight_actions import CLAIMS, REQUESTS, RESPONSES, as_planned, settings


def test_only_what_is_read_must_be_readable_and_only_what_is_written_writable() -> None:
    found = {right.name: right for right in rights(settings(), plan(settings(), []))}
    assert {name: right.operations for name, right in found.items()} == {
        REQUESTS: ("READ", "DESCRIBE_CONFIGS"),
        RESPONSES: ("WRITE",),
        CLAIMS: ("READ", "WRITE", "DESCRIBE_CONFIGS"),
        "asterisk.dlq": ("WRITE",),
        "ami-kafka-actions-main": ("READ",),
        "ami-kafka-actions-main-": ("WRITE",),
    }
    assert found["ami-kafka-actions-main-"].prefixed
    named = list(rights(settings(instance_id="one"), []))
    assert named[-1] == Right("transactional-id", "ami-kafka-actions-main-one-", ("WRITE",), prefixed=True)
    assert list(rights(replace(settings(), actions=None), [])) == []


def test_a_reply_topic_without_the_right_is_warned_of_and_a_pattern_is_not_asked_for() -> None:
    lacking = [Right("topic", "crm", ("WRITE",))]
    for topics, told in ((("crm", "billing.*"), True), (("billing.*",), False)):
        admin = cast("KafkaAdmin", Replies(as_planned(), lacking))
        own = settings(reply_topics=topics)
        found = asyncio.run(ends.kafka(admin, own, plan(own, [])))
        warned = [each for each in found if each.what == "reply topics"]
        assert [(each.state, each.fatal) for each in warned] == [(State.WARNING, False)] * told
        assert all("no right Write on crm" in each.seen for each in warned)


class Replies(Admin):
    """A Kafka that lets us do all but write to reply topics."""

    async def lacking(self, needed: Iterable[Right]) -> Sequence[Right]:
        asked = {right.name for right in needed}
        return [right for right in self._lacking if right.name in asked]


class Probe:
    """A Kafka that answers about a transactional id as told."""

    def __init__(self, *, answer: bool = True, error: str = "") -> None:
        self._answer = answer
        self._error = error

    async def allowed(self) -> bool:
        if self._error:
            raise BrokerError(self._error)
        return self._answer


@pytest.mark.parametrize(
    ("probe", "state", "told"),
    [
        (Probe(), State.OK, "may write on ids-*"),
        (Probe(answer=False), State.FAILED, "no right Write on ids-*; give it"),
        (Probe(error="transactional id: no answer"), State.UNPROVEN, "transactional id: no answer"),
    ],
)
def test_a_transactional_id_is_tried(probe: Probe, state: State, told: str) -> None:
    right = Right("transactional-id", "ids-", ("WRITE",), prefixed=True)
    (found,) = asyncio.run(ends.transactions(cast("TransactionProbe", probe), right))
    assert (found.state, found.fatal) == (state, state is State.FAILED)
    assert told in str(found)
