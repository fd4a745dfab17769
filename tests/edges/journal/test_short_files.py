"""Files that end too early, as where power was lost: what was in them is named."""

import re
from pathlib import Path

import pytest

from connector.edges.journal.segment import Segment
from connector.edges.journal.store import Bounds, Worth
from connector.events.gaps.losses import DAMAGED
from tests.edges.journal.given import SMALL, entries, everything, names, opened, sequences

ONE_FILE = Bounds(1 << 20)


def test_a_file_that_power_loss_has_emptied_is_a_loss(tmp_path: Path) -> None:
    store = opened(tmp_path)
    for first in (1, 6, 11):
        store.write(store.pack(first, entries(first, first + 4)))
    store.close()
    sorted(tmp_path.glob("*.journal"))[1].write_bytes(b"")
    store = opened(tmp_path)
    found, losses = everything(store)
    store.close()
    assert sequences(found) == [*range(1, 6), *range(11, 16)]
    assert [(loss.first, loss.last) for loss in losses] == [(6, 10)]


@pytest.mark.parametrize("kept", [0, 1])
def test_a_file_that_ends_between_two_blocks_too_early_is_a_loss(tmp_path: Path, kept: int) -> None:
    store = opened(tmp_path, ONE_FILE)
    for first in (1, 6):
        store.write(store.pack(first, entries(first, first + 4)))
    store.close()
    (whole,) = tmp_path.glob("*.journal")
    data, mark = whole.read_bytes(), bytes.fromhex(whole.name.split(".")[1])
    blocks = [found.start() for found in re.finditer(re.escape(mark), data)]
    store = opened(tmp_path)
    store.write(store.pack(11, entries(1, 5, epoch=2)))
    store.close()
    # Its first block is the source's.
    whole.write_bytes(data[: blocks[1 + kept]])
    store = opened(tmp_path)
    found, losses = everything(store)
    store.close()
    assert sequences(found) == [*range(1, 5 * kept + 1), 1, 2, 3, 4, 5]
    assert all(names(losses, each) for each in entries(5 * kept + 1, 10))


def test_such_a_loss_is_told_too_where_the_folder_is_too_large(tmp_path: Path) -> None:
    store = opened(tmp_path)
    for first in (1, 6, 11):
        store.write(store.pack(first, entries(first, first + 4)))
    store.close()
    short = sorted(tmp_path.glob("*.journal"))[1]
    mark = bytes.fromhex(short.name.split(".")[1])
    short.write_bytes(short.read_bytes()[: short.read_bytes().rindex(mark)])
    store = opened(tmp_path, Bounds(1, SMALL.segment))
    lost = [*store.purge(0, 100, Worth(lambda _: 0, 0))]
    store.close()
    assert any(loss.reason == DAMAGED for loss in lost)


def test_what_was_given_up_in_memory_is_no_damage(tmp_path: Path) -> None:
    for bounds in (SMALL, ONE_FILE):
        folder = tmp_path / str(bounds.folder)
        folder.mkdir()
        store = opened(folder, bounds)
        store.write(store.pack(1, entries(1, 5)))
        store.write(store.pack(9, entries(9, 12)))
        found, losses = everything(store)
        store.close()
        assert sequences(found) == [*range(1, 6), *range(9, 13)]
        assert not losses


def test_a_file_that_was_begun_and_never_written_is_none(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.write(store.pack(1, entries(1, 5)))
    store.close()
    Segment.named(tmp_path, 6).path.write_bytes(b"")
    store = opened(tmp_path)
    store.write(store.pack(store.written + 1, entries(6, 9)))
    found, losses = everything(store)
    store.close()
    assert sequences(found) == [*range(1, 10)]
    assert not losses
