"""What is asked after a login, what becomes of the items, and who has ended unread."""

from collections.abc import Sequence
from itertools import pairwise

import pytest

from connector.ami.completion import Answer
from connector.ami.framing import Framer
from connector.ami.message import parse
from connector.ami.reach import Reach, Result
from connector.ami.steps import Start
from connector.events.entry import Entry, Origin, name_of
from connector.events.intake import Intake
from connector.events.lists import BRIDGES, CHANNELS, LISTS, List, restoring
from connector.events.snapshot import MAX_EACH, MAX_LOSSES, Snapshot, Snapshots
from tests.events.frames import NOW, SOURCE, event, intake, item, record, snapshot

ROOMS, MEMBERS = (
    next(each for each in LISTS if each.action == action)
    for action in ("ConfbridgeListRooms", "ConfbridgeList")
)
DENIED = Result(Reach.ANSWERED, Answer(parse(b"Response: Error\r\nMessage: Permission denied")))
UNKNOWN = Result(
    Reach.ANSWERED,
    Answer(parse(b"Response: Error\r\nMessage: Invalid/unknown command: X. Use Action: ListCommands.")),
)
NONE = Result(Reach.ANSWERED, Answer(parse(b"Response: Error\r\nMessage: No active conferences.")))
LATE = Result(Reach.SENT, late=True, reason="not answered in 60 s")
GONE = Result(Reach.SENT, reason="logged off")
BRIDGE = "\r\n".join(
    (
        *("BridgeUniqueid: b1", "BridgeType: basic", "BridgeTechnology: simple_bridge"),
        *("BridgeCreator: <unknown>", "BridgeName: <unknown>", "BridgeNumChannels: 2"),
    )
)


def whole(items: int) -> Result:
    end = f"Event: ListComplete\r\nEventList: Complete\r\nListItems: {items}".encode()
    return Result(
        Reach.ANSWERED, Answer(parse(b"Response: Success\r\nMessage: It will follow"), (parse(end),))
    )


def channel(unique: str, linked: str | None = None) -> bytes:
    return item("CoreShowChannel", snapshot(unique, linked or unique), "Duration: 00:00:05", "BridgeId: ")


def began(unique: str, linked: str | None = None) -> bytes:
    return event("Newchannel", snapshot(unique, linked or unique))


def hangup(unique: str) -> bytes:
    return event("Hangup", snapshot(unique, unique), "Cause: 16", "Cause-txt: Normal Clearing")


CEL = event("CEL", "EventName: LINKEDID_END", "UniqueID: 8.8", "LinkedID: 8.8")


class Pbx:
    """A session in which the lists are answered by the test."""

    def __init__(self, *lists: List, taker: Intake | None = None) -> None:
        self.taker = taker or intake()
        self.snapshots = Snapshots(self.taker, lists or (CHANNELS,))
        self.now = NOW

    def login(self, *frames: bytes) -> Snapshot:
        self.taker.up(SOURCE, self.now, "pbx:5038", Start())
        self.taker.frames(frames, self.now)
        self.one, self.begin = self.snapshots.begin(self.now)
        return self.one

    def loses(self, *frames: bytes) -> None:
        self.taker.up(SOURCE, self.now, "pbx:5038", Start())
        self.taker.frames(frames, self.now)
        self.taker.down(self.now, "lost")

    def lists(self, items: Sequence[bytes], result: Result | None = None) -> list[Entry]:
        assert self.one.ask() is not None
        entries = self.one.items(items, self.now)
        return [*entries, *self.one.answered(result or whole(len(items)), self.now)]

    def end(self) -> list[Entry]:
        assert self.one.ask() is None
        return self.one.end(self.now)


def told(entry: Entry, *fields: str) -> tuple[object, ...]:
    values = record(entry)
    return tuple(values[field] for field in fields)


