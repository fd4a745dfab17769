"""One session at a PBX as a machine: bytes and the clock go in, steps come out.

    GREETING -> LOGIN -> READY -> LEAVING -> OVER

Each state has a deadline; READY has the Ping's. The machine never waits for FullyBooted: an account
without class `system` does not get it. Messages read before READY are held and follow it, so that
whoever takes them knows the versions of the PBX first. `now` is in seconds, of a clock that never
steps back.
"""

import math
from collections.abc import Sequence
from enum import Enum, auto
from typing import Final

from connector.ami.action import AmiAction
from connector.ami.clock import Pong, clock_us
from connector.ami.completion import Answer
from connector.ami.framing import Framer
from connector.ami.login import log_in, welcome
from connector.ami.message import Kind, kind_of, text_of
from connector.ami.questions import Questions
from connector.ami.reach import Result
from connector.ami.steps import (
    Accepted,
    Account,
    Answered,
    Deadlines,
    Items,
    Left,
    Lost,
    Messages,
    Ready,
    Refused,
    Send,
    Step,
    Welcome,
)
from connector.errors import ActionError, LinkLost, LoginRefused

_GREETING: Final = b"Asterisk Call Manager/"


class _State(Enum):
    GREETING = auto()
    LOGIN = auto()
    READY = auto()
    LEAVING = auto()
    OVER = auto()


