"""What happens inside a call: keys, music, recording, listening, picking up."""

from tests.parts.ami import Manager
from tests.parts.asterisk import Asterisk
from tests.parts.processes import wait_until
from tests.parts.scenarios.steps import Scenario, bridged_call, call, hang_up


def digits(_: Asterisk, ami: Manager) -> None:
    """The caller presses keys, then the PBX does."""
    caller = call(ami, "500", party="digits")
    for digit in "159":
        ami.expect("DTMFEnd", Digit=digit, Direction="Received")
    ami.expect("Hangup", Uniqueid=caller["Uniqueid"])
    one, _other = bridged_call(ami)
    ami.action("PlayDTMF", Channel=one["Channel"], Digit="7", Duration=120)
    ami.expect("DTMFEnd", Digit="7")


def music(_: Asterisk, ami: Manager) -> None:
    """Music on hold begins and ends."""
    caller = call(ami, "660")
    ami.expect("MusicOnHoldStart", Uniqueid=caller["Uniqueid"])
    hang_up(ami, caller)
    ami.expect("MusicOnHoldStop", Uniqueid=caller["Uniqueid"])


def recorded(_: Asterisk, ami: Manager) -> None:
    """A call is recorded by the dialplan, another by request; the file's name comes in a variable."""
    caller = call(ami, "650")
    ami.expect("VarSet", Variable="MIXMONITOR_FILENAME", Uniqueid=caller["Uniqueid"])
    ami.expect("MixMonitorStart", Uniqueid=caller["Uniqueid"])
    ami.expect("BridgeEnter", Uniqueid=caller["Uniqueid"])
    ami.action("MixMonitorMute", Channel=caller["Channel"], Direction="both", State=1)
    ami.expect("MixMonitorMute", Uniqueid=caller["Uniqueid"])
    ami.action("StopMixMonitor", Channel=caller["Channel"])
    ami.expect("MixMonitorStop", Uniqueid=caller["Uniqueid"])
    ami.action("MixMonitor", Channel=caller["Channel"], File="asked.wav")
    ami.expect("MixMonitorStart", Uniqueid=caller["Uniqueid"], times=2)


def picked_up(_: Asterisk, ami: Manager) -> None:
    """A colleague takes a call that rings elsewhere."""
    caller = call(ami, "107")
    ami.expect("DialBegin", Uniqueid=caller["Uniqueid"])
    ami.expect("Newstate", ChannelStateDesc="Ringing")
    call(ami, "800", caller="Bob <1002>")
    ami.expect("Pickup")
    ami.expect("BridgeEnter", Uniqueid=caller["Uniqueid"])


def falls_silent(_: Asterisk, ami: Manager) -> None:
    """Somebody talks, then does not."""
    caller = call(ami, "661", party="mumbler")
    ami.expect("ChannelTalkingStart", Uniqueid=caller["Uniqueid"])
    ami.expect("ChannelTalkingStop", Uniqueid=caller["Uniqueid"])


def flashed(pbx: Asterisk, ami: Manager) -> None:
    """A hook flash crosses a call; Asterisk 16 has no event for it."""
    if pbx.version < 18:
        return
    caller, _callee = bridged_call(ami)
    ami.action("SendFlash", Channel=caller["Channel"])
    ami.expect("Flash")


def monitored(pbx: Asterisk, ami: Manager) -> None:
    """The old way to record, gone in Asterisk 21."""
    if pbx.version > 20:
        return
    caller = call(ami, "661")
    ami.expect("Newexten", Uniqueid=caller["Uniqueid"], Application="Wait")
    ami.action("Monitor", Channel=caller["Channel"], File="old", Format="wav")
    ami.expect("MonitorStart", Uniqueid=caller["Uniqueid"])
    ami.action("StopMonitor", Channel=caller["Channel"])
    ami.expect("MonitorStop", Uniqueid=caller["Uniqueid"])


def listened_to(_: Asterisk, ami: Manager) -> None:
    """A supervisor listens to a call."""
    caller, _callee = bridged_call(ami)
    ami.action("Setvar", Variable="SPY_ON", Value=caller["Channel"])
    spy = call(ami, "662", caller="Supervisor <1009>")
    ami.expect("ChanSpyStart", SpyerUniqueid=spy["Uniqueid"])
    hang_up(ami, caller)
    ami.expect("ChanSpyStop", SpyerUniqueid=spy["Uniqueid"])


def remote_controlled(_: Asterisk, ami: Manager) -> None:
    """A program outside runs the channel by AsyncAGI."""
    caller = call(ami, "663")
    ami.expect("AsyncAGIStart", Uniqueid=caller["Uniqueid"])
    ami.action("AGI", Channel=caller["Channel"], Command="VERBOSE hello 1", CommandID="c-1")
    ami.expect("AsyncAGIExec", Uniqueid=caller["Uniqueid"], CommandId="c-1")
    ami.action("AGI", Channel=caller["Channel"], Command="ASYNCAGI BREAK", CommandID="c-2")
    ami.expect("AsyncAGIEnd", Uniqueid=caller["Uniqueid"])


def voicemail(pbx: Asterisk, ami: Manager) -> None:
    """A message is left, and the lamp on the phone is lit."""
    caller = call(ami, "664", party="talker")
    spoken = pbx.folder / "spool" / "voicemail" / "default" / "100"

    def recording() -> bool:
        return any(file.stat().st_size > 4000 for file in spoken.rglob("*.wav"))

    wait_until(recording, "some sound in the voicemail")
    hang_up(ami, caller)
    ami.expect("MessageWaiting", Mailbox="100@default", Waiting="1")


ALL: tuple[Scenario, ...] = (
    digits,
    music,
    recorded,
    picked_up,
    falls_silent,
    flashed,
    monitored,
    listened_to,
    remote_controlled,
    voicemail,
)
