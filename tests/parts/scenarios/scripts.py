"""What sipp plays against the PBX: the calls that its users' phones make, by somebody else's SIP."""

from tests.parts.ami import Manager
from tests.parts.asterisk import PHONE_SECRET, Asterisk
from tests.parts.scenarios.steps import Scenario
from tests.parts.sipp import Script


def sipp_registers(pbx: Asterisk, ami: Manager) -> None:
    """A phone answers the challenge, is there, and takes it back."""
    with Script(pbx, "registers", "phone2", "phone2", PHONE_SECRET) as script:
        script.to("registered")
        ami.expect("ContactStatus", AOR="phone2", ContactStatus="NonQualified")
        ami.expect("PeerStatus", Peer="PJSIP/phone2", PeerStatus="Reachable")
        script.to_end()
        ami.expect("ContactStatus", AOR="phone2", ContactStatus="Removed")
        ami.expect("PeerStatus", Peer="PJSIP/phone2", PeerStatus="Unreachable")


def sipp_expires(pbx: Asterisk, ami: Manager) -> None:
    """A phone does not come back in time."""
    with Script(pbx, "expires", "phone2", "phone2", PHONE_SECRET) as script:
        script.to("registered")
        ami.expect("ContactStatus", AOR="phone2", ContactStatus="NonQualified")
        script.to_end()
        ami.expect("ContactStatus", AOR="phone2", ContactStatus="Removed")


def sipp_is_refused(pbx: Asterisk, ami: Manager) -> None:
    """A phone has the wrong password."""
    with Script(pbx, "refused", "phone2", "phone2", "wrong") as script:
        script.to("refused")
        ami.expect("ChallengeResponseFailed", Service="PJSIP", AccountID="phone2")
        script.to_end()


def sipp_holds(pbx: Asterisk, ami: Manager) -> None:
    """A phone calls, talks, holds by re-INVITE, talks again and hangs up; the PBX reports about the sound."""
    with Script(pbx, "holds", "110") as script:
        script.to("answered")
        channel = ami.expect("BridgeEnter", Context="internal", Exten="110")
        script.to("talks")
        ami.expect("RTCPReceived", Uniqueid=channel["Uniqueid"])
        script.to("holds")
        ami.expect("Hold", Uniqueid=channel["Uniqueid"])
        script.to("resumed")
        ami.expect("Unhold", Uniqueid=channel["Uniqueid"])
        script.to_end()
        ami.expect("Hangup", Uniqueid=channel["Uniqueid"])


def sipp_hears(pbx: Asterisk, ami: Manager) -> None:
    """The PBX sends sound, and reports about it."""
    with Script(pbx, "hears", "903") as script:
        script.to("answered")
        ami.expect("RTCPSent")
        script.to_end()


def sipp_transfers_blindly(pbx: Asterisk, ami: Manager) -> None:
    """A phone sends the other side to another number."""
    with Script(pbx, "transfers-blindly", "110") as script:
        script.to("answered")
        ami.expect("BridgeEnter", Context="internal", Exten="110")
        script.to_end()
        ami.expect("BlindTransfer", Result="Success", Extension="110")
        ami.expect("BridgeEnter", BridgeNumChannels="2", times=2)


def sipp_transfers_attended(pbx: Asterisk, ami: Manager) -> None:
    """A phone with two calls joins them and is out."""
    with Script(pbx, "transfers-attended", "110") as script:
        script.to("answered")
        ami.expect("BridgeEnter", BridgeNumChannels="2")
        script.to("answered-again")
        ami.expect("BridgeEnter", BridgeNumChannels="2", times=2)
        script.to_end()
        ami.expect("AttendedTransfer", Result="Success")


ALL: tuple[Scenario, ...] = (
    sipp_registers,
    sipp_expires,
    sipp_is_refused,
    sipp_holds,
    sipp_hears,
    sipp_transfers_blindly,
    sipp_transfers_attended,
)
