"""Checks of the journal: its folder, and the room there."""

from pathlib import Path

from connector.preflight import State
from connector.preflight.journal import check
from connector.settings.sections import Journal


def test_a_journal_in_memory_is_told_as_what_it_is() -> None:
    (finding,) = check(Journal(), 1)
    assert (finding.state, finding.fatal) == (State.WARNING, False)
    assert "lost when the process is killed" in finding.seen
    assert "journal.path" in finding.remedy


def test_a_folder_is_made_and_its_room_told(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "journal"
    (finding,) = check(Journal(path=str(folder), max_bytes=1 << 20), 2)
    assert finding.state is State.OK
    assert "up to 2 MiB wanted" in finding.seen
    assert [*folder.iterdir()] == []


def test_too_little_room_is_a_warning(tmp_path: Path) -> None:
    (finding,) = check(Journal(path=str(tmp_path), max_bytes=1 << 50), 1)
    assert (finding.state, finding.fatal) == (State.WARNING, False)


def test_a_folder_that_cannot_be_used_keeps_from_starting_only_where_it_must_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    at_file = str(tmp_path / "file")
    (finding,) = check(Journal(path=at_file), 1)
    assert (finding.state, finding.fatal) == (State.FAILED, False)
    assert at_file in finding.seen
    (finding,) = check(Journal(path=at_file, when_failing="stop"), 1)
    assert finding.fatal
