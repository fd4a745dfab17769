"""Every PBX's road from its socket to Kafka, begun and ended in order."""

import asyncio
import random
from collections.abc import Sequence
from typing import Final

from connector.app.signals import Stop
from connector.app.vertical import Shared, Vertical
from connector.edges.pbx import Address, AsteriskPbx, tls_context
from connector.errors import SettingsError
from connector.events.entry import Source
from connector.facts import EventsLost
from connector.roads.link import Clock, Link
from connector.settings.sections import Pbx, Settings

GRACE_S: Final = 10.0
"""Seconds that what was read has to reach Kafka once reading has stopped."""


async def run(settings: Settings, shared: Shared, stop: Stop) -> None:
    """Bridge until told to stop: reading ends, what was read is delivered, then this returns.

    Raises:
        Exception: whatever no part of the road foresees; everything is ended in order before.
    """
    verticals = {name: _vertical(name, pbx, settings, shared) for name, pbx in settings.pbx.items()}
    links = [
        _link(name, settings.pbx[name], settings, vertical, shared) for name, vertical in verticals.items()
    ]
    reading = [asyncio.create_task(link.run()) for link in links]
    delivering = [asyncio.create_task(vertical.delivery.run()) for vertical in verticals.values()]
    asked = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([asked, *reading, *delivering], return_when=asyncio.FIRST_COMPLETED)
    finally:
        asked.cancel()
        for link in links:
            link.stop()
        ends = await asyncio.gather(*reading, return_exceptions=True)
        ends += await _drain(verticals, delivering)
        await _account(verticals, shared)
    for end in ends:
        if isinstance(end, Exception):
            raise end


def _vertical(name: str, pbx: Pbx, settings: Settings, shared: Shared) -> Vertical:
    return Vertical(Source(name, 0), pbx.timezone, shared, settings.journal.max_bytes)


def _link(name: str, pbx: Pbx, settings: Settings, vertical: Vertical, shared: Shared) -> Link:
    return Link(
        open_pbx(name, pbx, settings.events.max_frame_bytes),
        vertical.intake,
        vertical.journal,
        shared.epoch,
        shared.telemetry,
        clock=Clock(random.random),
    )


def open_pbx(name: str, pbx: Pbx, max_frame: int) -> AsteriskPbx:
    """Return a PBX that can be logged in at.

    Raises:
        SettingsError: the file of its authority cannot be read.
    """
    context = None
    if pbx.tls:
        try:
            context = tls_context(pbx.tls.ca_file, pbx.tls.server_name, verify=pbx.tls.verify)
        except OSError as error:
            raise SettingsError(f"pbx.{name}.tls.ca_file: {error}") from error
    addresses = [Address(host, port, context) for host, port in pbx.addresses]
    return AsteriskPbx(name, addresses, pbx.account(max_frame), pbx.deadlines)


async def _drain(
    verticals: dict[str, Vertical], delivering: Sequence["asyncio.Task[None]"]
) -> list[BaseException | None]:
    """Give what was read its time to reach Kafka, unless delivery itself has failed."""
    empty = asyncio.create_task(_empty(verticals))
    await asyncio.wait([empty, *delivering], timeout=GRACE_S, return_when=asyncio.FIRST_COMPLETED)
    for task in (empty, *delivering):
        task.cancel()
    ends = await asyncio.gather(empty, *delivering, return_exceptions=True)
    return [end for end in ends if isinstance(end, Exception)]


async def _empty(verticals: dict[str, Vertical]) -> None:
    for vertical in verticals.values():
        await vertical.journal.down_to(0)


async def _account(verticals: dict[str, Vertical], shared: Shared) -> None:
    """Name what has not reached Kafka."""
    for name, vertical in verticals.items():
        if left := len(vertical.journal):
            _, entries = await vertical.journal.read(0, left)
            first, last = entries[0].sequence, entries[-1].sequence
            shared.telemetry(EventsLost(name, first, last, left, "stopped before Kafka took them"))
