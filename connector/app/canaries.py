"""Canaries at the PBXs whose settings ask for them, over the road back's sessions or over one of their own."""

import random
import secrets
from collections.abc import Callable, Coroutine, Iterator, Mapping
from functools import partial
from typing import Any, Final

from connector.app.opening import open_pbx
from connector.edges.pbx.pool import ActionPool
from connector.events.watching.canary import Canary
from connector.facts import Report
from connector.roads.link import Clock
from connector.roads.ports import Executor
from connector.roads.watch import Watch, Watched
from connector.settings import road_back
from connector.settings.sections import Settings

_NONCE_BYTES: Final = 16


def watches(
    settings: Settings,
    canaries: Mapping[str, Canary],
    sessions: Mapping[str, Watched],
    executor: Callable[[str], Executor] | None,
    report: Report,
) -> Iterator[Coroutine[Any, Any, None]]:
    """Give for each canary what sends it and sees to what it shows; it ends when it is cancelled.

    Args:
        settings: how often, and the accounts for actions.
        canaries: by PBX; who reads the events tells them what was seen.
        sessions: by PBX, those for events.
        executor: the road back's sessions for actions; None: it does not run, so each canary opens its own.
        report: told of those.
    """
    for name, canary in canaries.items():
        pbx = settings.pbx[name]
        if pbx.canary_s is None:
            continue
        watch = partial(
            Watch,
            canary,
            sessions[name],
            every_s=pbx.canary_s,
            within_s=pbx.canary_timeout_s,
            clock=Clock(random.random),
            nonce=partial(secrets.token_hex, _NONCE_BYTES),
        )
        yield watch(executor(name)).run() if executor else _alone(watch, _pool(settings, name, report))


async def _alone(watch: Callable[[Executor], Watch], pool: ActionPool) -> None:
    async with pool:
        await watch(pool).run()


def _pool(settings: Settings, name: str, report: Report) -> ActionPool:
    account = road_back.for_actions(settings, name)
    return ActionPool(open_pbx(name, account, settings.events.max_frame_bytes), 1, report)
