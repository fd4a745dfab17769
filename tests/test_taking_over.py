"""Taking over under the whole road: what two connectors have read beside each other comes to Kafka once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from connector.app import taking_over as module
from connector.app.decoding import Decoder
from connector.app.local import LocalIds
from connector.app.parts import open_embedded
from connector.app.running import run
from connector.app.signals import Stop
from connector.app.taking_over import taking_over
from connector.demo.broker import EmbeddedBroker
from connector.demo.channels import Event
from connector.demo.pbx import SimulatedPbx
from connector.edges.telemetry import Telemetry
from connector.facts import Fact, LinkUp, StreamApart, StreamJoined, TakeOverReady
from connector.settings.kinds import Secret
from connector.settings.privacy import PrivacyRule, PrivacySection
from connector.settings.sections import Journal, Settings
from tests.test_app import account, bounded, everything, settings

F = TypeVar("F", bound=Fact)
IDS = LocalIds()
CALLER = "4930777001"


class Connector(Telemetry):
    """One of the connectors, and what it tells."""

    def __init__(self, chosen: Settings, broker: EmbeddedBroker, *, take_over: bool = False) -> None:
        super().__init__()
        self.facts: list[Fact] = []
        self.stop = Stop()
        self._told = asyncio.Event()
        self._chosen, self._broker = chosen, broker
        self.task = asyncio.create_task(self._run(take_over=take_over))

    def __call__(self, fact: Fact) -> None:
        super().__call__(fact)
        self.facts.append(fact)
        self._told.set()

    def of(self, kind: type[F]) -> list[F]:
        return [fact for fact in self.facts if isinstance(fact, kind)]

    async def expect(self, kind: type[F], times: int = 1) -> list[F]:
        while len(self.of(kind)) < times:
            assert not self.task.done(), self.task.exception()
            self._told.clear()
            await self._told.wait()
        return self.of(kind)

    async def end(self) -> None:
        self.stop.ask("seen enough")
        await self.task

    async def _run(self, *, take_over: bool) -> None:
        async with open_embedded(self._chosen, self._broker, self, IDS) as shared:
            if not take_over:
                await run(self._chosen, shared, self.stop)
                return
            async with taking_over(self._chosen, shared, self.stop) as begun:
                if begun is not None:
                    await run(self._chosen, shared, self.stop, None, begun)


class Scene:
    """PBXs that count, and connectors of the same settings."""

    def __init__(self, broker: EmbeddedBroker, folder: Path, pbxs: dict[str, SimulatedPbx]) -> None:
        accounts = {name: replace(account(pbx.address), snapshot="off") for name, pbx in pbxs.items()}
        self.chosen = replace(settings(broker, **accounts), journal=Journal(path=str(folder)))
        self.pbxs = pbxs
        self._broker = broker
        self._made = 0

    def connector(self, *, take_over: bool = False) -> Connector:
        return Connector(self.chosen, self._broker, take_over=take_over)

    def tell(self, *names: str) -> None:
        for _ in range(50):
            self._made += 1
            for name in names or self.pbxs:
                lines = [f"Number: {self._made}", "UserEvent: Count", f"Caller: {CALLER}"]
                self.pbxs[name].tell(Event("UserEvent", "user", lines))

    async def values(self) -> list[Any]:
        async with open_embedded(self.chosen, self._broker, Telemetry(), IDS) as shared:
            decoder = Decoder(shared.schemas, IDS)
            return [await decoder.value(record) for record in await everything(self.chosen)]


@asynccontextmanager
async def counting(broker: EmbeddedBroker, folder: Path, *names: str) -> AsyncIterator[Scene]:
    async with SimulatedPbx({"demo": "demo"}) as one, SimulatedPbx({"demo": "demo"}) as other:
        yield Scene(broker, folder, dict(zip(names, (one, other), strict=False)))


def of(values: Sequence[Any], kind: str) -> list[Any]:
    return [value for value in values if value.get("type") == kind]


def numbers(values: Sequence[Any], pbx: str = "main") -> list[int]:
    """Return the numbers of a PBX's events, in the order of their ids."""
    placed = [
        (value["source"]["epoch"], value["source"]["sequence"], int(each["value"]))
        for value in values
        if value["source"]["pbx"] == pbx
        for each in value.get("extra", ())
        if each["name"] == "Number"
    ]
    return [number for _, _, number in sorted(placed)]


