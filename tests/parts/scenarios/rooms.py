"""Where several calls meet: conferences, parking lots, transfers."""

from tests.parts.ami import Manager
from tests.parts.asterisk import Asterisk
from tests.parts.scenarios.steps import Scenario, bridged_call, call, hang_up

ROOM = {"Conference": "3000"}


def conference(_: Asterisk, ami: Manager) -> None:
    """A chair and two members; one talks, is muted, unmuted and sent out."""
    chair = call(ami, "300", caller="Chair <1000>")
    ami.expect("ConfbridgeJoin", Uniqueid=chair["Uniqueid"], Admin="Yes")
    talker = call(ami, "301", party="talker", caller="Talker <1001>")
    ami.expect("ConfbridgeJoin", Uniqueid=talker["Uniqueid"])
    member = call(ami, "301", caller="Member <1002>")
    ami.expect("ConfbridgeJoin", Uniqueid=member["Uniqueid"])
    ami.expect("ConfbridgeTalking", Uniqueid=talker["Uniqueid"], TalkingStatus="on")
    ami.action("ConfbridgeMute", **ROOM, Channel=talker["Channel"])
    ami.expect("ConfbridgeMute", Uniqueid=talker["Uniqueid"])
    ami.action("ConfbridgeUnmute", **ROOM, Channel=talker["Channel"])
    ami.expect("ConfbridgeUnmute", Uniqueid=talker["Uniqueid"])
    ami.action("ConfbridgeKick", **ROOM, Channel=talker["Channel"])
    ami.expect("ConfbridgeLeave", Uniqueid=talker["Uniqueid"])
    hang_up(ami, member)
    hang_up(ami, chair)
    ami.expect("ConfbridgeEnd", Conference="3000")


def conference_locked_and_recorded(_: Asterisk, ami: Manager) -> None:
    """The room is locked, opened, recorded."""
    chair = call(ami, "300")
    ami.expect("ConfbridgeJoin", Uniqueid=chair["Uniqueid"])
    ami.action("ConfbridgeLock", **ROOM)
    ami.action("ConfbridgeUnlock", **ROOM)
    ami.action("ConfbridgeStartRecord", **ROOM)
    ami.expect("ConfbridgeRecord", Conference="3000")
    ami.action("ConfbridgeStopRecord", **ROOM)
    ami.expect("ConfbridgeStopRecord", Conference="3000")


def parked_and_fetched(_: Asterisk, ami: Manager) -> None:
    """A call is parked and fetched from another phone."""
    parked = call(ami, "400")
    space = ami.expect("ParkedCall", ParkeeUniqueid=parked["Uniqueid"])["ParkingSpace"]
    fetcher = call(ami, space, caller="Bob <1002>")
    ami.expect("UnParkedCall", ParkeeUniqueid=parked["Uniqueid"])
    ami.expect("BridgeEnter", Uniqueid=fetcher["Uniqueid"])


def parked_too_long(_: Asterisk, ami: Manager) -> None:
    """Nobody fetches the call."""
    parked = call(ami, "401")
    ami.expect("ParkedCallTimeOut", ParkeeUniqueid=parked["Uniqueid"])
    ami.expect("Hangup", Uniqueid=parked["Uniqueid"])


def parked_and_given_up(_: Asterisk, ami: Manager) -> None:
    """The parked caller hangs up."""
    parked = call(ami, "400")
    ami.expect("ParkedCall", ParkeeUniqueid=parked["Uniqueid"])
    hang_up(ami, parked)
    ami.expect("ParkedCallGiveUp", ParkeeUniqueid=parked["Uniqueid"])


def parked_from_a_bridge(_: Asterisk, ami: Manager) -> None:
    """One side of a call is parked by its number."""
    caller, callee = bridged_call(ami)
    ami.action("Park", Channel=callee["Channel"], TimeoutChannel=caller["Channel"], Timeout=30000)
    ami.expect("ParkedCall", ParkeeUniqueid=callee["Uniqueid"])


def blind_transfer(_: Asterisk, ami: Manager) -> None:
    """The callee sends the caller to another number and is out."""
    caller, callee = bridged_call(ami)
    ami.action("BlindTransfer", Channel=callee["Channel"], Context="internal", Exten="109")
    ami.expect("BlindTransfer", Result="Success", TransfererUniqueid=callee["Uniqueid"])
    ami.expect("BridgeEnter", Uniqueid=caller["Uniqueid"], times=2)


def attended_transfer(_: Asterisk, ami: Manager) -> None:
    """The callee asks a third party first, then leaves the two alone."""
    caller, callee = bridged_call(ami)
    ami.action("Atxfer", Channel=callee["Channel"], Context="internal", Exten="110")
    ami.expect("BridgeEnter", Uniqueid=callee["Uniqueid"], times=2)
    ami.ask("Hangup", Channel=callee["Channel"])
    ami.expect("AttendedTransfer", Result="Success", OrigTransfererUniqueid=callee["Uniqueid"])
    ami.expect("BridgeEnter", BridgeNumChannels="2", times=3)
    hang_up(ami, caller)


def bridged_by_hand(_: Asterisk, ami: Manager) -> None:
    """Two separate calls are joined, so that one takes over the other's Linkedid in silence."""
    first, _first_callee = bridged_call(ami)
    second = call(ami, "651")
    ami.expect("VarSet", Uniqueid=second["Uniqueid"], Variable="MIXMONITOR_FILENAME")
    ami.action("Bridge", Channel1=first["Channel"], Channel2=second["Channel"], Tone="no")
    ami.expect("BridgeEnter", Uniqueid=second["Uniqueid"])
    ami.expect("BridgeEnter", Uniqueid=first["Uniqueid"], times=2)


def redirected(_: Asterisk, ami: Manager) -> None:
    """A party is sent elsewhere from outside."""
    caller, _callee = bridged_call(ami)
    ami.action("Redirect", Channel=caller["Channel"], Context="internal", Exten="660", Priority=1)
    ami.expect("MusicOnHoldStart", Uniqueid=caller["Uniqueid"])


CONFERENCE: tuple[Scenario, ...] = (conference, conference_locked_and_recorded)
PARKING: tuple[Scenario, ...] = (
    parked_and_fetched,
    parked_too_long,
    parked_and_given_up,
    parked_from_a_bridge,
)
TRANSFER: tuple[Scenario, ...] = (blind_transfer, attended_transfer, bridged_by_hand, redirected)
