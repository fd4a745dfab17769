"""Connectors that are killed and stopped at every step, brokers and a PBX that go and come: nothing is lost or done twice.

`make crashtest N=...` runs longer. The judge and the course of a run are in tests/crash.
"""

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.crash.judge import violations
from tests.crash.report import text
from tests.crash.run import Choice, Parts, run
from tests.parts.asterisk import Asterisk
from tests.parts.kafka import Kafka
from tests.real.bridge import fresh

REQUESTS = 1_000


def test_every_request_is_answered_once_and_nothing_is_done_twice(
    kafka3: Kafka, start_asterisk: Callable[..., Asterisk], tmp_path: Path
) -> None:
    choice = Choice(REQUESTS, seed=random.randrange(1_000_000))
    print(f"seed          {choice.seed}")
    began = time.monotonic()
    evidence = run(Parts(kafka3, start_asterisk(22), tmp_path, fresh("crash")), choice, sys.stdout)
    found = violations(evidence)
    print(text(evidence, found, time.monotonic() - began))
    assert not found
    assert len(evidence.asked) >= REQUESTS
