"""Originate as it goes on the wire: never holding a session, known by its channel, over in time.

A call that nobody limits rings for Asterisk's 30 seconds, and one with `Timeout: -1` for ever: longer
than its requester waits. So its Timeout ends before the request's.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from connector.ami.action import AmiAction, variable
from connector.ami.channel import OWN
from connector.ami.message import AmiMessage

DEFAULT_RING_MS: Final = 30_000
"""Asterisk's own Timeout of an Originate, in milliseconds."""

MARGIN_MS: Final = 1_000
"""How long before the request's own end a call stops ringing, so that its result can still be heard."""

REASONS: Final[Mapping[str, str]] = {
    "0": "failed: no such extension or endpoint, refused by it, or the channel id is in use",
    "1": "hung up before it was answered",
    "2": "not answered",
    "3": "not answered in time",
    "4": "answered",
    "5": "busy",
    "8": "congested, or refused",
}
"""OriginateResponse's `Reason` in words: the number of the last thing that the called side signalled."""

_CHANNEL_ID: Final = "ChannelId"
_TIMEOUT: Final = "Timeout"
_NUMBER: Final = re.compile(r"\s*([+-]?[0-9]{1,30})")

Headers = tuple[tuple[str, str], ...]


def prepare(
    request_id: str,
    action: AmiAction,
    variables: Sequence[tuple[str, str]],
    timeout_ms: int,
    *,
    channel_id: bool = True,
) -> AmiAction:
    """Return an Originate for the wire.

    Args:
        request_id: what no other request at this PBX has; the channel's id is made of it.
        action: as it was asked for.
        variables: channel variables, each by name and value.
        timeout_ms: how long its answer may take.
        channel_id: whether it is given a ChannelId; the requester's own stays in any case.

    Raises:
        ActionError: a variable's name would split the header.
    """
    headers = _without(action.headers, "Async")
    if action.get(_CHANNEL_ID):
        headers = (*_without(headers, _CHANNEL_ID), (_CHANNEL_ID, action.get(_CHANNEL_ID)))
    elif channel_id:
        headers = (*_without(headers, _CHANNEL_ID), (_CHANNEL_ID, channel_id_of(request_id)))
    headers = _limited(headers, action.get(_TIMEOUT), timeout_ms)
    return action._replace(headers=(*headers, ("Async", "true"), *variable_headers(variables)))


def channel_id_of(request_id: str) -> str:
    """Return the id of a request's channel: always the same, and of safe characters, whatever the request's."""
    digest = hashlib.sha256(request_id.encode("utf-8", "surrogatepass")).digest()
    return OWN + base64.b32encode(digest[:20]).decode("ascii").lower()


def variable_headers(variables: Iterable[tuple[str, str]]) -> Headers:
    """Return channel variables as headers, one each.

    Raises:
        ActionError: a name would split the header.
    """
    return tuple(("Variable", variable(name, value)) for name, value in variables)


def outcome_in_words(response: AmiMessage) -> str:
    """Say how a call ended, by its OriginateResponse."""
    reason = response.get("Reason")
    return REASONS.get(reason, f"the called side's last signal was {reason or 'none'}")


def _limited(headers: Headers, asked: str, timeout_ms: int) -> Headers:
    """Let the call end in time; what Asterisk reads as no number stays, and is refused by it."""
    longest = max(1, timeout_ms - min(MARGIN_MS, timeout_ms // 10 or 1))
    number = _NUMBER.match(asked or str(DEFAULT_RING_MS))
    if number is None or 0 <= int(number[1]) <= longest:
        return headers
    return (*_without(headers, _TIMEOUT), (_TIMEOUT, str(longest)))


def _without(headers: Headers, name: str) -> Headers:
    return tuple(pair for pair in headers if pair[0].lower() != name.lower())
