"""Capture files down the road of `replay`: each event is a record, a dead letter or left out, and a second time the same."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from connector.ami.framing import Framer
from connector.ami.message import Kind, kind_of
from connector.app.lines import lines_end
from connector.app.replay import Capture, replay
from connector.edges.telemetry import Telemetry
from connector.events.entry import UNFORESEEN
from connector.settings.load import load
from tests.fuzz import frames
from tests.fuzz.mutation import Mutator

_SETTINGS: Final = load(
    '[pbx.a]\naddress = "h"\nusername = "u"\nsecret = "s"\n[kafka]\nbootstrap_servers = "k:1"\n',
    {},
    lambda path: Path(path).read_text("utf-8"),
)
_WRITTEN_US: Final = 1_700_000_000_000_000
_KEPT: Final = 2_000


def target(seed: int) -> Callable[[], None]:
    """Return a function that replays one file and judges what came of it."""
    maker = Mutator([piece[:_KEPT] for piece in frames.corpus()], frames.WORDS, seed)
    return lambda: judge(maker.make(), maker.chance.choice((1 << 16, 700, 64)))


def judge(data: bytes, size: int) -> None:
    """Replay a file, read in pieces of a size, and again whole; raise what is wrong."""
    cut, whole = _replayed(data, size), _replayed(data, 1 << 20)
    if cut != whole:
        raise AssertionError("another cut gives other records")
    ids = [record["headers"].get("ce_id") for record in whole if "ce_id" in record["headers"]]
    if len(set(ids)) != len(ids):
        raise AssertionError("two records have one id")


def _replayed(data: bytes, size: int) -> list[dict[str, Any]]:
    lines: list[str] = []
    telemetry = Telemetry()
    pieces = _pieces(data, size)
    capture = Capture(pieces, "a", Framer(frames.MAX_FRAME), _WRITTEN_US)
    asyncio.run(replay(capture, None, lines_end(_SETTINGS, lines.append, telemetry)))
    tally = telemetry.tally
    # Records of the connector's own are no frames.
    told = tally.published.total() + tally.unselected.total()
    greetings = sum(kind_of(frame) is Kind.GREETING for frame in Framer(frames.MAX_FRAME).feed(data))
    if told < capture.frames - greetings:
        raise AssertionError(f"{capture.frames} frames, and {told} are told of")
    if tally.quarantined[UNFORESEEN]:
        raise AssertionError("the connector has failed at an event")
    if len(lines) != tally.published.total():
        raise AssertionError("not as many lines as records are told of")
    return [json.loads(line) for line in lines]


def _pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))
