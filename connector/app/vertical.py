"""One PBX's way from frames to Kafka: its intake, its journal, its delivery."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import NamedTuple, Protocol

from connector.app.journals import Held, Opened
from connector.avro.normalise import Normaliser
from connector.avro.schema import SchemaSet
from connector.edges.telemetry import Telemetry
from connector.errors import ConnectorError
from connector.events.discretion import Discretion
from connector.events.entry import Source
from connector.events.gaps.holes import Holes
from connector.events.gaps.interruption import Interruption
from connector.events.intake import Intake
from connector.events.records.translate import Rules, Translator
from connector.events.selection import Selection
from connector.events.watching.canary import Canary
from connector.events.watching.delay import Delays
from connector.privacy.privacy import Privacy
from connector.roads.delivery import Delivery, Ends
from connector.roads.holding import Hold


class Schemas(Protocol):
    """A registry: ids of our schemas, texts of anybody's."""

    async def schema_id(self, subject: str, schema_text: str) -> int:
        """Return the id under which a schema is known for a subject."""
        ...

    async def schema_text(self, schema_id: int) -> str | None:
        """Return the schema that has an id; None where none has."""
        ...


@dataclass(slots=True)
class Roads:
    """The roads that run, for whoever looks on: every PBX's parts, the tasks by name, and whether they are being ended."""

    verticals: dict[str, "Vertical"] = field(default_factory=dict)
    tasks: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)
    stopping: bool = False

    def died(self) -> dict[str, str]:
        """Return the tasks that have failed, each with why; what nobody foresaw is told by its kind alone."""
        return {
            name: str(error) if isinstance(error, ConnectorError) else type(error).__name__
            for name, task in self.tasks.items()
            if task.done() and not task.cancelled() and (error := task.exception()) is not None
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What the PBXs of a process share; the epoch is when it began, in milliseconds since 1970.

    `before_journal` is whether the rules of privacy are applied before anything is written to a disk.
    """

    schemas: SchemaSet
    privacy: Privacy
    before_journal: bool
    selection: Selection
    rules: Rules
    ends: Ends
    registry: Schemas
    telemetry: Telemetry
    epoch: int = field(default_factory=lambda: time.time_ns() // 1_000_000)
    normalisers: dict[tzinfo | None, Normaliser] = field(default_factory=dict)
    roads: Roads = field(default_factory=Roads)

    def normaliser(self, zone: tzinfo | None) -> Normaliser:
        """Return the normaliser for a timezone; to compile the schemas takes a while."""
        if zone not in self.normalisers:
            self.normalisers[zone] = Normaliser(self.schemas, zone)
        return self.normalisers[zone]

    def discretion(self, zone: tzinfo | None) -> Discretion:
        """Return what may be told of the entries of a PBX in a timezone."""
        return Discretion(self.privacy, self.normaliser(zone), before_journal=self.before_journal)


class Watching(NamedTuple):
    """What is looked for in a PBX's stream.

    Holes in its numbers, delays, and canaries, each within `canary_s` seconds.
    """

    sequence_audit: bool = False
    delays: Delays | None = None
    canary_s: float | None = None


class Beginning(NamedTuple):
    """How a PBX's vertical begins: its journal, what its first session ends, and a session that there is already.

    `joined`: that session goes on where the process before has ended. `delays` hears of the PBX's clock there.
    """

    opened: Opened
    interruption: Interruption | None
    hold: Hold | None = None
    joined: bool = False
    delays: Delays | None = None


class Vertical:
    """The parts of one PBX behind its link."""

    def __init__(
        self,
        source: Source,
        zone: tzinfo | None,
        shared: Shared,
        journal: Held,
        interruption: Interruption | None = None,
        *,
        watching: Watching = Watching(),  # noqa: B008
    ) -> None:
        normaliser = shared.normaliser(zone)
        discretion = shared.discretion(zone)
        translator = Translator({source.pbx: normaliser}, shared.rules, shared.ends.schema_ids, discretion)
        telemetry = shared.telemetry
        holes = Holes(source.pbx, telemetry) if watching.sequence_audit else None
        self.delays = watching.delays or Delays(source.pbx, telemetry)
        self.canary = Canary(source.pbx, telemetry, watching.canary_s) if watching.canary_s else None
        self.intake = Intake(
            source,
            normaliser,
            shared.selection,
            telemetry.unselected,
            interruption=interruption,
            holes=holes,
            delays=self.delays,
            canary=self.canary,
            discretion=discretion,
        )
        self.journal = journal
        self.lists = shared.selection.lists
        self.delivery = Delivery(self.journal, translator, shared.ends, telemetry)
