"""Genuine events told from forged ones.

Asterisk writes caller numbers and extensions raw, so a caller who puts CR LF into his number writes
lines of his own into an event, or ends it and writes another (`docs/design.md`, Forgery). But
Asterisk writes a channel's or bridge's snapshot as one block in one order, and a single-valued header
once. Whatever a caller puts in, its writing goes on behind it: inside the block, or, torn off, in a
later frame. So

* a block that is out of order, interrupted or incomplete, and a single-valued header that repeats,
  make an event suspect;
* after a frame that ends inside a block, every frame up to the one that brings the whole rest of that
  block is suspect;
* an event with neither Privilege nor ActionID, or without the Timestamp that its session's events
  have, was not written by Asterisk.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from connector.ami.message import split_line, text_of
from connector.avro.normalise import Reading
from connector.avro.schema import USER_EVENT, EventSchema
from connector.avro.shapes import Shape
from connector.events.entry import Flaw

SUSPECT: Final = "suspect"

CHANNEL: Final = (
    "Channel", "ChannelState", "ChannelStateDesc", "CallerIDNum", "CallerIDName", "ConnectedLineNum",
    "ConnectedLineName", "Language", "AccountCode", "Context", "Exten", "Priority", "Uniqueid", "Linkedid",
)  # fmt: skip
"""A channel snapshot's headers, always all of them (manager_channels.c)."""

BRIDGE: Final = (
    "BridgeUniqueid", "BridgeType", "BridgeTechnology", "BridgeCreator", "BridgeName", "BridgeNumChannels",
)  # fmt: skip
"""A bridge snapshot's headers, always all of them (manager_bridges.c)."""

_TELLING_TAILS: Final = (
    ("CallerIDName", ("CallerIDName", "ConnectedLineNum", "ConnectedLineName", "Language"), "CallerIDNum"),
    ("ConnectedLineName", ("ConnectedLineName", "Language", "AccountCode"), "ConnectedLineNum"),
    ("Priority", ("Priority", "Uniqueid", "Linkedid"), "Exten"),
)
"""How the rest of a torn snapshot begins behind each header that Asterisk writes raw."""

_FREE_FROM: Final = {USER_EVENT: USER_EVENT, "TestEvent": "Type"}
"""Events that hold any headers, any number of times, behind the one named."""

_MAX_TORN: Final = 64
"""Frames for which the rest of a torn block is awaited; a caller's 79 bytes make fewer than 40."""

_TIMELESS: Final = 3
"""So many events in a row without Timestamp mean that the PBX no longer writes it."""

_MAX_VERDICTS: Final = 16_384


class Verdict(NamedTuple):
    """What a shape alone shows: why it is suspect, and what a torn block still lacks."""

    why: str
    missing: tuple[str, ...]


_GENUINE: Final = Verdict("", ())


class Integrity:
    """Judges the frames of one session, in order."""

    def __init__(self) -> None:
        self._verdicts: dict[Shape, Verdict] = {}
        self._missing: tuple[str, ...] = ()
        self._torn = 0
        self._timed = False
        self._timeless = 0

    def judge(self, reading: Reading) -> Flaw | None:
        """Return why an event is not to be trusted, None where nothing speaks against it."""
        shape = reading.shape
        verdict = self._verdicts.get(shape)
        if verdict is None:
            if len(self._verdicts) >= _MAX_VERDICTS:
                self._verdicts.clear()
            verdict = self._verdicts[shape] = inspect(shape)
        if verdict is _GENUINE and shape.time_at >= 0 and not self._missing:
            self._timed = True
            self._timeless = 0
            return None
        if self._missing:
            return self._await_rest(shape.names)
        if verdict.why:
            self._missing = verdict.missing
            self._torn = 0
            return Flaw(SUSPECT, verdict.why)
        return self._judge_time(shape)

    def fragment(self, frame: bytes) -> None:
        """Take note of a frame that is no message: it may bring the rest of a torn block."""
        if self._missing:
            self._await_rest([text_of(split_line(line)[0]) for line in frame.split(b"\r\n")])

    def _await_rest(self, names: Sequence[str]) -> Flaw:
        missing = self._missing
        self._torn += 1
        if _contains(names, missing) or self._torn >= _MAX_TORN:
            self._missing = ()
        return Flaw(SUSPECT, f"stands between the parts of an event torn before {missing[0]}")

    def _judge_time(self, shape: Shape) -> Flaw | None:
        if shape.time_at >= 0:
            self._timed = True
            self._timeless = 0
        elif self._timed and "ActionID" not in shape.places and shape.schema.event != "FullyBooted":
            self._timeless += 1
            if self._timeless < _TIMELESS:
                return Flaw(SUSPECT, "has no Timestamp, which this session's events have")
            self._timed = False
        return None


