"""Connectors killed and cut off among events, with Kafka and without: each event is in Kafka, or inside a gap that is told.

A session of the test's own makes numbered events at a real Asterisk, one after the other, the whole time. What is
judged is what others can see: the records in Kafka. Nothing here shares code with the connector.
"""

import json
import re
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Self

from tests.faults.cable import Cable
from tests.parts.asterisk import Asterisk, Pbx
from tests.parts.kafka import Cluster, Kafka
from tests.parts.processes import wait_until
from tests.real import reading
from tests.real.bridge import Tables, bridge, fresh, pbx_table
from tests.real.reading import Got

KILLS, CUTS = 5, 2
"""How many connectors are killed, and how often the link of each is cut before."""

MORE = 1_500
"""Events between two blows."""

AT_ONCE, PACE_S = 20, 0.005
"""Actions that are sent before their answers are read, and the wait behind these."""


class Counting:
    """Has a PBX tell numbered events, at a steady pace."""

    def __init__(self, pbx: Pbx) -> None:
        self.made = 0
        self._socket = socket.create_connection((pbx.host, pbx.port))
        login = f"Action: Login\r\nUsername: {pbx.username}\r\nSecret: {pbx.secret}\r\nEvents: off\r\n\r\n"
        self._socket.sendall(login.encode())
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._socket.close()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def more(self, events: int = MORE) -> None:
        """Wait until so many more were made."""
        due = self.made + events
        wait_until(lambda: self.made >= due, f"{events} more events", within=120)

    def _run(self) -> None:
        answers = b""
        with suppress(OSError):
            while not self._stopping.wait(PACE_S):
                numbers = range(self.made + 1, self.made + 1 + AT_ONCE)
                asked = "".join(
                    f"Action: UserEvent\r\nUserEvent: Count\r\nActionID: n{number}\r\nNumber: {number}\r\n\r\n"
                    for number in numbers
                )
                self._socket.sendall(asked.encode())
                while f"ActionID: n{numbers[-1]}\r\n".encode() not in answers:
                    answers = answers[-1_000:] + self._socket.recv(65_536)
                self.made = numbers[-1]


class Seen(NamedTuple):
    """A numbered event in Kafka: its number, its id, and when the connector read it."""

    number: int
    event_id: str
    received_us: int


def settings(kafka: Cluster | Kafka, pbx: Pbx, port: int, folder: Path, prefix: str) -> Tables:
    return {
        "pbx.main": pbx_table(pbx.host, port, pbx.username, pbx.secret),
        "kafka": {"bootstrap_servers": [kafka.bootstrap], "reach_timeout_s": 30.0},
        "events": {"select": ["@user"], "topic_prefix": prefix, "format": "json"},
        "journal": {"path": str(folder / "journal")},
        "topics": {"partitions": 3, "create": "at-start"},
    }


def test_what_was_read_is_in_kafka_or_in_a_gap_however_often_the_connector_is_killed(
    start_kafka: Callable[..., Kafka], start_asterisk: Callable[..., Asterisk], tmp_path: Path
) -> None:
    kafka, pbx, prefix = start_kafka(), start_asterisk(22), fresh("journal")
    with Cable(pbx.port) as cable, Counting(pbx) as counting:
        tables = settings(kafka, pbx, cable.port, tmp_path, prefix)
        for kill in range(KILLS):
            with bridge(tmp_path, tables, "--only", "events") as running:
                running.expect("LinkUp")
                for cut in range(CUTS):
                    counting.more(200)
                    cable.cut_after(5_000)
                    running.expect("LinkUp", times=2 + cut)
                counting.more()
                reading.expect(kafka.bootstrap, prefix, text_of(counting.made))
                if kill % 2:
                    kafka.nodes[0].stop()
                    counting.more()
                running.signal(signal.SIGKILL)
                running.code()
            counting.more(100)
            if kill % 2:
                kafka.nodes[0].start()
        with bridge(tmp_path, tables, "--only", "events") as running:
            running.expect("LinkUp")
            counting.more()
            counting.stop()
            reading.expect(kafka.bootstrap, prefix, text_of(counting.made))
            assert running.stop() == 0, running.text()
    judge(reading.read_all(kafka.bootstrap, prefix), counting.made)


def judge(got: Sequence[Got], made: int) -> None:
    values = [json.loads(each.value) for each in got_once(got)]
    seen = numbered(got)
    gaps = [value for value in values if value.get("type") == "gap"]
    restarts = ["connector-restarted"] * KILLS
    assert sorted(gap["reason"] for gap in gaps) == restarts + ["session-lost"] * KILLS * CUTS
    assert any(value["source"]["recovered"] for value in values)
    first = seen[0].number
    missing = sorted({*range(first, made + 1)} - {each.number for each in seen})
    by_number = {each.number: each for each in seen}
    for run in runs(missing):
        before, behind = by_number[run[0] - 1], by_number.get(run[-1] + 1)
        assert behind is not None, run
        assert any(
            gap["from_time_us"] >= before.received_us and gap["to_time_us"] <= behind.received_us
            for gap in gaps
        ), (run, gaps)
    assert len(seen) > KILLS * MORE // 2
    without_holes(values)
    in_order(got)


def got_once(got: Sequence[Got]) -> list[Got]:
    """Return the first record of each id; those that repeat it say the same."""
    first: dict[str, Got] = {}
    for each in got:
        known = first.setdefault(each.headers["ce_id"], each)
        assert plain(known) == plain(each), each.headers["ce_id"]
    return [*first.values()]


def plain(got: Got) -> dict[str, Any]:
    """Return a record's value, but for whether it was recovered."""
    value: dict[str, Any] = json.loads(got.value)
    return {**value, "source": {**value["source"], "recovered": None}}


def text_of(number: int) -> bytes:
    return b'{"name":"Number","value":"%d"}' % number


def numbered(got: Sequence[Got]) -> list[Seen]:
    found = []
    for each in got:
        match = re.search(rb'{"name":"Number","value":"(\d+)"}', each.value)
        if match:
            value = json.loads(each.value)
            found.append(Seen(int(match[1]), each.headers["ce_id"], value["received_time_us"]))
    return sorted({*found})


def runs(numbers: Sequence[int]) -> list[list[int]]:
    found: list[list[int]] = []
    for number in numbers:
        if found and found[-1][-1] == number - 1:
            found[-1].append(number)
        else:
            found.append([number])
    return found


def without_holes(values: Sequence[dict[str, Any]]) -> None:
    """Say that of each epoch all numbers are there, from 1 to the last that was journaled."""
    by_epoch: dict[int, set[int]] = {}
    for value in values:
        by_epoch.setdefault(value["source"]["epoch"], set()).add(value["source"]["sequence"])
    assert len(by_epoch) == KILLS + 1
    for epoch, sequences in by_epoch.items():
        assert sequences == {*range(1, max(sequences) + 1)}, epoch


def in_order(got: Sequence[Got]) -> None:
    """Say that first occurrences come in order in each partition."""
    latest: dict[tuple[str, int], tuple[int, int]] = {}
    known = set()
    for each in got:
        if each.headers["ce_id"] in known:
            continue
        known.add(each.headers["ce_id"])
        source = json.loads(each.value)["source"]
        place, number = (each.topic, each.partition), (source["epoch"], source["sequence"])
        assert latest.get(place, (0, 0)) < number
        latest[place] = number
