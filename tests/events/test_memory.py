"""What outlives the process beside entries: roots of calls, what was alive, which PBX it was."""

import json

from hypothesis import given
from hypothesis import strategies as some

from connector.ami.steps import Start
from connector.events.calls import GRACE_US
from connector.events.entry import Origin, name_of
from connector.events.gaps.interruption import Interruption
from connector.events.intake import RESTARTED, Intake
from connector.events.lists import BRIDGES, CHANNELS
from connector.events.selection import Selection
from tests.events.frames import NORMALISER, NOW, SCHEMAS, SOURCE, event, intake, record, snapshot
from tests.events.test_snapshot import BRIDGE, began, hangup

CHANNEL_IDS = [f"{number}.1" for number in range(1, 5)]


def reborn(memory: bytes, since: list[object] | None = None) -> Intake:
    """Return the intake of the next process."""
    selection = Selection(SCHEMAS, ("@all",), snapshots=True)
    taker = Intake(
        SOURCE._replace(epoch=2),
        NORMALISER,
        selection,
        lambda _: None,
        interruption=Interruption(NOW, RESTARTED),
    )
    taker.recall(memory, since or [])  # type: ignore[arg-type]
    return taker


def test_a_merged_call_keeps_its_root() -> None:
    taker = intake()
    taker.frames([began("1.1"), began("1.2")], NOW)
    taker.frames([event("Newstate", snapshot("1.2", "1.1"))], NOW)
    (entry,) = reborn(taker.memory()).frames([event("Newstate", snapshot("1.2", "1.1"))], NOW)
    assert entry.root == "1.2"


def test_what_was_alive_and_is_in_no_list_has_ended() -> None:
    taker = intake()
    taker.frames([began("1.1"), began("1.2"), event("BridgeCreate", BRIDGE), hangup("1.1")], NOW)
    next_taker = reborn(taker.memory())
    next_taker.up(SOURCE, NOW, "pbx:5038", Start())
    next_taker.begin_snapshot(NOW)
    ends = next_taker.settle({CHANNELS.action, BRIDGES.action}, "s", NOW)
    assert [(name_of(each), each.origin, each.root) for each in ends] == [
        ("Hangup", Origin.SYNTHETIC, "1.2"),
        ("BridgeDestroy", Origin.SYNTHETIC, None),
    ]


def test_the_gap_of_a_restart_knows_whether_the_pbx_restarted_too() -> None:
    taker = intake()
    taker.up(SOURCE, NOW, "pbx:5038", Start("2026-01-01 10:00:00"))
    for text, restarted in (("2026-01-01 10:00:00", False), ("2026-01-02 10:00:00", True)):
        entries = reborn(taker.memory()).up(SOURCE, NOW + 5, "pbx:5038", Start(text))
        gap = next(told for each in entries if (told := record(each))["type"] == "gap")
        assert (gap["reason"], gap["restarted"]) == (RESTARTED, restarted)


def test_a_memory_of_another_form_is_left() -> None:
    for memory in (b"", b"{", b"[]", b"[2, null, [[], [], []]]", b'[1, null, "x"]', b"[1, [1], 3]", b"\xff"):
        taker = reborn(memory)
        assert len(taker.calls) == 0


FRAMES = some.lists(
    some.builds(
        lambda unique, linked, kind: {
            "begins": began(unique, linked),
            "goes on": event("Newstate", snapshot(unique, linked)),
            "ends": hangup(unique),
        }[kind],
        some.sampled_from(CHANNEL_IDS),
        some.sampled_from(CHANNEL_IDS),
        some.sampled_from(("begins", "goes on", "ends")),
    ),
    max_size=30,
)


@given(FRAMES, FRAMES, FRAMES)
def test_roots_and_life_go_on_as_if_nothing_had_been(
    before: list[bytes], since: list[bytes], behind: list[bytes]
) -> None:
    one = intake()
    one.frames(before, NOW)
    memory = one.memory()
    journaled = one.frames(since, NOW + 1)
    other = reborn(memory, [*journaled])
    for late_us in (2, GRACE_US):
        roots = [(name_of(each), each.root) for each in one.frames(behind, NOW + late_us)]
        assert [(name_of(each), each.root) for each in other.frames(behind, NOW + late_us)] == roots
        assert alive(one) == alive(other)


def alive(taker: Intake) -> list[list[object]]:
    return sorted(each for each in json.loads(taker.memory())[2][0] if each[3] is not None)
