"""A capture goes down the road that live events take; the same file gives the same records.

What a clock would say is taken from the capture: a frame is received at its own Timestamp, or at the
last one before it, and the epoch is the first one in the file (else the file's own time). So a second
replay gives the same event ids, and consumers recognise it as a repeat.
"""

import asyncio
import re
from collections.abc import Iterable, Iterator
from datetime import tzinfo
from itertools import chain
from typing import Final

from connector.ami.framing import Framer
from connector.ami.message import Kind, kind_of, text_of
from connector.app.vertical import Shared, Vertical
from connector.edges.journal.memory import MemoryJournal
from connector.events.entry import Source
from connector.facts import EventDropped

_TIMESTAMP: Final = re.compile(rb"\r\nTimestamp: (\d{1,11})\.(\d{6})(?=\r\n|\Z)")
_PREFIX_BYTES: Final = 256
_HEAD_BYTES: Final = 1 << 16

_HELD: Final = 2_048
"""Entries that may wait for their acknowledgement before more of the file is read."""

_JOURNAL_BYTES: Final = 1 << 62
"""No bound: the file waits, which a PBX would not."""


class Capture:
    """A capture as frames with their times of receipt.

    Args:
        chunks: the bytes, cut anywhere.
        pbx: the name to put into the records.
        framer: cuts the bytes into frames.
        otherwise_us: the time of receipt where the capture tells none, in microseconds since 1970.
    """

    def __init__(self, chunks: Iterable[bytes], pbx: str, framer: Framer, otherwise_us: int) -> None:
        self._framer = framer
        self._chunks = iter(chunks)
        self._head = b""
        while (found := _TIMESTAMP.search(self._head)) is None and len(self._head) < _HEAD_BYTES:
            chunk = next(self._chunks, b"")
            self._head += chunk
            if not chunk:
                break
        self._now_us = _microseconds(found) if found else otherwise_us
        first_line = self._head.split(b"\r\n", 1)[0]
        greeting = text_of(first_line).partition("/")[2] if kind_of(first_line) is Kind.GREETING else None
        self.source = Source(pbx, self._now_us // 1000, ami_version=greeting)
        self.frames = 0
        self.answers = 0
        self._begun = False

    @property
    def torn(self) -> int:
        """Bytes of a message that the file does not end."""
        return len(self._framer.pending)

    def __iter__(self) -> Iterator[list[tuple[bytes, int]]]:
        """Yield the frames of one chunk after the other; not the answers to the recorder's own login."""
        for chunk in chain([self._head], self._chunks):
            timed = [(frame, self._time(frame)) for frame in self._framer.feed(chunk)]
            self.frames += len(timed)
            yield [(frame, at_us) for frame, at_us in timed if not self._answers_login(frame)]

    def _time(self, frame: bytes) -> int:
        found = _TIMESTAMP.search(frame, 0, _PREFIX_BYTES)
        if found:
            self._now_us = _microseconds(found)
        return self._now_us

    def _answers_login(self, frame: bytes) -> bool:
        """Say whether a frame is an answer before the first event, which only the login can have asked for."""
        kind = kind_of(frame)
        self._begun = self._begun or kind is Kind.EVENT
        if self._begun or kind is not Kind.RESPONSE:
            return False
        self.answers += 1
        return True


def _microseconds(timestamp: re.Match[bytes]) -> int:
    return int(timestamp[1] + timestamp[2])


async def replay(capture: Capture, zone: tzinfo | None, shared: Shared) -> None:
    """Send a capture down the road; returns when every record is acknowledged. `zone` is the PBX's timezone."""
    vertical = Vertical(capture.source, zone, shared, MemoryJournal(_JOURNAL_BYTES))
    delivering = asyncio.create_task(vertical.delivery.run())
    feeding = asyncio.create_task(_feed(capture, vertical, shared))
    await asyncio.wait((delivering, feeding), return_when=asyncio.FIRST_COMPLETED)
    for task in (delivering, feeding):
        task.cancel()
    for result in await asyncio.gather(delivering, feeding, return_exceptions=True):
        if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
            raise result


async def _feed(capture: Capture, vertical: Vertical, shared: Shared) -> None:
    for timed in filter(None, capture):
        entries = [entry for frame, at_us in timed for entry in vertical.intake.frames([frame], at_us)]
        vertical.journal.append(entries)
        await vertical.journal.down_to(_HELD)
    for _ in range(capture.answers):
        shared.telemetry(EventDropped(capture.source.pbx, "response", "an answer to whoever recorded"))
    await vertical.journal.down_to(0)