class TestItems:
    def test_are_records_of_the_snapshot_between_its_begin_and_its_end(self) -> None:
        pbx = Pbx()
        pbx.login()
        (begin,) = pbx.begin
        first, second, end_of_list = pbx.lists([channel("1.2", "1.1"), channel("1.3", "1.1")])
        (end,) = pbx.end()
        assert told(begin, "type", "snapshot_id") == ("snapshot_begin", begin.event_id)
        for entry in (first, second):
            assert (entry.origin, entry.root, entry.snapshot_id, entry.flaw) == (
                Origin.SNAPSHOT,
                "1.1",
                begin.event_id,
                None,
            )
        source = record(first)["source"]
        assert (source["origin"], source["snapshot_id"]) == ("snapshot", begin.event_id)
        fields = ("type", "reason", "action", "count", "response", "snapshot_id")
        assert told(end_of_list, *fields) == (
            "snapshot_end",
            "complete",
            "CoreShowChannels",
            2,
            "It will follow",
            begin.event_id,
        )
        assert told(end, *fields) == ("snapshot_end", "complete", None, 2, None, begin.event_id)
        numbers = [entry.sequence for entry in (begin, first, second, end_of_list, end)]
        assert numbers == [*range(numbers[0], numbers[0] + 5)]

    def test_teach_the_roots_of_what_comes_later(self) -> None:
        pbx = Pbx()
        pbx.login()
        pbx.lists([channel("1.2", "1.1")])
        (entry,) = pbx.taker.frames([event("Cdr", "UniqueID: 1.2", "Source: 100")], NOW)
        assert (entry.root, entry.origin) == ("1.1", Origin.AMI)

    def test_show_a_merge_that_nobody_read(self) -> None:
        pbx = Pbx()
        pbx.loses(began("1.2"))
        pbx.login()
        merge, entry, _ = pbx.lists([channel("1.2", "1.1")])
        assert told(merge, "type", "root", "linked_id") == ("merge", "1.2", "1.1")
        assert entry.root == "1.2"

    def test_are_published_where_their_list_is_asked(self) -> None:
        pbx = Pbx(taker=intake("Hangup"))
        pbx.login()
        assert [name_of(entry) for entry in pbx.lists([channel("1.1")])] == [
            "CoreShowChannel",
            "snapshot_end",
        ]

    def test_that_are_not_published_still_count(self) -> None:
        left_out: list[str] = []
        pbx = Pbx(taker=intake("@all", "-CoreShowChannel", unselected=left_out))
        pbx.loses(began("1.1"), began("1.2"))
        pbx.login()
        (end_of_list,) = pbx.lists([channel("1.1")])
        assert told(end_of_list, "count") == (1,)
        assert left_out == ["CoreShowChannel"]
        assert [name_of(entry) for entry in pbx.end()] == ["Hangup", "snapshot_end"]

    def test_that_look_forged_are_told_apart_and_prove_nothing(self) -> None:
        pbx = Pbx()
        pbx.loses(began("1.1"), began("1.2"))
        pbx.login()
        torn = channel("1.1").replace(b"CallerIDNum: 100", b"CallerIDNum: 1\r\nUniqueid: 1.2")
        entry, suspect, end_of_list = pbx.lists([torn])
        assert entry.flaw is not None
        assert (entry.origin, entry.root) == (Origin.SNAPSHOT, None)
        assert told(suspect, "type", "subject_event_id") == ("suspect", entry.event_id)
        assert told(end_of_list, "reason") == ("suspect",)
        (end,) = pbx.end()
        assert told(end, "reason", "message") == ("partial", "without CoreShowChannels")

    def test_one_that_is_too_large_goes_to_the_dead_letters_and_the_list_proves_nothing(self) -> None:
        pbx = Pbx()
        pbx.loses(began("1.1"))
        pbx.login()
        (large,) = Framer(1_000).feed(channel("1.1") + b"\r\nX: " + b"v" * 2_000 + b"\r\n\r\n")
        entry, end_of_list = pbx.lists([large])
        assert entry.flaw is not None
        assert (entry.flaw.reason, entry.snapshot_id) == ("oversize", pbx.begin[0].event_id)
        assert told(end_of_list, "reason") == ("suspect",)
        assert [name_of(entry) for entry in pbx.end()] == ["snapshot_end"]


