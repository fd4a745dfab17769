"""Connectors that take over from each other among events: each event is in Kafka once, in order, and no gap is told."""

import json
import signal
from collections.abc import Callable
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.parts.asterisk import Asterisk
from tests.parts.kafka import Kafka
from tests.parts.scenarios.steps import bridged_call, hang_up, hang_up_everything
from tests.real import reading
from tests.real.asking import Inbox, ask
from tests.real.bridge import Bridge, Tables, bridge, fresh
from tests.real.reading import Got
from tests.real.test_journal import Counting, in_order, numbered, settings, text_of

RESTARTS = 4
PARTITIONS = 3
OPTIONS = ("--only", "events")


def own(got: list[Got], kind: str) -> list[dict[str, Any]]:
    values = [json.loads(each.value) for each in got]
    return [value for value in values if value.get("type") == kind]


def numbers_of(got: list[Got]) -> list[int]:
    """Return the numbers of the events, in the order of their ids."""
    placed = []
    for seen in numbered(got):
        _, epoch, sequence = seen.event_id.split("/")
        placed.append((int(epoch), int(sequence), seen.number))
    return [number for _, _, number in sorted(placed)]


class Relay:
    """Connectors of the same settings, of which each takes over from the one before."""

    def __init__(self, ends: ExitStack, folder: Path, tables: Tables, *options: str) -> None:
        self._ends = ends
        self._folder = folder
        self._tables = tables
        self._options = options
        self.running = self.begin()
        self.running.expect("LinkUp")

    def begin(self, *more: str) -> Bridge:
        return self._ends.enter_context(bridge(self._folder, self._tables, *self._options, *more))

    def ready(self) -> Bridge:
        """Start the next one, and wait until it says that this one may be stopped."""
        after = self.begin("--take-over")
        after.expect("TakeOverReady")
        return after

    def to(self, after: Bridge) -> None:
        """Stop this one in order."""
        assert self.running.stop() == 0, self.running.text()
        after.expect("LinkUp")
        self.running = after


@pytest.mark.parametrize("version", [22, 16])
def test_every_event_is_there_once_and_in_order_however_often_one_takes_over_from_another(
    start_kafka: Callable[..., Kafka],
    start_asterisk: Callable[..., Asterisk],
    tmp_path: Path,
    version: int,
) -> None:
    kafka, pbx, prefix = start_kafka(), start_asterisk(version), fresh("relay")
    with Counting(pbx) as counting, ExitStack() as ends:
        relay = Relay(ends, tmp_path, settings(kafka, pbx, pbx.port, tmp_path, prefix), *OPTIONS)
        counting.more(1)
        first = counting.made
        for restart in range(RESTARTS):
            counting.more(1_000)
            after = relay.ready()
            counting.more(1_000)
            if restart == RESTARTS - 1:
                # Killed, it says nothing at its end, and what it journaled last shows where that was.
                relay.running.signal(signal.SIGKILL)
                relay.running.code()
                after.expect("LinkUp")
                relay.running = after
            else:
                relay.to(after)
            assert len(after.facts("StreamJoined")) == 1, after.text()
        counting.more(1_000)
        counting.stop()
        reading.expect(kafka.bootstrap, prefix, text_of(counting.made))
        assert relay.running.stop() == 0, relay.running.text()
    got = reading.read_all(kafka.bootstrap, prefix)
    once = [*{each.headers["ce_id"]: each for each in got}.values()]
    assert own(got, "gap") == []
    assert len(own(once, "session_up")) == RESTARTS + 1
    assert [number for number in numbers_of(once) if number >= first] == [*range(first, counting.made + 1)]
    in_order(got)


@pytest.mark.parametrize("version", [22, 16])
def test_calls_that_are_alive_keep_their_keys_and_end_once(
    start_kafka: Callable[..., Kafka], start_asterisk: Callable[..., Asterisk], tmp_path: Path, version: int
) -> None:
    kafka, pbx, prefix = start_kafka(), start_asterisk(version), fresh("alive")
    tables = settings(kafka, pbx, pbx.port, tmp_path, prefix)
    tables["events"]["select"] = ["Newchannel", "BridgeEnter", "Hangup", "UserEvent"]
    tables["pbx.main"]["snapshot"] = "after-login"
    with pbx.manager(events="call,cel") as ami, Counting(pbx) as counting, ExitStack() as ends:
        relay = Relay(ends, tmp_path, tables, *OPTIONS)
        relay.running.expect("SnapshotTaken")
        long, _ = bridged_call(ami)
        after = relay.ready()
        late, _ = bridged_call(ami)
        brief, _ = bridged_call(ami)
        hang_up(ami, brief)
        counting.more(200)
        relay.to(after)
        for channel in (long, late):
            hang_up(ami, channel)
        hang_up_everything(ami)
        counting.more(1)
        counting.stop()
        reading.expect(kafka.bootstrap, prefix, text_of(counting.made))
        assert after.stop() == 0, after.text()
        told = [event for event in ami.events if event["Event"] in ("Newchannel", "BridgeEnter", "Hangup")]
    got = reading.read_all(kafka.bootstrap, prefix)
    assert own(got, "gap") == []
    assert [begin["source"]["epoch"] for begin in own(got, "snapshot_begin")] == [
        min(json.loads(each.value)["source"]["epoch"] for each in got)
    ]
    assert calls_in(got) == sorted((event["Uniqueid"], event["Event"], event["Linkedid"]) for event in told)


