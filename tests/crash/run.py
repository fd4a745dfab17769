"""One run: connectors at work, requests coming in, and one fault after another."""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from itertools import count, islice
from pathlib import Path
from typing import NamedTuple, TextIO

from tests.crash.cluster import Cluster
from tests.crash.connectors import Connector, Setting, marks
from tests.crash.evidence import Evidence, Fault
from tests.crash.faults import KINDS, Blow, plan, round_length
from tests.crash.feeder import Feeder
from tests.crash.stream import Stream
from tests.faults.cable import Cable
from tests.parts.asterisk import Asterisk
from tests.parts.kafka import Kafka
from tests.parts.processes import wait_until

EFFECTS = Path("spool") / "effects"
"""Where the dialplan writes what was dialled, in the PBX's folder."""
MORE_S = 0.2
"""Between requests that are written only since something waits for them."""


class Choice(NamedTuple):
    """How many requests, chosen by which seed; `broken` connectors claim nothing; `faults` None: a whole round."""

    requests: int = 1_000
    seed: int = 1
    faults: int | None = None
    kinds: Collection[str] = KINDS
    broken: bool = False


class Parts(NamedTuple):
    """The servers, both of the run's own to stop and start, and where files go."""

    kafka: Kafka
    pbx: Asterisk
    folder: Path
    prefix: str


