"""Asterisk's own numbers as the witness: what was not read is told, number by number, and nothing else is."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.cable import Cable
from tests.parts import scenarios
from tests.parts.asterisk import Asterisk
from tests.parts.kafka import Cluster, Kafka
from tests.parts.processes import free_port
from tests.real import reading
from tests.real.bridge import MEASURED, Tables, bridge, fresh, pbx_table
from tests.real.test_journal import Counting, text_of

UNREAD = 300


@pytest.mark.parametrize("version", [22, 16])
def test_every_number_of_the_pbx_is_in_kafka_or_told_to_be_missing(
    version: int, start_asterisk: Callable[..., Asterisk], kafka: Cluster | Kafka, tmp_path: Path
) -> None:
    pbx, prefix = start_asterisk(version, debug=True), fresh("audit")
    with Cable(pbx.port) as cable, Counting(pbx) as counting:
        tables: Tables = {
            "pbx.main": pbx_table(pbx.host, cable.port, pbx.username, pbx.secret, sequence_audit=True),
            "kafka": {"bootstrap_servers": [kafka.bootstrap]},
            "events": {
                "select": ["@all", "@unknown"],
                "topic_prefix": prefix,
                "format": "json",
                "routing": "single",
            },
            "topics": {"partitions": 1},
            "http": MEASURED,
        }
        with bridge(tmp_path, tables, "--only", "events") as running:
            running.expect("LinkUp")
            scenarios.run(pbx, "transfer")
            counting.more(1_000)
            assert running.facts("EventsMissed") == []
            cable.lead_to(free_port())
            cable.cut()
            counting.more(UNREAD)
            cable.lead_to(pbx.port)
            running.expect("EventsMissed")
            running.moves("events_missed_total", UNREAD, pbx="main")
            counting.more(1_000)
            counting.stop()
            reading.expect(kafka.bootstrap, prefix, text_of(counting.made))
            assert running.stop() == 0, running.text()
            assert len(running.facts("EventsMissed")) == 1
    values = [json.loads(got.value) for got in reading.read_all(kafka.bootstrap, prefix)]
    seen = {number for value in values if (number := value["source"]["ami_sequence"]) is not None}
    (hole,) = (value for value in values if value.get("reason") == "sequence-hole")
    assert hole["loss"] == "certain"
    assert hole["count"] >= UNREAD
    first, last = (int(word) for word in hole["message"].split()[1::2])
    assert last - first + 1 == hole["count"]
    assert seen | {*range(first, last + 1)} == {*range(min(seen), max(seen) + 1)}
    assert not seen & {*range(first, last + 1)}
    (gap,) = (value for value in values if value.get("reason") == "session-lost")
    assert hole["from_time_us"] <= gap["from_time_us"]
    assert hole["to_time_us"] >= gap["to_time_us"]
