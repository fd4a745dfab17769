"""Forged events are found out, genuine ones are left alone."""

import re
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.ami.framing import Framer
from connector.avro.normalise import Normaliser
from connector.edges.schemas import load_schemas
from connector.events.entry import Flaw
from connector.events.integrity import BRIDGE, CHANNEL, Integrity

CAPTURES = sorted((Path(__file__).parents[1] / "captures").glob("*/*.ami"))
NORMALISER = Normaliser(load_schemas())
RAW = ("CallerIDNum", "ConnectedLineNum", "Exten")
CALLERS_BYTES = 79
END = b"\r\n\r\n"


def judge(stream: bytes, integrity: Integrity | None = None) -> list[tuple[bytes, Flaw | None]]:
    """Judge each frame of a stream as the intake does; what is no event has a flaw of its own."""
    integrity = integrity or Integrity()
    verdicts: list[tuple[bytes, Flaw | None]] = []
    for frame in Framer().feed(stream):
        if frame.startswith(b"Event: "):
            verdicts.append((frame, integrity.judge(NORMALISER.read(frame))))
        else:
            integrity.fragment(frame)
            verdicts.append((frame, Flaw("orphan", "")))
    return verdicts


def timeless(frame: bytes) -> bytes:
    """The same from a PBX without timestampevents, where no Timestamp helps."""
    return re.sub(rb"\r\nTimestamp: [0-9.]+", b"", frame)


def genuine(capture: Path) -> list[bytes]:
    return [frame for frame in Framer().feed(capture.read_bytes()) if frame.startswith(b"Event: ")]


@cache
def places() -> tuple[tuple[bytes, int], ...]:
    """One event of each kind and each raw header in its snapshots: (frame, where the value begins)."""
    found: dict[tuple[bytes, bytes], tuple[bytes, int]] = {}
    for capture in CAPTURES:
        for frame in genuine(capture):
            schema = NORMALISER.read(frame).shape.schema
            for field in schema.fields:
                role = field.block.partition(":")[2]
                line = f"\r\n{field.header}: ".encode()
                if (
                    field.block.startswith("channel")
                    and field.header.removeprefix(role) in RAW
                    and line in frame
                ):
                    found.setdefault((schema.event.encode(), line), (frame, frame.index(line) + len(line)))
    return tuple(found.values())


def tear(place: tuple[bytes, int], text: bytes) -> bytes:
    frame, at = place
    return frame[:at] + text + frame[frame.index(b"\r\n", at) :]


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_genuine_event_is_suspected(capture: Path) -> None:
    suspected = [
        (frame, flaw) for frame, flaw in judge(capture.read_bytes()) if flaw and frame.startswith(b"Event: ")
    ]
    assert suspected == []


PIECES = st.one_of(
    st.sampled_from(
        [
            b"\r\n",
            b"\r\n",
            b"\r\n\r\n",
            b"\r\n\r\n",
            b"\r\n\n",
            b"Event: Hangup",
            b"Event: UserEvent",
            b"Event: X",
            b"Event: Hold",
            b"Event: FullyBooted",
            b"Event: Shutdown",
            b"Privilege: call,all",
            b"Privilege: ,",
            b"UserEvent: x",
            b"Response: Success",
            b"ActionID: 1",
            b"Timestamp: 1.000000",
            b"X: ",
            b": ",
            b"1",
            b"Uniqueid: 1.1",
            b"Linkedid: 1.1",
            b"Cause: 16",
        ]
    ),
    st.sampled_from([f"{name}:".encode() for name in CHANNEL + BRIDGE]),
    st.sampled_from([f"Dest{name}:".encode() for name in CHANNEL]),
)
FORGERIES = st.lists(PIECES, max_size=9).map(b"".join).map(lambda text: text[:CALLERS_BYTES])


@given(st.data(), FORGERIES)
@settings(max_examples=15 * settings().max_examples)
def test_neither_the_torn_nor_the_forged_event_passes(data: st.DataObject, text: bytes) -> None:
    place = data.draw(st.sampled_from(places()))
    before, after = map(timeless, genuine(CAPTURES[0])[1:3])
    torn = tear((timeless(place[0]), place[1] - len(place[0]) + len(timeless(place[0]))), text)
    verdicts = judge(END.join((before, torn, after)) + END)
    assert verdicts[0] == (before, None)
    assert verdicts[-1] == (after, None)
    if b"\r\n" in text:
        assert [frame for frame, flaw in verdicts[1:-1] if flaw is None] == []
    else:
        assert [flaw for _, flaw in verdicts[1:-1]] == [None]


