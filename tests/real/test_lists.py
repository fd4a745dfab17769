"""A list of 5,000 members through Kafka: whole, in numbered parts; and cut in the middle."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.cable import Cable
from tests.parts.asterisk import TEMPLATES, Asterisk
from tests.parts.kafka import Cluster, Kafka
from tests.real import reading
from tests.real.asking import Inbox, ask
from tests.real.bridge import bridge, fresh, pbx_table

MEMBERS = 5_000
CROWD = "\n[crowd]\nstrategy = rrmemory\n" + "".join(
    f"member => Local/{number}@parties/n,0,Member {number}\n" for number in range(MEMBERS)
)
SIZE = 200_000
"""Bytes of a response; the whole list has millions."""


@pytest.fixture
def prefix(kafka: Cluster | Kafka) -> Iterator[str]:
    name = fresh("lists")
    yield name
    reading.remove(kafka.bootstrap, name)


def test_a_list_of_5000_members(
    kafka: Cluster | Kafka, start_asterisk: Callable[..., Asterisk], tmp_path: Path, prefix: str
) -> None:
    queues = (TEMPLATES / "queues.conf").read_text() + CROWD
    pbx = start_asterisk(22, overrides={"queues.conf": queues})
    with Cable(pbx.port) as cable:
        tables = {
            "pbx.pbx-a": pbx_table(pbx.host, cable.port, "actions", pbx.secret),
            "kafka": {"bootstrap_servers": [kafka.bootstrap]},
            "events": {"topic_prefix": prefix},
            "topics": {"partitions": 1},
            "actions": {"format": "json", "max_response_bytes": SIZE},
        }
        with bridge(tmp_path, tables, "--only", "actions") as running:
            running.expect("ClaimsRead")
            inbox = Inbox(kafka.bootstrap, f"{prefix}.responses.json", 1)
            try:
                whole(pbx, inbox, kafka.bootstrap, prefix)
                too_large(inbox, kafka.bootstrap, prefix)
                cut(cable, inbox, kafka.bootstrap, prefix)
                assert running.stop() == 0, running.text()
                inbox.read(1.0)
            finally:
                inbox.close()
    assert {name: len(answers) for name, answers in inbox.answers.items() if name != "whole"} == {
        "too-large": 1,
        "cut": inbox.answers["cut"][0]["parts"],
    }


def listing(request_id: str, *, parts: bool) -> dict[str, Any]:
    return {
        "request_id": request_id,
        "pbx": "pbx-a",
        "action": "QueueStatus",
        "headers": {"Queue": "crowd"},
        "accept_parts": parts,
    }


def whole(pbx: Asterisk, inbox: Inbox, bootstrap: str, prefix: str) -> None:
    """All that a session of AMI returns comes, in order, in parts that say how many there are."""
    with pbx.manager("actions", events="off") as session:
        bare = session.items("QueueStatus", Queue="crowd")
    ask(bootstrap, f"{prefix}.actions.json", {"whole": listing("whole", parts=True)})
    parts = inbox.expect(["whole"])["whole"]
    assert len(parts) > 10
    assert [each["part"] for each in parts] == [*range(1, len(parts) + 1)]
    assert {each["parts"] for each in parts} == {len(parts)}
    assert {(each["status"], each["executed"]) for each in parts} == {("SUCCESS", "yes")}
    events = [event for each in parts for event in each["events"]]
    assert len(events) == MEMBERS + 2
    *items, end = [[(pair["name"], pair["value"]) for pair in event["headers"]] for event in events]
    own = {"ActionID", "Event"}
    assert [[pair for pair in item if pair[0] != "ActionID"] for item in items] == [
        [pair for pair in item.headers if pair[0] not in own] for item in bare
    ]
    assert ("EventList", "Complete") in end


def too_large(inbox: Inbox, bootstrap: str, prefix: str) -> None:
    """Who takes no parts is told so."""
    ask(bootstrap, f"{prefix}.actions.json", {"too-large": listing("too-large", parts=False)})
    (answer,) = inbox.expect(["too-large"])["too-large"]
    assert (answer["status"], answer["executed"], answer["truncated"]) == ("FAILURE", "yes", True)
    assert "set accept_parts" in answer["message"]
    assert not answer["events"]


def cut(cable: Cable, inbox: Inbox, bootstrap: str, prefix: str) -> None:
    """A list whose session ends in the middle, each time that it is tried, is answered once, and says so."""
    cable.cut_after(400_000, 400_000)
    ask(bootstrap, f"{prefix}.actions.json", {"cut": listing("cut", parts=True)})
    parts = inbox.expect(["cut"])["cut"]
    assert not cable.armed
    items = sum(len(each["events"]) for each in parts)
    assert 100 < items < MEMBERS
    for each in parts:
        assert (each["status"], each["executed"]) == ("UNAVAILABLE", "unknown")
        assert each["message"].startswith(f"the list was cut after {items} items")
