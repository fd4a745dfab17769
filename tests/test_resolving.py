"""What is found out about a call after its requester was told UNKNOWN, end to end but for Asterisk and Kafka."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from connector.actions.preparation import own_channel
from connector.ami.action import AmiAction
from connector.ami.completion import Answer
from connector.ami.message import AmiMessage, Kind
from connector.ami.reach import Reach, Result
from connector.app.local import LocalIds
from connector.app.parts import open_embedded, open_reader
from connector.app.resolving import RETRY_S, TRIES, EventLog, UnknownCalls
from connector.app.road_back import open_road_back
from connector.app.running import run, run_back
from connector.app.sending import send
from connector.app.signals import Stop
from connector.demo.broker import EmbeddedBroker
from connector.edges.kafka.reader import Wanted
from connector.edges.telemetry import Telemetry
from connector.events.entry import Entry
from connector.facts import CallUnresolved, Fact, LinkDown
from connector.roads.execution import Clock
from connector.settings.actions import Actions, Standard
from connector.settings.sections import Events, Kafka, Settings
from tests.edges.kafka_ends import PROMPT
from tests.edges.scripted import GREETING, Peer, scripted
from tests.events.frames import NOW, event, intake, record, snapshot
from tests.test_app import account
from tests.test_road_back import asked, bounded

CALL = own_channel("main", "one")
DIAL = ("Channel", "Local/1@x"), ("Application", "Wait"), ("Data", "1")


class FakePbx:
    """Cuts the session that brings an Originate, and tells of its channel when a test says so.

    Where it is `closed`, nobody may log in to hear events.
    """

    def __init__(self, *, closed: bool) -> None:
        self.closed = closed
        self.reader: asyncio.Future[Peer] = asyncio.get_running_loop().create_future()
        self.before = b""
        self.status = ""
        self.questions: list[str] = []

    async def serve(self, peer: Peer) -> None:
        peer.say(GREETING)
        while action := await peer.hear():
            match action["Action"]:
                case "Login" if action["Events"] not in {"off", "call,agi"}:
                    self.reader.set_result(peer)
                    peer.respond(status="Error" if self.closed else "Success")
                case "Originate":
                    assert action["ChannelId"] == CALL
                    if self.before:
                        (await self.reader).say(self.before)
                    return
                case "Status":
                    self._tell(peer, action["Channel"])
                case "Logoff":
                    return
                case _:
                    peer.respond()

    def _tell(self, peer: Peer, channel: str) -> None:
        self.questions.append(channel)
        if not self.status:
            peer.respond("Message: No such channel", status="Error")
            return
        peer.respond("EventList: start")
        mine = f"ActionID: {peer.heard[-1]['ActionID']}"
        for lines in (("Event: Status", self.status), ("Event: StatusComplete", "EventList: Complete")):
            peer.say("\r\n".join([*lines, mine, "", ""]).encode())

    async def happens(self, *frames: bytes) -> None:
        (await self.reader).say(b"".join(frame + b"\r\n\r\n" for frame in frames))


@asynccontextmanager
async def at_work(*, events: bool = True, closed: bool = False) -> AsyncIterator[tuple[FakePbx, Settings]]:
    pbx = FakePbx(closed=closed)
    with EmbeddedBroker() as broker:
        async with scripted(pbx.serve) as (address, _):
            chosen = Settings(
                pbx={"main": account((address.host, address.port))},
                events=Events(format="json"),
                kafka=Kafka(bootstrap_servers=(broker.bootstrap_servers,), consumer=PROMPT),
                actions=Actions(drain_s=5.0, policy=Standard(profile="full")),
            )
            stop, telemetry = Stop(), Telemetry()
            async with (
                open_embedded(chosen, broker, telemetry, LocalIds()) as shared,
                open_road_back(chosen, shared.registry, telemetry) as back,
            ):
                road = (
                    run(chosen, shared, stop, back) if events else run_back(chosen, back, stop, shared.roads)
                )
                running = asyncio.create_task(road)
                try:
                    if events:
                        await pbx.reader
                    yield pbx, chosen
                finally:
                    stop.ask("seen enough")
                    await running


async def resolved(chosen: Settings, count: int) -> list[Mapping[str, Any]]:
    """Wait for so many records of what became of calls."""
    found: list[Mapping[str, Any]] = []
    wanted = Wanted(topics=["asterisk.connector"], start="beginning")
    async with open_reader(chosen, wanted, Telemetry()) as reader:
        async for records in reader:
            values = [json.loads(each.value or b"") for each in records]
            found += [each for each in values if each["type"] == "action_resolved"]
            if len(found) >= count:
                return found
    raise AssertionError


async def originate(chosen: Settings) -> None:
    answer = await send(chosen, asked("Originate", "one", *DIAL), Telemetry())
    assert (answer["status"], answer["executed"], answer["call_id"]) == ("UNKNOWN", "unknown", CALL)


def channel(name: str, *lines: str, state: str = "6") -> bytes:
    return event(name, snapshot(CALL, CALL).replace("ChannelState: 6", f"ChannelState: {state}"), *lines)


HANGUP = channel("Hangup", "Cause: 16", "Cause-txt: Normal Clearing")
RINGS = channel("Newchannel", state="0")


def test_what_comes_after_the_answer_resolves_it_and_then_tells_how_it_ended() -> None:
    async def scene() -> None:
        async with at_work() as (pbx, chosen):
            await originate(chosen)
            await pbx.happens(RINGS)
            (first,) = await resolved(chosen, 1)
            assert (first["request_id"], first["unique_id"], first["executed"]) == ("one", CALL, "yes")
            assert first["request_record"].startswith("asterisk.actions.json/")
            assert (first["outcome"], first["message"]) == ("unknown", "the channel exists (Newchannel)")
            await pbx.happens(HANGUP)
            _, last = await resolved(chosen, 2)
            assert (last["executed"], last["outcome"]) == ("yes", "success")

    bounded(scene)


def test_what_came_before_the_answer_resolves_it_at_once_and_nobody_is_asked() -> None:
    async def scene() -> None:
        async with at_work() as (pbx, chosen):
            pbx.before = RINGS + b"\r\n\r\n" + HANGUP + b"\r\n\r\n"
            await originate(chosen)
            found = await resolved(chosen, 1)
            assert [each["outcome"] for each in found] == ["success"]
            assert pbx.questions == []

    bounded(scene)


def test_a_channel_that_no_event_showed_is_asked_for() -> None:
    async def scene() -> None:
        async with at_work() as (pbx, chosen):
            pbx.status = f"Uniqueid: {CALL}\r\nChannelState: 6"
            await originate(chosen)
            (found,) = await resolved(chosen, 1)
            assert (found["executed"], found["outcome"], found["message"]) == (
                "yes",
                "success",
                "answered (Status)",
            )
            assert pbx.questions == [CALL]

    bounded(scene)


def test_what_is_found_out_before_the_events_road_is_up_has_a_number_that_no_other_start_gives() -> None:
    async def scene() -> None:
        async with at_work(closed=True) as (pbx, chosen):
            pbx.status = f"Uniqueid: {CALL}\r\nChannelState: 4"
            await originate(chosen)
            (found,) = await resolved(chosen, 1)
            assert found["source"]["epoch"] > 1_700_000_000_000
            assert found["source"]["sequence"] == 1

    bounded(scene)


def test_without_the_events_road_nobody_is_asked_and_nothing_is_told() -> None:
    async def scene() -> None:
        async with at_work(events=False) as (pbx, chosen):
            await originate(chosen)
            answer = await send(chosen, asked("Ping", "two"), Telemetry())
            assert answer["status"] == "SUCCESS"
            assert pbx.questions == []

    bounded(scene)


UNRESOLVED = CallUnresolved("one", "main", "Originate", "asterisk.actions", 3, 17, CALL)


class Sessions:
    """Answers questions one after the other, as it is told to."""

    def __init__(self, *results: Result) -> None:
        self.results = [*results]
        self.asked: list[AmiAction] = []

    async def execute(self, action: AmiAction, look: Callable[[], bool], timeout_s: float) -> Result:
        assert look()
        assert timeout_s > 0
        self.asked.append(action)
        await asyncio.sleep(0)
        return self.results.pop(0)


def status(unique: str = CALL) -> Result:
    done = AmiMessage(Kind.RESPONSE, (("Response", "Success"),))
    channel = AmiMessage(Kind.EVENT, (("Event", "Status"), ("Uniqueid", unique), ("ChannelState", "4")))
    return Result(Reach.ANSWERED, Answer(done, (channel,)))


class Bench:
    """UnknownCalls with a PBX's sessions and an intake; its waits end at once."""

    def __init__(self, *results: Result) -> None:
        self.facts: list[Fact] = []
        self.entries: list[Entry] = []
        self.waits: list[float] = []
        self.sessions = Sessions(*results)
        clock = Clock(lambda: NOW // 1_000, self.sleep)
        self.unknown_calls = UnknownCalls(self.facts.append, {"main": self.sessions}, clock)
        self.intake = intake()

    async def sleep(self, delay: float) -> None:
        self.waits.append(delay)

    def watch(self) -> None:
        self.unknown_calls.watch("main", EventLog(self.intake, self.entries.extend))

    async def asked(self) -> None:
        await asyncio.gather(*self.unknown_calls._asking)


NOT_SENT = Result(Reach.NOT_SENT, reason="no way in")


def test_every_fact_is_passed_on_and_only_a_call_is_asked_for() -> None:
    async def scene() -> None:
        bench = Bench(status())
        bench.watch()
        other = LinkDown("main", "there", "cut", None)
        bench.unknown_calls(other)
        bench.unknown_calls(UNRESOLVED)
        await bench.asked()
        assert bench.facts == [other, UNRESOLVED]
        (said,) = map(record, bench.entries)
        assert (said["request_record"], said["message"]) == (
            "asterisk.actions/3/17",
            "the channel exists (Status)",
        )
        assert bench.sessions.asked == [AmiAction("Status", (("Channel", CALL),))]

    asyncio.run(scene())


def test_a_pbx_that_nobody_watches_is_not_asked() -> None:
    async def scene() -> None:
        bench = Bench()
        bench.unknown_calls(UNRESOLVED)
        await bench.asked()
        assert (bench.facts, bench.entries, bench.sessions.asked) == ([UNRESOLVED], [], [])

    asyncio.run(scene())


@pytest.mark.parametrize("answer", [status("ak-other"), Result(Reach.SENT, late=True)], ids=["other", "late"])
def test_what_the_pbx_does_not_say_proves_nothing_and_it_is_not_asked_again(answer: Result) -> None:
    async def scene() -> None:
        bench = Bench(answer)
        bench.watch()
        bench.unknown_calls(UNRESOLVED)
        await bench.asked()
        assert (bench.entries, len(bench.sessions.asked), bench.waits) == ([], 1, [])

    asyncio.run(scene())


def test_a_pbx_that_is_down_is_waited_for_and_not_for_ever() -> None:
    async def scene() -> None:
        bench = Bench(NOT_SENT, NOT_SENT, status())
        bench.watch()
        bench.unknown_calls(UNRESOLVED)
        await bench.asked()
        assert (len(bench.entries), bench.waits) == (1, [RETRY_S] * 2)
        bench = Bench(*[NOT_SENT] * TRIES)
        bench.watch()
        bench.unknown_calls(UNRESOLVED)
        await bench.asked()
        assert (bench.entries, bench.sessions.results) == ([], [])

    asyncio.run(scene())


def test_one_question_at_a_time_and_none_after_the_end() -> None:
    async def scene() -> None:
        bench = Bench(status(), status())
        bench.watch()
        for number in range(3):
            bench.unknown_calls(CallUnresolved(f"r{number}", "main", "Originate", "t", 0, 0, f"ak-{number}"))
        await asyncio.sleep(0)
        assert len(bench.sessions.asked) == 1
        await bench.unknown_calls.close()
        assert len(bench.sessions.asked) == 1
        assert not bench.unknown_calls._asking

    asyncio.run(scene())