class TestEnds:
    def test_are_told_of_what_ended_while_nobody_read(self) -> None:
        pbx = Pbx()
        pbx.loses(began("1.1"), began("1.2", "1.1"), began("1.3", "1.3"))
        pbx.login()
        pbx.lists([channel("1.1")])
        first, second, _ = pbx.end()
        assert (first.origin, first.root, first.snapshot_id) == (
            Origin.SYNTHETIC,
            "1.1",
            pbx.begin[0].event_id,
        )
        fields = ("channel", "unique_id", "linked_id", "cause")
        assert told(first, *fields) == ("SIP/a", "1.2", "1.1", None)
        assert told(second, *fields) == ("SIP/a", "1.3", "1.3", None)
        assert record(first)["source"]["origin"] == "synthetic"
        assert record(first)["extra"] == []

    def test_are_told_once(self) -> None:
        pbx = Pbx()
        pbx.loses(began("1.1"))
        for ends in (1, 0):
            pbx.login()
            pbx.lists([])
            assert [name_of(entry) for entry in pbx.end()] == ["Hangup"] * ends + ["snapshot_end"]
            pbx.taker.down(NOW, "lost")

    def test_wait_for_the_stream_to_tell_them_itself(self) -> None:
        pbx = Pbx()
        pbx.loses(began("1.1"))
        pbx.login()
        pbx.lists([])
        pbx.taker.frames([hangup("1.1")], NOW)
        assert [name_of(entry) for entry in pbx.end()] == ["snapshot_end"]

    def test_are_not_told_of_what_ended_before_the_list_and_is_listed_all_the_same(self) -> None:
        pbx = Pbx()
        pbx.loses(began("1.1"))
        pbx.login(hangup("1.1"))
        pbx.lists([channel("1.1", "1.0")])
        pbx.end()
        assert pbx.taker.calls.living == 0

    def test_are_not_told_of_what_began_meanwhile(self) -> None:
        pbx = Pbx()
        pbx.login()
        pbx.lists([])
        pbx.taker.frames([began("1.9")], NOW)
        assert [name_of(entry) for entry in pbx.end()] == ["snapshot_end"]
        assert pbx.taker.calls.living == 1

    def test_are_told_of_bridges_too(self) -> None:
        other = BRIDGE.replace("b1", "b2")
        third = BRIDGE.replace("b1", "b3")
        pbx = Pbx(BRIDGES)
        pbx.loses(*(event("BridgeCreate", bridge) for bridge in (BRIDGE, other, third)))
        pbx.login()
        pbx.lists([item("BridgeListItem", BRIDGE)])
        pbx.taker.frames([event("BridgeDestroy", third)], NOW)
        gone, _ = pbx.end()
        assert (gone.origin, name_of(gone), gone.root) == (Origin.SYNTHETIC, "BridgeDestroy", None)
        assert told(gone, "bridge_unique_id") == ("b2",)

    def test_are_not_published_where_the_event_is_not(self) -> None:
        pbx = Pbx(taker=intake("@all", "-Hangup"))
        pbx.loses(began("1.1"))
        pbx.login()
        pbx.lists([])
        assert [name_of(entry) for entry in pbx.end()] == ["snapshot_end"]

    @pytest.mark.parametrize("result", [DENIED, UNKNOWN, LATE, whole(3)])
    def test_need_a_whole_list(self, result: Result) -> None:
        pbx = Pbx()
        pbx.loses(began("1.1"))
        pbx.login()
        pbx.lists([], result)
        assert [name_of(entry) for entry in pbx.end()] == ["snapshot_end"]
        assert pbx.taker.calls.living == 1

    def test_are_not_concluded_from_what_no_channel_has(self) -> None:
        pbx = Pbx()
        forged = event("UserEvent", snapshot("6.6", "6.6"), "UserEvent: x")
        late = event("Cdr", "UniqueID: 7.7", "Source: 100")
        pbx.loses(forged, late)
        pbx.login()
        pbx.lists([])
        assert [name_of(entry) for entry in pbx.end()] == ["snapshot_end"]

    def test_are_not_concluded_from_a_late_record_of_a_channel(self) -> None:
        pbx = Pbx()
        pbx.loses(CEL)
        pbx.login()
        pbx.lists([])
        assert [name_of(entry) for entry in pbx.end()] == ["snapshot_end"]

    def test_are_told_of_a_channel_whose_records_were_read_before_it(self) -> None:
        pbx = Pbx()
        pbx.loses(CEL, began("8.8"))
        pbx.login()
        pbx.lists([])
        assert [name_of(entry) for entry in pbx.end()] == ["Hangup", "snapshot_end"]

    def test_are_told_of_a_channel_with_the_id_of_one_that_had_ended(self) -> None:
        pbx = Pbx()
        pbx.loses(began("1.1"), hangup("1.1"), began("1.1"))
        pbx.login()
        pbx.lists([])
        assert [name_of(entry) for entry in pbx.end()] == ["Hangup", "snapshot_end"]

    def test_bear_the_last_name_and_call_of_the_channel(self) -> None:
        pbx = Pbx()
        rename = event("Rename", "Channel: SIP/a", "Newname: SIP/a<ZOMBIE>", "Uniqueid: 1.5")
        pbx.loses(began("1.5"), event("Newstate", snapshot("1.5", "1.1")), rename)
        pbx.login()
        pbx.lists([])
        gone, _ = pbx.end()
        assert told(gone, "channel", "linked_id", "call_id") == ("SIP/a<ZOMBIE>", "1.1", "1.5")


