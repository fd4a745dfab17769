"""One login at a PBX as a machine: bytes and the clock go in, steps come out.

    GREETING -> CHALLENGE -> LOGIN -> FILTERS -> SETTINGS -> READY -> LEAVING -> OVER
                (MD5 only)            (if any)

Each state has a deadline; READY has the ping's. The machine never waits for FullyBooted: an account
without class `system` does not get it. Messages read before READY are held and follow it, so that
whoever takes them knows the versions of the PBX first. `now` is in seconds, of a clock that never
steps back.
"""

import hashlib
import math
from collections.abc import Sequence
from enum import Enum, auto
from typing import Final

from connector.ami.action import AmiAction
from connector.ami.completion import Answer
from connector.ami.framing import Framer
from connector.ami.message import Kind, kind_of, text_of
from connector.ami.questions import Questions
from connector.ami.steps import (
    Account,
    Answered,
    Deadlines,
    Left,
    Lost,
    Messages,
    Ready,
    Refused,
    Send,
    Step,
    Welcome,
)

_GREETING: Final = b"Asterisk Call Manager/"


class _State(Enum):
    GREETING = auto()
    CHALLENGE = auto()
    LOGIN = auto()
    FILTERS = auto()
    SETTINGS = auto()
    READY = auto()
    LEAVING = auto()
    OVER = auto()


_WAITS_FOR: Final = {
    _State.GREETING: "no greeting from the PBX: is this its AMI port, and plain or TLS as set",
    _State.CHALLENGE: "no answer to the challenge for the login",
    _State.LOGIN: "no answer to the login",
    _State.FILTERS: "no answer to a Filter action",
}


class Session:
    """One login from its first byte to its last.

    Args:
        account: who logs in.
        now: the instant at which the connection was made.
        deadlines: how long each step may take.
        tag: what the ActionIDs begin with, so that other sessions' are told from ours.
    """

    def __init__(
        self, account: Account, now: float, deadlines: Deadlines = Deadlines(), tag: str = "connector"
    ) -> None:
        self._account = account
        self._deadlines = deadlines
        self._questions = Questions(tag)
        self._framer = Framer(account.max_frame)
        self._state = _State.GREETING
        self._due = now + deadlines.greeting
        self._heard = now
        self._own = ""
        self._welcome = Welcome("")
        self._filters = list(account.filters)
        self._held: list[bytes] = []
        self._steps: list[Step] = []

    @property
    def due(self) -> float:
        """Return the instant at which `tick` has to be called at the latest; it may move on unnoticed."""
        return min(self._deadline(), self._questions.due)

    def receive(self, data: bytes, now: float) -> Sequence[Step]:
        """Take what a read gave."""
        self._heard = now
        frames = self._framer.feed(data)
        if self._state is _State.READY and not self._questions.listing:
            # The hot path: a chunk of events alone passes as it is.
            for frame in frames:
                if not frame.startswith(b"Event: "):
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
        late = self._questions.expired(now)
        self._steps += [Answered(action_id, None) for action_id in late if action_id != self._own]
        if now >= self._deadline():
            self._overdue(now)
        return self._drain()

    def ask(self, action: AmiAction, now: float, within: float) -> tuple[str, Sequence[Step]]:
        """Send an action once READY; return its ActionID, under which `Answered` will come.

        Raises:
            ActionError: the action must not go on the wire.
        """
        action_id, data = self._questions.ask(action, now + within)
        return action_id, (Send(data),)

    def leave(self, now: float) -> Sequence[Step]:
        """Log off; reading goes on until the PBX has said goodbye."""
        if self._state is _State.READY:
            self._ask_own(_State.LEAVING, AmiAction("Logoff"), now, self._deadlines.farewell)
        else:
            self._end(Left())
        return self._drain()

    def closed(self, cause: str = "") -> Sequence[Step]:
        """Take the news that the connection is closed, and why if that is known."""
        if self._state is _State.LEAVING:
            self._end(Left())
        elif self._state is _State.GREETING:
            hint = "has it reached authlimit in manager.conf, or is the port TLS"
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
        if self._state is _State.OVER:
            return math.inf
        if self._state is _State.READY and self._own:
            return max(self._due, self._heard + self._deadlines.pong)
        return self._due

    def _overdue(self, now: float) -> None:
        if self._state is _State.READY:
            if self._own:
                self._end(Lost(f"the PBX is silent: not a byte for {now - self._heard:.0f} s, nor a pong"))
            else:
                self._ask_own(_State.READY, AmiAction("Ping"), now, self._deadlines.pong)
        elif self._state is _State.SETTINGS:
            self._ready(now)
        elif self._state is _State.LEAVING:
            self._end(Left())
        else:
            self._end(Lost(_WAITS_FOR[self._state]))

    def _recognise(self, head: bytes) -> None:
        if not (head.startswith(_GREETING) or _GREETING.startswith(head)):
            self._end(Lost(f"what answers there is not Asterisk's manager: it begins with {head[:32]!r}"))

    def _sort(self, frame: bytes, now: float) -> None:
        if self._state is _State.OVER:
            return
        if self._state is _State.GREETING:
            self._greeted(text_of(frame), now)
            return
        part = None
        if kind_of(frame) is Kind.RESPONSE or self._questions.listing:
            part = self._questions.take(frame)
        if part is None or part.public:
            self._pass(frame)
        if part is None or part.answer is None:
            return
        if part.action_id == self._own:
            self._own = ""
            self._advance(part.answer, now)
        else:
            self._steps.append(Answered(part.action_id, part.answer))

    def _pass(self, frame: bytes) -> None:
        if self._state not in {_State.READY, _State.LEAVING}:
            self._held.append(frame)
        elif self._steps and isinstance(self._steps[-1], Messages):
            self._steps[-1].frames.append(frame)
        else:
            self._steps.append(Messages([frame]))

    def _greeted(self, greeting: str, now: float) -> None:
        self._welcome = Welcome(ami_version=greeting.partition("/")[2].strip())
        if self._account.md5:
            challenge = AmiAction("Challenge", (("AuthType", "MD5"),))
            self._ask_own(_State.CHALLENGE, challenge, now, self._deadlines.login)
        else:
            self._log_in((("Secret", self._account.secret),), now)

    def _advance(self, answer: Answer, now: float) -> None:
        """Go on with the answer to what the machine itself has asked."""
        if self._state in {_State.CHALLENGE, _State.LOGIN, _State.FILTERS} and not answer.success:
            self._refused(answer.response.get("Message"))
        elif self._state is _State.CHALLENGE:
            proof = (answer.response.get("Challenge") + self._account.secret).encode()
            key = hashlib.md5(proof, usedforsecurity=False).hexdigest()
            self._log_in((("AuthType", "MD5"), ("Key", key)), now)
        elif self._state in {_State.LOGIN, _State.FILTERS}:
            self._configure(now)
        elif self._state is _State.SETTINGS:
            self._learn(answer)
            self._ready(now)
        elif self._state is _State.READY:
            self._due = now + self._deadlines.ping_every
        elif self._state is _State.LEAVING:
            self._end(Left())
