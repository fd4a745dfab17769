"""Journals outside of `run`: which there are, and bringing what is in one to Kafka without a session at its PBX."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from connector.app.journals import Opened
from connector.app.running import open_journals
from connector.app.vertical import Shared, Vertical
from connector.errors import SettingsError
from connector.events.entry import Source
from connector.facts import EventsLost, Report
from connector.percent import path_part, unescaped
from connector.settings.sections import Settings

_LOOK_S: Final = 0.2
"""Between two looks at what reading has found to be lost."""


class Drained(NamedTuple):
    """What has become of a journal: records that Kafka has taken, losses that are told there, entries left at most."""

    pbx: str
    delivered: int
    losses: int
    left: int


def folders(settings: Settings) -> Mapping[str, Path]:
    """Return the journals' folders that are there, by PBX: those of the settings, and of PBXs that no longer are.

    Raises:
        SettingsError: no journal is on disk.
        OSError: the folder of all cannot be read.
    """
    if settings.journal.path is None:
        raise SettingsError("journal.path: must be set; without it journals are in memory")
    root = Path(settings.journal.path)
    usual = {path_part(name): name for name in settings.pbx}
    return {
        usual.get(path.name) or unescaped(path.name): path
        for path in sorted(root.iterdir())
        if (path / "released").is_file()
    }


async def drain(names: list[str], settings: Settings, shared: Shared, within_s: float) -> list[Drained]:
    """Deliver what is in the journals of PBXs, one after the other; all are taken before anything is delivered.

    Raises:
        JournalInUse: a connector has one of them.
        JournalError: one cannot be used.
    """
    kept = replace(settings, journal=replace(settings.journal, when_failing="stop"))
    opening = open_journals(kept, shared)
    opened: dict[str, Opened] = {}
    try:
        for name in names:
            opened[name] = opening(name)
        return [await _drain(name, settings, shared, opened.pop(name), within_s) for name in names]
    finally:
        for each in opened.values():
            if each.disk is not None:
                await each.disk.close()


async def _drain(name: str, settings: Settings, shared: Shared, opened: Opened, within_s: float) -> Drained:
    disk = opened.disk
    if disk is None:
        return Drained(name, 0, 0, 0)
    vertical = Vertical(Source(name, opened.epoch), settings.pbx[name].timezone, shared, disk)
    # The next start concludes from the last entry since when nobody has read: ours must not be newer.
    at_us = opened.last.received_us if opened.last else time.time_ns() // 1_000
    telling = _Losses(name, vertical, at_us, shared.telemetry)
    published = shared.telemetry.tally.published
    before = published.total()
    works = (disk.run(), vertical.delivery.run(), telling.until_empty())
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.wait(tasks, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        left = await disk.close()
    for end in ends:
        if isinstance(end, Exception):
            raise end
    return Drained(name, published.total() - before, telling.told, left)


class _Losses:
    """Has a record and the log tell of each loss that reading finds.

    Args:
        pbx: whose journal it is.
        vertical: the PBX's road.
        at_us: the time that the records get, in microseconds since 1970.
        report: told of each.
    """

    def __init__(self, pbx: str, vertical: Vertical, at_us: int, report: Report) -> None:
        self._pbx = pbx
        self._report = report
        self._vertical = vertical
        self._at_us = at_us
        self.told = 0

    async def until_empty(self) -> None:
        """Return when Kafka has all, these records too."""
        journal = self._vertical.journal
        while len(journal):
            try:
                async with asyncio.timeout(_LOOK_S):
                    await journal.down_to(0)
            except TimeoutError:
                pass
            while losses := journal.append([]):
                self.told += len(losses)
                for loss in losses:
                    self._report(EventsLost(self._pbx, loss.first, loss.last, loss.events, loss.reason))
                journal.append([self._vertical.intake.lost(loss, self._at_us) for loss in losses])