def calls_in(got: list[Got]) -> list[tuple[str, str, str]]:
    """Return the channel, name and key of each event of a call, all of them read from the PBX itself."""
    names = {"new-channel": "Newchannel", "bridge-enter": "BridgeEnter", "hangup": "Hangup"}
    found = []
    for each in got:
        name = names.get(each.topic.rpartition(".")[2])
        if name is not None:
            value = json.loads(each.value)
            assert value["source"]["origin"] == "ami"
            found.append((value["unique_id"], name, each.key.decode().removeprefix("main|")))
    return sorted(found)


def test_without_timestamps_what_cannot_be_joined_lies_in_a_gap(
    start_kafka: Callable[..., Kafka], start_asterisk: Callable[..., Asterisk], tmp_path: Path
) -> None:
    kafka, prefix = start_kafka(), fresh("unstamped")
    pbx = start_asterisk(22, manager_extra="timestampevents = no")
    with Counting(pbx) as counting, ExitStack() as ends:
        relay = Relay(ends, tmp_path, settings(kafka, pbx, pbx.port, tmp_path, prefix), *OPTIONS)
        counting.more(1_000)
        after = relay.ready()
        counting.more(1_000)
        relay.to(after)
        (apart,) = after.facts("StreamApart")
        assert "timestampevents = yes" in apart["reason"]
        counting.more(1_000)
        counting.stop()
        reading.expect(kafka.bootstrap, prefix, text_of(counting.made))
        assert after.stop() == 0, after.text()
    got = reading.read_all(kafka.bootstrap, prefix)
    (gap,) = own(got, "gap")
    assert gap["reason"] == "connector-restarted"
    seen = sorted(numbered(got), key=lambda each: each.received_us)
    for one, other in pairwise(seen):
        if other.number > one.number + 1:
            assert gap["from_time_us"] <= other.received_us
            assert gap["to_time_us"] >= one.received_us


def test_with_the_road_back_each_request_is_answered_once_and_each_event_comes_once(
    start_kafka: Callable[..., Kafka], start_asterisk: Callable[..., Asterisk], tmp_path: Path
) -> None:
    kafka, pbx, prefix = start_kafka(), start_asterisk(22), fresh("roads")
    tables = settings(kafka, pbx, pbx.port, tmp_path, prefix) | {"actions": {"format": "json"}}
    asked: list[str] = []

    def requests(count: int = 20) -> None:
        made = {fresh("ping"): {"request_id": fresh("ping"), "action": "Ping"} for _ in range(count)}
        asked.extend(made)
        ask(kafka.bootstrap, f"{prefix}.actions.json", made)

    with Counting(pbx) as counting, ExitStack() as ends:
        relay = Relay(ends, tmp_path, tables)
        counting.more(1)
        first = counting.made
        inbox = Inbox(kafka.bootstrap, f"{prefix}.responses.json", PARTITIONS)
        ends.callback(inbox.close)
        for _ in range(2):
            requests()
            inbox.expect(asked[-1:])
            after = relay.ready()
            requests()
            relay.to(after)
            requests()
            assert len(after.facts("StreamJoined")) == 1, after.text()
            inbox.expect(asked)
        counting.stop()
        reading.expect(kafka.bootstrap, prefix, text_of(counting.made))
        assert relay.running.stop() == 0, relay.running.text()
        answers = inbox.expect(asked)
    assert {len(answers[each]) for each in asked} == {1}
    assert {answers[each][0]["status"] for each in asked} == {"SUCCESS"}
    got = reading.read_all(kafka.bootstrap, f"{prefix}.events")
    assert [number for number in numbers_of(got) if number >= first] == [*range(first, counting.made + 1)]
    assert own(reading.read_all(kafka.bootstrap, f"{prefix}.connector"), "gap") == []