@pytest.mark.parametrize(
    "text",
    [
        b"1\r\n\r\nEvent: Hangup\r\nPrivilege: call,all\r\nUniqueid: 1.1",
        b"1\r\n\r\nEvent: Hold\r\nChannel: \r\nChannelState: \r\nChannelStateDesc: \r\nCallerIDNum: ",
        b"1\r\n\r\nX:\r\nCallerIDName:\r\n\r\nEvent: UserEvent\r\nPrivilege: user,all\r\nUserEvent: x",
        b"\r\n\r\nPriority:\r\nUniqueid:\r\nLinkedid:\r\n\r\nEvent: UserEvent\r\nUserEvent: x",
        b"1\r\nCallerIDName: boss",
        b"1\r\nX-Paid: yes",
        b"\r\n\r\nEvent: A\r\n\r\nEvent: B\r\n\r\nEvent: C\r\n\r\nEvent: D\r\n\r\nEvent: E",
        b"\r\n\r\n\r\n\r\n",
        b"\r\n\n",
        b"\r\n",
    ],
    ids=range(10),
)
def test_chosen_forgeries_fail_at_every_place(text: bytes) -> None:
    assert len(text) <= CALLERS_BYTES
    before, after = map(timeless, genuine(CAPTURES[0])[1:3])
    for place in places():
        verdicts = judge(END.join((before, timeless(tear(place, text)), after)) + END)
        assert [frame for frame, flaw in verdicts if flaw is None] == [before, after], place


def test_the_same_lines_in_each_later_event_are_found_each_time() -> None:
    """The number stays on the channel, so every event with its snapshot is torn alike."""
    text = b"1\r\n\r\nEvent: Hangup\r\nPrivilege: call,all\r\nUniqueid: 1.1"
    stream = (
        END.join(part for place in places() for part in (tear(place, text), genuine(CAPTURES[0])[1])) + END
    )
    passed = [frame for frame, flaw in judge(stream) if flaw is None]
    assert passed == [genuine(CAPTURES[0])[1]] * len(places())


def test_every_raw_header_of_every_role_is_tried() -> None:
    roles = {frame[at - 40 : at].rpartition(b"\r\n")[2] for frame, at in places()}
    assert roles >= {
        b"CallerIDNum: ",
        b"ConnectedLineNum: ",
        b"Exten: ",
        b"DestCallerIDNum: ",
        b"DestExten: ",
    }
    assert len(places()) > 100


TIMED = b"Event: Newchannel\r\nPrivilege: call,all\r\nTimestamp: 1700000000.000001\r\nX: 1"
UNTIMED = b"Event: PeerStatus\r\nPrivilege: system,all\r\nPeer: PJSIP/1"


def test_an_event_without_the_sessions_timestamp_is_suspect_until_the_pbx_stops_writing_it() -> None:
    integrity = Integrity()
    timed = UNTIMED.replace(b"\r\nPeer", b"\r\nTimestamp: 1700000000.000001\r\nPeer")
    frames = [UNTIMED, timed, UNTIMED, timed, UNTIMED, UNTIMED, UNTIMED, UNTIMED]
    flaws = [integrity.judge(NORMALISER.read(frame)) for frame in frames]
    assert [flaw is not None for flaw in flaws] == [False, False, True, False, True, True, False, False]


@pytest.mark.parametrize(
    ("frame", "suspect"),
    [
        (
            b"Event: VarSet\r\nPrivilege: dialplan,all\r\nChannel: none\r\nUniqueid: none\r\nVariable: G\r\nValue: 1",
            False,
        ),
        (
            b"Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: x\r\nActionID: 1\r\nChannel: a\r\nChannel: b",
            False,
        ),
        (b"Event: DeviceStateChange\r\nActionID: 1\r\nDevice: a\r\nState: b", False),
        (b"Event: DeviceStateChange\r\nDevice: a\r\nState: b", True),
        (b"Event: DongleStatus\r\nPrivilege: call,all\r\nDevice: d\r\nStatus: x\r\nCallerIDName: y", False),
        (b"Event: PeerStatus\r\nPrivilege: system,all\r\nPeer: a\r\nPeer: b", True),
    ],
)
def test_single_frames(frame: bytes, suspect: bool) -> None:
    assert (Integrity().judge(NORMALISER.read(frame)) is not None) == suspect


def test_the_rest_of_a_torn_event_is_not_awaited_for_ever() -> None:
    torn = b"Event: Newchannel\r\nPrivilege: call,all\r\nChannel: a\r\nChannelState: 4"
    verdicts = judge(END.join([torn, *[UNTIMED] * 70]) + END)
    assert [flaw is None for _, flaw in verdicts[-6:]] == [True] * 6


def test_verdicts_do_not_depend_on_what_came_before_in_another_session() -> None:
    stream = CAPTURES[0].read_bytes()
    assert all(a == b for a, b in pairwise([judge(stream), judge(stream)]))
