"""When the answer to an action is whole.

Asterisk has no single mark for it. An answer ends with an Error, with a Success that announces no
list, or with the event that carries `EventList: Complete`; a few actions end with an event of their
own. Message texts decide nothing: they differ between versions and actions.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from connector.ami.action import AmiAction
from connector.ami.message import AmiMessage, Kind

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
    """Gathers the messages that carry one ActionID until they are a whole answer."""

    def __init__(self, action: AmiAction) -> None:
        self._last_event = _last_event(action)
        self._response: AmiMessage | None = None
        self._events: list[AmiMessage] = []

    @property
    def listing(self) -> bool:
        """Say whether the answer has begun and goes on with events."""
        return self._response is not None

    @property
    def by_list(self) -> bool:
        """Say whether its events are list items, meant for the asker alone, and not events for everybody."""
        return self._last_event is None

    def take(self, message: AmiMessage) -> Answer | None:
        """Take the next message with the action's ActionID; return the answer once it is whole."""
        if message.kind is Kind.RESPONSE:
            self._response = message
            return None if self._goes_on(message) else Answer(message, tuple(self._events))
        self._events.append(message)
        if self._response is not None and self._ends(message):
            return Answer(self._response, tuple(self._events))
        return None

    def _goes_on(self, response: AmiMessage) -> bool:
        if response.get("Response").lower() not in _SUCCESSES:
            return False
        return self._last_event is not None or response.get("EventList").lower() == "start"

    def _ends(self, event: AmiMessage) -> bool:
        return event.get("EventList").lower() == "complete" or event.headers[0][1] == self._last_event


def _last_event(action: AmiAction) -> str | None:
    """Return the event that ends the answer where no `EventList` does; None where there is none."""
    name = action.name.lower()
    if name == "originate":
        parameters = {key.lower(): value.lower() for key, value in action.headers}
        return "OriginateResponse" if parameters.get("async") in _TRUE else None
    return _ENDS_WITH.get(name)
