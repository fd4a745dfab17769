"""Journals for the events' road: in memory, in segment files, and in SQLite, the store that was weighed against files."""

import asyncio
import json
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

from connector.edges.journal.cursor import Found
from connector.edges.journal.disk import DiskJournal, Policy
from connector.edges.journal.memory import MemoryJournal
from connector.edges.journal.store import Bounds, Opened, Store, Worth
from connector.events.entry import Entry, Flaw, Origin, Source
from connector.events.gaps.losses import GivenUp
from connector.events.gaps.worth import MOST
from connector.facts import Report

_POLICY = Policy(memory_bytes=16 << 20, sync_s=1.0, worth=Worth(lambda _: 1, MOST), survives=False)


class SqliteStore:
    """What `Store` does for the road, in SQLite: one transaction for each group, write-ahead log, normal sync."""

    def __init__(self, path: Path) -> None:
        self._rows = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._rows.execute("PRAGMA journal_mode=WAL")
        self._rows.execute("PRAGMA synchronous=NORMAL")
        self._rows.execute(
            "CREATE TABLE entries (position INTEGER PRIMARY KEY, source TEXT, sequence INTEGER,"
            " received_us INTEGER, odd TEXT, root TEXT, frame BLOB)"
        )
        self.opened = Opened(0, None)
        self.written = self.released = 0
        self.is_synced = True

    def pack(self, first: int, entries: Sequence[Entry]) -> tuple[int, list[tuple[object, ...]]]:
        return first + len(entries) - 1, [*self._told(first, entries)]

    def write(self, group: tuple[int, list[tuple[object, ...]]]) -> None:
        last, rows = group
        self._rows.execute("BEGIN")
        self._rows.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        self._rows.execute("COMMIT")
        self.written = last

    def sync(self) -> None:
        """Leave it to SQLite."""

    def read(self, after: int, limit: int, below: int) -> Found:
        query = "SELECT * FROM entries WHERE position > ? AND position < ? ORDER BY position LIMIT ?"
        rows = self._rows.execute(query, (after, below, limit)).fetchall()
        return Found(rows[-1][0] if rows else below - 1, [*map(self._entry, rows)], [])

    def release(self, through: int) -> None:
        self._rows.execute("DELETE FROM entries WHERE position <= ?", (through,))
        self.released = through

    def purge(self, behind: int, before: int, worth: Worth) -> Iterator[GivenUp]:
        del behind, before, worth
        return iter(())

    def close(self) -> None:
        self._rows.close()

    def _told(self, first: int, entries: Sequence[Entry]) -> Iterator[tuple[object, ...]]:
        known: dict[int, str] = {}
        for position, entry in enumerate(entries, first):
            source = known.get(id(entry.source))
            if source is None:
                source = known[id(entry.source)] = json.dumps(entry.source)
            plain = entry.origin is Origin.AMI and entry.flaw is None
            odd = None if plain else json.dumps([entry.origin, entry.flaw])
            yield position, source, entry.sequence, entry.received_us, odd, entry.root, bytes(entry.frame)

    def _entry(self, row: tuple[int, str, int, int, str | None, str | None, bytes]) -> Entry:
        _, source, sequence, received_us, odd, root, frame = row
        origin, flaw = json.loads(odd) if odd else (Origin.AMI, None)
        who = Source(*json.loads(source))
        return Entry(who, sequence, received_us, Origin(origin), root, frame, flaw and Flaw(*flaw))


@asynccontextmanager
async def opened(kind: str, report: Report) -> AsyncIterator[MemoryJournal | DiskJournal]:
    """Open a journal of a kind: `memory`, `segments` or `sqlite`."""
    if kind == "memory":
        yield MemoryJournal(1 << 30)
        return
    with tempfile.TemporaryDirectory(prefix="ami-kafka-bench-") as folder:
        path = Path(folder)
        # The one that was not chosen has the other's methods, as far as the road needs them.
        store = (
            Store(path, "pbx", Bounds(4 << 30))
            if kind == "segments"
            else cast(Store, SqliteStore(path / "journal.db"))
        )
        journal = DiskJournal("pbx", store, _POLICY, report)
        writing = asyncio.create_task(journal.run())
        try:
            yield journal
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            await journal.close()
