"""What was asked on a session and is not answered yet."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from connector.ami.action import AmiAction, encode, encode_own
from connector.ami.completion import LATER, Completion, traceable
from connector.ami.framing import Oversize
from connector.ami.message import AmiMessage, Kind, kind_of, parse
from connector.ami.reach import Reach, Result

_NONE: Final[tuple[bytes, ...]] = ()


class Part(NamedTuple):
    """A message that belongs to an answer; `result` once that is whole.

    `accepted` where it is the Response to an action whose result is an event that comes later;
    `public` where it is such an event, which is for everybody; `item` where it belongs to a list that
    is handed on as it comes.
    """

    action_id: str
    result: Result | None
    accepted: bool = False
    public: bool = False
    item: bool = False


@dataclass(slots=True)
class _Question:
    """`within` is in seconds, infinite for what the session asks for itself; `note` is to be said of the answer.

    `streamed`: the items of its list are handed on as they come.
    """

    completion: Completion
    within: float
    due: float
    streamed: bool = False
    note: str = ""

    @property
    def own(self) -> bool:
        return math.isinf(self.within)

    def unanswered(self, reason: str, *, late: bool = False) -> Result:
        return Result(Reach.SENT, self.completion.so_far, late=late, reason=reason)

    def late(self) -> Result:
        if self.completion.accepted:
            reason = "Asterisk took it, and its result did not come"
        elif self.completion.listing:
            reason = "the answer began, and did not end"
        else:
            reason = "not answered"
        return self.unanswered(f"{reason} in {self.within:g} s", late=True)


class Questions:
    """Gives each action its ActionID and finds the messages that answer it.

    Args:
        tag: what the ActionIDs begin with, so that other sessions' are told from ours.
        alone: whether the session gets no events, so that a Response without an ActionID can only be
            Asterisk's own; among events it may be a piece of a caller's name.
    """

    def __init__(self, tag: str, *, alone: bool = False) -> None:
        self._tag = tag
        self._alone = alone
        self._asked = 0
        self._open: dict[str, _Question] = {}
        self._later: dict[str, _Question] = {}
        self._given_up: dict[str, _Question] = {}
        self._due = math.inf

    @property
    def listing(self) -> bool:
        """Say whether any event may belong to an answer: until a Success announces some, none does."""
        return bool(self._given_up) or any(question.completion.listing for question in self._open.values())

    @property
    def watched(self) -> tuple[bytes, ...]:
        """How the frames begin that may belong to an answer although nothing is listing."""
        return LATER if self._later else _NONE

    @property
    def held(self) -> bool:
        """Say whether Asterisk is busy with what somebody asked, and reads nothing else meanwhile."""
        return any(not question.own for question in self._open.values())

    @property
    def due(self) -> float:
        """Return an instant no later than the earliest deadline; infinity where nothing is asked."""
        return self._due

    def ask(
        self, action: AmiAction, now: float, within: float, *, streamed: bool = False
    ) -> tuple[str, bytes]:
        """Return the action's new ActionID and its bytes.

        Items of a `streamed` list are no part of its answer: they are handed on as they come.

        Raises:
            ActionError: the action must not go on the wire.
        """
        action = self._named(action)
        data = encode(action)
        completion = Completion(action, streamed=streamed)
        self._open[action.action_id] = _Question(completion, within, now + within, streamed)
        self._due = min(self._due, now + within)
        return action.action_id, data

    def ask_own(self, action: AmiAction) -> tuple[str, bytes]:
        """As `ask`, for the session's own actions: reserved headers are allowed, and there is no deadline."""
        action = self._named(action)
        data = encode_own(action)
        self._open[action.action_id] = _Question(Completion(action), math.inf, math.inf)
        return action.action_id, data

    def take(self, frame: bytes) -> Part | None:
        """Take a response, or an event while `listing` or that is `watched`.

        None where it answers nothing that was asked here.
        """
        kind = kind_of(frame)
        if kind is Kind.RESPONSE:
            return self._respond(frame)
        if kind is Kind.EVENT and (b"ActionID: " in frame or frame.startswith(self.watched)):
            return self._go_on(frame)
        return None

    def expired(self, now: float) -> list[tuple[str, Result]]:
        """Forget what is not answered in time, and return it; a late answer is nobody's.

        The items of a late list would pass for events: they are still known, and go nowhere.
        """
        late = [(action_id, question) for action_id, question in self._all() if now >= question.due]
        for action_id, question in late:
            self.forget(action_id)
            if question.streamed:
                self._given_up[action_id] = question
        self._due = min((question.due for _, question in self._all()), default=math.inf)
        return [(action_id, question.late()) for action_id, question in late]

    def abandoned(self, reason: str) -> list[tuple[str, Result]]:
        """Forget everything that is not answered, and return it."""
        left = [(action_id, question.unanswered(reason)) for action_id, question in self._all()]
        self._open.clear()
        self._later.clear()
        return left

    def forget(self, action_id: str) -> None:
        """Wait no longer for an answer."""
        self._open.pop(action_id, None)
        self._later.pop(action_id, None)

    def give_up(self, action_id: str) -> None:
        """Wait no longer for an answer, and know it when it comes all the same."""
        question = self._open.get(action_id)
        if question is not None:
            self._given_up[action_id] = question
        self.forget(action_id)

    def _all(self) -> Iterator[tuple[str, _Question]]:
        yield from self._open.items()
        yield from self._later.items()

    def _named(self, action: AmiAction) -> AmiAction:
        self._asked += 1
        return traceable(action._replace(action_id=f"{self._tag}-{self._asked}"))

    def _respond(self, frame: bytes) -> Part | None:
        message = parse(frame)
        action_id = message.get("ActionID") or self._anonymous()
        question = self._open.get(action_id)
        if question is None:
            return self._too_late(action_id, message)
        part = self._take(action_id, question, message, frame)
        if not question.completion.accepted or part.result is not None:
            return part
        self._later[action_id] = self._open.pop(action_id)
        return part._replace(accepted=True)

    def _go_on(self, frame: bytes) -> Part | None:
        event = parse(frame)
        action_id = event.get("ActionID") or next(
            (key for key, question in self._later.items() if question.completion.expects(event)), ""
        )
        if (question := self._later.get(action_id)) is not None:
            return self._take(action_id, question, event, frame)._replace(public=True)
        question = self._open.get(action_id)
        if question is None:
            return self._too_late(action_id, event)
        if not question.completion.listing:
            return None
        return self._take(action_id, question, event, frame)

    def _too_late(self, action_id: str, message: AmiMessage) -> Part | None:
        """Take what belongs to a list that nobody waits for any more."""
        question = self._given_up.get(action_id)
        if question is None:
            return None
        if question.completion.take(message) is not None:
            del self._given_up[action_id]
        return Part(action_id, None)

    def _take(self, action_id: str, question: _Question, message: AmiMessage, frame: bytes) -> Part:
        answer = question.completion.take(message)
        if isinstance(frame, Oversize):
            question.note = f"a message of {frame.size} bytes was cut at {len(frame)}"
        if answer is None:
            return Part(action_id, None, item=question.streamed and message.kind is Kind.EVENT)
        self.forget(action_id)
        return Part(action_id, Result(Reach.ANSWERED, answer, reason=question.note))

    def _anonymous(self) -> str:
        """Return whose a Response without an ActionID is: that of the one action of which nothing is heard yet."""
        asked = [
            action_id
            for action_id, question in self._open.items()
            if not question.own and question.completion.so_far is None
        ]
        return asked[0] if self._alone and len(asked) == 1 else ""
