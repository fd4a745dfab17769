"""Canaries sent and looked for: at intervals, only while events come, and never twice at a time."""

import asyncio
from collections.abc import Callable
from itertools import count

import pytest

from connector.ami.action import AmiAction
from connector.ami.reach import Reach, Result
from connector.events.gaps.interruption import Interruption
from connector.events.watching.canary import Canary
from connector.facts import CanaryMissed, CanaryUnsent, Fact
from connector.roads.link import Clock
from connector.roads.watch import Watch
from tests.events.test_canary import AWAY, NOW, TAKEN, seen


class Over(Exception):
    pass


class Bench:
    """A PBX whose streams are in the test's hands; it is over when all `sleeps` are slept."""

    def __init__(self, *, result: Result = TAKEN, echo: bool = True, sleeps: int = 20) -> None:
        self.facts: list[Fact] = []
        self.canary = Canary("main", self.facts.append, 8.0)
        self.canary.began(NOW)
        self.result, self.echo, self.sleeps = result, echo, sleeps
        self.slept: list[float] = []
        self.sent: list[str] = []
        self.renewed: list[Interruption | None] = []
        self.attentive = True
        self.now_us = NOW
        self.during: Callable[[], None] = lambda: None

    async def execute(self, action: AmiAction, look: Callable[[], bool], timeout_s: float) -> Result:
        assert timeout_s == 8.0
        if not look():
            return Result(Reach.NOT_SENT, reason="it was not to be sent any more")
        self.sent.append(dict(action.headers)["Nonce"])
        if self.echo:
            assert self.canary.sift([seen(self.sent[-1])], self.now_us) == []
        return self.result

    def renew(self, reason: str) -> None:
        assert reason == "a canary was not seen in 8 s"
        self.renewed.append(self.canary.ended())
        self.canary.began(self.now_us)

    async def sleep(self, delay: float) -> None:
        if len(self.slept) == self.sleeps:
            raise Over
        self.slept.append(delay)
        self.now_us += int(delay * 1e6)
        self.during()

    def run(self) -> "Bench":
        clock = Clock(lambda: 0.5, lambda: self.now_us, self.sleep)
        numbers = count()
        watch = Watch(
            self.canary,
            self,
            self,
            every_s=60.0,
            within_s=8.0,
            clock=clock,
            nonce=lambda: f"n{next(numbers)}",
        )
        with pytest.raises(Over):
            asyncio.run(watch.run())
        return self


def test_canaries_that_are_seen_come_at_their_interval() -> None:
    bench = Bench(sleeps=3).run()
    assert (bench.slept, bench.sent) == ([60.0] * 3, ["n0", "n1", "n2"])
    assert (bench.facts, bench.renewed) == ([], [])


def test_a_missed_one_renews_the_session_when_its_time_is_over() -> None:
    bench = Bench(echo=False, sleeps=5).run()
    assert bench.slept == [60.0, 2.0, 2.0, 2.0, 2.0]
    assert bench.renewed == [Interruption(NOW, "stream-stalled")]
    assert bench.facts == [CanaryMissed("main", 8.0, renewed=True)]


def test_one_that_is_seen_in_time_renews_nothing() -> None:
    bench = Bench(echo=False, sleeps=4)
    bench.during = lambda: bench.sent and len(bench.slept) == 3 and bench.canary.sift([seen("n0")], NOW)  # type: ignore[assignment]
    assert bench.run().slept == [60.0, 2.0, 2.0, 60.0]
    assert bench.facts == []


@pytest.mark.parametrize(("sleeps", "renewals"), [(16, 0), (17, 1)])
def test_a_late_stream_is_waited_for(sleeps: int, renewals: int) -> None:
    bench = Bench(echo=False, sleeps=sleeps)
    bench.during = lambda: bench.canary.heard(NOW) if len(bench.slept) < 14 else None
    assert len(bench.run().renewed) == renewals


def test_while_no_events_can_come_none_is_sent() -> None:
    bench = Bench(sleeps=3)
    bench.attentive = False
    assert bench.run().sent == []


def test_one_that_cannot_be_sent_cuts_nothing() -> None:
    bench = Bench(result=AWAY, echo=False, sleeps=4).run()
    assert bench.slept == [60.0] * 4
    assert bench.facts == [CanaryUnsent("main", "the PBX is away")]
    assert bench.renewed == []


def test_a_session_that_ended_meanwhile_is_not_cut_again() -> None:
    bench = Bench(echo=False, sleeps=4)

    def lose() -> None:
        if len(bench.slept) == 2:
            bench.canary.ended()

    bench.during = lose
    assert bench.run().slept == [60.0, 2.0, 60.0, 2.0]
    assert bench.renewed == []
