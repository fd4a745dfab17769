"""Which sessions canaries go over: the road back's where it runs, else one of their own."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from connector.ami.action import AmiAction
from connector.ami.reach import Result
from connector.app.canaries import watches
from connector.app.inspection import inspect
from connector.app.local import LocalIds
from connector.app.opening import open_pbx
from connector.app.parts import open_embedded
from connector.app.running import run
from connector.app.signals import Stop
from connector.demo.broker import EmbeddedBroker
from connector.demo.pbx import SimulatedPbx
from connector.edges.telemetry import Telemetry
from connector.events.watching.canary import Canary
from connector.facts import ActionSessionDown, ActionSessionUp, CanaryUnsent, Fact
from connector.preflight import State
from connector.settings.actions import ActionAccount
from connector.settings.kinds import Secret
from connector.settings.sections import Kafka, Pbx, Settings
from tests.events.test_canary import AWAY
from tests.test_app import account, bounded, settings


class Session:
    """A session for events that is never renewed."""

    attentive = True

    def renew(self, reason: str) -> None:
        raise AssertionError(reason)


def asking(address: tuple[str, int], secret: str = "right") -> Pbx:
    own = ActionAccount(username="doer", secret=Secret(secret))
    return replace(account(address), canary_s=0.05, actions=own)


def test_without_the_road_back_a_canary_has_a_session_of_the_actions_account() -> None:
    facts: list[Fact] = []
    canary = Canary("main", facts.append, 10.0)
    seen = asyncio.Event()

    def take(frames: list[bytes], received_us: int) -> None:
        if len(canary.sift(frames, received_us)) < len(frames):
            seen.set()

    async def scene() -> None:
        async with asyncio.timeout(30), SimulatedPbx({"demo": "demo", "doer": "right"}) as pbx:
            chosen = Settings(pbx={"main": asking(pbx.address)}, kafka=Kafka(bootstrap_servers=("k",)))
            listening = await open_pbx("main", chosen.pbx["main"], 1 << 20).login(lambda *_: None, take)
            (watch,) = watches(chosen, {"main": canary}, {"main": Session()}, None, facts.append)
            watching = asyncio.create_task(watch)
            await seen.wait()
            assert pbx.logins == 2
            watching.cancel()
            await asyncio.wait([watching])
            listening.close()

    asyncio.run(scene())
    assert {type(fact) for fact in facts} - {ActionSessionDown} == {ActionSessionUp}


def test_with_the_road_back_it_goes_over_its_sessions() -> None:
    sent = asyncio.Event()

    class Executor:
        async def execute(self, action: AmiAction, look: Callable[[], bool], timeout_s: float) -> Result:
            assert (action.name, timeout_s) == ("UserEvent", 10.0)
            assert look()
            sent.set()
            return AWAY

    async def scene() -> None:
        facts: list[Fact] = []
        chosen = Settings(pbx={"main": asking(("127.0.0.1", 1))}, kafka=Kafka(bootstrap_servers=("k",)))
        canaries = {"main": Canary("main", facts.append, 10.0)}
        (watch,) = watches(
            chosen, canaries, {"main": Session()}, {"main": Executor()}.__getitem__, facts.append
        )
        watching = asyncio.create_task(watch)
        async with asyncio.timeout(30):
            await sent.wait()
        watching.cancel()
        await asyncio.wait([watching])

    asyncio.run(scene())


def test_a_running_connector_sends_them_where_the_settings_say_so() -> None:
    async def scene(broker: EmbeddedBroker) -> None:
        stop, told = Stop(), asyncio.Event()

        class Listening(Telemetry):
            def __call__(self, fact: Fact) -> None:
                super().__call__(fact)
                if isinstance(fact, CanaryUnsent):
                    assert fact.pbx == "asking"
                    told.set()

        async with SimulatedPbx({"demo": "demo", "doer": "right"}) as pbx:
            silent = account(pbx.address)
            chosen = settings(broker, asking=asking(pbx.address, "wrong"), silent=silent)
            async with open_embedded(chosen, broker, Listening(), LocalIds()) as shared:
                bridging = asyncio.create_task(run(chosen, shared, stop))
                await told.wait()
                stop.ask("seen enough")
                await bridging

    bounded(30, scene)


def test_check_looks_at_the_account_that_sends_them_without_the_road_back_too() -> None:
    async def looked_at(*, canaries: bool) -> dict[str, State]:
        async with asyncio.timeout(30), SimulatedPbx({"demo": "demo", "doer": "right"}) as pbx:
            one = asking(pbx.address) if canaries else account(pbx.address)
            unreachable = Kafka(bootstrap_servers=("127.0.0.1:1",), reach_timeout_s=0.1)
            found = await inspect(Settings(pbx={"main": one}, kafka=unreachable), Telemetry())
            return {finding.what: finding.state for finding in found}

    assert asyncio.run(looked_at(canaries=True))["main canary"] is State.OK
    assert "main canary" not in asyncio.run(looked_at(canaries=False))