class Session:
    """One login from its first byte to its last.

    Args:
        account: who logs in.
        deadlines: how long each step may take.
        tag: what the ActionIDs begin with, so that other sessions' are told from ours.
    """

    def __init__(self, account: Account, deadlines: Deadlines, tag: str) -> None:
        self._deadlines = deadlines
        self._dialogue = log_in(account)
        self._asks_clock = account.asks_start
        self._greeting = ""
        self._questions = Questions(tag, alone=account.events == "off")
        self._framer = Framer(account.max_frame)
        self._state = _State.GREETING
        self._due = math.inf
        self._heard = -math.inf
        self._pinged = -math.inf
        self._own = ""
        self._held: list[bytes] = []
        self._steps: list[Step] = []

    @property
    def due(self) -> float:
        """Return the instant at which `tick` is to be called; it may move on without being said."""
        return min(self._deadline(), self._questions.due)

    def opened(self, now: float) -> None:
        """Take the news that there is a connection: the PBX speaks first."""
        self._due = now + self._deadlines.greeting

    def receive(self, data: bytes, now: float) -> Sequence[Step]:
        """Take what a read gave."""
        self._heard = now
        frames = self._framer.feed(data)
        if self._state is _State.READY and not self._questions.listing:
            # The hot path: a chunk of events alone passes as it is.
            watched = self._questions.watched
            for frame in frames:
                if not frame.startswith(b"Event: ") or frame.startswith(watched):
                    break
            else:
                return (Messages(frames),) if frames else ()
        if self._state is _State.GREETING:
            self._recognise(frames[0] if frames else self._framer.pending)
        for frame in frames:
            self._sort(frame, now)
        return self._drain()

    def tick(self, now: float) -> Sequence[Step]:
        """Look at the clock: send a Ping, give up on what is late."""
        if now >= self._deadline():
            self._overdue(now)
        self._steps += [Answered(*late) for late in self._questions.expired(now)]
        return self._drain()

    def ask(
        self, action: AmiAction, now: float, within: float, *, streamed: bool = False
    ) -> tuple[str, Sequence[Step]]:
        """Send an action once READY; return the ActionID under which `Answered` will come.

        Where `streamed`, the items of its list come before that as `Items`, in the order of reading.

        Raises:
            ActionError: the action must not go on the wire.
        """
        action_id, data = self._questions.ask(action, now, within, streamed=streamed)
        return action_id, (Send(data),)

    def leave(self, now: float) -> Sequence[Step]:
        """Log off; reading goes on until the PBX has said goodbye."""
        if self._state is _State.READY:
            self._state = _State.LEAVING
            self._due = now + self._deadlines.farewell
            self._ask_own(AmiAction("Logoff"))
        elif self._state is not _State.LEAVING:
            self._end(Left())
        return self._drain()

    def closed(self, cause: str = "") -> Sequence[Step]:
        """Take the news that the connection is closed, and why if that is known."""
        if self._state is _State.LEAVING:
            self._end(Left())
        elif self._state is _State.GREETING:
            hint = "has it reached authlimit in manager.conf, or does the port speak TLS?"
            self._end(Lost(f"the PBX closed the connection without a greeting: {cause or hint}"))
        else:
            when = "" if self._state is _State.READY else " during the login"
            torn = len(self._framer.pending)
            tail = f", {torn} bytes into a message" if torn else ""
            self._end(Lost(f"the PBX closed the connection{when}{tail}{cause and f': {cause}'}"))
        return self._drain()

    def _drain(self) -> Sequence[Step]:
        steps, self._steps = self._steps, []
        return steps

    def _deadline(self) -> float:
        if self._state is _State.READY and self._own:
            return max(self._due, self._heard + self._deadlines.pong)
        if self._state is _State.READY and self._questions.held:
            # Asterisk reads no Ping before it is done with the action, which has a deadline of its own.
            return math.inf
        return math.inf if self._state is _State.OVER else self._due

    def _overdue(self, now: float) -> None:
        if self._state is _State.GREETING:
            hint = "is this its AMI port, and plain or TLS as set?"
            self._end(Lost(f"no greeting in {self._deadlines.greeting:g} s: {hint}"))
        elif self._state is _State.LOGIN:
            self._advance(None, now)
        elif self._state is _State.LEAVING:
            self._end(Left())
        elif self._own:
            self._end(Lost(f"the PBX is silent: a Ping and {now - self._heard:.0f} s without a byte"))
        else:
            self._ping(now)

    def _recognise(self, head: bytes) -> None:
        if not (head.startswith(_GREETING) or _GREETING.startswith(head)):
            self._end(Lost(f"what answers there is not Asterisk's manager: it begins with {head[:32]!r}"))

    def _sort(self, frame: bytes, now: float) -> None:
        if self._state is _State.OVER:
            return
        if self._state is _State.GREETING:
            self._state = _State.LOGIN
            self._greeting = text_of(frame)
            self._advance(None, now)
            return
        part = None
        if (
            kind_of(frame) is Kind.RESPONSE
            or self._questions.listing
            or frame.startswith(self._questions.watched)
        ):
            part = self._questions.take(frame)
        if part is None or part.public:
            self._pass(frame)
        elif part.item:
            self._hand_on(part.action_id, frame)
        if part is not None and part.accepted:
            self._steps.append(Accepted(part.action_id))
        if part is not None and part.result is not None:
            self._answered(part.action_id, part.result, now)

    def _pass(self, frame: bytes) -> None:
        if self._state is _State.LOGIN:
            self._held.append(frame)
        elif self._steps and isinstance(last := self._steps[-1], Messages):
            last.frames.append(frame)
        else:
            self._steps.append(Messages([frame]))

    def _hand_on(self, action_id: str, item: bytes) -> None:
        if self._steps and isinstance(last := self._steps[-1], Items) and last.action_id == action_id:
            last.frames.append(item)
        else:
            self._steps.append(Items(action_id, [item]))

    def _answered(self, action_id: str, result: Result, now: float) -> None:
        if action_id != self._own:
            self._steps.append(Answered(action_id, result))
        elif self._state is _State.LOGIN:
            self._advance(result.answer, now)
        elif self._state is _State.LEAVING:
            self._end(Left())
        else:
            self._own = ""
            self._due = now + self._deadlines.ping_every
            self._ponged(result.answer, now)

    def _advance(self, answer: Answer | None, now: float) -> None:
        """Take the dialogue of the login to its next question, or to its end."""
        self._questions.give_up(self._own)
        try:
            ask = self._dialogue.send(answer)
            self._due = now + (self._deadlines.settings if ask.optional else self._deadlines.login)
            self._ask_own(ask.action)
        except StopIteration as end:
            self._ready(welcome(self._greeting, end.value, self._held), now)
        except (LoginRefused, ActionError) as refusal:
            self._end(Refused(str(refusal)))
        except LinkLost as loss:
            self._end(Lost(str(loss)))

    def _ready(self, told: Welcome, now: float) -> None:
        self._state, self._own = _State.READY, ""
        self._due = now + self._deadlines.ping_every
        self._steps.append(Ready(told))
        if self._held:
            self._steps.append(Messages(self._held))
        if self._asks_clock:
            self._ping(now)

    def _ping(self, now: float) -> None:
        self._pinged, self._due = now, now + self._deadlines.pong
        self._ask_own(AmiAction("Ping"))

    def _ponged(self, answer: Answer | None, now: float) -> None:
        clock = clock_us(answer.response.get("Timestamp").encode()) if answer else None
        if clock is not None:
            self._steps.append(Pong(clock, int((now - self._pinged) * 1_000_000)))

    def _ask_own(self, action: AmiAction) -> None:
        # One question of its own at a time, and the machine minds its deadline itself.
        self._questions.give_up(self._own)
        self._own, data = self._questions.ask_own(action)
        self._steps.append(Send(data))

    def _end(self, step: Refused | Lost | Left) -> None:
        if self._state is _State.OVER:
            return
        self._state = _State.OVER
        self._questions.forget(self._own)
        reason = "logged off" if isinstance(step, Left) else step.reason
        self._steps += [Answered(*left) for left in self._questions.abandoned(reason)]
        self._steps.append(step)