def test_each_pbx_is_joined_for_itself(tmp_path: Path) -> None:
    async def scene(broker: EmbeddedBroker) -> None:
        async with counting(broker, tmp_path, "main", "other") as told:
            old = told.connector()
            await old.expect(LinkUp, 2)
            told.tell()
            new = told.connector(take_over=True)
            (ready,) = await new.expect(TakeOverReady)
            assert ready == TakeOverReady(2, 2, 0.0)
            told.tell()
            old.stop.ask("taken over")
            told.tell("other")
            await old.task
            told.tell()
            await new.expect(LinkUp, 2)
            told.tell()
            await new.end()
            assert {fact.pbx for fact in new.of(StreamJoined)} == {"main", "other"}
            values = await told.values()
        assert of(values, "gap") == []
        assert len(of(values, "session_up")) == 4
        assert numbers(values, "main") == [*range(1, 101), *range(151, 251)]
        assert numbers(values, "other") == [*range(1, 251)]

    bounded(60, scene)


def test_a_journal_with_pseudonyms_is_joined_too_and_holds_no_covered_value(tmp_path: Path) -> None:
    async def scene(broker: EmbeddedBroker) -> None:
        rule = PrivacyRule(name="callers", headers=("Caller",), do="hmac")
        rules = PrivacySection(before_journal=True, key=Secret("a key of some length"), rules=(rule,))
        async with counting(broker, tmp_path, "main") as told:
            told.chosen = replace(told.chosen, privacy=rules)
            old = told.connector()
            await old.expect(LinkUp)
            told.tell()
            new = told.connector(take_over=True)
            await new.expect(TakeOverReady)
            told.tell()
            await old.end()
            await new.expect(LinkUp)
            told.tell()
            await new.end()
            assert [fact.pbx for fact in new.of(StreamJoined)] == ["main"]
            values = await told.values()
        assert numbers(values) == [*range(1, 151)]
        assert of(values, "gap") == []
        assert CALLER not in str(values)
        assert str(values).count("'k1:") == 150

    bounded(60, scene)
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert CALLER.encode() not in files
    assert b"Caller: k1:" in files


def test_with_nobody_there_it_starts_as_usual(tmp_path: Path) -> None:
    async def scene(broker: EmbeddedBroker) -> None:
        async with counting(broker, tmp_path, "main") as told:
            for times in (1, 2):
                only = told.connector(take_over=True)
                await only.expect(LinkUp)
                told.tell()
                await only.end()
                assert not only.of(TakeOverReady)
                assert not only.of(StreamJoined)
                assert len(of(await told.values(), "gap")) == times - 1

    bounded(60, scene)


def test_where_the_other_one_stays_it_says_so_again_and_ends_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_REMIND_S", 0.2)

    async def scene(broker: EmbeddedBroker) -> None:
        async with counting(broker, tmp_path, "main") as told:
            old = told.connector()
            await old.expect(LinkUp)
            new = told.connector(take_over=True)
            first, second = (await new.expect(TakeOverReady, 2))[:2]
            assert first.waited_s == 0.0
            assert second.waited_s >= 0.2
            assert told.pbxs["main"].logins == 2
            await new.end()
            assert told.pbxs["main"].logins == 1
            told.tell()
            await old.end()
            values = await told.values()
        assert numbers(values) == [*range(1, 51)]
        assert {value["source"]["epoch"] for value in values} == {values[0]["source"]["epoch"]}

    bounded(60, scene)


