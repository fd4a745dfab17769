"""The outcome of a request to the records that answer it."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How a request ended; each is final."""

    SUCCESS = "SUCCESS"
    """Asterisk answered Success; of an Originate: the call was answered."""

    FAILURE = "FAILURE"
    """Asterisk answered Error, or the Originate's call was not answered."""

    REFUSED = "REFUSED"
    """The policy forbids it; the response names the rule."""

    INVALID = "INVALID"
    """It is not a request that could ever be carried out as it stands."""

    EXPIRED = "EXPIRED"
    """Its time to be sent was over before its turn came."""

    TIMEOUT = "TIMEOUT"
    """A read was sent and not answered in time."""

    UNAVAILABLE = "UNAVAILABLE"
    """The PBX could not be asked; nothing was done."""

    UNKNOWN = "UNKNOWN"
    """It may have been done or not: it was begun, and what became of it was not heard."""


class Executed(StrEnum):
    """Whether the PBX has done it."""

    NO = "no"
    YES = "yes"
    UNKNOWN = "unknown"


Lines = tuple[tuple[str, str], ...]
"""A message's headers in wire order, repeats kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a request ended.

    `rule` names the rule that refused; `message` is Asterisk's own text or ours; `response` and
    `events` are what Asterisk said, the events each with their name first; `sent_at_ms` None where
    nothing was sent; `call_id` is the ChannelId that an Originate was given. `replayed` where an
    earlier outcome is told again, `truncated` where that was too large to be kept.
    """

    status: Status
    executed: Executed
    message: str = ""
    rule: str = ""
    response: Lines = ()
    events: tuple[Lines, ...] = ()
    sent_at_ms: int | None = None
    answered_at_ms: int | None = None
    call_id: str | None = None
    replayed: bool = False
    truncated: bool = False
