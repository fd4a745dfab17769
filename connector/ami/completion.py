"""When the answer to an action is whole.

Asterisk has no single mark for it. An answer ends with an Error, with a Success that announces no
list, or with the event that carries `EventList: Complete`; a few actions end with an event of their
own. Message texts decide nothing: they differ between versions and actions.

Of the events that some actions cause later, two are waited for: they are sure to come, and name their
action. AttendedTransfer, ContactStatus and Registry may come in an hour or never, and name none.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from connector.ami.action import AmiAction
from connector.ami.message import AmiMessage, Kind

LATER: Final = (b"Event: OriginateResponse\r\n", b"Event: AsyncAGIExec\r\n")
"""How the frames begin that may end an answer long after its Response."""

COMMAND_ID: Final = "CommandID"
"""AGI's parameter by which its AsyncAGIExec is known: that event has no ActionID."""

_ENDS_WITH: Final[Mapping[str, str]] = {
    "faxsession": "FAXSession",
    "faxstats": "FAXStats",
    "waitevent": "WaitEventComplete",
}
"""Actions, in small letters, whose Success is followed by events without `EventList`, and the last of them."""

_SUCCESSES: Final = frozenset({"success", "follows", "goodbye"})
_TRUE: Final = frozenset({"1", "on", "t", "true", "y", "yes"})


class Answer(NamedTuple):
    """All that an action was answered with.

    `response` is the last Response: an Error may follow a Success that announced a list. `events`
    holds the list's items and its Complete, in wire order.
    """

    response: AmiMessage
    events: tuple[AmiMessage, ...] = ()

    @property
    def success(self) -> bool:
        """Say whether Asterisk did not answer Error; an empty list may be an Error too."""
        return self.response.get("Response").lower() in _SUCCESSES


class Completion:
    """Gathers the messages that answer one action until they are a whole answer.

    Args:
        action: what was asked.
        streamed: the items of its list go elsewhere, so that of its events only the last is kept.
    """

    def __init__(self, action: AmiAction, *, streamed: bool = False) -> None:
        self._streamed = streamed
        self._later = later_event(action)
        self._last_event = self._later or _ENDS_WITH.get(action.name.lower())
        self._channel = action.get("Channel").lower()
        self._command_id = action.get(COMMAND_ID)
        self._response: AmiMessage | None = None
        self._events: list[AmiMessage] = []

    @property
    def listing(self) -> bool:
        """Say whether the answer has begun and goes on with events at once."""
        return self._response is not None and self._later is None

    @property
    def accepted(self) -> bool:
        """Say whether what is missing is an event that comes in its own time: the session is free for others."""
        return self._response is not None and self._later is not None

    @property
    def so_far(self) -> Answer | None:
        """The answer as far as it has come; None where no Response has."""
        return Answer(self._response, tuple(self._events)) if self._response is not None else None

    def expects(self, event: AmiMessage) -> bool:
        """Say whether an event without an ActionID is the one that ends this answer."""
        return (
            event.headers[0][1] == self._later
            and event.get("CommandId") == self._command_id
            and self._channel in {event.get("Channel").lower(), event.get("Uniqueid").lower()}
        )

    def take(self, message: AmiMessage) -> Answer | None:
        """Take the next message that answers the action; return the answer once it is whole."""
        if message.kind is Kind.RESPONSE:
            self._response = message
            return None if self._goes_on(message) else self.so_far
        if self._response is None or (self._later and not self._ends(message)):
            return None
        ends = self._ends(message)
        if ends or not self._streamed:
            self._events.append(message)
        return self.so_far if ends else None

    def _goes_on(self, response: AmiMessage) -> bool:
        if response.get("Response").lower() not in _SUCCESSES:
            return False
        return self._last_event is not None or response.get("EventList").lower() == "start"

    def _ends(self, event: AmiMessage) -> bool:
        return event.get("EventList").lower() == "complete" or event.headers[0][1] == self._last_event


def later_event(action: AmiAction) -> str | None:
    """Return the event that ends the answer in its own time; None where the session is held until the end."""
    match action.name.lower():
        case "originate":
            return "OriginateResponse" if action.get("Async").lower() in _TRUE else None
        case "agi":
            return "AsyncAGIExec"
    return None


def traceable(action: AmiAction) -> AmiAction:
    """Return an action such that its later event can be told from others'; a CommandID of its own stays."""
    if action.name.lower() != "agi" or action.get(COMMAND_ID):
        return action
    others = tuple(pair for pair in action.headers if pair[0].lower() != COMMAND_ID.lower())
    return action._replace(headers=(*others, (COMMAND_ID, action.action_id)))
