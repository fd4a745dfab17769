"""The words of a session: who logs in, how long each step may take, and what comes out of the machine."""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

from connector.ami.clock import Pong
from connector.ami.framing import DEFAULT_MAX_FRAME
from connector.ami.reach import Result


@dataclass(frozen=True, slots=True)
class Account:
    """Who logs in, and what is asked to be sent.

    `events` is the class mask of the login (`system,call`, `on`, `off`). `filters` are the criteria of
    Filter actions: they need write=system and last as long as the session. `max_frame` is in bytes.
    `asks_start`: whether it is asked since when the PBX runs; such an account is pinged right after the
    login too, so that the PBX's clock is known.
    """

    username: str
    secret: str = field(repr=False)
    events: str = "system,call,agent,cdr,user"
    md5: bool = True
    filters: tuple[str, ...] = ()
    max_frame: int = DEFAULT_MAX_FRAME
    asks_start: bool = False


class Deadlines(NamedTuple):
    """How long each step may take, in seconds; a Ping goes out every `ping_every`, whether events come or not."""

    connect: float = 10.0
    greeting: float = 10.0
    login: float = 10.0
    settings: float = 5.0
    ping_every: float = 10.0
    pong: float = 10.0
    farewell: float = 2.0


class Start(NamedTuple):
    """Since when a PBX runs, as far as it told: None where the account lacks the rights.

    `text` is CoreStatus' date and time, local and without a zone: good for comparing, equal for one
    process of Asterisk. `uptime_s` is FullyBooted's, in whole seconds at the login.
    """

    text: str | None = None
    uptime_s: int | None = None


class Welcome(NamedTuple):
    """What a PBX told of itself; None where the account may not ask CoreSettings."""

    ami_version: str
    asterisk_version: str | None = None
    system_name: str | None = None
    start: Start = Start()


class Send(NamedTuple):
    """Write these bytes."""

    data: bytes


class Ready(NamedTuple):
    """Logged in; messages follow."""

    welcome: Welcome


class Messages(NamedTuple):
    """Frames that answer nothing that was asked here: events, fragments, orphaned answers, in order."""

    frames: list[bytes]


class Items(NamedTuple):
    """Frames of the list that was asked for under this ActionID, in order, and in place among `Messages`."""

    action_id: str
    frames: list[bytes]


class Accepted(NamedTuple):
    """Asterisk has taken what was asked under this ActionID; its result comes later, and the session is free."""

    action_id: str


class Answered(NamedTuple):
    """What became of what was asked under this ActionID: answered, or not in time, or the session ended."""

    action_id: str
    result: Result


class Refused(NamedTuple):
    """The PBX said no, and will again: close, and try slowly."""

    reason: str


class Lost(NamedTuple):
    """The session is no more: close, and try again."""

    reason: str


class Left(NamedTuple):
    """The session ended as was asked for: close."""


Step = Send | Ready | Messages | Items | Accepted | Answered | Pong | Refused | Lost | Left
"""What is to be done next; `Refused`, `Lost` and `Left` are the last of a session."""


def retry_delay(attempt: int, chance: float) -> float:
    """Return how long to wait before connecting again, in seconds: half a second, doubling to thirty.

    Args:
        attempt: how many tries have failed in a row, from 1.
        chance: a random number from 0 to 1; it moves the wait within its upper half, so that many
            connectors do not come back in step.
    """
    longest = min(30.0, math.ldexp(0.5, min(attempt - 1, 6)))
    return longest * (1 + chance) / 2


def refused_delay(attempt: int, chance: float) -> float:
    """Return how long to wait after a refused login, in seconds: a minute, doubling to ten.

    Slow enough not to be banned by a log watcher at its usual five failures in ten minutes.
    """
    return min(600.0, math.ldexp(60.0, min(attempt - 1, 4))) * (1 + chance / 4)
