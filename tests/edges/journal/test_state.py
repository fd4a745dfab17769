"""A journal's folder looked at from outside: what is said is what a reader would find, and nothing is changed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from connector.edges.journal.marker import Lock, Marker, number_in, owner_of
from connector.edges.journal.state import State, state_of
from tests.edges.journal.given import PBX, entries, opened


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Thirty entries in several files, of which Kafka has twelve."""
    path = tmp_path / "main"
    store = opened(path)
    store.next_epoch(7)
    for first in range(1, 31, 5):
        store.write(store.pack(first, entries(first, first + 4)))
    store.release(12)
    store.close()
    return path


def test_what_waits_is_counted_and_nothing_is_touched(folder: Path) -> None:
    before = contents(folder)
    state = state_of(folder, PBX)
    files = [*folder.glob("*.journal")]
    assert len(files) > 1
    assert state == State(
        waiting=18,
        size=sum(path.stat().st_size for path in files),
        segments=len(files),
        epoch=7,
        oldest_us=1_000_013,
        newest_us=1_000_030,
        damaged=0,
        owner=None,
    )
    assert contents(folder) == before


def test_a_journal_that_is_delivered_still_says_when_the_last_was_read(folder: Path) -> None:
    store = opened(folder)
    store.release(30)
    store.close()
    state = state_of(folder, PBX)
    assert (state.waiting, state.oldest_us, state.newest_us, state.segments) == (0, None, 1_000_030, 1)


def test_it_can_be_asked_while_another_has_the_folder(folder: Path) -> None:
    store = opened(folder)
    assert state_of(folder, PBX).owner == os.getpid()
    assert state_of(folder, PBX).waiting == 18
    store.write(store.pack(31, entries(31, 33)))
    assert state_of(folder, PBX).waiting == 21
    store.close()
    assert state_of(folder, PBX).owner is None


def test_bytes_that_cannot_be_read_are_counted(folder: Path) -> None:
    path = sorted(folder.glob("*.journal"))[-2]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    state = state_of(folder, PBX)
    assert 0 < state.damaged <= len(data)
    assert state.waiting < 18


def test_what_its_owner_is_just_writing_is_no_damage(folder: Path) -> None:
    newest = max(folder.glob("*.journal"))
    with newest.open("ab") as file:
        file.write(b"half a block")
    assert state_of(folder, PBX).damaged == len(b"half a block")
    held = Lock(folder)
    assert state_of(folder, PBX).damaged == 0
    held.close()


def test_a_file_that_its_owner_deletes_meanwhile_is_passed_over(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = min(folder.glob("*.journal"))
    listed = [*folder.iterdir()]
    first.unlink()
    monkeypatch.setattr(Path, "iterdir", lambda _: iter(listed))
    assert state_of(folder, PBX).damaged == 0


def test_another_process_is_named_as_the_owner(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from connector.edges.journal.marker import Lock;"
        "Lock(Path(sys.argv[1])); print('has it', flush=True); sys.stdin.read()"
    )
    words = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "has it\n"
        assert owner_of(tmp_path) == other.pid
        assert owner_of(tmp_path, tmp_path / "no list") == other.pid
        other.communicate("")
    assert owner_of(tmp_path) is None
    assert owner_of(tmp_path, tmp_path / "no list") is None
    assert owner_of(tmp_path / "nowhere") is None


@pytest.mark.parametrize(
    ("line", "owner"),
    [
        ("1: FLOCK  ADVISORY  WRITE 77 {major:02x}:{minor:02x}:{inode} 0 EOF", 77),
        ("1: FLOCK  ADVISORY  WRITE 42 00:99:{inode} 0 EOF", 42),
        ("1: FLOCK  ADVISORY  WRITE 77 00:99:{inode} 0 EOF", None),
        ("1: -> FLOCK  ADVISORY  WRITE 77 {major:02x}:{minor:02x}:{inode} 0 EOF", None),
        ("1: FLOCK  ADVISORY  WRITE 77 {major:02x}:{minor:02x}:{inode}9 0 EOF", None),
        ("torn", None),
    ],
)
def test_the_kernels_list_of_locks(tmp_path: Path, line: str, owner: int | None) -> None:
    lock, listed = tmp_path / "lock", tmp_path / "locks"
    lock.write_text("42\n")
    found = lock.stat()
    told = line.format(major=os.major(found.st_dev), minor=os.minor(found.st_dev), inode=found.st_ino)
    listed.write_text(told + "\n")
    assert owner_of(tmp_path, listed) == owner


def test_a_marker_is_read_as_it_was_set(tmp_path: Path) -> None:
    path = tmp_path / "released"
    assert number_in(path) == 0
    marker = Marker(path)
    assert number_in(path) == 0
    for value in (3, 9, 12):
        marker.set(value)
        assert number_in(path) == value
    marker.close()
    path.write_bytes(path.read_bytes()[:5])
    assert number_in(path) == 0
