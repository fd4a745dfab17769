"""Processes killed right before every call that changes a file of the journal: what was written is there, or named."""

import os
import subprocess
import sys
from pathlib import Path

from tests.edges.journal.given import entry, everything, names, opened
from tests.edges.journal.victim import EVENTS

STRIDE = 1 if os.environ.get("CI") else 5
"""Every step in CI, every fifth elsewhere."""


def told(progress: Path, word: str) -> int:
    """Return the last number of which a process said this."""
    lines = [line.split() for line in progress.read_text().splitlines()]
    return max((int(number) for said, number in lines if said == word), default=0)


def test_nothing_written_is_lost_without_a_word_at_whatever_step_a_process_dies(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.edges.journal.victim", str(tmp_path), str(STRIDE)]
    subprocess.run(command, check=True, timeout=300)
    lives = sorted(tmp_path.glob("*.progress"))
    assert len(lives) > 200 // STRIDE
    for life in lives:
        store = opened(life.with_suffix(""))
        found, losses = everything(store)
        written, writing, releasing = (told(life, word) for word in ("written", "writing", "releasing"))
        memory = int(store.opened.memory or 0)
        assert told(life, "remembered") <= memory <= told(life, "remembering"), life
        numbers = [each.sequence for each in found]
        assert numbers == sorted({*numbers}), life
        assert found == [entry(number, event=EVENTS[number % 3]) for number in numbers], life
        assert all(number <= writing for number in numbers), life
        for number in range(releasing + 1, written + 1):
            missing = entry(number, event=EVENTS[number % 3])
            assert number in numbers or names(losses, missing), (life, number)
        store.write(store.pack(store.written + 1, [entry(1, epoch=99)]))
        assert everything(store, store.written - 1)[0] == [entry(1, epoch=99)], life
        store.close()
