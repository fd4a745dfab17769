"""What was asked on a session and is not answered yet."""

import math
from collections.abc import Callable
from typing import NamedTuple

from connector.ami.action import AmiAction, encode, encode_own
from connector.ami.completion import Answer, Completion
from connector.ami.message import Kind, kind_of, parse


class Part(NamedTuple):
    """A message that belongs to an answer; `answer` once it is whole.

    `public` where it is an ordinary event too, which others wait for (OriginateResponse).
    """

    action_id: str
    answer: Answer | None
    public: bool


class _Question(NamedTuple):
    completion: Completion
    due: float


class Questions:
    """Gives each action its ActionID and finds the messages that answer it.

    Args:
        tag: what the ActionIDs begin with, so that other sessions' are told from ours.
    """

    def __init__(self, tag: str) -> None:
        self._tag = tag
        self._asked = 0
        self._open: dict[str, _Question] = {}

    @property
    def listing(self) -> bool:
        """Say whether an event may belong to an answer: until a Success announces some, none does."""
        return any(question.completion.listing for question in self._open.values())

    @property
    def due(self) -> float:
        """Return the earliest deadline; infinity where nothing is asked."""
        return min((question.due for question in self._open.values()), default=math.inf)

    def ask(self, action: AmiAction, due: float) -> tuple[str, bytes]:
        """Return the action's new ActionID and its bytes.

        Raises:
            ActionError: the action must not go on the wire.
        """
        return self._put(action, due, encode)

    def ask_own(self, action: AmiAction, due: float) -> tuple[str, bytes]:
        """As `ask`, for the actions of the login, whose headers are reserved."""
        return self._put(action, due, encode_own)

    def take(self, frame: bytes) -> Part | None:
        """Take a response, or any event while `listing`; None where it answers nothing asked here."""
        if b"ActionID: " not in frame or kind_of(frame) not in {Kind.RESPONSE, Kind.EVENT}:
            return None
        message = parse(frame)
        action_id = message.get("ActionID")
        question = self._open.get(action_id)
        is_event = message.kind is Kind.EVENT
        if question is None or (is_event and not question.completion.listing):
            return None
        answer = question.completion.take(message)
        if answer is not None:
            del self._open[action_id]
        return Part(action_id, answer, public=is_event and not question.completion.by_list)

    def expired(self, now: float) -> list[str]:
        """Forget and return what is not answered in time; a late answer is nobody's."""
        late = [action_id for action_id, question in self._open.items() if now >= question.due]
        for action_id in late:
            del self._open[action_id]
        return late

    def forget(self, action_id: str) -> None:
        """Wait no longer for an answer."""
        self._open.pop(action_id, None)

    def abandoned(self) -> list[str]:
        """Forget and return everything that is not answered."""
        return self.expired(math.inf)

    def _put(
        self, action: AmiAction, due: float, to_bytes: Callable[[AmiAction], bytes]
    ) -> tuple[str, bytes]:
        self._asked += 1
        action_id = f"{self._tag}-{self._asked}"
        data = to_bytes(action._replace(action_id=action_id))
        self._open[action_id] = _Question(Completion(action), due)
        return action_id, data
