"""A journal's folder: what is written is read again, whatever becomes of the files; what is not there any more is named."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from connector.ami.framing import Oversize
from connector.edges.journal.store import Bounds, Store, Worth
from connector.errors import JournalError
from connector.events.entry import Entry
from connector.events.gaps.losses import DAMAGED, FULL, GivenUp
from tests.edges.journal.given import (
    EQUAL,
    LARGE,
    ODD,
    SMALL,
    entries,
    entry,
    everything,
    names,
    opened,
    sequences,
)


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ami-kafka-journal-") as made:
        yield Path(made) / "main"


@given(some.lists(some.lists(ODD, min_size=1, max_size=150), max_size=4), some.integers(1, 200))
@settings(max_examples=settings().max_examples // 2)
def test_what_is_written_is_read_as_it_was(groups: list[list[Entry]], limit: int) -> None:
    written = [each for group in groups for each in group]
    with folder() as path:
        store = opened(path, Bounds(LARGE, 2_000))
        for group in groups:
            store.write(store.pack(store.written + 1, group))
        store.close()
        store = opened(path)
        found: list[Entry] = []
        position = 0
        while position < store.written:
            position, part, losses = store.read(position, limit, store.written + 1)
            assert len(part) <= limit
            assert not losses
            found += part
        store.close()
    assert found == written
    assert [type(each.frame) for each in found] == [type(each.frame) for each in written]
    large = [each.frame for each in (*found, *written) if isinstance(each.frame, Oversize)]
    half = len(large) // 2
    assert [(each.size, each.sha256) for each in large[:half]] == [
        (each.size, each.sha256) for each in large[half:]
    ]


def test_positions_go_on_after_a_restart_and_released_entries_stay_gone(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.write(store.pack(1, entries(1, 20)))
    store.release(12)
    store.close()
    store = opened(tmp_path)
    assert (store.opened.last, store.released) == (20, 12)
    assert store.opened.entry == entry(20)
    assert sequences(everything(store)[0]) == [*range(13, 21)]
    store.write(store.pack(21, entries(1, 5, epoch=2)))
    assert sequences(everything(store)[0]) == [*range(13, 21), *range(1, 6)]
    store.close()


def test_whole_segments_that_kafka_has_are_deleted_but_the_last(tmp_path: Path) -> None:
    store = opened(tmp_path)
    for first in range(1, 31, 5):
        store.write(store.pack(first, entries(first, first + 4)))
    files = [*tmp_path.glob("*.journal")]
    assert len(files) > 3
    store.release(30)
    (left,) = tmp_path.glob("*.journal")
    assert left == max(files)
    assert store.size == left.stat().st_size
    store.close()
    store = opened(tmp_path)
    assert store.opened.entry == entry(30)
    assert everything(store) == ([], [])
    store.close()


def test_positions_never_come_twice_where_the_marker_outlived_the_entries(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.write(store.pack(1, entries(1, 20)))
    store.release(20)
    store.close()
    (file,) = tmp_path.glob("*.journal")
    os.truncate(file, file.stat().st_size // 2)
    store = opened(tmp_path)
    assert store.opened.last >= 20
    store.write(store.pack(store.opened.last + 1, entries(1, 3, epoch=2)))
    assert sequences(everything(store)[0]) == [1, 2, 3]
    store.close()


def test_epochs_only_grow(tmp_path: Path) -> None:
    epochs = []
    for now_ms in (1_000, 500, 5_000, 400):
        store = opened(tmp_path)
        epochs.append(store.next_epoch(now_ms))
        store.close()
    assert epochs == [1_000, 1_001, 5_000, 5_001]
    store = opened(tmp_path)
    store.write(store.pack(store.written + 1, [entry(1, epoch=9_000)]))
    store.close()
    (tmp_path / "epoch").unlink()
    store = opened(tmp_path)
    assert store.next_epoch(400) == 9_001
    store.close()


def test_a_memory_comes_back_with_what_was_written_since(tmp_path: Path) -> None:
    store = opened(tmp_path)
    assert store.opened.memory is None
    assert [*store.since_memory()] == []
    store.write(store.pack(1, entries(1, 10)))
    store.remember(b"ten")
    store.write(store.pack(11, entries(11, 14)))
    store.release(14)
    store.close()
    store = opened(tmp_path)
    assert store.opened.memory == b"ten"
    assert sequences(store.since_memory()) == [11, 12, 13, 14]
    store.write(store.pack(15, entries(1, 1, epoch=2)))
    assert sequences(store.since_memory()) == [11, 12, 13, 14]
    store.close()


@pytest.mark.parametrize("torn", [b"", b"\0" * 5, b"\0" * 12 + b"other"])
def test_a_torn_memory_is_left(tmp_path: Path, torn: bytes) -> None:
    store = opened(tmp_path)
    store.write(store.pack(1, entries(1, 2)))
    store.remember(b"two")
    store.close()
    (tmp_path / "memory").write_bytes(torn)
    store = opened(tmp_path)
    assert store.opened.memory is None
    assert [*store.since_memory()] == []
    store.close()


def test_a_folder_has_one_owner(tmp_path: Path) -> None:
    store = opened(tmp_path)
    with pytest.raises(JournalError, match=rf"{tmp_path}.*in use by process {os.getpid()}:"):
        opened(tmp_path)
    store.close()
    opened(tmp_path).close()


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened(tmp_path)
    store.write(store.pack(1, entries(1, 3)))
    whole, left = os.pwrite, 2

    def full(file: int, data: bytes, offset: int) -> int:
        nonlocal left
        left -= 1
        if left:
            return whole(file, data[:50], offset)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(OSError, match="No space"):
        store.write(store.pack(4, entries(4, 9)))
    assert store.written == 3
    monkeypatch.undo()
    store.write(store.pack(4, entries(4, 9)))
    assert sequences(everything(store)[0]) == [*range(1, 10)]
    store.close()
    store = opened(tmp_path)
    assert everything(store) == (entries(1, 9), [])
    store.close()


def written(path: Path, portions: list[int], released: int) -> tuple[list[Entry], int]:
    """Write two epochs of entries, release some, and return all and the released position."""
    everything_written: list[Entry] = []
    last_released = 0
    for epoch in (1, 2):
        store = opened(path, Bounds(LARGE, 2_500))
        for portion in portions:
            done = [each for each in everything_written if each.source.epoch == epoch]
            new = entries(len(done) + 1, len(done) + portion, epoch)
            store.write(store.pack(store.written + 1, new))
            everything_written += new
        if epoch == 2:
            store.release(min(released, store.written))
        last_released = store.released
        store.close()
    return everything_written, last_released


@given(
    portions=some.lists(some.integers(1, 90), min_size=1, max_size=6),
    released=some.integers(0, 300),
    data=some.data(),
)
@settings(max_examples=settings().max_examples * 2)
def test_whatever_becomes_of_the_files_what_is_missing_is_named(
    portions: list[int], released: int, data: some.DataObject
) -> None:
    with folder() as path:
        all_entries, last_released = written(path, portions, released)
        files = sorted(path.glob("*.journal"))
        for _ in range(data.draw(some.integers(0, 4))):
            spoil(data.draw(some.sampled_from(files)), data)
        if data.draw(some.booleans()):
            os.truncate(files[-1], data.draw(some.integers(0, files[-1].stat().st_size)))
        store = opened(path)
        found, losses = everything(store)
        new = entries(1, 3, epoch=3)
        store.write(store.pack(store.written + 1, new))
        more, later_losses = everything(store, store.opened.last)
        last = store.opened.entry
        store.close()
    assert more == new
    assert not later_losses
    due = all_entries[last_released:]
    known = [each.event_id for each in found]
    assert content(found) == content(each for each in due if each.event_id in known)
    for missing in due:
        if missing.event_id not in known:
            torn_off = last is None or (missing.source.epoch, missing.sequence) > (
                last.source.epoch,
                last.sequence,
            )
            assert torn_off or names(losses, missing), (missing.event_id, losses)
    for loss in losses:
        assert loss.reason == DAMAGED
        if loss.epoch:
            assert not any(names([loss], each) for each in found if each.received_us != loss.to_us), loss


def content(found: Iterable[Entry]) -> list[tuple[object, ...]]:
    """Give what outlives the loss of what was said of a source."""
    return [(each.event_id, each.received_us, each.root, each.frame, each.flaw) for each in found]


def spoil(file: Path, data: some.DataObject) -> None:
    """Flip a bit, or put other bytes over some."""
    content = bytearray(file.read_bytes())
    if not content:
        return
    at = data.draw(some.integers(0, len(content) - 1))
    if data.draw(some.booleans()):
        content[at] ^= 1 << data.draw(some.integers(0, 7))
    else:
        other = data.draw(some.binary(min_size=1, max_size=64))
        content[at : at + len(other)] = other[: len(content) - at]
    file.write_bytes(content)


def filled(path: Path, bounds: Bounds) -> Store:
    """Return a store with six small segments: of each ten entries, eight are worth nothing, one much."""
    store = opened(path, bounds)
    for first in range(1, 61, 10):
        portion = entries(first, first + 9)
        portion[3] = entry(first + 3, event="Cdr")
        portion[4] = entry(first + 4, event="Newchannel")
        store.write(store.pack(first, portion))
    return store


RANKS = Worth(lambda each: {b"Cdr": 2, b"Newchannel": 1}.get(each.frame.split(b"\r\n")[0][7:], 0), 2)


def kept(store: Store) -> tuple[list[int], list[GivenUp]]:
    found, losses = everything(store)
    return sequences(found), losses


def test_below_the_limit_nothing_is_given_up(tmp_path: Path) -> None:
    store = filled(tmp_path, SMALL)
    assert [*store.purge(0, LARGE, RANKS)] == []
    store.close()


def test_the_oldest_of_the_least_worth_go_first(tmp_path: Path) -> None:
    store = filled(tmp_path, SMALL)
    size = store.size
    store.close()
    store = opened(tmp_path, Bounds(size - 1, 600))
    losses = [*store.purge(0, LARGE, RANKS)]
    assert [(loss.reason, loss.event, loss.first, loss.last, loss.events) for loss in losses] == [
        (FULL, "Hangup", 1, 10, 8)
    ]
    assert store.size < size
    found, told = kept(store)
    assert found == [4, 5, *range(11, 61)]
    assert not told
    store.close()


@pytest.mark.parametrize("limit", range(500, 7_000, 500))
def test_what_is_worth_most_goes_last(tmp_path: Path, limit: int) -> None:
    store = filled(tmp_path, Bounds(limit, 600))
    losses = [*store.purge(0, LARGE, RANKS)]
    last_whole = max(int(file.name[:20]) for file in tmp_path.glob("*.journal"))
    found, _ = everything(store)
    store.close()
    left = {each.frame.split(b"\r\n")[0][7:] for each in found if each.sequence < last_whole}
    gone = {(loss.event or "").encode() for loss in losses}
    assert not (b"Newchannel" in gone and b"Hangup" in left)
    assert not (b"Cdr" in gone and {b"Hangup", b"Newchannel"} & left)
    assert gone >= {b"Hangup"}
    if limit <= 1_000:
        assert b"Cdr" in gone
    if limit >= 6_000:
        assert gone == {b"Hangup"}


def test_only_what_is_neither_on_its_way_nor_in_memory_is_given_up(tmp_path: Path) -> None:
    store = filled(tmp_path, Bounds(1, 600))
    losses = [*store.purge(15, 41, RANKS)]
    assert {(loss.first - 1) // 10 for loss in losses} == {2, 3}
    found, _ = kept(store)
    assert found == [*range(1, 21), *range(41, 61)]
    store.close()


def test_a_restart_tells_again_what_was_given_up(tmp_path: Path) -> None:
    store = filled(tmp_path, Bounds(1, 600))
    losses = [*store.purge(0, 31, RANKS)]
    assert kept(store)[1] == []
    store.close()
    store = opened(tmp_path)
    found, told = kept(store)
    assert found == [*range(31, 61)]
    assert sorted(told) == sorted(losses)
    store.close()


@given(data=some.data(), limit=some.integers(1, 4_000))
def test_what_a_full_folder_has_given_up_is_named_however_the_files_are_spoilt(
    data: some.DataObject, limit: int
) -> None:
    with folder() as path:
        store = filled(path, Bounds(limit, 600))
        [*store.purge(0, LARGE, RANKS)]
        store.close()
        for _ in range(data.draw(some.integers(0, 2))):
            spoil(data.draw(some.sampled_from(sorted(path.glob("*.journal")))), data)
        store = opened(path)
        found, told = everything(store)
        last = store.opened.entry
        again = [*store.purge(0, LARGE, EQUAL)]
        store.close()
    assert not again
    assert last is None or found[-1] == last
    wanted = {
        sequence
        for sequence in range(1, 61)
        if sequence not in sequences(found) and (last is None or sequence < last.sequence)
    }
    for sequence in wanted:
        event = {3: "Cdr", 4: "Newchannel"}.get((sequence - 1) % 10, "Hangup")
        assert names(told, entry(sequence, event=event)), (sequence, told)


def test_a_file_that_is_none_of_the_journals_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "1.journal.new").write_text("half")
    store = opened(tmp_path)
    assert everything(store) == ([], [])
    store.close()
    assert (tmp_path / "notes.txt").exists()
    assert not (tmp_path / "1.journal.new").exists()
