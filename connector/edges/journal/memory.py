"""The journal in memory: what is read and not yet in Kafka, bounded, gone with the process."""

import asyncio
from collections.abc import Sequence

from connector.edges.journal.tail import Tail
from connector.events.entry import Entry
from connector.events.gaps.losses import GivenUp, let_go
from connector.events.watching.heartbeat import Depth


class MemoryJournal:
    """One PBX's journal, within about `max_bytes` of memory.

    At the limit the oldest entries that are not yet on their way to Kafka are given up. In its upper
    half entries are kept without their parsed frames, which are several times as large.
    """

    def __init__(self, max_bytes: int) -> None:
        self._tail = Tail(max_bytes)
        self._arrived = asyncio.Event()
        self._released = asyncio.Event()

    def append(self, entries: Sequence[Entry]) -> Sequence[GivenUp]:
        """Take entries without waiting; at the limit, say what was let go for them."""
        if not entries:
            return ()
        self._tail.append(entries)
        self._arrived.set()
        return let_go(self._tail.give_up()) if self._tail.is_full else ()

    async def read(self, after: int, limit: int) -> tuple[int, Sequence[Entry]]:
        """Return up to `limit` entries behind position `after`, and the last one's position.

        Waits until there is one. An `after` before what was read last goes back to it.
        """
        while True:
            position, found = self._tail.take(after, limit)
            if found:
                return position, found
            self._arrived.clear()
            await self._arrived.wait()

    async def kept(self, through: int) -> None:
        """Return at once: nothing here becomes any safer."""

    def release(self, through: int) -> None:
        """Let go of everything up to and including position `through`."""
        self._tail.release(through)
        self._released.set()

    async def down_to(self, entries: int) -> None:
        """Wait until no more than so many entries are held."""
        while len(self) > entries:
            self._released.clear()
            await self._released.wait()

    @property
    def depth(self) -> Depth:
        """What waits for Kafka."""
        oldest = self._tail.oldest
        return Depth(len(self), self._tail.bytes, oldest.received_us if oldest else None)

    def __len__(self) -> int:
        """How many entries are held."""
        return len(self._tail)
