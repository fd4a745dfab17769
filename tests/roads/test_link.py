"""One PBX's session kept up: losses, refusals, stops, and being cancelled at every await."""

import asyncio
from collections.abc import Sequence
from itertools import count

import pytest

from connector.errors import LinkLost, LoginRefused
from connector.facts import EventsLost, GapTold, LinkDown, LinkUp, LoginWasRefused
from tests.roads.in_memory import BOTH, CALL, Bench, Visit, kind


def test_frames_go_to_the_journal_between_up_and_down() -> None:
    async def run() -> None:
        visit = Visit(CALL, CALL, end="the PBX closed the connection")
        bench = Bench(visit)
        await bench.run_until(lambda: bench.pbx.tries == 2)
        assert bench.books.kinds == ["session_up", "Hangup", "Hangup", "session_down"]
        assert visit.closed
        (up,) = bench.of(LinkUp)
        assert up == LinkUp("pbx1", "two:5038", "11.0.0", "22.10.1")
        assert bench.of(LinkDown)[0] == LinkDown("pbx1", "two:5038", "the PBX closed the connection", 0.5)
        source = bench.books.entries[1].source
        assert (source.pbx, source.epoch, source.system_name, source.ami_version) == (
            "pbx1",
            1,
            "sys",
            "11.0.0",
        )

    asyncio.run(run())


def test_each_session_has_an_epoch_of_its_own_and_the_gap_between_is_noted() -> None:
    async def run() -> None:
        bench = Bench(Visit(CALL, end="lost"), Visit(CALL))
        await bench.run_until(lambda: len(bench.of(LinkUp)) == 2)
        assert bench.books.kinds == [
            "session_up", "Hangup", "session_down", "session_up", "gap", "Hangup", "session_down",
        ]  # fmt: skip
        assert [(entry.source.epoch, entry.sequence) for entry in bench.books.entries] == [
            (1, n) for n in range(1, 8)
        ]
        (gap,) = bench.of(GapTold)
        assert (gap.pbx, gap.reason, gap.loss) == ("pbx1", "session-lost", "possible")
        assert gap.lasted_s >= 0

    asyncio.run(run())


def test_the_waits_grow_and_shrink_after_a_steady_session() -> None:
    async def run() -> None:
        steady = Visit(end="lost")
        bench = Bench(*[LinkLost("refused")] * 4, Visit(end="lost"), steady, LinkLost("refused"))
        await bench.run_until(lambda: len(bench.of(LinkUp)) == 2)
        assert bench.delays[:5] == [0.5, 1, 2, 4, 8]
        bench = Bench(LinkLost("refused"), LinkLost("refused"), Long(end="lost"), LinkLost("refused"))
        bench.pbx.turns[2].bench = bench  # type: ignore[union-attr]
        await bench.run_until(lambda: bench.pbx.tries == 5)
        assert bench.delays[:4] == [0.5, 1, 0.5, 1]

    asyncio.run(run())


class Long(Visit):
    """A session that lasts half a minute."""

    bench: Bench

    async def ended(self) -> str:
        self.bench.now_us += 30_000_000
        return await super().ended()


def test_a_refused_login_waits_long_and_longer() -> None:
    async def run() -> None:
        bench = Bench(*[LoginRefused("Authentication failed")] * 3)
        await bench.run_until(lambda: bench.pbx.tries == 4)
        assert bench.delays == [75, 150, 300]
        assert bench.of(LoginWasRefused)[0] == LoginWasRefused("pbx1", BOTH, "Authentication failed", 75)
        assert bench.books.entries == []

    asyncio.run(run())


def test_what_is_no_trouble_of_the_link_ends_it_with_the_session_noted() -> None:
    class Bug(Exception):
        pass

    async def run() -> None:
        visit = Visit(CALL, end=Bug())
        bench = Bench(visit)
        with pytest.raises(Bug):
            await bench.link.run()
        assert visit.closed
        assert bench.books.kinds[-1] == "session_down"

    asyncio.run(run())


def test_an_event_that_breaks_the_intake_ends_the_link() -> None:
    async def run() -> None:
        bench = Bench(Visit(CALL))
        bench.books.append = lambda _: 1 / 0  # type: ignore[assignment, method-assign, return-value]
        with pytest.raises(ZeroDivisionError):
            await bench.link.run()

    asyncio.run(run())


