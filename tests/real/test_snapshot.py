"""After an interruption on a real Asterisk: the gap, the snapshot against a plain socket's lists, the ends."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from connector.ami.steps import Account
from connector.edges.pbx import Address, AsteriskPbx
from connector.events.entry import Entry, Origin
from connector.events.lists import LISTS
from connector.facts import Fact, LinkDown, SnapshotTaken
from connector.roads.link import Clock, Link
from tests.events.frames import intake, record
from tests.faults.cable import Cable
from tests.parts.ami import Manager, Message
from tests.parts.asterisk import Asterisk
from tests.parts.processes import wait_until
from tests.parts.scenarios.busy import busy
from tests.parts.scenarios.steps import bridged_call, hang_up
from tests.roads.in_memory import Books

VOLATILE = {
    *("ActionID", "Duration", "Wait", "ParkingDuration", "AnsweredTime", "RoundtripUsec", "LoggedInTime"),
    *("CallStarted", "ParkingTimeout", "ExpirationTime", "LastCall", "LastPause", "Holdtime", "TalkTime"),
}
"""Headers that differ from one moment to the next."""

ONE_ACCOUNT = """
[both]
secret = one-for-both
deny = 0.0.0.0/0.0.0.0
permit = 127.0.0.0/255.0.0.0
read = all
write = all
writetimeout = 15000
"""

Start = Callable[..., Asterisk]


class Reader:
    """A link with all lists, in a thread of its own; while `away` it does not come back."""

    def __init__(self, port: int, username: str, secret: str) -> None:
        self.books = Books()
        self.facts: list[Fact] = []
        self._back = threading.Event()
        self._back.set()
        account = Account(username, secret, events="on", asks_start=True)
        pbx = AsteriskPbx("pbx1", [Address("127.0.0.1", port)], account)
        clock = Clock(chance=lambda: 0.5, sleep=self._sleep)
        self.intake = intake()
        self.link = Link(pbx, self.intake, self.books, 1, self.facts.append, clock=clock, lists=LISTS)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self.link.run()))

    async def _sleep(self, delay: float) -> None:
        await asyncio.sleep(delay)
        await asyncio.to_thread(self._back.wait)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._back.set()
        self._loop.call_soon_threadsafe(self.link.stop)
        self._thread.join(20)
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    @contextmanager
    def away(self, cable: Cable) -> Iterator[None]:
        """Lose the session, and have no other for as long as the block lasts."""
        downs = self.count(LinkDown)
        self._back.clear()
        cable.cut()
        wait_until(lambda: self.count(LinkDown) > downs, "the link down", within=20)
        yield
        self._back.set()

    def count(self, kind: type[Fact]) -> int:
        return sum(isinstance(fact, kind) for fact in self.facts)

    def snapshot(self, number: int) -> list[Entry]:
        """Wait for a snapshot, and give its entries."""
        wait_until(lambda: self.count(SnapshotTaken) >= number, f"snapshot {number}", within=40)
        wait_until(lambda: len(self._ends()) >= number, f"the end of snapshot {number}", within=5)
        mine = record(self._ends()[number - 1])["snapshot_id"]
        return [
            entry
            for entry in self.books.entries
            if entry.snapshot_id == mine or f"\r\nSnapshotId: {mine}".encode() in entry.frame
        ]

    def _ends(self) -> list[Entry]:
        return [entry for entry in self.books.entries if is_end(entry)]

    def notices(self, kind: str) -> list[dict[str, object]]:
        """Give the connector's own records of a type."""
        own = [entry for entry in self.books.entries if entry.origin is Origin.CONNECTOR]
        return [told for entry in own if (told := record(entry))["type"] == kind]


def is_end(entry: Entry) -> bool:
    return entry.frame.startswith(b"Event: snapshot_end\r\n") and b"\r\nAction: " not in entry.frame


@contextmanager
def reading(port: int, username: str, secret: str) -> Iterator[Reader]:
    reader = Reader(port, username, secret)
    reader.start()
    try:
        yield reader
    finally:
        reader.stop()


def steady_call(ami: Manager) -> tuple[Message, Message]:
    """Make a call, and give both channels once nothing moves any more."""
    channels = bridged_call(ami)

    def at_rest() -> bool:
        return all(each["Application"] != "Answer" for each in ami.items("CoreShowChannels"))

    wait_until(at_rest, "every call answered", within=10)
    return channels


