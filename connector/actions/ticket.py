"""One request on its way through the desk.

QUEUED ---> WAITING --+--> CLAIMABLE --(committed)--> READY --> BEGUN --> FINISHED --(committed)--> GONE
   |           |      +--(a read needs no claim)------->|                     ^
   +-----------+------------- an outcome without the PBX ---------------------+

From anywhere a lost partition leads to GONE.
"""

from dataclasses import dataclass, field
from enum import Enum, auto

from connector.actions.errand import Errand
from connector.actions.limits import Gate
from connector.actions.record import Incoming, Place
from connector.actions.request import Request, Undecodable
from connector.actions.response import Outcome

Id = tuple[str, str]
"""A PBX and a request id: what repeats are known by within a partition."""


class Stage(Enum):
    """How far a request is."""

    QUEUED = auto()
    """Its key's former request is not finished, or its schema is not known yet."""

    WAITING = auto()
    """Its turn has come, and something holds it back."""

    CLAIMABLE = auto()
    """It may be done as soon as its claim is in Kafka."""

    READY = auto()
    """Nothing more is needed but that all before it with its key are final."""

    BEGUN = auto()
    """It is at the PBX, or on the way."""

    FINISHED = auto()
    """How it ended is known, and not in Kafka yet."""

    GONE = auto()
    """It is final, or the partition's next owner sees to it."""


class Role(Enum):
    """What a record in a transaction is to its request."""

    CLAIM = auto()
    """The claim that it is begun."""

    ANSWER = auto()
    """The response where it was asked for."""

    FALLBACK = auto()
    """A short response on the default topic, where Kafka will not take the one asked for."""

    LETTER = auto()
    """A dead letter: it is no request, or no response can be delivered."""

    DONE = auto()
    """The claim that it is done, with its outcome."""


@dataclass(slots=True, eq=False)
class Ticket:
    """One request record and all that is known of it.

    Args:
        record: the record.
        stage: how far it is.
        request: what it says, once it could be decoded.
        errand: what is to be done, once that is judged.
        claimed: whether its claim is in Kafka.
        keeps: whether its outcome is kept for repeats.
        outcome: how it ended; None where it is passed over, too.
        sends: how often it was given to the PBX's sessions.
        sent_at_ms: when it was written, in milliseconds since 1970.
        gates: what it has passed and not given back.
        refused: what Kafka has refused of it for good.
    """

    record: Incoming
    stage: Stage = Stage.QUEUED
    request: Request | Undecodable | None = None
    errand: Errand | None = None
    claimed: bool = False
    keeps: bool = False
    outcome: Outcome | None = None
    sends: int = 0
    sent_at_ms: int | None = None
    gates: tuple[Gate, ...] = ()
    refused: set[Role] = field(default_factory=set)

    @property
    def place(self) -> Place:
        """Return the partition that it came from."""
        return self.record.place

    @property
    def in_flight(self) -> bool:
        """Say whether it must be seen through before its partition is let go."""
        return self.stage in {Stage.BEGUN, Stage.FINISHED} or (self.claimed and self.stage is Stage.READY)
