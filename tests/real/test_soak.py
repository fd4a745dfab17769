"""Every event of a PBX under all the calls it can make, through every fault: in Kafka, or in a gap that is told.

`make soak` runs longer. The witness, the judge and the course of a run are in tests/soak.
"""

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.parts.asterisk import Asterisk
from tests.parts.kafka import Kafka
from tests.real.bridge import fresh
from tests.soak.judge import findings
from tests.soak.report import text
from tests.soak.run import Choice, Parts, run

EVENTS = 100_000


def test_every_event_of_the_pbx_is_in_kafka_or_in_a_gap_that_is_told(
    kafka3: Kafka, start_asterisk: Callable[..., Asterisk], tmp_path: Path
) -> None:
    choice = Choice(EVENTS, seed=random.randrange(1_000_000))
    print(f"seed          {choice.seed}\nfiles         {tmp_path}")
    began = time.monotonic()
    evidence = run(Parts(kafka3, start_asterisk(22, debug=True), tmp_path, fresh("soak")), choice, sys.stdout)
    found = findings(evidence)
    report = text(evidence, found, time.monotonic() - began)
    print(report)
    (tmp_path / "report").write_text("\n".join([f"seed {choice.seed}", report, "", *found]) + "\n")
    assert not found, f"see {tmp_path}"
    assert sum(evidence.first <= each.number <= evidence.last for each in evidence.sent) >= EVENTS
