"""Two cuts of one stream joined: exactly the stream comes out, or it is said that this cannot be told."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from connector.ami.message import timestamp_of
from connector.events.entry import Entry, Origin, Source
from connector.events.gaps.joining import Joint, join
from connector.events.gaps.predecessor import Held, Read
from connector.events.notices import notice

SECOND = 1_000_000
T0 = 1_700_000_000 * SECOND
SOURCE = Source("pbx1", 1, "sys", "22.10.1", "11.0.0")
ADDRESS = "one:5038"
FRAGMENT = b"Channel: torn\r\nUniqueid: 1.1"


def told(number: int, at_us: int, *, name: str = "UserEvent", stamped: bool = True) -> bytes:
    lines = [f"Event: {name}", "Privilege: user,all"]
    if stamped:
        lines.append(f"Timestamp: {at_us // SECOND}.{at_us % SECOND:06}")
    return "\r\n".join([*lines, f"Number: {number}"]).encode()


def journaled(frame: bytes) -> bool:
    return not frame.startswith(b"Event: VarSet")


def entry(frame: bytes, at_us: int, origin: Origin = Origin.AMI) -> Entry:
    return Entry(SOURCE, 1, at_us, origin, None, frame)


def up(at_us: int, address: str = ADDRESS) -> Entry:
    return entry(notice("session_up", {"Address": address}), at_us, Origin.CONNECTOR)


def down(at_us: int, reason: str = "stopped") -> Entry:
    return entry(notice("session_down", {"Reason": reason}), at_us, Origin.CONNECTOR)


def held(since_us: int, *reads: tuple[bytes, int], whole: bool = True, source: Source = SOURCE) -> Held:
    return Held(
        source._replace(epoch=0), ADDRESS, since_us, [Read([frame], at) for frame, at in reads], whole
    )


def passed(joint: Joint) -> list[bytes]:
    return [frame for read in joint.reads for frame in read.frames]


Told = tuple[bytes, int]


@st.composite
def streams(draw: st.DrawFn) -> list[Told]:
    """Draw a PBX's stream: each frame and when it was told; some are not journaled, some are fragments."""
    at_us, stream = T0, []
    for number in range(draw(st.integers(1, 40))):
        at_us += draw(st.sampled_from((1, 50, SECOND // 2, 2 * SECOND)))
        kind = draw(st.sampled_from(("UserEvent", "UserEvent", "VarSet", "fragment")))
        stream.append((FRAGMENT if kind == "fragment" else told(number, at_us, name=kind), at_us))
    return stream


def left_behind(stream: Sequence[Told], kept: int) -> list[Entry]:
    """Return the last entries of whoever has read a stream."""
    entries = [up(T0 - 60 * SECOND)]
    entries += [entry(frame, at_us) for frame, at_us in stream if journaled(frame)]
    return entries[-kept:]


@given(streams(), st.data())
def test_two_cuts_of_a_stream_are_the_stream_or_it_is_said_that_they_may_not_be(
    stream: list[Told], data: st.DataObject
) -> None:
    begin = data.draw(st.integers(0, len(stream)), "the new session hears from here")
    end = data.draw(st.integers(0, len(stream)), "the old one until here")
    kept = data.draw(st.integers(1, len(stream) + 2), "entries of the old one that are still there")
    since_us = stream[begin][1] if begin < len(stream) else stream[-1][1] + 1
    joint = join(left_behind(stream[:end], kept), held(since_us, *stream[begin:]), journaled)
    common = [frame for frame, _ in stream[begin:end] if journaled(frame) and timestamp_of(frame)]
    if joint.trouble:
        assert joint.since_us <= since_us
    else:
        assert [frame for frame in passed(joint) if journaled(frame)] == [
            frame for frame, _ in stream[end:] if journaled(frame)
        ]
    last = [frame for frame, _ in stream[:end] if journaled(frame) and timestamp_of(frame)][-1:]
    known = last and last[0] in [each.frame for each in left_behind(stream[:end], kept)]
    assert bool(joint.trouble) is not bool(common and known)


@given(streams(), st.data())
def test_where_two_sessions_read_neighbours_in_another_order_nothing_is_lost_nor_comes_twice(
    stream: list[Told], data: st.DataObject
) -> None:
    stream = [each for each in stream if each[0] != FRAGMENT]
    begin = data.draw(st.integers(0, len(stream)))
    end = data.draw(st.integers(begin, len(stream)))
    other = swapped(stream[begin:], data)
    since_us = stream[begin][1] if begin < len(stream) else T0
    joint = join(left_behind(stream[:end], 100), held(since_us, *other), journaled)
    if not joint.trouble:
        new = [frame for frame in passed(joint) if journaled(frame)]
        assert sorted(new) == sorted(frame for frame, _ in stream[end:] if journaled(frame))


def swapped(stream: Sequence[Told], data: st.DataObject) -> list[Told]:
    """Swap some neighbours that were told at about the same time, each once at most."""
    swapped = [*stream]
    free = 0
    for index, (one, other) in enumerate(pairwise(stream)):
        if index >= free and other[1] - one[1] < SECOND // 2 and data.draw(st.booleans()):
            swapped[index], swapped[index + 1] = other, one
            free = index + 2
    return swapped


def test_events_without_timestamps_are_not_joined() -> None:
    frames = [(told(n, 0, stamped=False), T0 + n * SECOND) for n in range(8)]
    old = [up(T0 - SECOND), *(entry(*each) for each in frames[:5]), down(T0 + 9 * SECOND // 2)]
    joint = join(old, held(T0 + SECOND, *frames[2:]), journaled)
    assert "timestampevents" in joint.trouble
    assert joint.since_us == T0 + SECOND
    assert joint.up_us == T0 + 9 * SECOND // 2
    assert passed(joint) == [frame for frame, _ in frames[5:]]


def test_a_header_of_an_events_own_is_no_timestamp() -> None:
    assert timestamp_of(told(1, T0 + 5)) == T0 + 5
    assert (
        timestamp_of(
            b"Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: x\r\nTimestamp: 1700000000.000001"
        )
        is None
    )
    assert timestamp_of(b"Event: UserEvent\r\nPrivilege: user,all\r\nTimestamp: 1700000000.1") is None


def test_events_that_cannot_be_told_apart_are_not_joined() -> None:
    same, later = (told(1, T0), T0), (told(2, T0 + 5), T0 + 5)
    for old, new in ([same, same], [same, later]), ([same, later], [same, same, later]):
        joint = join([up(T0 - 9 * SECOND), *(entry(*each) for each in old)], held(T0, *new), journaled)
        assert "alike" in joint.trouble


def test_what_the_other_one_has_not_read_last_here_is_a_gap() -> None:
    """Held too late, or the oldest let go: what came between is not here."""
    old = [up(T0 - SECOND), entry(told(1, T0), T0), down(T0 + SECOND)]
    joint = join(old, held(T0 + 2 * SECOND, (told(3, T0 + 3 * SECOND), T0 + 3 * SECOND)), journaled)
    assert "not among" in joint.trouble
    assert (joint.since_us, joint.up_us) == (T0, T0 + 2 * SECOND)
    assert passed(joint) == [told(3, T0 + 3 * SECOND)]


NEW = (told(9, T0 + 9 * SECOND), T0 + 9 * SECOND)


def quiet(*, since_us: int = T0, last: Sequence[Entry] | None = None, **other: object) -> Joint:
    entries = [up(T0 - 60 * SECOND), entry(told(1, T0 - 50 * SECOND), T0 - 50 * SECOND)]
    entries += [down(T0 + 5 * SECOND)] if last is None else last
    return join(entries, held(since_us, NEW, **other), journaled)  # type: ignore[arg-type]


def test_where_nothing_happened_between_login_and_an_orderly_end_all_is_new() -> None:
    joint = quiet()
    assert (joint.trouble, passed(joint)) == ("", [NEW[0]])


def test_a_silence_proves_nothing_where_the_other_end_is_not_sure() -> None:
    assert quiet(since_us=T0 + 3 * SECOND).trouble
    assert quiet(last=[]).trouble
    assert quiet(last=[down(T0 + 5 * SECOND, "lost")]).trouble
    assert quiet(last=[entry(told(2, T0 + 1), T0 + 1), down(T0 + 5 * SECOND)]).trouble
    unstamped = entry(told(2, 0, stamped=False), T0 - SECOND)
    assert quiet(last=[unstamped, down(T0 + 5 * SECOND)]).trouble
    assert quiet(last=[down(T0 - SECOND, "lost"), up(T0 + 1), down(T0 + 5 * SECOND)]).trouble
    assert quiet(last=[up(T0 - SECOND, "two:5038"), down(T0 + 5 * SECOND)]).trouble
    assert quiet(whole=False).trouble
    assert quiet(source=SOURCE._replace(system_name="other")).trouble


def test_with_no_entry_of_another_all_goes_on() -> None:
    joint = join([], held(T0, NEW), journaled)
    assert (joint.trouble, passed(joint), joint.up_us) == ("", [NEW[0]], T0)
