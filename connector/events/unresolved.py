"""What became of calls whose requesters were told UNKNOWN.

An Originate's channel has an id made of its request, so whatever is told of that channel proves that
the Originate was executed. Each call is told of twice at most: when something is seen of it, and when
it is known how it came out, if that was not known at once.

    doubt --seen before--------------> told
      `-----> waits --first event----> told --answered, failed, ended--> told, and forgotten

It may be seen before it is doubted: who takes over a partition from a connector that died tells
UNKNOWN some time after the call. So what was seen of such channels is kept for a while.
"""

from typing import Any, Final, NamedTuple

from connector.ami.channel import OWN
from connector.ami.message import AmiMessage, text_of
from connector.avro.normalise import Reading
from connector.avro.schema import USER_EVENT

SUCCESS: Final = "success"
FAILURE: Final = "failure"
UNKNOWN: Final = "unknown"

HOUR_US: Final = 3_600_000_000
"""Microseconds for which a call is waited for."""

MAX_DOUBTS: Final = 1_000
"""Calls waited for at once; of more, the oldest are given up."""

MAX_SEEN: Final = 10_000
"""Calls of which it is kept what was seen, some 500 bytes each; of more, the oldest are forgotten."""

_UP: Final = "6"
_PREFIX: Final = OWN.encode()


class Doubt(NamedTuple):
    """A call that may have been made or not.

    `call_id` is its channel's Uniqueid; `record` tells where its request stands: topic/partition/offset.
    """

    call_id: str
    request_id: str
    action: str
    record: str


class Sight(NamedTuple):
    """What was seen of a call: by which event, in words, and as success, failure or unknown."""

    event: str
    message: str
    outcome: str = UNKNOWN


class Found(NamedTuple):
    """What is to be told of a doubted call."""

    doubt: Doubt
    sight: Sight


class _Open(NamedTuple):
    doubt: Doubt
    since_us: int


class Unresolved:
    """The doubted calls of one PBX, and what was seen of those that requests have made.

    `found` is what is to be told; who tells it takes it away.
    """

    def __init__(self) -> None:
        self.found: list[Found] = []
        self._open: dict[str, _Open] = {}
        self._seen: dict[str, Sight] = {}

    def __len__(self) -> int:
        return len(self._open)

    def doubt(self, doubt: Doubt, now_us: int) -> bool:
        """Wait for a call, unless something was seen of it already; say whether that is so."""
        while self._open and next(iter(self._open.values())).since_us < now_us - HOUR_US:
            del self._open[next(iter(self._open))]
        if doubt.call_id not in self._open:
            self._open[doubt.call_id] = _Open(doubt, now_us)
            _bound(self._open, MAX_DOUBTS)
            self._tell(doubt.call_id, now_us)
        return doubt.call_id in self._seen

    def noticed(self, unique: bytes, reading: Reading, now_us: int) -> None:
        """Take an event that shows a channel for the first time, or its end, or a change of its call."""
        # Anybody who may send a UserEvent may write any Uniqueid into it.
        if unique.startswith(_PREFIX) and reading.shape.schema.event != USER_EVENT:
            self.saw(text_of(unique), _sight(reading), now_us)

    def saw(self, call_id: str, sight: Sight, now_us: int) -> None:
        """Take what was seen of a call; only what says more than was known counts."""
        known = self._seen.get(call_id)
        if known is not None and (sight.outcome == UNKNOWN or known.outcome != UNKNOWN):
            return
        self._seen.pop(call_id, None)
        self._seen[call_id] = sight
        _bound(self._seen, MAX_SEEN)
        self._tell(call_id, now_us)

    def _tell(self, call_id: str, now_us: int) -> None:
        waiting, sight = self._open.get(call_id), self._seen.get(call_id)
        if waiting is None or sight is None:
            return
        late = waiting.since_us < now_us - HOUR_US
        if not late:
            self.found.append(Found(waiting.doubt, sight))
        if late or sight.outcome != UNKNOWN:
            del self._open[call_id]


def seen_alive(status: AmiMessage) -> Sight:
    """Return what the PBX's own answer shows of a channel: an event Status."""
    if status.get("ChannelState") == _UP:
        return Sight("Status", "answered (Status)", SUCCESS)
    return Sight("Status", "the channel exists (Status)")


def _sight(reading: Reading) -> Sight:
    event = reading.shape.schema.event or reading.text("Event")
    match event:
        case "OriginateResponse" if reading.text("Response").lower() == SUCCESS:
            return Sight(event, "answered (OriginateResponse)", SUCCESS)
        case "OriginateResponse":
            return Sight(event, f"not answered, reason {reading.text('Reason')} (OriginateResponse)", FAILURE)
        case "Hangup" if reading.text("ChannelState") == _UP:
            return Sight(event, f"answered, and ended: {reading.text('Cause-txt')} (Hangup)", SUCCESS)
        case "Hangup":
            return Sight(event, f"ended unanswered: {reading.text('Cause-txt')} (Hangup)", FAILURE)
    return Sight(event, f"the channel exists ({event})")


def _bound(memory: dict[str, Any], size: int) -> None:
    while len(memory) > size:
        del memory[next(iter(memory))]
