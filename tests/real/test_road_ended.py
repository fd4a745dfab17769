"""SIGTERM in the middle of a stream: what was read is delivered, whole and in order, and nothing is invented."""

import signal
from collections.abc import Callable
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest

from tests.parts.ami import Manager
from tests.parts.asterisk import Pbx
from tests.parts.kafka import Cluster, Kafka
from tests.parts.registry import Registry, Service
from tests.real import reading
from tests.real.bridge import Bridge, bridge, fresh, pbx_table
from tests.real.reading import Decoder
from tests.real.story import FIRST, Ends, mark, tables
from tests.real.witness import Witness, first_of, name_of

BURST = 1500
ENOUGH = 100_000
"""A process that has not ended after so many more never will."""


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_what_was_read_is_delivered(
    kafka: Cluster | Kafka,
    registry: Service | Registry,
    asterisk22: Pbx,
    tmp_path: Path,
    how: signal.Signals,
) -> None:
    prefix = fresh("ended")
    settings = tables(Ends(kafka, registry), prefix, select=["UserEvent"])
    pbx = asterisk22
    settings["pbx.main"] = pbx_table(pbx.host, pbx.port, pbx.username, pbx.secret)
    with bridge(tmp_path, settings) as running, Witness(pbx) as witness:
        running.expect("LinkUp")
        mark(pbx, FIRST)
        with pbx.manager(events="off") as ami:
            stream(ami, lambda: reading.expect(kafka.bootstrap, prefix, b"Burst0"), running, how)
        assert running.code() == 0, running.text()
        witness.expect(b"UserEvent: RoadEnds")
        frames = witness.frames(FIRST, "RoadEnds")
    everything = sorted(reading.read_all(kafka.bootstrap, prefix), key=lambda got: got.number)
    reading.remove(kafka.bootstrap, prefix)
    with Decoder(registry.url) as decoder:
        values = [decoder.value(got) for got in everything]
    assert [got.number for got in everything] == list(range(1, len(everything) + 1))
    judge(values, [first_of(frame, "UserEvent") for frame in frames if name_of(frame) == "UserEvent"])


def stream(ami: Manager, flowing: Callable[[], None], running: Bridge, how: signal.Signals) -> None:
    """Send without a pause until the process has ended, and give the signal on the way."""
    names = (f"Burst{number}" for number in count())
    for name in islice(names, BURST):
        ami.send("UserEvent", UserEvent=name)
    flowing()
    for name in islice(names, BURST):
        ami.send("UserEvent", UserEvent=name)
    running.signal(how)
    for name in islice(names, ENOUGH):
        # Its answer is read, so that Asterisk never waits for room in the socket.
        ami.ask("UserEvent", UserEvent=name)
        if running.ended():
            break
    ami.ask("UserEvent", UserEvent="RoadEnds")


def judge(values: list[dict[str, Any]], sent: list[str]) -> None:
    """See that the records are a session from its login to its logoff, with the first part of what was sent."""
    first, last = values[0], values[-1]
    assert [first["type"], last["type"], last["reason"], last["message"]] == [
        "session_up",
        "session_down",
        "stopped",
        "logged off",
    ]
    told = [value["user_event"] for value in values if "user_event" in value]
    assert 1 < len(told) < len(sent), (
        "what was sent before the signal is there, what was sent after the end is not"
    )
    assert told[-1] == sent[len(told) - 1]
    assert told == sent[: len(told)]
