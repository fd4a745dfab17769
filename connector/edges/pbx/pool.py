"""The sessions for actions at one PBX.

Asterisk runs an action in its session's own thread: until the answer is whole the session can do
nothing else. So there are several, opened as they are needed, and each has one action at a time. They
hear no events, so what comes on them is an answer.

Originate and AGI are answered at once and done later, which an event tells. They go over a session of
their own that hears such events; it is free again with the Response, so that a thousand telephones
ring on one session.

A session on which an action was not answered in time is used no more: Asterisk may be stuck in that
action, and what it answers in the end could be taken for the answer to the next. It is closed once
no result of a call is awaited on it, and another is opened in its place.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from connector.ami.action import MAX_ACTION_ID, AmiAction, encode
from connector.ami.completion import later_event
from connector.ami.message import Kind as MessageKind
from connector.ami.message import kind_of, parse
from connector.ami.reach import Reach, Result
from connector.edges.pbx.asterisk import AsteriskPbx
from connector.edges.pbx.slots import Ears, Hold, Kind, Slots
from connector.errors import LinkLost
from connector.facts import Report, StrayAnswer

CALLS: Final = "call,agi"
"""What the session for calls hears: OriginateResponse has the class call, AsyncAGIExec agi."""

_SOME_ID: Final = "x" * MAX_ACTION_ID


class ActionPool:
    """Executes actions at one PBX for as long as its block lasts; it logs in when first asked.

    The account needs `allowmultiplelogin`, and in `read` the class call for Originate, agi for AGI.

    Args:
        pbx: where to log in, with the account for actions.
        sessions: how many may be open, beside the one for calls.
        report: told of sessions and of stray answers.
        link: told when there is no session any more and none can be had, and when there is one again.
    """

    def __init__(
        self, pbx: AsteriskPbx, sessions: int, report: Report, link: Callable[[bool], None] = lambda _: None
    ) -> None:
        self._name = pbx.name
        self._report = report
        self._link = link
        self._up = True
        self._reached: set[Slots] = set()
        ears = Ears(report, self._stray, self._look_up)
        self._plain = Slots(pbx, Kind("off", sessions), ears)
        self._calls = Slots(pbx, Kind(CALLS, 1), ears)
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        for slots in (self._plain, self._calls):
            slots.open(self._group)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await asyncio.gather(self._plain.close(), self._calls.close())
        finally:
            # What the block raises stays what it is; only a cancellation may be the group's own doing.
            own = kind is not None and issubclass(kind, asyncio.CancelledError)
            await self._group.__aexit__(*((kind, error, trace) if own else (None, None, None)))

    async def execute(self, action: AmiAction, look: Callable[[], bool], timeout_s: float) -> Result:
        """Send an action and return what became of it.

        It waits `timeout_s` seconds at most for a session, and as long for the whole answer. `look` is
        asked once, right before the first byte is written; where it says no, nothing is written. The
        pool gives the ActionID. No fault of the PBX raises.

        Raises:
            ActionError: the action must not go on the wire; nothing was written.
        """
        encode(action._replace(action_id=_SOME_ID))
        hold = await self._hold(self._calls if later_event(action) else self._plain, timeout_s)
        return hold if isinstance(hold, Result) else await _run(hold, action, look, timeout_s)

    async def _hold(self, slots: Slots, within: float) -> Hold | Result:
        loop = asyncio.get_running_loop()
        due = loop.time() + within
        while True:
            hold = await slots.take(max(due - loop.time(), 0.0))
            if isinstance(hold, Result) or hold.connection.usable:
                return hold
            # It ended between being given and being taken.
            hold.end(certain=True)

    def _look_up(self) -> None:
        both = {self._plain, self._calls}
        reached = {slots for slots in both if slots.up}
        if reached - self._reached:
            for slots in both - reached:
                slots.hurry()
        self._reached = reached
        up = bool(reached) or all(slots.up is None for slots in both)
        if up != self._up:
            self._up = up
            self._link(up)

    def _stray(self, frames: list[bytes], _: int) -> None:
        for frame in frames:
            if kind_of(frame) is MessageKind.RESPONSE:
                message = parse(frame)
                self._report(StrayAnswer(self._name, f"{message.headers[0][1]}: {message.get('Message')}"))


async def _run(hold: Hold, action: AmiAction, look: Callable[[], bool], timeout_s: float) -> Result:
    certain = True
    try:
        if not look():
            return Result(Reach.NOT_SENT, reason="it was not to be sent any more")
        with suppress(LinkLost):
            answer = hold.connection.begin(action, timeout_s, hold.release)
            certain = False
            result = await answer
            certain = result.reach is Reach.ANSWERED
            return result
        return Result(Reach.NOT_SENT, reason="the session ended")
    finally:
        hold.end(certain=certain)