class TestAsking:
    def test_goes_through_the_lists_and_asks_some_for_each_item(self) -> None:
        pbx = Pbx(CHANNELS, ROOMS, MEMBERS)
        one = pbx.login()
        pbx.lists([])
        rooms = [item("ConfbridgeListRooms", f"Conference: {room}", "Parties: 1") for room in ("a", "b")]
        pbx.lists(rooms)
        asked = []
        entries: list[Entry] = []
        for last in (False, True):
            action = one.ask()
            assert action is not None
            asked.append((action.name, action.headers))
            entries = one.answered(NONE if last else whole(0), NOW)
            assert bool(entries) is last
        assert asked == [("ConfbridgeList", (("Conference", room),)) for room in ("a", "b")]
        assert told(entries[0], "action", "reason") == ("ConfbridgeList", "empty")
        (end,) = pbx.end()
        assert told(end, "reason", "message") == ("complete", None)

    def test_is_bounded_for_each_item(self) -> None:
        pbx = Pbx(ROOMS, MEMBERS)
        one = pbx.login()
        pbx.lists([item("ConfbridgeListRooms", f"Conference: {room}") for room in range(MAX_EACH + 5)])
        for _ in range(MAX_EACH):
            assert one.ask() is not None
            one.answered(whole(0), NOW)
        assert one.ask() is None

    def test_leaves_out_what_has_nothing_to_ask_for(self) -> None:
        pbx = Pbx(ROOMS, MEMBERS)
        pbx.login()
        pbx.lists([], NONE)
        pbx.end()

    @pytest.mark.parametrize(
        ("result", "word", "response"),
        [
            (DENIED, "refused", "Permission denied"),
            (UNKNOWN, "refused", "Invalid/unknown command: X. Use Action: ListCommands."),
            (LATE, "unanswered", "not answered in 60 s"),
        ],
    )
    def test_goes_on_behind_a_list_that_cannot_be_had(self, result: Result, word: str, response: str) -> None:
        pbx = Pbx(ROOMS, CHANNELS)
        pbx.login()
        (failed,) = pbx.lists([], result)
        assert told(failed, "action", "reason", "response", "count") == (
            "ConfbridgeListRooms",
            word,
            response,
            0,
        )
        pbx.lists([channel("1.1")])
        (end,) = pbx.end()
        assert told(end, "reason", "message", "count") == ("partial", "without ConfbridgeListRooms", 1)

    def test_a_list_that_was_never_answered_is_not_asked_again(self) -> None:
        pbx = Pbx(ROOMS, CHANNELS)
        one = pbx.login()
        pbx.lists([], LATE)
        pbx.snapshots.learn(one)
        action = pbx.login().ask()
        assert action is not None
        assert action.name == "CoreShowChannels"

    def test_a_list_that_was_refused_is_asked_again(self) -> None:
        pbx = Pbx(ROOMS)
        one = pbx.login()
        pbx.lists([], DENIED)
        pbx.snapshots.learn(one)
        assert pbx.login().ask() is not None

    def test_a_list_in_which_sessions_end_is_given_up_after_some(self) -> None:
        pbx = Pbx(CHANNELS)
        for _ in range(MAX_LOSSES):
            assert pbx.snapshots
            one = pbx.login()
            assert one.ask() is not None
            entries = one.items([channel("1.1")], NOW)
            (end,) = one.interrupted(NOW)
            assert told(end, "type", "reason", "count") == ("snapshot_end", "interrupted", len(entries))
            pbx.snapshots.learn(one)
        assert not pbx.snapshots

    def test_a_session_that_gets_through_wipes_out_the_losses(self) -> None:
        pbx = Pbx(CHANNELS)
        for round_ in range(3 * MAX_LOSSES):
            one = pbx.login()
            if round_ % MAX_LOSSES:
                one.ask()
            else:
                pbx.lists([])
            one.interrupted(NOW)
            pbx.snapshots.learn(one)
        assert pbx.snapshots

    def test_losses_between_two_lists_do_not_count(self) -> None:
        pbx = Pbx(CHANNELS)
        for _ in range(MAX_LOSSES + 1):
            one = pbx.login()
            pbx.lists([])
            one.interrupted(NOW)
            pbx.snapshots.learn(one)
        assert pbx.snapshots


class TestLists:
    def test_are_asked_where_what_they_restore_is_published(self) -> None:
        names = [each.action for each in restoring({"Hangup", "ContactStatus", "QueueMemberStatus"})]
        assert names == ["CoreShowChannels", "QueueStatus", "PJSIPShowContacts"]
        assert restoring({"Cdr"}) == ()

    def test_a_list_for_each_item_follows_the_list_of_them(self) -> None:
        for before, each in pairwise(LISTS):
            if each.each is not None:
                assert set(each.restores) <= set(before.restores)
