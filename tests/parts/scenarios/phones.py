"""What needs SIP phones: registrations, hold, sound and its reports, transfers by the phone."""

from tests.parts.ami import Manager
from tests.parts.asterisk import PHONE_SECRET, Asterisk
from tests.parts.processes import LOOPBACK
from tests.parts.scenarios.steps import Scenario, call
from tests.parts.sip import Phone


def phone_registered(pbx: Asterisk, ami: Manager) -> None:
    """A phone comes and goes."""
    with _phone(pbx, "phone1") as phone:
        phone.register()
        ami.expect("ContactStatus", AOR="phone1", ContactStatus="NonQualified")
        ami.expect("PeerStatus", Peer="PJSIP/phone1", PeerStatus="Reachable")
        ami.expect("ExtensionStatus", Exten="1001", StatusText="Idle")
        phone.register(expires=0)
        ami.expect("ContactStatus", AOR="phone1", ContactStatus="Removed")
        ami.expect("PeerStatus", Peer="PJSIP/phone1", PeerStatus="Unreachable")


def registration_expired(pbx: Asterisk, ami: Manager) -> None:
    """A phone does not come back in time."""
    with _phone(pbx, "phone2") as phone:
        phone.register(expires=1)
        ami.expect("ContactStatus", AOR="phone2", ContactStatus="NonQualified")
        ami.expect("ContactStatus", AOR="phone2", ContactStatus="Removed")


def registration_refused(pbx: Asterisk, ami: Manager) -> None:
    """A phone has the wrong password."""
    with Phone((LOOPBACK, pbx.sip_port), "phone1", "wrong") as phone:
        phone.register()
        ami.expect("ChallengeResponseFailed", Service="PJSIP", AccountID="phone1")


def phone_asked(pbx: Asterisk, ami: Manager) -> None:
    """The PBX asks a phone whether it is there, and asks again when it is gone."""
    with Phone((LOOPBACK, pbx.sip_port), "desk", port=pbx.desk_port):
        ami.action("PJSIPQualify", Endpoint="desk")
        ami.expect("ContactStatus", AOR="desk", ContactStatus="Reachable")
        ami.expect("PeerStatus", Peer="PJSIP/desk", PeerStatus="Reachable")
    ami.action("PJSIPQualify", Endpoint="desk")
    ami.expect("ContactStatus", AOR="desk", ContactStatus="Unreachable")


def provider_registered(pbx: Asterisk, ami: Manager) -> None:
    """The PBX registers with its provider, and takes it back."""
    with Phone((LOOPBACK, pbx.sip_port), "desk", port=pbx.desk_port):
        ami.action("PJSIPRegister", Registration="provider")
        ami.expect("Registry", ChannelType="PJSIP", Status="Registered", within=30)
        ami.action("PJSIPUnregister", Registration="provider")
        ami.expect("Registry", ChannelType="PJSIP", Status="Unregistered", within=30)


def phone_holds(pbx: Asterisk, ami: Manager) -> None:
    """A phone calls, talks, holds, talks again and hangs up."""
    with Phone((LOOPBACK, pbx.sip_port), "4930123456") as phone:
        line = phone.call("110")
        channel = ami.expect("BridgeEnter", Context="internal", Exten="110")
        phone.talk(line)
        ami.expect("RTCPReceived", Uniqueid=channel["Uniqueid"])
        phone.hold(line)
        ami.expect("Hold", Uniqueid=channel["Uniqueid"])
        phone.resume(line)
        ami.expect("Unhold", Uniqueid=channel["Uniqueid"])
        phone.hang_up(line)
        ami.expect("Hangup", Uniqueid=channel["Uniqueid"])


def phone_hears(pbx: Asterisk, ami: Manager) -> None:
    """The PBX sends sound and reports about it."""
    with Phone((LOOPBACK, pbx.sip_port), "4930123456") as phone:
        line = phone.call("903")
        ami.expect("RTCPSent")
        phone.talk(line)
        ami.expect("RTCPReceived")
        phone.hang_up(line)


def phone_called(pbx: Asterisk, ami: Manager) -> None:
    """A registered phone is called, answers and hangs up; the second time it declines."""
    with _phone(pbx, "phone1") as phone:
        phone.register()
        caller = call(ami, "901", caller="Bob <1002>")
        line = phone.answer()
        ami.expect("BridgeEnter", Uniqueid=caller["Uniqueid"])
        ami.expect("ExtensionStatus", Exten="1001", StatusText="InUse")
        phone.hang_up(line)
        ami.expect("Hangup", Uniqueid=caller["Uniqueid"])
        again = call(ami, "901", caller="Bob <1002>")
        phone.decline()
        ami.expect("DialEnd", Uniqueid=again["Uniqueid"], DialStatus="BUSY")
        phone.register(expires=0)


def phone_transfers_blindly(pbx: Asterisk, ami: Manager) -> None:
    """A phone sends the other side to another number."""
    with Phone((LOOPBACK, pbx.sip_port), "4930123456") as phone:
        line = phone.call("110")
        ami.expect("BridgeEnter", Context="internal", Exten="110")
        phone.refer(line, "110")
        ami.expect("BlindTransfer", Result="Success", Extension="110")
        ami.expect("BridgeEnter", BridgeNumChannels="2", times=2)


def phone_transfers_attended(pbx: Asterisk, ami: Manager) -> None:
    """A phone with two calls joins them and is out."""
    with _phone(pbx, "phone1") as phone:
        first = phone.call("110")
        ami.expect("BridgeEnter", BridgeNumChannels="2")
        second = phone.call("110")
        ami.expect("BridgeEnter", BridgeNumChannels="2", times=2)
        phone.refer(first, "110", second)
        ami.expect("AttendedTransfer", Result="Success")


def _phone(pbx: Asterisk, user: str) -> Phone:
    return Phone((LOOPBACK, pbx.sip_port), user, PHONE_SECRET)


ALL: tuple[Scenario, ...] = (
    phone_registered,
    registration_expired,
    registration_refused,
    phone_asked,
    provider_registered,
    phone_holds,
    phone_hears,
    phone_called,
    phone_transfers_blindly,
    phone_transfers_attended,
)
