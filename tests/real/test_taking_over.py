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
from tests.real import reading
from tests.real.bridge import Bridge, Tables, bridge, fresh
from tests.real.reading import Got
from tests.real.test_journal import Counting, in_order, numbered, settings, text_of

RESTARTS = 4
OPTIONS = ("--only", "events")


def own(got: list[Got], kind: str) -> list[dict[str, Any]]:
    values = [json.loads(each.value) for each in got]
    return [value for value in values if value.get("type") == kind]


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
    once = {each.headers["ce_id"]: each for each in got}
    assert own(got, "gap") == []
    assert len(own([*once.values()], "session_up")) == RESTARTS + 1
    seen = [each.number for each in numbered([*once.values()])]
    assert len(seen) == len({*seen})
    assert {*range(first, counting.made + 1)} <= {*seen}
    in_order(got)
    by_id = sorted(
        (value["source"]["epoch"], value["source"]["sequence"], each.number)
        for each in numbered([*once.values()])
        for value in [json.loads(once[each.event_id].value)]
    )
    assert all(one[2] < other[2] for one, other in pairwise(by_id))