def inspect(shape: Shape) -> Verdict:
    """Judge a frame by its headers' names and order alone."""
    walk = _Walk(shape.schema)
    why = next((why for name in shape.names[shape.prefix :] if (why := walk.step(name))), "")
    # What was put in may stand inside one frame, its block going on behind it.
    missing = () if why and _contains(shape.names, walk.missing) else walk.missing
    if missing and not why:
        why = f"ends before {missing[0]}"
    if not why and "Privilege" not in shape.places:
        why = _unprivileged(shape)
    return Verdict(why, missing) if why else _stray_tail(shape.names) or _GENUINE


def _unprivileged(shape: Shape) -> str:
    """Judge an event without Privilege: only answers to actions have none, and they have an ActionID."""
    if "ActionID" not in shape.places:
        return "has neither Privilege nor ActionID"
    return "has no Privilege, though it answers no action" if shape.schema.kinds == ("unsolicited",) else ""


class _Walk:
    """Follows the headers of one frame through the blocks of its schema."""

    def __init__(self, schema: EventSchema) -> None:
        self.blocks = _blocks(schema)
        self.missing: tuple[str, ...] = ()
        self._block = ""
        self._done: set[str] = set()
        self._seen: set[str] = set()
        self._free = False
        self._free_from = _FREE_FROM.get(schema.event)
        self._many = {field.header for field in schema.fields if field.wire in ("strings", "map")}
        self._own = {field.header for field in schema.fields if not field.block}

    def step(self, name: str) -> str:
        if self._free:
            return ""
        block = self.blocks.get(name, "")
        if self.missing:
            return self._inside(name)
        if name in self._own and name in self._seen and name not in self._many:
            return f"repeats {name}"
        self._seen.add(name)
        if block and block == self._block and name not in _headers(block):
            return ""
        if block:
            return self._begin(block, name)
        self._block = ""
        self._free = name == self._free_from
        return ""

    def _begin(self, block: str, name: str) -> str:
        headers = _headers(block)
        if block in self._done:
            return f"repeats {name}"
        if name != headers[0]:
            return f"has {name} without the {block} snapshot before it"
        self._block = block
        self._done.add(block)
        self.missing = headers[1:]
        return ""

    def _inside(self, name: str) -> str:
        if name == self.missing[0]:
            self.missing = self.missing[1:]
            return ""
        headers = _headers(self._block)
        if name == "Uniqueid" and self.missing == headers[1:] == CHANNEL[1:]:
            # A global variable's VarSet has "Channel: none" and "Uniqueid: none" alone.
            self.missing = ()
            return ""
        return f"has {self._told(name)} where {self.missing[0]} belongs"

    def _told(self, name: str) -> str:
        """Tell a header's name where it is Asterisk's own: another may be part of a caller's number."""
        if not name:
            return "a line without a name"
        return name if name in self._own or name in self.blocks else "an unknown header"


def _blocks(schema: EventSchema) -> dict[str, str]:
    return {field.header: field.block for field in schema.fields if field.block}


def _headers(block: str) -> tuple[str, ...]:
    kind, _, role = block.partition(":")
    return tuple(role + name for name in (CHANNEL if kind == "channel" else BRIDGE))


def _stray_tail(names: Sequence[str]) -> Verdict | None:
    """Find the rest of a torn snapshot where its beginning is missing."""
    for at, name in enumerate(names):
        for first, run, before in _TELLING_TAILS:
            if not name.endswith(first):
                continue
            role = name.removesuffix(first)
            expected = [role + header for header in run]
            if list(names[at : at + len(run)]) == expected and names[at - 1] != role + before:
                return Verdict(f"has {first} without {before} before it", ())
    return None


def _contains(names: Sequence[str], run: Sequence[str]) -> bool:
    length = len(run)
    return any(list(names[at : at + length]) == list(run) for at in range(len(names) - length + 1))
