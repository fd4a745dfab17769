"""The simulated calls, held against what a real Asterisk 22 said."""

from collections import defaultdict
from functools import cache
from itertools import islice
from pathlib import Path

import pytest

from connector.ami.framing import Framer
from connector.ami.message import AmiMessage, Kind, parse
from connector.demo.channels import Event, Phone, on
from connector.demo.flows import STORIES
from connector.demo.traffic import Traffic
from connector.edges.capture import read_chunks

CAPTURES = Path(__file__).parents[1] / "captures" / "asterisk22"

Layout = tuple[str, ...]


@cache
def real_layouts() -> dict[str, set[Layout]]:
    """Give the header names of each captured event, in order."""
    layouts: dict[str, set[Layout]] = defaultdict(set)
    for capture in sorted(CAPTURES.glob("*.ami")):
        framer = Framer()
        for chunk in read_chunks(capture):
            for frame in framer.feed(chunk):
                message = parse(frame)
                if message.kind is Kind.EVENT:
                    layouts[message.headers[0][1]].add(layout(message))
    return layouts


def layout(message: AmiMessage) -> Layout:
    return tuple(name for name, _ in message.headers)


def told(count: int = 20_000, seed: int = 1) -> list[tuple[float, Event]]:
    return list(islice(Traffic(1_700_000_000, seed=seed), count))


def on_the_wire(event: Event) -> AmiMessage:
    (frame,) = Framer().feed(event.frame(1_700_000_000.25))
    return parse(frame)


NOT_CAPTURED = {"PeerStatus", "ContactStatus"}
"""What only a SIP phone brings about; the captures here come from Local channels."""


def test_headers_have_the_names_and_order_of_a_real_asterisk() -> None:
    for _, event in told():
        if event.name not in NOT_CAPTURED:
            ours = tuple(
                name for name in layout(on_the_wire(event)) if name not in {"Order", "Customer", "Note"}
            )
            theirs = {
                tuple(name for name in real if name not in {"Order", "Customer", "Note"})
                for real in real_layouts()[event.name]
            }
            assert ours in theirs, event.name


def test_classes_are_those_of_a_real_asterisk() -> None:
    real = {}
    for capture in sorted(CAPTURES.glob("*.ami")):
        for frame in Framer().feed(capture.read_bytes()):
            message = parse(frame)
            real[message.headers[0][1]] = message.get("Privilege")
    for name, event_class in {(event.name, event.event_class) for _, event in told()}:
        assert name in NOT_CAPTURED or real[name] == f"{event_class},all"


def test_every_story_is_told_and_ends() -> None:
    for story in STORIES:
        world = Traffic(1_700_000_000).world
        happenings = list(story(world))
        assert any(isinstance(happening, Event) for happening in happenings)
        assert not world.exchange.alive
        assert not world.waiting


def test_the_same_seed_tells_the_same() -> None:
    assert told(2000, seed=7) == told(2000, seed=7)
    assert told(2000, seed=7) != told(2000, seed=8)


def test_time_never_steps_back_and_several_calls_are_alive() -> None:
    traffic = Traffic(1_700_000_000, calls_at_once=8)
    latest = 0.0
    most = 0
    for at, _ in islice(traffic, 5000):
        assert at >= latest
        latest = at
        most = max(most, len(traffic.world.exchange.alive))
    assert most > 8


def test_each_channel_begins_once_ends_once_and_is_silent_after() -> None:
    born: set[str] = set()
    dead: set[str] = set()
    for _, event in told():
        message = on_the_wire(event)
        for name, value in message.headers:
            if name in {"Uniqueid", "DestUniqueid"}:
                assert value not in dead, event.name
                if event.name == "Newchannel":
                    assert value not in born
                    born.add(value)
                assert value in born, event.name
        if event.name == "Hangup":
            dead.add(message.get("Uniqueid"))


@pytest.mark.parametrize(("name", "escaped"), [("Liam O'Brien", "Liam O\\'Brien"), ("a\\b?", "a\\\\b\\?")])
def test_names_in_snapshots_are_escaped(name: str, escaped: str) -> None:
    traffic = Traffic(1_700_000_000)
    channel = traffic.world.exchange.channel(Phone("1", name), "internal", "2")
    channel.party = channel.phone
    assert on_the_wire(on("Newchannel", channel)).get("CallerIDName") == escaped
