"""Whole frames, whatever the cuts."""

import hashlib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connector.ami.framing import Framer, Oversize

CAPTURES = sorted((Path(__file__).parents[1] / "captures").glob("*/*.ami"))
GREETING = b"Asterisk Call Manager/11.0.0\r\n"

PIECES = st.sampled_from(
    [b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\r\n\n", b"\n\n", b"Event: A", b"x: y", b"z" * 40,
     b"Response: Follows\r\n", b"--END COMMAND--", b"Asterisk Call Manager/", b"\xc5\xbb"]
)  # fmt: skip
STREAMS = st.lists(PIECES, max_size=16).map(b"".join)


def frames(chunks: Sequence[bytes], max_frame: int = 100) -> tuple[list[tuple[bytes, object]], bytes]:
    framer = Framer(max_frame)
    out = [frame for chunk in chunks for frame in framer.feed(chunk)]
    return [(bytes(f), (f.size, f.sha256) if isinstance(f, Oversize) else None) for f in out], framer.pending


def plain(data: bytes) -> list[bytes]:
    return Framer().feed(data)


@given(STREAMS, st.lists(st.integers(0, 400), max_size=6))
@example(b"Event: D\r\nX: " + b"z" * 300 + b"\r\n\r\nEvent: E\r\n\r\n", [])
@example(
    b"Response: Follows\r\nA: 1\r\n" + b"z" * 200 + b"\r\n\r\nb--END COMMAND--\r\n\r\nEvent: E\r\n\r\n", []
)
def test_any_cut_gives_the_same_frames(stream: bytes, cuts: list[int]) -> None:
    whole = frames([stream])
    assert frames([stream[at : at + 1] for at in range(len(stream))]) == whole
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    assert frames([stream[a:b] for a, b in pairwise(places)]) == whole


@given(STREAMS)
def test_no_frame_holds_a_terminator_and_none_is_empty(stream: bytes) -> None:
    for frame, over in frames([stream])[0]:
        assert frame
        assert b"\r\n\r\n" not in frame or frame.startswith(b"Response: Follows\r\n")
        assert over is not None or len(frame) <= 100


@given(STREAMS)
def test_memory_stays_within_the_bound(stream: bytes) -> None:
    framer = Framer(50)
    for at in range(len(stream)):
        framer.feed(stream[at : at + 1])
        assert len(framer.pending) <= 50 + 128


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_capture_byte_by_byte_gives_the_same_frames(capture: Path) -> None:
    data = capture.read_bytes()[:60_000]
    assert frames([data[at : at + 1] for at in range(len(data))], 1 << 20) == frames([data], 1 << 20)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(GREETING + b"Response: Success\r\nActionID: a\r\n\r\n", [GREETING[:-2], b"Response: Success\r\nActionID: a"], id="1: greeting without a blank line"),
        pytest.param(b"Response: Error\r\nActionID: b\r\nMessage: No endpoints found\n\r\n\r\n", [b"Response: Error\r\nActionID: b\r\nMessage: No endpoints found\n"], id="2: bare LF at the end of a text"),
        pytest.param(b"Event: CoreShowChannelMap\r\nActionID: c\r\n\nEvent: CoreShowChannelMapComplete\r\n\r\n", [b"Event: CoreShowChannelMap\r\nActionID: c", b"Event: CoreShowChannelMapComplete"], id="4: CR LF LF ends a message"),
        pytest.param(b"Event: Newexten\r\nAppData: a=line1\r\nline2\r\n\r\nrest\r\nExten: 1\r\n\r\n", [b"Event: Newexten\r\nAppData: a=line1\r\nline2", b"rest\r\nExten: 1"], id="8: a value that tears its event"),
        pytest.param(b"Event: A\r\n\r\n\r\n\r\n\r\nEvent: B\r\n\r\n", [b"Event: A", b"Event: B"], id="13: three blank lines"),
        pytest.param(b"Event: A\r\n\r\nEvent: B\r\nhalf", [b"Event: A"], id="14: the end inside a message"),
        pytest.param(b"Response: Follows\r\nActionID: d\r\none\ntwo\r\n\r\nthree\n--END COMMAND--\r\n\r\nEvent: A\r\n\r\n", [b"Response: Follows\r\nActionID: d\r\none\ntwo\r\n\r\nthree\n--END COMMAND--", b"Event: A"], id="20: Command of Asterisk 13"),
        pytest.param(b"Event: A\r\nX: one\n\ntwo\r\n\r\n", [b"Event: A\r\nX: one\n\ntwo"], id="bare LF LF is data"),
    ],
)  # fmt: skip
def test_vectors(data: bytes, expected: list[bytes]) -> None:
    assert plain(data) == expected


def test_a_line_of_two_megabytes_costs_only_itself() -> None:
    huge = b"Event: Huge\r\nValue: " + b"v" * 2_000_000
    stream = b"Event: A\r\n\r\n" + huge + b"\r\n\r\nEvent: B\r\n\r\n"
    framer = Framer()
    out = [frame for at in range(0, len(stream), 65_536) for frame in framer.feed(stream[at : at + 65_536])]
    assert [bytes(frame[:11]) for frame in out] == [b"Event: A", b"Event: Huge", b"Event: B"]
    over = out[1]
    assert isinstance(over, Oversize)
    assert (over.size, over.sha256, len(over)) == (len(huge), hashlib.sha256(huge).hexdigest(), 1 << 20)


def test_a_value_of_70_kib_comes_whole() -> None:
    frame = b"Event: VarSet\r\nValue: " + b"v" * 70_000
    assert plain(frame + b"\r\n\r\n") == [frame]
