"""Both roads together: requests on a topic are answered on another, and the calls they make are told as events."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from connector.app.local import LocalIds
from connector.app.parts import open_embedded
from connector.app.road_back import open_road_back
from connector.app.running import run, run_back
from connector.app.sending import Asked, NotAnswered, send
from connector.app.signals import Stop
from connector.demo.broker import EmbeddedBroker
from connector.demo.pbx import SimulatedPbx
from connector.edges.telemetry import Telemetry
from connector.errors import SettingsError
from connector.settings.actions import Actions
from connector.settings.sections import Events, Kafka, Settings
from tests.edges.kafka_ends import PROMPT
from tests.test_app import account


@asynccontextmanager
async def at_work(*, events: bool = True) -> AsyncIterator[tuple[Settings, Stop]]:
    """Run the connector at a simulated PBX and an embedded broker; it ends in order with the block."""
    with EmbeddedBroker() as broker:
        async with SimulatedPbx({"demo": "demo"}) as pbx:
            chosen = Settings(
                pbx={"main": account(pbx.address)},
                events=Events(format="json"),
                kafka=Kafka(bootstrap_servers=(broker.bootstrap_servers,), consumer=PROMPT),
                actions=Actions(drain_s=5.0),
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
                    yield chosen, stop
                finally:
                    stop.ask("seen enough")
                    await running


def bounded(scene: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with asyncio.timeout(60):
            await scene()

    asyncio.run(whole())


def asked(action: str, request_id: str = "one", *headers: tuple[str, str], within_s: float = 30) -> Asked:
    fields: dict[str, Any] = {
        "request_id": request_id,
        "action": action,
        "pbx": None,
        "headers": [{"name": name, "value": value} for name, value in headers],
        "accept_parts": True,
    }
    return Asked(fields=fields, key=request_id, within_s=within_s)


def test_an_action_is_answered_once_and_a_repeat_is_told_the_same() -> None:
    async def scene() -> None:
        async with at_work() as (chosen, _):
            first = await send(chosen, asked("Ping"), Telemetry())
            assert (first["status"], first["executed"], first["replayed"]) == ("SUCCESS", "yes", False)
            again = await send(chosen, asked("Ping"), Telemetry())
            assert again["replayed"]
            assert again["response"] == first["response"]
            other = await send(chosen, asked("CoreStatus"), Telemetry())
            assert (other["status"], other["executed"]) == ("INVALID", "no")

    bounded(scene)


def test_a_list_comes_whole() -> None:
    async def scene() -> None:
        async with at_work(events=False) as (chosen, _):
            answer = await send(chosen, asked("QueueStatus"), Telemetry())
            names = [event["event"] for event in answer["events"]]
            assert (names[0], names[-1]) == ("QueueParams", "QueueStatusComplete")
            assert names.count("QueueMember") == 4

    bounded(scene)


def test_what_the_policy_does_not_allow_is_refused_by_the_rules_name() -> None:
    async def scene() -> None:
        async with at_work() as (chosen, _):
            answer = await send(chosen, asked("UserEvent", "two", ("UserEvent", "Forbidden")), Telemetry())
            assert (answer["status"], answer["rule"]) == ("REFUSED", "profile read-only")
            allowed = await send(chosen, asked("Ping", "three"), Telemetry())
            assert allowed["status"] == "SUCCESS"

    bounded(scene)


def test_where_nobody_is_at_work_the_sender_hears_of_it() -> None:
    async def scene() -> None:
        async with at_work() as (chosen, stop):
            stop.ask("nobody")
            with pytest.raises(
                NotAnswered, match=r"responses\.json in 0\.5 s, request one may still be executed"
            ):
                await send(chosen, asked("Ping", "one", within_s=0.5), Telemetry())

    bounded(scene)


def test_without_the_table_there_is_no_road_back() -> None:
    async def scene() -> None:
        async with at_work() as (chosen, _):
            with pytest.raises(SettingsError, match="actions: must be set"):
                async with open_road_back(replace(chosen, actions=None), LocalIds(), Telemetry()):
                    pass

    bounded(scene)
