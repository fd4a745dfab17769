"""A journal's folder with any damage in any file: it opens, and gives nothing that was not written."""

import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Final

from connector.events.entry import Entry
from tests.edges.journal.given import entries, everything, names, opened
from tests.fuzz.mutation import Mutator

COUNT: Final = 60
RELEASED: Final = 7
_WORDS: Final = (b"\x00" * 8, b"\xff" * 8, b"{}", b"[]", b"null", b"\x00\x00\x00\x01", b"[" * 500)


def written(folder: Path) -> dict[str, bytes]:
    """Write a journal; return its files."""
    store = opened(folder)
    for first in range(1, COUNT, 5):
        store.write(store.pack(first, entries(first, first + 4)))
    store.remember(b'["memory"]')
    store.release(RELEASED)
    store.sync()
    store.close()
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def target(seed: int) -> Callable[[], None]:
    """Return a function that damages one file and judges what is read."""
    with tempfile.TemporaryDirectory() as folder:
        files = written(Path(folder))
    known = {entry.sequence: entry for entry in entries(1, COUNT)}
    makers = {
        name: Mutator([data, b""], _WORDS, seed + place) for place, (name, data) in enumerate(files.items())
    }
    chance = next(iter(makers.values())).chance

    def once() -> None:
        name = chance.choice(list(files))
        with tempfile.TemporaryDirectory() as folder:
            judge(Path(folder), files | {name: makers[name].make()}, known)

    return once


def judge(folder: Path, files: dict[str, bytes], known: dict[int, Entry]) -> None:
    """Open a folder of these files; raise what is wrong."""
    for name, data in files.items():
        (folder / name).write_bytes(data)
    store = opened(folder)
    try:
        found, losses = everything(store)
        released = max(store.released, RELEASED)
    finally:
        store.close()
    for entry in found:
        # Of a source whose block is spoilt PBX and epoch are left.
        was = known.get(entry.sequence)
        told = was and entry._replace(source=was.source, recovered=False)
        if was is None or told != was or entry.source[:2] != was.source[:2]:
            raise AssertionError(f"nobody wrote {entry}")
    if any(one.sequence >= other.sequence for one, other in pairwise(found)):
        raise AssertionError("not in order")
    there = {entry.sequence for entry in found}
    last = max(there, default=0)
    for sequence, entry in known.items():
        if released < sequence < last and sequence not in there and not names(losses, entry):
            raise AssertionError(f"{sequence} is lost, and nothing says so")
