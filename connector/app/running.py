"""The roads, begun and ended in order: every PBX's from its socket to Kafka, and the road back."""

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from connector import __version__
from connector.app.canaries import watches
from connector.app.journals import Opened, open_journal
from connector.app.opening import open_pbx
from connector.app.resolving import EventLog
from connector.app.signals import Stop
from connector.app.vertical import Beginning, Roads, Shared, Vertical, Watching
from connector.edges.journal.disk import DiskJournal
from connector.edges.telemetry import Telemetry
from connector.events.entry import Entry, Source
from connector.events.gaps.interruption import Interruption
from connector.events.gaps.worth import Ranks
from connector.events.intake import RESTARTED, Intake
from connector.events.watching.delay import Delays
from connector.events.watching.heartbeat import Health
from connector.facts import EventsLost, JournalKept, Report
from connector.roads.link import Clock, Link
from connector.roads.ports import Executor
from connector.settings.road_back import actions
from connector.settings.sections import Connector, Settings

GRACE_S: Final = 10.0
"""Seconds that what was read has to reach Kafka once reading has stopped."""


class Running(Protocol):
    """The road back: it runs until it is stopped."""

    def watch(self, pbx: str, log: EventLog) -> None:
        """Have what is found out about the calls at a PBX published."""
        ...

    def executor(self, pbx: str) -> Executor:
        """Return the sessions for actions at a PBX."""
        ...

    async def run(self, grace_s: float) -> None:
        """Run; what is under way when it is stopped may take `grace_s` seconds more."""
        ...

    def stop(self) -> None:
        """End in order: `run` returns."""
        ...


async def run(
    settings: Settings,
    shared: Shared,
    stop: Stop,
    back: Running | None = None,
    begun: Mapping[str, Beginning] | None = None,
) -> None:
    """Bridge until told to stop: reading ends, what was read is delivered, then this returns.

    The road back ends first, so that the events of its last actions are still read. `begun` is what has
    been taken over, of every PBX.

    Raises:
        Exception: whatever no part of the roads foresees; everything is ended in order before.
    """
    if back is None:
        await _run_events(settings, shared, stop, None, begun)
        return
    then = Stop()
    events = asyncio.create_task(_run_events(settings, shared, then, back, begun))
    events.add_done_callback(lambda _: stop.ask("the events' road has ended"))
    try:
        await run_back(settings, back, stop, shared.roads)
    finally:
        then.ask("the road back has ended")
        await events