def test_a_session_that_is_lost_while_it_waits_is_told_and_made_again(tmp_path: Path) -> None:
    async def scene(broker: EmbeddedBroker) -> None:
        async with counting(broker, tmp_path, "main") as told:
            old = told.connector()
            await old.expect(LinkUp)
            new = told.connector(take_over=True)
            await new.expect(TakeOverReady)
            told.tell()
            for session in [*told.pbxs["main"]._sessions]:
                session.close()
            ready = await new.expect(TakeOverReady, 3)
            assert [fact.up for fact in ready] == [1, 0, 1]
            await old.expect(LinkUp, 2)
            told.tell()
            await old.end()
            told.tell()
            await new.expect(LinkUp)
            await new.end()
            assert len(new.of(StreamJoined)) == 1
            values = await told.values()
        assert [gap["reason"] for gap in of(values, "gap")] == ["session-lost"]
        assert numbers(values) == [*range(1, 151)]

    bounded(60, scene)


def test_of_two_that_wait_one_takes_over_and_then_the_other(tmp_path: Path) -> None:
    async def scene(broker: EmbeddedBroker) -> None:
        async with counting(broker, tmp_path, "main") as told:
            running = told.connector()
            await running.expect(LinkUp)
            waiting = {told.connector(take_over=True), told.connector(take_over=True)}
            for each in waiting:
                await each.expect(TakeOverReady)
            while waiting:
                told.tell()
                await running.end()
                told.tell()
                taken = [asyncio.create_task(each.expect(LinkUp)) for each in waiting]
                await asyncio.wait(taken, return_when=asyncio.FIRST_COMPLETED)
                for task in taken:
                    task.cancel()
                (running,) = [each for each in waiting if each.of(LinkUp)]
                waiting.discard(running)
                assert len(running.of(StreamJoined)) == 1
            await running.end()
            values = await told.values()
        assert of(values, "gap") == []
        assert numbers(values) == [*range(1, 201)]

    bounded(60, scene)


def test_what_cannot_be_joined_is_a_gap_and_nothing_comes_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HELD_BYTES", 1)

    async def scene(broker: EmbeddedBroker) -> None:
        async with counting(broker, tmp_path, "main") as told:
            old = told.connector()
            await old.expect(LinkUp)
            new = told.connector(take_over=True)
            await new.expect(TakeOverReady)
            told.tell()
            await old.end()
            await new.expect(LinkUp)
            told.tell()
            await new.end()
            (apart,) = new.of(StreamApart)
            assert "not among what is held" in apart.reason
            values = await told.values()
        (gap,) = of(values, "gap")
        assert (gap["reason"], gap["loss"]) == ("connector-restarted", "possible")
        (down, _) = sorted(of(values, "session_down"), key=lambda value: value["received_time_us"])
        assert gap["from_time_us"] <= down["received_time_us"] == gap["to_time_us"]
        assert numbers(values) == [*range(1, 101)]

    bounded(60, scene)


def test_the_clock_of_a_session_that_was_held_is_known(tmp_path: Path) -> None:
    async def scene(broker: EmbeddedBroker) -> None:
        async with counting(broker, tmp_path, "main") as told:
            often = replace(told.chosen.pbx["main"], ping_interval_s=0.05)
            told.chosen = replace(
                told.chosen, pbx={"main": often}, connector=replace(told.chosen.connector, heartbeat_s=0.05)
            )
            old = told.connector()
            await old.expect(LinkUp)
            told.tell()
            new = told.connector(take_over=True)
            await new.expect(TakeOverReady)
            told.tell()
            await old.end()
            await new.expect(StreamJoined)

            async def known() -> bool:
                beats = of(await told.values(), "heartbeat")
                epochs = {beat["source"]["epoch"] for beat in beats if beat["offset_ms"] is not None}
                return len(epochs) == 2

            while not await known():  # noqa: ASYNC110 (what is in Kafka tells nobody)
                await asyncio.sleep(0.1)
            await new.end()

    bounded(60, scene)