def lines(headers: list[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(f"{name}: {value.strip()}" for name, value in headers if name not in VOLATILE)


def items_of(entries: list[Entry], names: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Give the items of a list, as lines that last."""
    frames = [entry.frame.decode() for entry in entries if entry.origin is Origin.SNAPSHOT]
    mine = [frame for frame in frames if frame.split("\r\n")[0].removeprefix("Event: ") in names]
    split = [[line.partition(": ")[::2] for line in frame.split("\r\n")] for frame in mine]
    return sorted(lines([(name, value) for name, value in each]) for each in split)


def asked_barely(ami: Manager) -> dict[str, list[tuple[str, ...]]]:
    """Ask every list on a plain socket."""
    told: dict[str, list[tuple[str, ...]]] = {}
    rooms = ami.items("ConfbridgeListRooms")
    for each in LISTS:
        if each.each is None:
            messages = ami.items(each.action)
        else:
            messages = [
                one for room in rooms for one in ami.items(each.action, Conference=room["Conference"])
            ]
        told[each.action] = sorted(lines([*message.headers]) for message in messages)
    return told


def uniques(messages: list[Message]) -> set[str]:
    return {message["Uniqueid"] for message in messages}


def ends(entries: list[Entry], event: str = "Hangup") -> list[dict[str, object]]:
    head = f"Event: {event}\r\n".encode()
    synthetic = [entry for entry in entries if entry.origin is Origin.SYNTHETIC]
    return [record(entry) for entry in synthetic if entry.frame.startswith(head)]


@pytest.mark.parametrize("version", [22, 16])
def test_what_is_there_is_told_and_what_ended_unread_is_concluded(
    start_asterisk: Start, version: int
) -> None:
    pbx = start_asterisk(version)
    with busy(pbx) as ami, Cable(pbx.port) as cable:
        ended, other = steady_call(ami)
        with reading(cable.port, pbx.username, pbx.secret) as reader:
            whole_story(ami, cable, reader, (ended, other))


def whole_story(ami: Manager, cable: Cable, reader: Reader, channels: tuple[Message, Message]) -> None:
    ended, other = channels
    first = reader.snapshot(1)
    barely = asked_barely(ami)
    for each in LISTS:
        assert items_of(first, each.items) == barely[each.action], each.action
        assert barely[each.action], f"{each.action} has nothing to show"
    assert not ends(first)
    assert {told["reason"] for told in reader.notices("snapshot_end")} == {"complete"}

    before = uniques(ami.items("CoreShowChannels"))
    with reader.away(cable):
        ami.ask("Hangup", Channel=ended["Channel"], Cause=16)
        for channel in (ended, other):
            ami.expect("Hangup", Uniqueid=channel["Uniqueid"])
        ami.expect("BridgeDestroy", BridgeUniqueid=ended["BridgeUniqueid"])
        begun, _ = steady_call(ami)
    second = reader.snapshot(2)
    now = uniques(ami.items("CoreShowChannels"))
    told = ends(second)
    assert {end["unique_id"] for end in told} == before - now
    assert {ended["Uniqueid"], other["Uniqueid"]} <= before - now
    assert {end["call_id"] for end in told if end["unique_id"] == ended["Uniqueid"]} == {ended["Linkedid"]}
    assert {end["bridge_unique_id"] for end in ends(second, "BridgeDestroy")} == {ended["BridgeUniqueid"]}
    assert items_of(second, ("CoreShowChannel",)) == asked_barely(ami)["CoreShowChannels"]
    (gap,) = reader.notices("gap")
    assert (gap["restarted"], gap["node_changed"], gap["loss"]) == (False, False, "possible")

    hang_up(ami, begun)
    left = len(uniques(ami.items("CoreShowChannels")))
    wait_until(lambda: reader.intake.calls.living == left, "its Hangups read", within=10)
    with reader.away(cable):
        pass
    assert not {end["unique_id"] for end in ends(reader.snapshot(3))}, "its Hangup was read"


AT_ONCE = 8
CUTS = 4


def test_cuts_among_calls_that_come_and_go_end_each_channel_once(start_asterisk: Start) -> None:
    pbx = start_asterisk(22)
    with (
        pbx.manager() as ami,
        Cable(pbx.port) as cable,
        reading(cable.port, pbx.username, pbx.secret) as reader,
    ):
        reader.snapshot(1)
        enough = threading.Event()
        traffic = threading.Thread(target=come_and_go, args=(ami, enough))
        traffic.start()
        for number in range(CUTS):
            with reader.away(cable):
                pass
            reader.snapshot(2 + number)
        enough.set()
        traffic.join(30)
        assert not ami.items("CoreShowChannels")
        with reader.away(cable):
            pass
        reader.snapshot(2 + CUTS)
        seen: dict[str, list[Origin]] = {}
        for entry in reader.books.entries:
            name, unique = entry.frame.split(b"\r\n")[0][7:], id_of(entry)
            if name in (b"Newchannel", b"CoreShowChannel"):
                assert not seen.setdefault(unique, []), f"{unique} lives after its end"
            elif name == b"Hangup" and unique in seen:
                seen[unique].append(entry.origin)
        assert len(seen) > 2 * AT_ONCE * CUTS
        assert {unique: told for unique, told in seen.items() if len(told) != 1} == {}
        assert {told[0] for told in seen.values()} == {Origin.AMI, Origin.SYNTHETIC}
        assert reader.intake.calls.living == 0


def come_and_go(ami: Manager, enough: threading.Event) -> None:
    """Make short calls, some at a time, each of two channels."""
    while not enough.is_set():
        ami.forget()
        for _ in range(AT_ONCE):
            ami.action("Originate", Channel="Local/brief@parties/n", Application="Wait", Data=9, Async="true")
        ami.expect("Hangup", times=2 * AT_ONCE)


def id_of(entry: Entry) -> str:
    return entry.frame.partition(b"\r\nUniqueid: ")[2].partition(b"\r\n")[0].decode()


def test_a_restart_is_told_and_has_ended_every_call(start_asterisk: Start) -> None:
    pbx = start_asterisk(22)
    with (
        Cable(pbx.port) as cable,
        reading(cable.port, pbx.username, pbx.secret) as reader,
    ):
        reader.snapshot(1)
        with pbx.manager() as ami:
            one, other = bridged_call(ami)
            wait_until(
                lambda: any(b"Event: BridgeEnter" in entry.frame for entry in reader.books.entries),
                "the call read",
                within=10,
            )
        with reader.away(cable):
            pbx.kill()
            pbx.start()
        told = {end["unique_id"] for end in ends(reader.snapshot(2))}
        assert {one["Uniqueid"], other["Uniqueid"]} <= told
        (gap,) = reader.notices("gap")
        assert (gap["restarted"], gap["node_changed"], gap["loss"]) == (True, False, "certain")
        before, after = (up["started_at_us"] for up in reader.notices("session_up"))
        assert isinstance(before, int)
        assert isinstance(after, int)
        assert before < after == gap["started_at_us"]
        assert gap["from_time_us"] < gap["started_at_us"] <= gap["to_time_us"]  # type: ignore[operator]


def test_a_failover_is_told_as_another_node(start_asterisk: Start) -> None:
    one, other = (
        start_asterisk(22, system_name=name, manager_extra=ONE_ACCOUNT) for name in ("pbx-a", "pbx-b")
    )
    with (
        Cable(one.port) as cable,
        reading(cable.port, "both", "one-for-both") as reader,
    ):
        reader.snapshot(1)
        with reader.away(cable):
            cable.lead_to(other.port)
        reader.snapshot(2)
        (gap,) = reader.notices("gap")
        assert (gap["node_changed"], gap["restarted"], gap["loss"]) == (True, None, "possible")
        names = [entry.source.system_name for entry in reader.books.entries]
        assert (names[0], names[-1]) == ("pbx-a", "pbx-b")


def test_a_list_without_the_right_to_it_costs_only_itself(start_asterisk: Start) -> None:
    pbx = start_asterisk(22)
    with reading(pbx.port, "events", pbx.secret) as reader:
        reader.snapshot(1)
        told = {end["action"]: (end["reason"], end["response"]) for end in reader.notices("snapshot_end")}
        denied = ("refused", "Permission denied")
        beyond = {"Agents", "ParkedCalls", "PJSIPShowEndpoints", "PJSIPShowContacts"}
        assert {action for action, words in told.items() if words == denied} == beyond
        assert told["ConfbridgeListRooms"] == ("empty", "No active conferences.")
        assert told["CoreShowChannels"][0] == told["QueueStatus"][0] == "complete"
        assert told[None][0] == "partial"
