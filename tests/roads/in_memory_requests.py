"""Request topics and PBXs in memory: what is committed and executed outlives whoever drives them."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from connector.actions.record import (
    Aborted,
    Assigned,
    Commit,
    Incoming,
    Lost,
    Notice,
    Place,
    Revoking,
    Settled,
)
from connector.ami.action import AmiAction
from connector.ami.reach import Reach, Result
from connector.errors import ActionError, BrokerError, RegistryError
from tests.actions.dispatchers import PLACE, answer
from tests.actions.worlds import Kafka

Stop = Callable[[], object]


class Steps:
    """Counts each place where somebody waits, and does something at one of them."""

    def __init__(self) -> None:
        self.count = 0
        self.at: int | None = None
        self.act: Stop = lambda: None

    async def step(self) -> None:
        self.count += 1
        if self.count == self.at:
            self.act()
        await asyncio.sleep(0)


class World:
    """What lasts: the topics, what was executed, and the steps of whoever is at work."""

    def __init__(self) -> None:
        self.kafka = Kafka({PLACE: []}, {PLACE: []})
        self.executed: Counter[str] = Counter()
        self.steps = Steps()

    def ask(self, *records: Incoming) -> None:
        self.kafka.requests[PLACE] += records


class Requests:
    """One member of the group, to which everything is assigned at once."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.notices: asyncio.Queue[Notice] = asyncio.Queue()
        self.aborts: list[Aborted] = []
        self.paused: set[Place] = set()
        self.let_go: set[Place] = set()
        self.doubted = False
        self.failure: BrokerError | None = None
        world.kafka.epochs[PLACE] += 1
        self.epochs: dict[Place, int] = {PLACE: world.kafka.epochs[PLACE]}
        self.assign()

    def assign(self) -> None:
        kafka = self.world.kafka
        offset, note = kafka.offsets.get(PLACE, (0, ""))
        self.notices.put_nowait(Assigned(PLACE, [*kafka.claims[PLACE]], note))
        for record in kafka.requests[PLACE]:
            if record.offset >= offset:
                self.notices.put_nowait(record)

    def revoke(self) -> None:
        self.notices.put_nowait(Revoking(frozenset({PLACE})))

    def lose(self) -> None:
        self.epochs.clear()
        self.notices.put_nowait(Lost(frozenset({PLACE})))

    async def take(self) -> Sequence[Notice]:
        await self.world.steps.step()
        if self.failure:
            raise self.failure
        taken = [await self.notices.get()]
        while not self.notices.empty():
            taken.append(self.notices.get_nowait())
        return taken

    async def commit(self, work: Commit) -> Settled:
        await self.world.steps.step()
        settled = self.aborts.pop(0) if self.aborts else self.world.kafka.commit(work, self.epochs, {})
        await self.world.steps.step()
        return settled

    def owns(self, place: Place) -> bool:
        return place in self.epochs and not self.doubted

    def pause(self, places: Iterable[Place]) -> None:
        self.paused |= {*places}

    def resume(self, places: Iterable[Place]) -> None:
        self.paused -= {*places}

    def released(self, places: Iterable[Place]) -> None:
        self.let_go |= {*places}


class Executor:
    """A PBX that does what it is told, unless a test says otherwise."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.timeouts: list[float] = []
        self.held: asyncio.Event | None = None

    async def execute(self, action: AmiAction, look: Callable[[], bool], timeout_s: float) -> Result:
        await self.world.steps.step()
        self.timeouts.append(timeout_s)
        if action.name == "Spurned":
            raise ActionError("a line is too long")
        if not look():
            return Result(Reach.NOT_SENT, reason="not now")
        self.world.executed[dict(action.headers).get("Id", "read")] += 1
        if self.held:
            await self.held.wait()
        await self.world.steps.step()
        return answer()


class Schemas:
    """A registry that has one schema, and is away as often as a test says."""

    def __init__(self, text: str, away: int = 0) -> None:
        self.text = text
        self.away = away
        self.asked: list[int] = []

    async def schema_text(self, schema_id: int) -> str | None:
        self.asked.append(schema_id)
        await asyncio.sleep(0)
        if self.away:
            self.away -= 1
            raise RegistryError("away")
        return self.text if schema_id == 7 else None
