"""The lists by which a PBX tells what is there: the state that its events change.

A snapshot asks them from the first to the last: channels come before what belongs to calls. Not among
them is what these tell already (Status, BridgeInfo: a CoreShowChannel names its bridge; QueueSummary),
what shows passwords (PJSIPShowRegistrationsOutbound, PJSIPShowAuths), and what no event changes.
"""

from collections.abc import Collection
from typing import Final, NamedTuple


class Each(NamedTuple):
    """A list that is asked once for each item of the list before: its parameter, from that item's header."""

    parameter: str
    header: str


class List(NamedTuple):
    """A list action.

    `items` are the events that it is made of; `restores` those whose state it tells: it is asked where
    one of them is published. `empty_is_error`: Asterisk answers Error where there is nothing to list.
    """

    action: str
    items: tuple[str, ...]
    restores: tuple[str, ...]
    empty_is_error: bool = False
    each: Each | None = None


CHANNELS: Final = List(
    "CoreShowChannels", ("CoreShowChannel",), ("Newchannel", "Newstate", "NewConnectedLine", "Hangup")
)
BRIDGES: Final = List(
    "BridgeList", ("BridgeListItem",), ("BridgeCreate", "BridgeDestroy", "BridgeEnter", "BridgeLeave")
)

LISTS: Final = (
    CHANNELS,
    BRIDGES,
    List(
        "QueueStatus",
        ("QueueParams", "QueueMember", "QueueEntry"),
        (
            *("QueueMemberAdded", "QueueMemberRemoved", "QueueMemberStatus", "QueueMemberPause"),
            *("QueueMemberPenalty", "QueueCallerJoin", "QueueCallerLeave", "QueueCallerAbandon"),
        ),
    ),
    List("Agents", ("Agents",), ("AgentLogin", "AgentLogoff")),
    List(
        "ConfbridgeListRooms",
        ("ConfbridgeListRooms",),
        (
            *("ConfbridgeStart", "ConfbridgeEnd", "ConfbridgeJoin", "ConfbridgeLeave"),
            *("ConfbridgeMute", "ConfbridgeUnmute"),
        ),
        empty_is_error=True,
    ),
    List(
        "ConfbridgeList",
        ("ConfbridgeList",),
        ("ConfbridgeJoin", "ConfbridgeLeave", "ConfbridgeMute", "ConfbridgeUnmute"),
        empty_is_error=True,
        each=Each("Conference", "Conference"),
    ),
    List("ParkedCalls", ("ParkedCall",), ("ParkedCall", "UnParkedCall", "ParkedCallTimeOut")),
    List("ExtensionStateList", ("ExtensionStatus",), ("ExtensionStatus",), empty_is_error=True),
    List("DeviceStateList", ("DeviceStateChange",), ("DeviceStateChange",)),
    List("PresenceStateList", ("PresenceStateChange",), ("PresenceStateChange",)),
    List("PJSIPShowEndpoints", ("EndpointList",), ("PeerStatus",), empty_is_error=True),
    List("PJSIPShowContacts", ("ContactList",), ("ContactStatus",), empty_is_error=True),
)


def restoring(published: Collection[str]) -> tuple[List, ...]:
    """Return the lists that tell the state behind the events that are published, by their names."""
    return tuple(each for each in LISTS if not set(each.restores).isdisjoint(published))
