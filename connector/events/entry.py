"""What crosses the journal: one frame with everything that was decided about it on arrival."""

import traceback
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from connector.ami.message import event_name, kind_of

if TYPE_CHECKING:
    from connector.avro.normalise import Reading

UNFORESEEN: Final = "unforeseen"


class Origin(StrEnum):
    """Where a message comes from; it, and not the message's name, picks the schema."""

    AMI = "ami"
    SNAPSHOT = "snapshot"
    SYNTHETIC = "synthetic"
    CONNECTOR = "connector"


class Source(NamedTuple):
    """Who speaks: one value per login, shared by all its entries."""

    pbx: str
    epoch: int
    system_name: str | None = None
    asterisk_version: str | None = None
    ami_version: str | None = None


class Flaw(NamedTuple):
    """Why a frame does not pass as a genuine event: a reason word, and what was seen."""

    reason: str
    detail: str


def unforeseen(error: Exception) -> Flaw:
    """Return the flaw of a frame that we have failed at, which is a defect of ours."""
    # Its text might hold a value of the event.
    places = traceback.extract_tb(error.__traceback__)
    detail = f"{type(error).__name__} in {places[-1].name}" if places else type(error).__name__
    return Flaw(UNFORESEEN, detail)


class Entry(NamedTuple):
    """One numbered message of one PBX.

    `received_us` is the time of receipt in microseconds since 1970 (UTC). `root` names the call
    that the message belongs to, None where it belongs to none. `reading` is the parsed frame where
    it is still at hand; it follows from `frame` and never reaches a disk. `masked` tells by which rules
    of privacy values were changed in `frame`, None where none was.
    """

    source: Source
    sequence: int
    received_us: int
    origin: Origin
    root: str | None
    frame: bytes
    flaw: Flaw | None = None
    reading: "Reading | None" = None
    snapshot_id: str | None = None
    recovered: bool = False
    masked: str | None = None

    @property
    def event_id(self) -> str:
        """`<pbx>/<epoch>/<sequence>`: the same after a replay, so that consumers can dedupe."""
        return f"{self.source.pbx}/{self.source.epoch}/{self.sequence}"


def name_of(entry: Entry) -> str:
    """Return the name by which an entry is counted: the event's, or the kind of frame it is."""
    return event_name(entry.frame) or kind_of(entry.frame).name.lower()