async def run_back(settings: Settings, back: Running, stop: Stop, roads: Roads) -> None:
    """Answer requests until told to stop: nothing new is begun, what was begun is answered, then this returns.

    Raises:
        BrokerError: nothing can be taken or committed any more.
    """
    answering = asyncio.create_task(back.run(actions(settings).drain_s))
    roads.tasks["actions"] = answering
    asked = asyncio.create_task(stop.wait())
    await asyncio.wait([answering, asked], return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    roads.stopping = True
    back.stop()
    await answering


async def _run_events(
    settings: Settings,
    shared: Shared,
    stop: Stop,
    back: Running | None,
    begun: Mapping[str, Beginning] | None,
) -> None:
    if begun is None:
        begun = _begin(settings, shared)
    verticals = {name: _vertical(name, settings, each, shared) for name, each in begun.items()}
    links = {
        name: _link(name, settings, vertical, begun[name], shared.telemetry)
        for name, vertical in verticals.items()
    }
    disks = {name: each.opened.disk for name, each in begun.items() if each.opened.disk is not None}
    if back is not None:
        for name, link in links.items():
            back.watch(name, EventLog(verticals[name].intake, link.append))
    for name, each in begun.items():
        _watch(each.opened, verticals[name].intake, links[name])
    reading = [asyncio.create_task(link.run()) for link in links.values()]
    delivering = [asyncio.create_task(vertical.delivery.run()) for vertical in verticals.values()]
    beating = [
        asyncio.create_task(_beat(settings.connector, vertical, links[name].append, shared.telemetry))
        for name, vertical in verticals.items()
    ]
    canaries = {name: each.canary for name, each in verticals.items() if each.canary is not None}
    executor = back.executor if back is not None else None
    beating += [
        asyncio.create_task(watching)
        for watching in watches(settings, canaries, links, executor, shared.telemetry)
    ]
    writing = [asyncio.create_task(disk.run()) for disk in disks.values()]
    asked = asyncio.create_task(stop.wait())
    shared.roads.verticals.update(verticals)
    for way, those in {"read": reading, "delivery": delivering}.items():
        shared.roads.tasks.update(zip((f"{name}: {way}" for name in links), those, strict=True))
    shared.roads.tasks.update(zip((f"{name}: journal" for name in disks), writing, strict=True))
    try:
        tasks = [asked, *reading, *delivering, *writing, *beating]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        asked.cancel()
        shared.roads.stopping = True
        for link in links.values():
            link.stop()
        ends = await _end(beating)
        ends += await asyncio.gather(*reading, return_exceptions=True)
        ends += await _drain(verticals, delivering)
        ends += await _end(writing)
        await _account(verticals, disks, shared.telemetry)
    for end in ends:
        if isinstance(end, Exception):
            raise end


def _watch(opened: Opened, intake: Intake, link: Link) -> None:
    """Have records tell of the journal's disk."""

    def tell(trouble: str | None) -> None:
        link.append([intake.journal(trouble, time.time_ns() // 1_000)])

    if opened.trouble is not None:
        tell(opened.trouble)
    if opened.disk is not None:
        opened.disk.watch(tell)


async def _beat(
    settings: Connector, vertical: Vertical, append: Callable[[Sequence[Entry]], None], telemetry: Telemetry
) -> None:
    """Say at intervals that the connector is alive, with a session at the PBX or without."""
    while True:
        await asyncio.sleep(settings.heartbeat_s)
        published = telemetry.tally.published.total()
        health = Health(vertical.journal.depth, published, settings.name, __version__)
        append([vertical.intake.heartbeat(health, time.time_ns() // 1_000)])


def _begin(settings: Settings, shared: Shared) -> dict[str, Beginning]:
    opening = open_journals(settings, shared)
    return {name: begin(opening(name)) for name in settings.pbx}


def open_journals(settings: Settings, shared: Shared) -> Callable[[str], Opened]:
    """Return what opens a PBX's journal, by its name."""
    kept = settings.journal
    rank = Ranks(shared.schemas, kept.expendable, kept.precious)
    return lambda name: open_journal(name, kept, rank, shared.epoch, shared.telemetry)


def begin(opened: Opened) -> Beginning:
    """Return the beginning of a PBX's vertical at which nobody has read since its journal was left."""
    return Beginning(opened, Interruption(opened.last.received_us, RESTARTED) if opened.last else None)


def _vertical(name: str, settings: Settings, begun: Beginning, shared: Shared) -> Vertical:
    pbx, opened = settings.pbx[name], begun.opened
    delays = begun.delays or Delays(name, shared.telemetry, settings.connector.late_s)
    vertical = Vertical(
        Source(name, opened.epoch),
        pbx.timezone,
        shared,
        opened.journal,
        begun.interruption,
        watching=Watching(pbx.sequence_audit, delays, pbx.canary_timeout_s if pbx.canary_s else None),
    )
    if opened.memory is not None:
        vertical.intake.recall(opened.memory, opened.since)
    if opened.disk is not None:
        opened.disk.remember(vertical.intake.memory)
    return vertical


def _link(name: str, settings: Settings, vertical: Vertical, begun: Beginning, report: Report) -> Link:
    pbx = settings.pbx[name]
    return Link(
        begun.hold or open_pbx(name, pbx, settings.events.max_frame_bytes, vertical.delays.pong),
        vertical.intake,
        vertical.journal,
        begun.opened.epoch,
        report,
        clock=Clock(random.random),
        lists=() if pbx.snapshot == "off" else vertical.lists,
        joined=begun.joined,
    )


async def _drain(
    verticals: dict[str, Vertical], delivering: Sequence["asyncio.Task[None]"]
) -> list[BaseException | None]:
    """Give what was read its time to reach Kafka, unless delivery itself has failed."""
    empty = asyncio.create_task(_empty(verticals))
    await asyncio.wait([empty, *delivering], timeout=GRACE_S, return_when=asyncio.FIRST_COMPLETED)
    return await _end([empty, *delivering])


async def _end(tasks: Sequence["asyncio.Task[None]"]) -> list[BaseException | None]:
    """Cancel tasks, and return what else has ended them."""
    for task in tasks:
        task.cancel()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    return [end for end in ends if isinstance(end, Exception)]


async def _empty(verticals: dict[str, Vertical]) -> None:
    for vertical in verticals.values():
        await vertical.journal.down_to(0)


async def _account(verticals: dict[str, Vertical], disks: dict[str, DiskJournal], report: Report) -> None:
    """Name what has not reached Kafka."""
    for name, vertical in verticals.items():
        left = len(vertical.journal)
        disk = disks.get(name)
        if disk is not None:
            if kept := await disk.close():
                report(JournalKept(name, kept))
        elif left:
            _, entries = await vertical.journal.read(0, left)
            first, last = entries[0].sequence, entries[-1].sequence
            report(EventsLost(name, first, last, left, "stopped before Kafka took them"))
