"""What the picture knows: calls in progress, topics and latest events, gathered from records alone."""

from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

LATEST: Final = 200
"""Events remembered."""

LINGER_S: Final = 2.0
"""Seconds for which a call that has ended is still shown."""

TREND_S: Final = 60
"""Seconds for which the rate is remembered."""

_TELLING: Final[tuple[str, ...]] = (
    "type", "user_event", "queue", "member_name", "caller_id_num", "caller_id_name", "exten",
    "transferee_caller_id_num", "extension", "dest_caller_id_num", "dest_caller_id_name", "parkee_caller_id_num",
    "parking_space", "channel_state_desc", "dial_status", "device", "endpoint_name", "uri", "state", "status",
    "status_text", "bridge_num_channels", "position", "hold_time_s", "conference", "cause_txt", "duration_s",
    "disposition", "reason", "message", "address", "channel", "variable",
)  # fmt: skip
_ENVELOPE: Final = frozenset(
    ("event_id", "event_time", "event_time_us", "event_time_source", "received_time", "received_time_us",
     "call_id", "source", "privilege", "extra")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """How a request was answered: its action, its status, what it asked, and in how many ms, where that is known."""

    action: str
    status: str
    asked: str = ""
    took_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A record as a consumer read it.

    `kind` is its CloudEvents type's last word, `number` its number on its PBX, `value` its decoded
    value, `whole` all of it as a JSON object. `answer` is there for a response.
    """

    topic: str
    key: str
    kind: str
    number: int
    time_us: int
    value: Mapping[str, Any]
    whole: Mapping[str, Any]
    answer: Answer | None = None


@dataclass(slots=True)
class Call:
    """One call: who calls whom, what happens now."""

    caller: str
    callee: str
    since: float
    state: str = "new"
    queue: str = ""
    channels: set[str] = field(default_factory=set)
    ended: float | None = None


class Wallboard:
    """Takes records in the order in which they are read; `now` gives seconds, of any clock that runs on."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.started = now()
        self.road = ""
        self.topics: Counter[str] = Counter()
        self.latest: deque[Seen] = deque(maxlen=LATEST)
        self.answered: deque[Seen] = deque(maxlen=LATEST)
        self.answers = 0
        self.calls: dict[str, Call] = {}
        self.finished = 0
        self._seconds: deque[tuple[int, Counter[str]]] = deque(maxlen=TREND_S)

    def opens(self, road: str) -> None:
        """Hear where the records come from and where they are read."""
        self.road = road

    def take(self, seen: Seen) -> None:
        """Take one record."""
        self.topics[seen.topic] += 1
        self._second()[seen.topic] += 1
        if seen.answer:
            self.answers += 1
            self.answered.append(seen)
        else:
            self.latest.append(seen)
            self._follow(seen)

    @property
    def total(self) -> int:
        """Records so far."""
        return self.topics.total()

    def rate(self, topic: str, over_s: int = 5) -> float:
        """Return a topic's records a second, over the last whole seconds."""
        second = int(self._now())
        counted = [counts[topic] for at, counts in self._seconds if second - over_s <= at < second]
        return sum(counted) / min(over_s, max(1.0, self._now() - self.started))

    def trend(self, width: int) -> list[int]:
        """Return how many records each of the last `width` whole seconds brought."""
        second = int(self._now())
        by_second = {at: counts.total() for at, counts in self._seconds}
        return [by_second.get(at, 0) for at in range(second - width, second)]

    def present(self) -> list[Call]:
        """Return the calls to be shown, the oldest first; those that ended a while ago are let go."""
        past = [
            name for name, call in self.calls.items() if call.ended and self._now() - call.ended > LINGER_S
        ]
        for name in past:
            del self.calls[name]
        return list(self.calls.values())

    def _second(self) -> Counter[str]:
        second = int(self._now())
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append((second, Counter()))
        return self._seconds[-1][1]

    def _follow(self, seen: Seen) -> None:
        name, value = seen.value.get("call_id"), seen.value
        if name is None:
            return
        if seen.kind == "Newchannel":
            call = self.calls.get(name)
            if call is None:
                caller = person(value, "")
                call = self.calls[name] = Call(caller, value.get("exten") or "", self._now())
            call.channels.add(value["unique_id"])
        elif name in self.calls and self.calls[name].ended is None:
            self._move(self.calls[name], seen.kind, value)

    def _move(self, call: Call, kind: str, value: Mapping[str, Any]) -> None:
        call.state = _STATES.get(kind, call.state)
        call.queue = value.get("queue") or call.queue
        if kind in ("DialBegin", "AgentCalled", "AgentConnect"):
            call.callee = person(value, "dest_") or call.callee
        elif kind == "BlindTransfer":
            call.callee = value.get("extension") or call.callee
        elif kind == "DialEnd" and (status := value.get("dial_status")) != "ANSWER":
            call.state = (status or "").lower()
        elif kind == "BridgeEnter" and (value.get("bridge_num_channels") or 0) > 1:
            call.state = "talking"
        elif kind == "Hangup":
            call.channels.discard(value["unique_id"])
            if not call.channels:
                call.state, call.ended = "ended", self._now()
                self.finished += 1


_STATES: Final = {
    "DialBegin": "ringing",
    "QueueCallerJoin": "waiting",
    "AgentCalled": "ringing",
    "Hold": "on hold",
    "Unhold": "talking",
    "ParkedCall": "parked",
    "BlindTransfer": "transferred",
    "AttendedTransfer": "transferred",
    "QueueCallerAbandon": "gave up",
}


def person(value: Mapping[str, Any], role: str) -> str:
    """Return number and name of whom the fields of a role describe."""
    number, name = value.get(f"{role}caller_id_num"), value.get(f"{role}caller_id_name")
    return " ".join(str(each) for each in (number, name) if each)


def telling(value: Mapping[str, Any], most: int = 5) -> list[tuple[str, str]]:
    """Return the fields that say most about an event, by name and text."""
    own = {name: each for name, each in value.items() if name not in _ENVELOPE and each not in (None, [], {})}
    names = [name for name in _TELLING if name in own]
    names += [name for name in own if name not in names]
    return [(name, str(own[name])) for name in names[:most]]
