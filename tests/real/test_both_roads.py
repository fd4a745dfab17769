"""Calls made and led by requests through Kafka; the responses say so, and the topics of events."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from connector.actions.preparation import own_channel
from tests.parts.asterisk import Pbx
from tests.parts.kafka import Cluster, Kafka
from tests.parts.registry import Registry, Service
from tests.real import reading
from tests.real.asking import Inbox, ask
from tests.real.avro import Avro, avro
from tests.real.bridge import Tables, bridge, fresh, pbx_table
from tests.real.following import Event, Follower, following
from tests.real.story import Ends, tables

PARTITIONS = 3
CALLS = [
    *("Newchannel", "BridgeEnter", "Newexten", "ParkedCall", "Hangup"),
    *("QueueCallerJoin", "QueueMemberAdded", "AgentConnect", "QueueMemberRemoved"),
]
CALLER = "Local/caller@parties/n"
MEMBER = {"Queue": "unmanned", "Interface": "Local/answer@parties/n"}


class Desk:
    """Asks by Kafka as one who waits for each answer, and watches what happens by Kafka too."""

    def __init__(self, ends: Ends, prefix: str, form: Avro, inbox: Inbox, events: Follower) -> None:
        self._ends = ends
        self._prefix = prefix
        self._form = form
        self._inbox = inbox
        self.events = events

    def ask(self, action: str, **headers: str) -> dict[str, Any]:
        """Have something done, and give the response."""
        request_id = fresh(action)
        given = [{"name": name, "value": value} for name, value in headers.items()]
        request = {"request_id": request_id, "action": action, "headers": given}
        ask(self._ends.kafka.bootstrap, f"{self._prefix}.actions", {request_id: request}, self._form.encode)
        (answer,) = self._inbox.expect([request_id])[request_id]
        assert answer["request_id"] == request_id
        assert (answer["status"], answer["executed"]) == ("SUCCESS", "yes"), answer
        return answer

    def call(self, exten: str) -> Event:
        """Have a number called; give the Newchannel of the call's first channel."""
        answer = self.ask("Originate", Channel=CALLER, Context="internal", Exten=exten, Priority="1")
        unique_id = own_channel("main", answer["request_id"])
        assert answer["call_id"] == unique_id
        return self.events.expect("new-channel", unique_id=unique_id, linked_id=unique_id)


def settings(ends: Ends, prefix: str, pbx: Pbx) -> Tables:
    return {
        **tables(ends, prefix, select=CALLS),
        "pbx.main": pbx_table(pbx.host, pbx.port, pbx.username, pbx.secret),
        "pbx.main.actions": {"username": "actions", "secret": pbx.secret},
        "actions": {},
        "actions.policy": {
            "profile": "call-control",
            "contexts": ["internal", "parties"],
            "channels": ["Local/(caller|answer)@parties/n"],
        },
    }


@pytest.fixture
def desk(
    kafka: Cluster | Kafka, registry: Service | Registry, asterisk22: Pbx, tmp_path: Path
) -> Iterator[Desk]:
    ends, prefix = Ends(kafka, registry), fresh("roads")
    with ExitStack() as stack:
        stack.callback(reading.remove, kafka.bootstrap, prefix)
        running = stack.enter_context(bridge(tmp_path, settings(ends, prefix, asterisk22)))
        running.expect("LinkUp")
        form = stack.enter_context(avro(registry.url, f"{prefix}.actions"))
        inbox = Inbox(kafka.bootstrap, f"{prefix}.responses", PARTITIONS, form.decode)
        stack.callback(inbox.close)
        events = stack.enter_context(following(kafka.bootstrap, registry.url, prefix))
        yield Desk(ends, prefix, form, inbox, events)
        assert running.stop() == 0, running.text()


def test_a_call_is_made_redirected_parked_and_hung_up(desk: Desk) -> None:
    begins = desk.call("110")
    channel, unique_id = begins.value["channel"], begins.value["unique_id"]
    talks = desk.events.expect("bridge-enter", unique_id=unique_id)
    redirected = desk.ask("Redirect", Channel=channel, Context="internal", Exten="661", Priority="1")
    assert redirected["message"] == "Redirect successful"
    waits = desk.events.expect("new-exten", unique_id=unique_id, extension="661", application="Wait")
    desk.ask("Park", Channel=channel, Parkinglot="default")
    parked = desk.events.expect("parked-call", parkee_unique_id=unique_id, parking_lot="default")
    desk.ask("Hangup", Channel=channel, Cause="16")
    ends = desk.events.expect("hangup", unique_id=unique_id, cause=16)
    assert_one_call(unique_id, [begins, talks, waits, parked, ends])


def test_a_call_waits_in_a_queue_until_a_member_is_added(desk: Desk) -> None:
    begins = desk.call("202")
    unique_id = begins.value["unique_id"]
    joins = desk.events.expect("queue-caller-join", unique_id=unique_id, queue="unmanned")
    waits = desk.ask("QueueStatus", Queue="unmanned")["events"]
    entries = [each["headers"] for each in waits if each["event"] == "QueueEntry"]
    assert any({"name": "Uniqueid", "value": unique_id} in headers for headers in entries)
    desk.ask("QueueAdd", **MEMBER, MemberName="Żółw")
    desk.events.expect("queue-member-added", queue="unmanned", member_name="Żółw")
    connects = desk.events.expect("agent-connect", unique_id=unique_id, member_name="Żółw")
    desk.ask("Hangup", Channel=begins.value["channel"], Cause="16")
    ends = desk.events.expect("hangup", unique_id=unique_id, cause=16)
    desk.ask("QueueRemove", **MEMBER)
    desk.events.expect("queue-member-removed", queue="unmanned", member_name="Żółw")
    assert_one_call(unique_id, [begins, joins, connects, ends])


def assert_one_call(unique_id: str, steps: list[Event]) -> None:
    """See that events have the key of the call that an Originate began, and happened in this order."""
    assert {each.got.key.decode() for each in steps} == {f"main|{unique_id}"}
    numbers = [each.got.number for each in steps]
    assert numbers == sorted(numbers)
