"""A journal's disk that is full, or read-only: the road goes on without it, and says so in the log and in Kafka."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.parts.asterisk import Asterisk
from tests.parts.kafka import Cluster, Kafka
from tests.real import reading
from tests.real.bridge import MEASURED, bridge, command, fresh, toml
from tests.real.test_journal import Counting, numbered, settings, text_of


class Disk:
    """A small file system of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def mount(self, *options: str) -> None:
        words = ["mount", "-t", "tmpfs", "-o", ",".join(["size=4m", *options]), "tmpfs", str(self.folder)]
        subprocess.run(words, check=True)

    def fill(self) -> None:
        with self._filler.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(b"x" * 4096):
                continue

    def empty(self) -> None:
        self._filler.unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "journal"
    folder.mkdir()
    yield Disk(folder)
    subprocess.run(["umount", str(folder)], check=True)


def told(kafka: Cluster | Kafka, prefix: str) -> list[Any]:
    """Return what the connector said of its journal."""
    values = [json.loads(got.value) for got in reading.read_all(kafka.bootstrap, prefix)]
    return [value for value in values if str(value.get("type")).startswith("journal")]


def test_a_full_disk_is_done_without_until_there_is_room(
    start_asterisk: Callable[..., Asterisk], kafka: Cluster | Kafka, disk: Disk, tmp_path: Path
) -> None:
    pbx, prefix = start_asterisk(22), fresh("disk")
    disk.mount()
    tables = {**settings(kafka, pbx, pbx.port, tmp_path, prefix), "http": MEASURED}
    with Counting(pbx) as counting, bridge(tmp_path, tables, "--only", "events") as running:
        running.expect("LinkUp")
        counting.more(500)
        disk.fill()
        counting.more(500)
        running.expect("JournalFailed")
        running.moves("journal_failing", pbx="main")
        running.moves("journal_failures_total", pbx="main")
        counting.more(500)
        reading.expect(kafka.bootstrap, prefix, text_of(counting.made))
        disk.empty()
        running.expect("JournalRestored")
        running.falls("journal_failing", pbx="main")
        counting.more(500)
        counting.stop()
        reading.expect(kafka.bootstrap, prefix, text_of(counting.made))
        assert running.stop() == 0, running.text()
    failed, restored = told(kafka, prefix)
    assert (failed["type"], restored["type"]) == ("journal_failed", "journal_restored")
    assert "No space left on device" in failed["message"]
    numbers = [each.number for each in numbered(reading.read_all(kafka.bootstrap, prefix))]
    assert numbers == [*range(numbers[0], counting.made + 1)]


def test_a_disk_that_is_read_only_from_the_start_is_told(
    start_asterisk: Callable[..., Asterisk], kafka: Cluster | Kafka, disk: Disk, tmp_path: Path
) -> None:
    pbx, prefix = start_asterisk(22), fresh("disk")
    disk.mount("ro")
    tables = settings(kafka, pbx, pbx.port, tmp_path, prefix)
    with Counting(pbx) as counting, bridge(tmp_path, tables, "--only", "events") as running:
        running.expect("JournalFailed")
        running.expect("LinkUp")
        counting.more(500)
        counting.stop()
        reading.expect(kafka.bootstrap, prefix, text_of(counting.made))
        assert running.stop() == 0, running.text()
    (failed,) = told(kafka, prefix)
    assert failed["type"] == "journal_failed"
    assert "Read-only file system" in failed["message"]
    strict = tmp_path / "strict.toml"
    tables["journal"]["when_failing"] = "stop"
    strict.write_text(toml(tables))
    done = command("run", "--config", str(strict), "--only", "events")
    assert done.returncode != 0
    assert "Read-only file system" in done.stderr
