"""A journal on disk under the whole road: what one process leaves the next delivers, first, and says since when nobody read."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connector.app import parts, running
from connector.app.decoding import Decoder
from connector.app.journals import open_journal
from connector.app.local import LocalIds
from connector.app.parts import open_embedded, read_schemas
from connector.app.running import run
from connector.app.signals import Stop
from connector.demo.broker import EmbeddedBroker
from connector.edges.telemetry import Telemetry
from connector.errors import JournalError, SettingsError
from connector.facts import Fact, JournalFailed
from connector.settings.sections import Connector, Journal, Settings
from tests.test_app import EVENTS, account, bounded, everything, numbers, playing, settings


async def life(chosen: Settings, broker: EmbeddedBroker, *, down: bool) -> tuple[Telemetry, list[Any]]:
    """Run a connector while a PBX plays, with Kafka or without, and return what is in Kafka then, decoded."""
    stop, telemetry, ids = Stop(), Telemetry(), LocalIds()
    async with playing() as pbx:
        chosen = replace(chosen, pbx={"main": account(pbx.address)})
        async with open_embedded(chosen, broker, telemetry, ids) as shared:
            if down:
                broker.down()
            bridging = asyncio.create_task(run(chosen, shared, stop))
            await pbx.finished()
            stop.ask("seen enough")
            await bridging
            if down:
                return telemetry, []
            records = await everything(chosen)
            decoder = Decoder(shared.schemas, ids)
            return telemetry, [(record, await decoder.value(record)) for record in records]


def own(values: Sequence[Any], kind: str) -> list[Any]:
    return [
        value for record, value in values if record.topic == "asterisk.connector" and value["type"] == kind
    ]


def test_what_kafka_did_not_take_the_next_start_delivers_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "GRACE_S", 0.2)
    monkeypatch.setattr(parts, "CLOSE_S", 0.2)

    async def scene(broker: EmbeddedBroker) -> None:
        chosen = replace(settings(broker), journal=Journal(path=str(tmp_path)))
        first, _ = await life(chosen, broker, down=True)
        assert first.tally.lost == 0
        assert first.tally.published.total() == 0
        with EmbeddedBroker() as other:
            monkeypatch.setattr(running, "GRACE_S", 10.0)
            again = replace(settings(other), journal=chosen.journal)
            _, values = await life(again, other, down=False)
        epochs = sorted({value["source"]["epoch"] for _, value in values})
        assert len(epochs) == 2
        for epoch in epochs:
            of_epoch = [record for record, value in values if value["source"]["epoch"] == epoch]
            assert numbers(of_epoch, "main") == list(range(1, len(of_epoch) + 1))
            assert len(of_epoch) > EVENTS
        assert all(
            value["source"]["recovered"] is (value["source"]["epoch"] == epochs[0]) for _, value in values
        )
        (gap,) = own(values, "gap")
        assert (gap["reason"], gap["source"]["epoch"]) == ("connector-restarted", epochs[1])
        ended = max(value["received_time_us"] for _, value in values if value["source"]["epoch"] == epochs[0])
        assert gap["from_time_us"] == ended
        assert gap["to_time_us"] > ended

    bounded(60, scene)


def test_a_heartbeat_says_that_the_connector_is_alive() -> None:
    async def scene(broker: EmbeddedBroker) -> None:
        stop, ids, twice = Stop(), LocalIds(), asyncio.Event()

        class Listening(Telemetry):
            def __call__(self, fact: Fact) -> None:
                super().__call__(fact)
                if self.tally.published["asterisk.connector"] > 1:
                    twice.set()

        telemetry = Listening()
        down = account(("127.0.0.1", 1))
        chosen = replace(settings(broker, down=down), connector=Connector(name="bridge", heartbeat_s=0.05))
        async with open_embedded(chosen, broker, telemetry, ids) as shared:
            bridging = asyncio.create_task(run(chosen, shared, stop))
            await twice.wait()
            stop.ask("seen enough")
            await bridging
            decoder = Decoder(shared.schemas, ids)
            values = [(record, await decoder.value(record)) for record in await everything(chosen)]
        beats = own(values, "heartbeat")
        assert [beat["source"]["sequence"] for beat in beats] == [*range(1, len(beats) + 1)]
        assert {beat["connector"] for beat in beats} == {"bridge"}
        assert all(beat["published"] < beat["source"]["sequence"] for beat in beats)

    bounded(30, scene)


def opening(journal: Journal, report: Callable[[Fact], None]) -> Any:
    return open_journal("main", journal, lambda _: 1, 5, report)


def test_a_folder_that_cannot_be_used_is_told_and_done_without_or_ends_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    at_file = str(tmp_path / "file")
    facts: list[Fact] = []
    opened = opening(Journal(path=at_file), facts.append)
    assert (opened.disk, opened.epoch) == (None, 5)
    (failed,) = facts
    assert isinstance(failed, JournalFailed)
    assert at_file in failed.reason
    with pytest.raises(JournalError, match=rf"journal\.path: .*{at_file}"):
        opening(Journal(path=at_file, when_failing="stop"), facts.append)


def test_two_connectors_cannot_have_one_folder(tmp_path: Path) -> None:
    async def scene() -> None:
        first = opening(Journal(path=str(tmp_path)), print)
        with pytest.raises(JournalError, match="in use by process"):
            opening(Journal(path=str(tmp_path)), print)
        await first.disk.close()

    asyncio.run(scene())


def test_a_term_that_names_nothing_is_told_at_the_start() -> None:
    async def scene(broker: EmbeddedBroker) -> None:
        with pytest.raises(SettingsError, match=r"journal\.expendable: 'VarSett' names no event.*VarSet"):
            read_schemas(replace(settings(broker), journal=Journal(expendable=("VarSett",))))

    bounded(10, scene)
