"""A snapshot in a session: its course, its pace, and its end at any moment."""

import asyncio

import pytest

from connector.ami.completion import Answer
from connector.ami.message import parse
from connector.ami.reach import Reach, Result
from connector.errors import LinkLost
from connector.events.entry import Origin
from connector.events.lists import BRIDGES, CHANNELS
from connector.facts import LinkUp, SnapshotTaken
from tests.events.frames import event, item, snapshot
from tests.roads.in_memory import CALL, Bench, Reply, Visit

BEGAN = event("Newchannel", snapshot("1.1", "1.1"))
SHOWN = item("CoreShowChannel", snapshot("1.2", "1.2"))
DENIED = Result(Reach.ANSWERED, Answer(parse(b"Response: Error\r\nMessage: Permission denied")))


def whole(*items: bytes) -> Reply:
    end = parse(b"Event: Complete\r\nEventList: Complete\r\nListItems: %d" % len(items))
    return [*items], Result(Reach.ANSWERED, Answer(parse(b"Response: Success"), (end,)))


NOTHING = {"CoreShowChannels": whole(), "BridgeList": whole()}
LISTS = (CHANNELS, BRIDGES)


def test_lists_are_asked_one_after_the_other_with_pauses_and_ends_are_concluded_behind_them() -> None:
    async def run() -> None:
        answers = {"CoreShowChannels": whole(SHOWN), "BridgeList": ([], DENIED)}
        visit = Visit(answers=answers)
        bench = Bench(Visit(BEGAN, end="lost"), visit, lists=LISTS)
        await bench.run_until(lambda: bool(bench.of(SnapshotTaken)))
        assert visit.asked == ["CoreShowChannels", "BridgeList"]
        kinds = bench.books.kinds
        assert kinds[kinds.index("gap") :] == [
            "gap",
            "snapshot_begin",
            "CoreShowChannel",
            "snapshot_end",
            "snapshot_end",
            "Hangup",
            "snapshot_end",
            "session_down",
        ]
        origins = {entry.origin for entry in bench.books.entries if b"Event: Hangup" in entry.frame}
        assert origins == {Origin.SYNTHETIC}
        assert bench.of(SnapshotTaken) == [SnapshotTaken("pbx1", 1, ("BridgeList",))]
        assert bench.delays[1:] == [0.1, 0.1, 1.0]

    asyncio.run(run())


def test_a_session_that_ends_in_the_midst_of_a_list_ends_the_snapshot_first() -> None:
    async def run() -> None:
        bench = Bench(
            Visit(CALL, end="lost", answers={"CoreShowChannels": LinkLost("no session")}), lists=LISTS
        )
        await bench.run_until(lambda: bench.pbx.tries == 2)
        assert bench.books.kinds == [
            "session_up", "Hangup", "snapshot_begin", "snapshot_end", "session_down",
        ]  # fmt: skip
        assert b"Reason: interrupted" in bench.books.entries[3].frame

    asyncio.run(run())


def test_a_list_in_which_sessions_end_is_not_asked_for_ever() -> None:
    async def run() -> None:
        visits = [Visit(end="lost") for _ in range(3)]
        last = Visit(answers=NOTHING)
        bench = Bench(*visits, last, lists=LISTS)
        await bench.run_until(lambda: bool(bench.of(SnapshotTaken)))
        assert [visit.asked for visit in visits] == [["CoreShowChannels"]] * 3
        assert last.asked == ["BridgeList"]

    asyncio.run(run())


def test_an_error_in_the_snapshot_ends_the_link() -> None:
    class Bug(Exception):
        pass

    async def run() -> None:
        visit = Visit(answers={"CoreShowChannels": Bug()})
        bench = Bench(visit, lists=LISTS)
        with pytest.raises(Bug):
            await bench.link.run()
        assert visit.closed
        assert bench.books.kinds[-2:] == ["snapshot_end", "session_down"]

    asyncio.run(run())


def in_order(bench: Bench) -> None:
    """Everything that was begun is ended, the inner before the outer, and nothing is left running."""
    kinds = bench.books.kinds
    assert kinds.count("session_up") == kinds.count("session_down") == len(bench.of(LinkUp))
    depth = 0
    for entry in bench.books.entries:
        if b"Event: snapshot_begin\r\n" in entry.frame:
            depth += 1
        elif b"Event: snapshot_end\r\n" in entry.frame and b"\r\nAction: " not in entry.frame:
            depth -= 1
        elif b"Event: session_down\r\n" in entry.frame:
            assert depth == 0
    assert depth == 0
    assert [entry.sequence for entry in bench.books.entries] == list(range(1, len(kinds) + 1))
    assert asyncio.all_tasks() == {asyncio.current_task()}


def some() -> Bench:
    answers = {"CoreShowChannels": whole(SHOWN), "BridgeList": whole()}
    return Bench(Visit(BEGAN, end="lost", answers=answers), Visit(answers=answers), Visit(CALL), lists=LISTS)


@pytest.mark.parametrize("moment", range(40))
def test_stopped_at_any_moment(moment: int) -> None:
    async def run() -> None:
        bench = some()
        turns = iter(range(1_000))
        await bench.run_until(lambda: next(turns) == moment)
        in_order(bench)

    asyncio.run(run())


@pytest.mark.parametrize("moment", range(40))
def test_cancelled_at_any_moment(moment: int) -> None:
    async def run() -> None:
        bench = some()
        task = asyncio.create_task(bench.link.run())
        for _ in range(moment):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        in_order(bench)

    asyncio.run(run())


def test_while_lists_are_asked_events_do_not_come_as_they_happen() -> None:
    async def run() -> None:
        bench = Bench(Visit(answers=NOTHING), lists=LISTS)
        seen: list[tuple[bool, bool]] = []

        def look() -> bool:
            up = bool(bench.of(LinkUp)) and bench.link._connection is not None
            seen.append((up and not bench.of(SnapshotTaken), bench.link.attentive))
            return bench.link.attentive

        await bench.run_until(look)
        assert (True, False) in seen
        assert (True, True) not in seen
        assert bench.of(SnapshotTaken)

    asyncio.run(run())
