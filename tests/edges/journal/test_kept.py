"""A journal that was written by an earlier version is read whole: an upgrade must lose nothing of what waits.

`kept/` has a folder for each version of the format, written once by `write` and never changed.
"""

import shutil
from pathlib import Path

import pytest

from connector.ami.framing import Oversize
from connector.edges.journal.store import Bounds
from connector.events.entry import Entry, Flaw, Origin
from connector.events.gaps.losses import FULL
from tests.edges.journal.given import LARGE, entries, entry, everything, opened, sequences
from tests.edges.journal.test_store import RANKS

KEPT = Path(__file__).parent / "kept"
MEMORY = b'{"calls": []}'
RELEASED = 5


def odd() -> list[Entry]:
    """One of each kind of entry, behind those that are as most."""
    large = Oversize(b"Event: Long\r\n")
    large.size, large.sha256 = 2_000_000, "ab" * 32
    return [
        entry(21)._replace(flaw=Flaw("suspect", "two heads")),
        entry(22)._replace(origin=Origin.SNAPSHOT, snapshot_id="s-1"),
        entry(23)._replace(origin=Origin.SYNTHETIC, root=None),
        entry(24)._replace(origin=Origin.CONNECTOR, frame=b'{"type": "gap"}'),
        entry(25)._replace(masked="0123456789abcdef"),
        entry(26)._replace(frame=large),
        entry(27)._replace(frame="Event: Żółw".encode()),
    ]


def write(folder: Path) -> None:
    """Write a journal of two logins, of which some is released and some was given up."""
    store = opened(folder, Bounds(LARGE, 600))
    store.next_epoch(1_700_000_000_000)
    for first in (1, 11):
        portion = [*entries(first, first + 9)]
        portion[3] = entry(first + 3, event="Cdr")
        store.write(store.pack(first, portion))
    store.write(store.pack(21, odd()))
    store.release(RELEASED)
    size = store.size
    store.close()
    store = opened(folder, Bounds(size - 1, 600))
    assert [loss.events for loss in store.purge(10, 21, RANKS)] == [9]
    store.write(store.pack(28, entries(1, 3, epoch=2)))
    store.remember(MEMORY)
    store.close()


@pytest.mark.parametrize("version", [path.name for path in KEPT.iterdir()])
def test_what_an_earlier_version_has_written_is_read(version: str, tmp_path: Path) -> None:
    folder = tmp_path / "main"
    shutil.copytree(KEPT / version, folder)
    store = opened(folder)
    found, losses = everything(store)
    assert (store.released, store.written) == (RELEASED, 30)
    assert store.opened.memory == MEMORY
    assert store.next_epoch(0) == 1_700_000_000_001
    store.close()
    (lost,) = losses
    assert (lost.reason, lost.event, lost.epoch, lost.first, lost.last, lost.events) == (
        FULL,
        "Hangup",
        1,
        11,
        20,
        9,
    )
    late = entries(1, 3, epoch=2)
    assert sequences(found) == [*range(6, 11), 14, *range(21, 28), 1, 2, 3]
    assert found[:5] == entries(6, 10)
    assert found[5:] == [entry(14, event="Cdr"), *odd(), *late]
    (large,) = (each.frame for each in found if isinstance(each.frame, Oversize))
    assert (large.size, large.sha256) == (2_000_000, "ab" * 32)


def test_this_version_writes_what_is_kept_of_it(tmp_path: Path) -> None:
    write(tmp_path / "main")
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "main").iterdir()} == {0}
    ours, kept = (
        {path.name.split(".")[0] for path in folder.iterdir()} for folder in (tmp_path / "main", KEPT / "1")
    )
    assert ours == kept
