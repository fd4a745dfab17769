"""Facts of a journal on disk."""

from dataclasses import dataclass

from connector.facts.fact import Fact


@dataclass(frozen=True, slots=True)
class JournalFailed(Fact):
    """The journal's disk cannot be used; it is tried again in `retry_s` seconds, or not any more."""

    pbx: str
    reason: str
    retry_s: float | None


@dataclass(frozen=True, slots=True)
class JournalRestored(Fact):
    """The journal's disk can be used again."""

    pbx: str


@dataclass(frozen=True, slots=True)
class JournalFound(Fact):
    """The journal of an earlier start was found; `waiting` bytes of it at most wait for Kafka."""

    pbx: str
    folder: str
    waiting: int


@dataclass(frozen=True, slots=True)
class JournalKept(Fact):
    """So many entries at most stay in the journal for the next start."""

    pbx: str
    count: int
