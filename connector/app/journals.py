"""Opening a PBX's journal as the settings say: in memory, or on disk with what an earlier start left there."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from connector.edges.journal.disk import DiskJournal, Policy
from connector.edges.journal.memory import MemoryJournal
from connector.edges.journal.store import Bounds, Store, Worth
from connector.errors import JournalError
from connector.events.entry import Entry
from connector.events.gaps.worth import MOST
from connector.events.watching.heartbeat import Depth
from connector.facts import JournalFailed, JournalFound, Report
from connector.percent import path_part
from connector.roads.ports import Journal
from connector.settings import sections

_LATEST: Final = 65_536
"""Entries among which another process's stream is looked for: of a second or more, at any rate."""


class Held(Journal, Protocol):
    """A journal whose emptying can be waited for."""

    def __len__(self) -> int:
        """Return how many entries are held, at most."""
        ...

    @property
    def depth(self) -> Depth:
        """What waits for Kafka."""
        ...

    async def down_to(self, entries: int) -> None:
        """Wait until no more than so many entries are held."""
        ...


class Opened(NamedTuple):
    """A journal, the epoch of this start, and the last entry of the start before, if it is known.

    `disk` is the journal where it is on disk: it must run, and be closed. `memory` is what the start
    before has kept for this one's intake, `since` what it has journaled after that; `latest` gives what
    it has journaled last. `trouble` is why it is in memory though it should be on disk.
    """

    journal: Held
    epoch: int
    last: Entry | None = None
    disk: DiskJournal | None = None
    memory: bytes | None = None
    since: Iterable[Entry] = ()
    latest: Callable[[], Iterable[Entry]] = tuple
    trouble: str | None = None


def open_journal(
    pbx: str, settings: sections.Journal, rank: Callable[[Entry], int], now_ms: int, report: Report
) -> Opened:
    """Open a PBX's journal.

    Args:
        pbx: its name.
        settings: the table of the settings.
        rank: what an entry is worth.
        now_ms: the epoch where no earlier one is known.
        report: told what is found, and where the disk fails.

    Raises:
        JournalInUse: the folder is another process's.
        JournalError: it cannot be used, and must be.
    """
    if settings.path is None:
        return Opened(MemoryJournal(settings.bound), now_ms)
    folder = Path(settings.path) / path_part(pbx)
    try:
        store = Store(folder, pbx, Bounds(settings.bound, min(settings.bound // 16, 8 << 20)))
        epoch = store.next_epoch(now_ms)
    except OSError as error:
        reason = f"{error.filename or folder}: {error.strerror}"
        if settings.when_failing == "stop":
            raise JournalError(f"journal.path: {reason}") from error
        report(JournalFailed(pbx, reason, None))
        return Opened(MemoryJournal(settings.bound), now_ms, trouble=reason)
    policy = Policy(
        memory_bytes=min(settings.memory_bytes, settings.bound // 8),
        sync_s=settings.sync_s,
        worth=Worth(rank, MOST),
        survives=settings.when_failing == "memory",
    )
    journal = DiskJournal(pbx, store, policy, report)
    found = store.opened
    if found.entry is not None:
        report(JournalFound(pbx, str(folder), store.size if found.last > store.released else 0))
    return Opened(
        journal,
        epoch,
        found.entry,
        journal,
        found.memory,
        store.since_memory(),
        lambda: store.latest(_LATEST),
    )
