"""One request on its way through the dispatcher.

QUEUED --> WAITING --+--> CLAIMABLE --> CLAIMING --(committed)--> READY --> BEGUN --> FINISHED --(committed)--> GONE
   |          |      +-----------(a read needs no claim)----------->|                     ^
   +----------+--------------------- an outcome without the PBX ---------------------------+

From anywhere a lost partition leads to GONE.
"""

from dataclasses import dataclass, field
from enum import Enum, auto

from connector.actions.dispatch.job import Job
from connector.actions.dispatch.limits import Gate
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

    CLAIMING = auto()
    """Its claim is in a transaction of which it is not known yet how it ends."""

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

    DEAD_LETTER = auto()
    """A dead letter: it is no request, or no response can be delivered."""

    DONE = auto()
    """The claim that it is done, with its outcome."""


@dataclass(slots=True, eq=False)
class Ticket:
    """One request record and all that is known of it.

    Args:
        record: the record.
        consumed_at_ms: when it was read, in milliseconds since 1970.
        stage: how far it is.
        request: what it says, once it could be decoded.
        pbx: which of ours it is for, once that is known; "" where it names none.
        effect: whether it must not be done twice.
        job: what is to be done, once that is judged.
        claimed: whether its claim is in Kafka.
        keeps: whether its outcome is kept for repeats.
        outcome: how it ended; None where it is passed over, too.
        sends: how often it was given to the PBX's sessions.
        sent_at_ms: when it was written, in milliseconds since 1970.
        gates: what it has passed and not given back.
        refused: what Kafka has refused of it for good, and why.
    """

    record: Incoming
    consumed_at_ms: int
    stage: Stage = Stage.QUEUED
    request: Request | Undecodable | None = None
    pbx: str | None = None
    effect: bool = False
    judged: Job | None = None
    claimed: bool = False
    keeps: bool = False
    outcome: Outcome | None = None
    sends: int = 0
    sent_at_ms: int | None = None
    gates: tuple[Gate, ...] = ()
    refused: dict[Role, str] = field(default_factory=dict)

    @property
    def place(self) -> Place:
        """Return the partition that it came from."""
        return self.record.place

    @property
    def asked(self) -> Request:
        """Return the request of a ticket that is known to be one."""
        if not isinstance(self.request, Request):
            raise TypeError("this ticket is no request")
        return self.request

    @property
    def job(self) -> Job:
        """Return the job of a ticket that is known to have one."""
        if self.judged is None:
            raise TypeError("this ticket is not judged")
        return self.judged

    @property
    def key(self) -> Id:
        """Return what repeats of it are known by; empty where it is no request of ours."""
        return (self.pbx or "", self.request.request_id if isinstance(self.request, Request) else "")

    @property
    def speaks(self) -> bool:
        """Say whether somebody is told how it ended."""
        return self.outcome is not None or isinstance(self.request, Undecodable)

    @property
    def in_flight(self) -> bool:
        """Say whether it must be seen through before its partition is let go."""
        if self.stage is Stage.READY:
            return self.claimed
        return self.stage in {Stage.CLAIMING, Stage.BEGUN, Stage.FINISHED}