class Run:
    """A run while it lasts."""

    def __init__(self, parts: Parts, choice: Choice, out: TextIO, ends: ExitStack) -> None:
        self._parts = parts
        self._out = out
        self._ends = ends
        self._cable = ends.enter_context(Cable(parts.pbx.port))
        pbx = parts.pbx
        self.setting = Setting(
            parts.kafka.bootstrap, self._cable.port, pbx.secret, parts.prefix, parts.folder
        )
        self.cluster = Cluster(self.setting)
        self.cluster.lay_out()
        self._broken = choice.broken
        self._connectors = [self._connector("one"), self._connector("two")]
        self._nodes = count()
        stream = Stream(choice.seed, self.setting.replies)
        self.feeder = ends.enter_context(Feeder(parts.kafka.bootstrap, self.setting.requests, stream))
        self.faults: list[Fault] = []
        self._until_shared()

    def strike(self, blow: Blow, requests: int) -> None:
        """Let requests come in, and a fault come among them."""
        began = time.monotonic()
        self.feeder.allow(requests)
        match blow.kind:
            case "kill" | "stop":
                self._hit(blow)
            case "broker":
                self._broker(blow.step)
            case "pbx":
                self._pbx(blow.step)
            case "link":
                self._link()
            case _:
                self._third()
        if blow.kind != "kill":
            # Whoever is killed is missed only after a while: the next fault may fall into that.
            self._until_shared()
        print(
            f"  {blow.kind} {blow.step}: {time.monotonic() - began:.1f} s, {self.feeder.written} requests",
            file=self._out,
            flush=True,
        )

    def settle(self) -> None:
        """Wait until every request is behind the group's offset, and end the connectors in order."""
        self.feeder.finish()
        wait_until(self._all_done, "the offsets at the ends", within=150)
        for each in self._connectors:
            assert each.leave() == 0, each.log.read_text()[-3000:]

    def last_words(self) -> None:
        """Have connectors that have not ended in order say what they are doing."""
        for each in self._connectors:
            each.tell()

    def evidence(self) -> Evidence:
        """Return what is left behind."""
        effects = self._parts.pbx.folder / EFFECTS
        lines = effects.read_text().splitlines() if effects.exists() else []
        return Evidence(
            asked=self.cluster.asked(),
            told=self.cluster.told(),
            begun=self.cluster.begun(),
            effects=[line.split()[0] for line in lines],
            faults=self.faults,
            left=self.cluster.left() or {(self.setting.requests, -1): 1},
            sent=self.feeder.written,
        )

    def _connector(self, name: str) -> Connector:
        connector = Connector(name, self.setting, broken=self._broken)
        self._ends.callback(connector.end)
        return connector

    def _until_shared(self, *more: str) -> None:
        names = [each.name for each in self._connectors] + [*more]

        def shared() -> bool:
            for each in self._connectors:
                each.must_live()
            return self.cluster.shared_by([each.member for each in self._connectors] + [*more])

        wait_until(shared, f"partitions shared by {names}: {self.cluster.owners()}", within=60)

    def _until_gone_to(self, other: Connector) -> None:
        def gone() -> bool:
            other.must_live()
            return self.cluster.shared_by([other.member])

        wait_until(gone, f"all partitions at {other.name}", within=60)

    def _all_done(self) -> bool:
        for each in self._connectors:
            each.must_live()
        left = self.cluster.left()
        return left is not None and not any(left.values())

    def _hit(self, blow: Blow) -> None:
        victim = self._connectors[blow.victim]
        known = len(marks(self.setting.marks))
        victim.arm(blow.step, blow.kind, blow.times)
        self._wait_feeding(lambda: len(marks(self.setting.marks)) > known, f"{victim.name} at {blow.step}")
        mark = marks(self.setting.marks)[-1]
        at = mark["at_ms"]
        if blow.kind == "kill":
            victim.restart()
        else:
            self._until_gone_to(self._connectors[1 - blow.victim])
            victim.proceed()
        self.faults.append(
            Fault(blow.kind, blow.step, mark["pid"], at, _now_ms() if blow.kind == "stop" else at)
        )

    def _broker(self, how: str) -> None:
        node = self._parts.kafka.nodes[next(self._nodes) % len(self._parts.kafka.nodes)]
        began = _now_ms()
        if how == "kill":
            node.kill()
        else:
            node.stop()
        node.start()
        wait_until(self.cluster.in_step, "all replicas in step", within=60)
        self.faults.append(Fault("broker", how, 0, began, _now_ms()))

    def _pbx(self, how: str) -> None:
        self._wait_feeding(lambda: self.feeder.idle, "requests under way")
        self.feeder.allow(10)
        began = _now_ms()
        if how == "kill":
            self._parts.pbx.kill()
        else:
            self._parts.pbx.stop()
        self._parts.pbx.start()
        self.faults.append(Fault("pbx", how, 0, began, _now_ms()))

    def _link(self) -> None:
        """Cut all sessions, in the middle of the next answers."""
        began = _now_ms()
        self._cable.cut_after(2_000)
        self._wait_feeding(lambda: not self._cable.armed, "a cut")
        self.faults.append(Fault("link", "cut", 0, began, _now_ms()))

    def _third(self) -> None:
        third = self._connector("three")
        self._until_shared(third.member)
        self.feeder.allow(10)
        assert third.leave() == 0, third.log.read_text()[-3000:]
        self.faults.append(Fault("member", "", 0, _now_ms(), _now_ms()))

    def _wait_feeding(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for something that comes only while requests come: one more at a time, where all are written."""
        due = 0.0

        def there() -> bool:
            nonlocal due
            if condition():
                return True
            if self.feeder.idle and time.monotonic() > due:
                due = time.monotonic() + MORE_S
                self.feeder.allow(1)
            return False

        wait_until(there, what, within=60)


def run(parts: Parts, choice: Choice, out: TextIO) -> Evidence:
    """Run connectors through as many rounds of faults as the requests are enough for, one at least."""
    number = choice.faults or max(choice.requests // 1_000, 1) * round_length()
    with ExitStack() as ends:
        held = Run(parts, choice, out, ends)
        ends.callback(held.last_words)
        for place, blow in enumerate(islice(_blows(choice), number)):
            held.strike(blow, max((choice.requests - held.feeder.written) // (number - place), 0))
        held.feeder.allow(max(choice.requests - held.feeder.written, 0))
        held.settle()
        return held.evidence()


def _blows(choice: Choice) -> Iterator[Blow]:
    """Yield the faults to come; who claims nothing never comes to the steps of a claim."""
    return (
        each
        for each in plan(choice.seed, choice.kinds)
        if not (choice.broken and each.step.startswith("claim."))
    )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
