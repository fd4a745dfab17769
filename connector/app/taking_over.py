"""Taking over from a process that has the journals: a session at each PBX beside its own, until it has left.

The sessions come first, so that nothing is missed; then the journals, as they are given back; then each PBX's
stream is joined to what its journal ends with.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from connector.app.journals import Opened
from connector.app.opening import open_pbx
from connector.app.running import begin, open_journals
from connector.app.signals import Stop
from connector.app.vertical import Beginning, Shared
from connector.errors import JournalInUse
from connector.events.gaps.interruption import Interruption
from connector.events.gaps.joining import join
from connector.events.intake import RESTARTED
from connector.events.watching.delay import Delays
from connector.facts import Report, StreamApart, StreamJoined, TakeOverReady
from connector.roads.holding import Hold
from connector.roads.link import Clock
from connector.settings.sections import Settings

HELD_BYTES: Final = 64 << 20
"""About how much is held of a PBX: more than comes while the other process delivers its last."""

_LOOK_S: Final = 0.1
"""Seconds between two looks at the journals."""

_REMIND_S: Final = 60.0
"""Seconds after which it is said again that the other process may be stopped."""


@asynccontextmanager
async def taking_over(
    settings: Settings, shared: Shared, stop: Stop
) -> AsyncIterator[Mapping[str, Beginning] | None]:
    """Wait until every journal is ours, and give each PBX's beginning; None: told to stop before.

    Where a journal is nobody's, its PBX begins as at any start.

    Raises:
        JournalError: a journal cannot be used, and must be.
    """
    opening = open_journals(settings, shared)
    free = {name: opened for name in settings.pbx if (opened := _try(opening, name)) is not None}
    delays = {
        name: Delays(name, shared.telemetry, settings.connector.late_s)
        for name in settings.pbx
        if name not in free
    }
    holds = {
        name: Hold(
            open_pbx(name, settings.pbx[name], settings.events.max_frame_bytes, heard.pong),
            HELD_BYTES,
            shared.telemetry,
            Clock(random.random),
        )
        for name, heard in delays.items()
    }
    keeping = [hold.begin() for hold in holds.values()]
    work = asyncio.create_task(_taken(holds, opening, shared.telemetry))
    asked = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait([work, asked, *keeping], return_when=asyncio.FIRST_COMPLETED)
        for task in done - {work}:
            task.result()
        if asked in done:
            await _close([*free.values(), *(work.result().values() if work in done else ())])
            yield None
            return
        begun = {name: begin(opened) for name, opened in free.items()}
        for name, opened in work.result().items():
            joined = _joined(name, opened, holds[name], settings, shared)
            begun[name] = joined._replace(delays=delays[name])
        yield {name: begun[name] for name in settings.pbx}
    finally:
        work.cancel()
        asked.cancel()
        await asyncio.gather(*(hold.close() for hold in holds.values()))


async def _taken(
    holds: Mapping[str, Hold], opening: Callable[[str], Opened], report: Report
) -> dict[str, Opened]:
    """Return the journals of what is held, as soon as all of them are ours."""
    ours: dict[str, Opened] = {}
    if not holds:
        return ours
    await asyncio.gather(*(hold.tried.wait() for hold in holds.values()))
    begun = said = time.monotonic()
    up = _say(holds, 0.0, report)
    while len(ours) < len(holds):
        await asyncio.sleep(_LOOK_S)
        for name in holds.keys() - ours.keys():
            if (opened := _try(opening, name)) is not None:
                ours[name] = opened
        if up != _up(holds) or time.monotonic() - said >= _REMIND_S:
            said = time.monotonic()
            up = _say(holds, said - begun, report)
    return ours


def _say(holds: Mapping[str, Hold], waited_s: float, report: Report) -> int:
    """Say at how many PBXs there is a session, and return that."""
    up = _up(holds)
    report(TakeOverReady(up, len(holds), waited_s))
    return up


def _up(holds: Mapping[str, Hold]) -> int:
    return sum(hold.is_up for hold in holds.values())


async def _close(journals: Iterable[Opened]) -> None:
    for opened in journals:
        if opened.disk is not None:
            await opened.disk.close()


def _try(opening: Callable[[str], Opened], name: str) -> Opened | None:
    try:
        return opening(name)
    except JournalInUse:
        return None


def _joined(name: str, opened: Opened, hold: Hold, settings: Settings, shared: Shared) -> Beginning:
    """Join what is held of a PBX to what its journal ends with."""
    zone = settings.pbx[name].timezone
    read, discretion = shared.normaliser(zone).read, shared.discretion(zone)
    chosen = shared.selection.chosen

    def journaled(frame: bytes) -> bool:
        return read(frame).shape.schema in chosen

    joint = hold.join(lambda held: join(opened.latest(), held, journaled, discretion.form))
    if joint is None:
        return begin(opened)
    if opened.last is None:
        return Beginning(opened, None, hold)
    if joint.trouble:
        shared.telemetry(StreamApart(name, joint.trouble))
        return Beginning(opened, Interruption(joint.since_us, RESTARTED), hold)
    shared.telemetry(StreamJoined(name, sum(len(each.frames) for each in joint.reads)))
    return Beginning(opened, None, hold, joined=True)