class TestStop:
    def test_while_up_logs_off_and_leaves_no_gap(self) -> None:
        async def run() -> None:
            visit = Visit(CALL)
            bench = Bench(visit)
            await bench.run_until(
                lambda: "Hangup" in bench.books.kinds and bench.link._connection is not None
            )
            assert visit.left.is_set()
            assert visit.closed
            assert bench.of(LinkDown) == [LinkDown("pbx1", "two:5038", "logged off", None)]
            assert bench.delays == []

        asyncio.run(run())

    def test_while_nobody_answers(self) -> None:
        async def run() -> None:
            bench = Bench()
            await bench.run_until(lambda: bench.pbx.tries == 1)
            assert bench.of(LinkDown) == [LinkDown("pbx1", BOTH, "stopped", None)]
            assert bench.books.entries == []

        asyncio.run(run())

    def test_while_waiting(self) -> None:
        async def run() -> None:
            bench = Bench(LinkLost("refused"))
            slept = asyncio.Event()

            async def sleep(_: float) -> None:
                slept.set()
                await asyncio.Event().wait()

            bench.link._clock = bench.link._clock._replace(sleep=sleep)
            await bench.run_until(slept.is_set)
            assert bench.pbx.tries == 1

        asyncio.run(run())

    def test_before_it_runs(self) -> None:
        async def run() -> None:
            bench = Bench()
            bench.link.stop()
            await bench.link.run()
            assert bench.pbx.tries == 0

        asyncio.run(run())

    @pytest.mark.parametrize("moment", range(40))
    def test_at_any_moment(self, moment: int) -> None:
        async def run() -> None:
            visits = [Visit(CALL, end="lost"), Visit(CALL), Visit(CALL)]
            bench = Bench(visits[0], LinkLost("refused"), LoginRefused("no"), *visits[1:])
            turns = count()
            await bench.run_until(lambda: next(turns) == moment)
            assert_in_order(bench, visits)

        asyncio.run(run())


@pytest.mark.parametrize("moment", range(40))
def test_cancelled_at_any_moment(moment: int) -> None:
    async def run() -> None:
        visits = [Visit(CALL, end="lost"), Visit(CALL), Visit(CALL)]
        bench = Bench(visits[0], LinkLost("refused"), LoginRefused("no"), *visits[1:])
        task = asyncio.create_task(bench.link.run())
        for _ in range(moment):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert_in_order(bench, visits)

    asyncio.run(run())


def assert_in_order(bench: Bench, visits: Sequence[Visit]) -> None:
    """Every session that was noted as up is noted as down, and nothing is left running."""
    kinds = bench.books.kinds
    assert kinds.count("session_up") == kinds.count("session_down") == len(bench.of(LinkUp))
    assert not kinds or kinds[-1] == "session_down"
    assert [entry.sequence for entry in bench.books.entries] == list(range(1, len(kinds) + 1))
    assert asyncio.all_tasks() == {asyncio.current_task()}
    handed_out = [visit for visit in visits if visit not in bench.pbx.turns]
    assert all(visit.closed for visit in handed_out[:-1])


def test_one_pbx_in_trouble_does_not_touch_another() -> None:
    async def run() -> None:
        good = Bench(Visit(*[CALL] * 3))
        bad = Bench(*[LinkLost("refused"), LoginRefused("no")] * 50)
        async with asyncio.TaskGroup() as links:
            links.create_task(bad.run_until(lambda: bad.pbx.tries > 90))
            links.create_task(good.run_until(lambda: bad.pbx.tries > 90))
        assert good.books.kinds == ["session_up", *["Hangup"] * 3, "session_down"]
        assert good.pbx.tries == 1

    asyncio.run(run())


def test_what_a_full_journal_gives_up_is_reported_and_named_by_a_record() -> None:
    async def run() -> None:
        bench = Bench(Visit(*[CALL] * 10), room=4)
        await bench.run_until(lambda: bench.link._connection is not None)
        first, *_ = bench.of(EventsLost)
        assert first == EventsLost("pbx1", 1, 7, 7, "journal-full")
        overflow = next(entry for entry in bench.books.entries if kind(entry) == "overflow")
        assert b"FirstSequence: 1\r\n" in overflow.frame
        assert b"LastSequence: 7\r\n" in overflow.frame

    asyncio.run(run())


def test_a_session_that_is_renewed_ends_with_the_reason_and_another_begins() -> None:
    async def run() -> None:
        first, second = Visit(CALL), Visit(CALL)
        bench = Bench(first, second)
        bench.link.renew("nothing to renew")

        def renewed() -> bool:
            if bench.link.attentive and not first.closed:
                bench.link.renew("a canary was not seen")
                assert first.closed
            return len(bench.of(LinkUp)) == 2

        await bench.run_until(renewed)
        assert bench.of(LinkDown)[0].reason == "a canary was not seen"
        assert "gap" in bench.books.kinds
        assert not bench.link.attentive

    asyncio.run(run())
