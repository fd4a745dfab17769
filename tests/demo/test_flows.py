"""The simulated calls, held against what a real Asterisk 22 said."""

from collections import defaultdict
from functools import cache
from itertools import islice
from pathlib import Path

import pytest

from connector.ami.framing import Framer
from connector.ami.message import AmiMessage, Kind, parse
from connector.demo.answers import Request, answer
from connector.demo.channels import Event, Phone, on
from connector.demo.traffic import STORIES, Traffic
from connector.edges.capture import read_chunks
from connector.events.entry import Origin
from tests.events.frames import intake

CAPTURES = Path(__file__).parents[1] / "captures" / "asterisk22"

Layout = tuple[str, ...]


@cache
def real_messages() -> tuple[AmiMessage, ...]:
    """Give everything that was captured."""
    messages: list[AmiMessage] = []
    for capture in sorted(CAPTURES.glob("*.ami")):
        framer = Framer()
        for chunk in read_chunks(capture):
            messages += map(parse, framer.feed(chunk))
    return tuple(messages)


@cache
def real_layouts() -> dict[str, set[Layout]]:
    """Give the header names of each captured event, in order; those of responses under ""."""
    layouts: dict[str, set[Layout]] = defaultdict(set)
    for message in real_messages():
        layouts[message.headers[0][1] if message.kind is Kind.EVENT else ""].add(layout(message))
    return layouts


def layout(message: AmiMessage) -> Layout:
    return tuple(name for name, _ in message.headers)


def told(count: int = 20_000, seed: int = 1) -> list[tuple[float, Event]]:
    return list(islice(Traffic(1_700_000_000, seed=seed), count))


def on_the_wire(event: Event) -> AmiMessage:
    (frame,) = Framer().feed(event.frame(1_700_000_000.25))
    return parse(frame)


FREE = {"Order", "Customer", "Note"}
"""What a UserEvent is told by the dialplan."""


def test_headers_have_the_names_and_order_of_a_real_asterisk() -> None:
    for _, event in told():
        ours = tuple(name for name in layout(on_the_wire(event)) if name not in FREE)
        theirs = {tuple(name for name in real if name not in FREE) for real in real_layouts()[event.name]}
        assert ours in theirs, event.name


def test_classes_are_those_of_a_real_asterisk() -> None:
    real = {message.headers[0][1]: message.get("Privilege") for message in real_messages()}
    for name, event_class in {(event.name, event.event_class) for _, event in told()}:
        assert real[name] == f"{event_class},all"


@pytest.mark.parametrize("action", ["Ping", "CoreSettings", "CoreStatus", "CoreShowChannels", "QueueStatus"])
def test_answers_have_the_headers_of_a_real_asterisk(action: str) -> None:
    traffic = Traffic(1_700_000_000, calls_at_once=20)
    while not traffic.world.waiting:
        list(islice(traffic, 50))
    request = Request((("Action", action), ("ActionID", "t-1")))
    messages = [parse(frame) for frame in Framer().feed(answer(request, traffic.world))]
    assert len(messages) == 1 or len(messages) > 3
    for message in messages:
        name = message.headers[0][1] if message.kind is Kind.EVENT else ""
        assert layout(message) in real_layouts()[name]


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


def test_nothing_that_is_told_is_suspected_and_every_channel_has_a_root() -> None:
    taker, framer = intake(), Framer()
    for at, event in told(5000):
        for entry in taker.frames(framer.feed(event.frame(1_700_000_000 + at)), 1):
            assert entry.flaw is None, event
            if entry.origin is Origin.AMI and b"\r\nUniqueid: " in entry.frame:
                assert entry.root is not None, event
