"""Facts of the sessions at PBXs, for events and for actions, and of what they bring."""

from dataclasses import dataclass

from connector.facts.fact import Fact


@dataclass(frozen=True, slots=True)
class LinkUp(Fact):
    """A login at a PBX succeeded; `started` is its start as CoreStatus told it, where the account may ask."""

    pbx: str
    address: str
    ami_version: str
    asterisk_version: str | None
    started: str | None = None


@dataclass(frozen=True, slots=True)
class LinkDown(Fact):
    """A session ended or could not be made; the next try comes after `retry_s` seconds, None: never."""

    pbx: str
    address: str
    reason: str
    retry_s: float | None


@dataclass(frozen=True, slots=True)
class LoginWasRefused(Fact):
    """The PBX refused the login; the next try comes after `retry_s` seconds."""

    pbx: str
    address: str
    reason: str
    retry_s: float


@dataclass(frozen=True, slots=True)
class SnapshotTaken(Fact):
    """Lists were asked after a login: how many `items` came, and which lists were `missing`."""

    pbx: str
    items: int
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SequenceNumbersAbsent(Fact):
    """Holes are to be looked for, and the PBX numbers nothing."""

    pbx: str


@dataclass(frozen=True, slots=True)
class ClockDiffers(Fact):
    """The PBX's clock is `offset_ms` milliseconds ahead of ours, behind where that is negative."""

    pbx: str
    offset_ms: int


@dataclass(frozen=True, slots=True)
class EventsLate(Fact):
    """Events begin to come later than is set: `lag_ms` milliseconds after the PBX made them."""

    pbx: str
    lag_ms: int


@dataclass(frozen=True, slots=True)
class EventsOnTime(Fact):
    """Events are no longer late; the latest came `lag_ms` milliseconds after the PBX made it."""

    pbx: str
    lag_ms: int


@dataclass(frozen=True, slots=True)
class CanaryMissed(Fact):
    """A canary was not seen on the session for events, though the PBX took it; `renewed`: that session is closed."""

    pbx: str
    within_s: float
    renewed: bool


@dataclass(frozen=True, slots=True)
class CanaryUnsent(Fact):
    """The PBX was not given a canary, or did not take it: whether the stream is whole is not known."""

    pbx: str
    reason: str


@dataclass(frozen=True, slots=True)
class CanarySeen(Fact):
    """A canary was seen after one that was not, or after one that could not be sent."""

    pbx: str


@dataclass(frozen=True, slots=True)
class TakeOverReady(Fact):
    """The process that has the journals may be stopped: sessions are `up` at so many of its PBXs; waited for `waited_s`."""

    up: int
    pbxs: int
    waited_s: float


@dataclass(frozen=True, slots=True)
class StreamJoined(Fact):
    """What was read beside another process goes on where that has ended; `events` of it were held for that."""

    pbx: str
    events: int


@dataclass(frozen=True, slots=True)
class StreamApart(Fact):
    """What was read cannot be joined to what another process has read: a gap is published."""

    pbx: str
    reason: str


@dataclass(frozen=True, slots=True)
class ActionSessionUp(Fact):
    """A session for actions is logged in; `events` are the classes that it hears, `sessions` how many such there are."""

    pbx: str
    address: str
    events: str
    sessions: int


@dataclass(frozen=True, slots=True)
class ActionSessionDown(Fact):
    """A session for actions ended or could not be made; the next try comes after `retry_s` seconds, None: none by itself."""

    pbx: str
    reason: str
    retry_s: float | None


@dataclass(frozen=True, slots=True)
class ActionLoginRefused(Fact):
    """The PBX refused the login of a session for actions; the next try comes after `retry_s` seconds."""

    pbx: str
    reason: str
    retry_s: float


@dataclass(frozen=True, slots=True)
class StrayAnswer(Fact):
    """A session for actions heard an answer that nobody waits for, by its first lines."""

    pbx: str
    head: str
