"""A cut comes behind exactly the byte that was said, however the bytes are read."""

from hypothesis import given
from hypothesis import strategies as st

from tests.faults.cutting import Cutting

chunks = st.lists(st.binary(min_size=1, max_size=7), max_size=8)


def passed(cutting: Cutting, pieces: list[bytes]) -> list[bytes]:
    """Return what passes on each connection in turn: behind a cut a new one begins."""
    connections = [b""]
    for piece in pieces:
        through, last = cutting.take(piece)
        assert piece.startswith(through)
        connections[-1] += through
        if last:
            connections.append(b"")
    return connections


@given(chunks)
def test_without_a_cut_everything_passes(pieces: list[bytes]) -> None:
    cutting = Cutting()
    assert passed(cutting, pieces) == [b"".join(pieces)]
    assert not cutting.due


@given(st.binary(min_size=1, max_size=30), st.integers(1, 40), st.integers(1, 30))
def test_so_many_bytes_pass_and_not_one_more(whole: bytes, size: int, step: int) -> None:
    cutting = Cutting()
    cutting.after(size)
    pieces = [whole[at : at + step] for at in range(0, len(whole), step)]
    first, *others = passed(cutting, pieces)
    assert first == whole[:size]
    assert bool(others) is (not cutting.due) is (len(whole) >= size)


def test_the_next_cut_counts_from_the_one_before() -> None:
    cutting = Cutting()
    cutting.after(3, 2)
    assert passed(cutting, [b"12345", b"6", b"78", b"9"]) == [b"123", b"67", b"9"]


@given(st.lists(st.sampled_from([b"a", b"b"]), max_size=14).map(b"".join), st.integers(1, 5))
def test_a_mark_is_found_wherever_a_read_parts_it(whole: bytes, step: int) -> None:
    cutting = Cutting()
    cutting.behind(b"aab")
    pieces = [whole[at : at + step] for at in range(0, len(whole), step)]
    first = passed(cutting, pieces)[0]
    at = whole.find(b"aab")
    assert first == (whole if at < 0 else whole[: at + 3])
    assert cutting.due is (at < 0)


def test_the_nearer_of_two_cuts_comes_first() -> None:
    cutting = Cutting()
    cutting.after(4)
    cutting.behind(b"!")
    assert cutting.take(b"1!345") == (b"1!", True)
    assert cutting.due
    assert cutting.take(b"67890") == (b"6789", True)
    assert not cutting.due
