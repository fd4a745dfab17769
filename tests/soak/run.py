"""One soak: calls, a connector that takes each event of theirs to Kafka, and one fault after another."""

import math
import random
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Final, NamedTuple, TextIO

from tests.faults.cable import Cable
from tests.parts.asterisk import Asterisk
from tests.parts.kafka import Kafka
from tests.parts.processes import wait_until
from tests.real.bridge import Bridge, Tables, bridge, pbx_table
from tests.soak import topics
from tests.soak.calls import Calls
from tests.soak.evidence import Evidence, Fault
from tests.soak.faults import INTERRUPTIONS, ROUND, plan
from tests.soak.marks import Marks
from tests.soak.witness import Witness

AT_ONCE: Final = 40
"""Calls alive at once: more of them make no more events."""

A_WHILE_S: Final = 5.0
"""How long the connector is stopped, and how long the link drains slowly."""

PARTITIONS: Final = 3
BEGIN, END = "SoakBegins", "SoakEnds"
MORSEL, PAUSE_S = 4_096, 0.01
"""What a link that drains slowly passes at a time, and how long it waits before: less than the calls bring."""


class Choice(NamedTuple):
    """How many events at least, how long at least, the order of faults, and how long all of Kafka is away."""

    events: int
    seed: int
    minutes: float = 0
    outage_s: float = 20


class Parts(NamedTuple):
    """The servers, of the soak's own to stop and start, where files go, and how topics begin."""

    kafka: Kafka
    pbx: Asterisk
    folder: Path
    prefix: str


class Soak:
    """A soak while it lasts."""

    def __init__(self, parts: Parts, choice: Choice, ends: ExitStack) -> None:
        self._parts = parts
        self._choice = choice
        self._ends = ends
        self._chance = random.Random(choice.seed)
        self._cable = ends.enter_context(Cable(parts.pbx.port))
        self.witness = ends.enter_context(Witness(parts.pbx, parts.folder / "witness"))
        self._connector = self._start()
        # By then it has made its topics.
        self._connector.expect("LinkUp")
        topic = f"{parts.prefix}.marks"
        self._marks = ends.enter_context(Marks(parts.pbx, parts.kafka.bootstrap, topic, PARTITIONS))
        self._marks.tell(BEGIN)
        self._marks.arrive()
        self._calls = ends.enter_context(Calls(parts.pbx, lambda: self.witness.hangups, AT_ONCE))

    def strike(self, fault: str, events: int) -> Fault:
        """Let so many events come, do what the fault says among the next, and wait until they are read again."""
        self.witness.more(events // 2)
        begun_us = _now_us()
        word, _, number = fault.partition(" ")
        kinds: dict[str, Callable[[], None]] = {
            "kill": self._kill,
            "cut": self._cut,
            "mute": self._mute,
            "drain": self._drain,
            "freeze": self._freeze,
            "broker": lambda: self._broker(int(number), events // 2),
            "outage": self._outage,
        }
        kinds[word]()
        # On a small machine a backlog and all the calls that go on would take turns for minutes.
        with nullcontext() if word in INTERRUPTIONS else self._calls.rest():
            self._marks.arrive()
        return Fault(word, begun_us, _now_us())

    def finish(self) -> None:
        """Have the last calls end, and the connector when all of it is in Kafka."""
        self._calls.stop()
        wait_until(lambda: self._calls.alive <= 0, "the ends of the last calls", within=60)
        self._marks.await_one(self._marks.tell(END))
        code = self._connector.stop()
        assert code == 0, f"the connector ended with {code}"

    def _start(self) -> Bridge:
        return self._ends.enter_context(bridge(self._parts.folder, self._settings(), "--only", "events"))

    def _settings(self) -> Tables:
        kafka, pbx, folder, prefix = self._parts
        patience = {"ping_interval_s": 5.0, "pong_timeout_s": 10.0}
        return {
            "pbx.main": pbx_table(pbx.host, self._cable.port, pbx.username, pbx.secret, **patience),
            "kafka": {"bootstrap_servers": kafka.bootstrap.split(","), "reach_timeout_s": 60.0},
            "events": {
                "select": ["@all", "@unknown"],
                "topic_prefix": prefix,
                "format": "json",
                "routing": "family",
            },
            "events.topics": {"UserEvent": f"{prefix}.marks"},
            "journal": {"path": str(folder / "journal")},
            "topics": {"partitions": PARTITIONS, "replication_factor": 3},
        }

    def _kill(self) -> None:
        self._connector.signal(signal.SIGKILL)
        self._connector.code()
        self._connector = self._start()

    def _cut(self) -> None:
        """Cut anywhere: in what comes, in the middle of a message, or once more in the login that follows."""
        how = self._chance.choice(("anywhere", "torn", "and in the login"))
        if how == "torn":
            self._cable.tear(b"\r\nUniqueid: ")
        elif how == "anywhere":
            self._cable.cut_after(self._chance.randrange(1, 100_000))
        else:
            self._cable.cut_after(self._chance.randrange(1, 100_000), self._chance.randrange(1, 400))
        wait_until(lambda: not self._cable.armed, f"a cut ({how})", within=120)

    def _mute(self) -> None:
        downs = len(self._connector.facts("LinkDown"))
        self._cable.mute()
        self._connector.expect("LinkDown", times=downs + 1)
        self._cable.unmute()

    def _drain(self) -> None:
        self._cable.drain(MORSEL, PAUSE_S)
        _let_pass(A_WHILE_S)
        self._cable.delay(0)

    def _freeze(self) -> None:
        self._connector.signal(signal.SIGSTOP)
        _let_pass(A_WHILE_S)
        self._connector.signal(signal.SIGCONT)

    def _broker(self, number: int, events: int) -> None:
        self._until_in_step()
        node = self._parts.kafka.node(number)
        node.stop()
        self.witness.more(events)
        node.start()

    def _outage(self) -> None:
        self._until_in_step()
        for node in self._parts.kafka.nodes:
            node.kill()
        _let_pass(self._choice.outage_s)
        with self._calls.rest():
            self._parts.kafka.start()

    def _until_in_step(self) -> None:
        """Wait for replicas that an earlier fault has left behind: with two of them gone nothing could be written."""
        wait_until(lambda: topics.in_step(self._parts.kafka.bootstrap), "all replicas in step", within=120)


def run(parts: Parts, choice: Choice, out: TextIO) -> Evidence:
    """Run whole rounds of faults, one at least, until events and minutes are as many as asked for."""
    faults: list[Fault] = []
    each, due = math.ceil(choice.events / len(ROUND)), time.monotonic() + choice.minutes * 60
    with ExitStack() as ends:
        soak = Soak(parts, choice, ends)
        for number, strikes in enumerate(plan(choice.seed), 1):
            for fault in strikes:
                faults.append(soak.strike(fault, each))
                seconds = (faults[-1].to_us - faults[-1].from_us) / 1e6
                print(f"{soak.witness.events:>9} events, {fault}: {seconds:.1f} s", file=out, flush=True)
            if number * each * len(ROUND) >= choice.events and time.monotonic() >= due:
                break
        soak.finish()
        first, last = (soak.witness.number_of(name) for name in (BEGIN, END))
    kept = topics.kept(parts.kafka.bootstrap, parts.prefix)
    return Evidence([*soak.witness.sent()], kept, faults, first, last)


def _let_pass(seconds: float) -> None:
    """Have a state last."""
    due = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= due, f"{seconds} s", within=seconds + 30)


def _now_us() -> int:
    return time.time_ns() // 1_000
