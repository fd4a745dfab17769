"""Calls from one party to another."""

from tests.parts.ami import Manager
from tests.parts.asterisk import Asterisk
from tests.parts.scenarios.steps import Scenario, bridged_call, call, hang_up


def call_answered(_: Asterisk, ami: Manager) -> None:
    """Dial, ring, answer, talk, hang up; the call detail record follows."""
    caller, callee = bridged_call(ami, "100")
    hang_up(ami, callee)
    ami.expect("Hangup", Uniqueid=caller["Uniqueid"])
    ami.expect("Cdr", Disposition="ANSWERED")


def call_ended_by_callee(_: Asterisk, ami: Manager) -> None:
    """The called party leaves first, and the dialplan goes on."""
    caller = call(ami, "108")
    ami.expect("DialEnd", DialStatus="ANSWER", Uniqueid=caller["Uniqueid"])
    ami.expect("Hangup", Uniqueid=caller["Uniqueid"])


def call_not_answered(_: Asterisk, ami: Manager) -> None:
    """It rings until the dialplan's patience ends."""
    caller = call(ami, "101")
    ami.expect("DialEnd", DialStatus="NOANSWER", Uniqueid=caller["Uniqueid"])
    ami.expect("Hangup", Uniqueid=caller["Uniqueid"])


def call_busy(_: Asterisk, ami: Manager) -> None:
    """The called party is busy."""
    caller = call(ami, "102")
    ami.expect("DialEnd", DialStatus="BUSY", Uniqueid=caller["Uniqueid"])


def call_cancelled(_: Asterisk, ami: Manager) -> None:
    """The caller hangs up while it rings."""
    caller = call(ami, "107")
    ami.expect("DialBegin", Uniqueid=caller["Uniqueid"])
    hang_up(ami, caller)
    ami.expect("DialEnd", DialStatus="CANCEL", Uniqueid=caller["Uniqueid"])


def call_unreachable(_: Asterisk, ami: Manager) -> None:
    """The phone is not registered, so no channel is made."""
    caller = call(ami, "104")
    ami.expect("VarSet", Variable="DIALSTATUS", Value="CHANUNAVAIL", Uniqueid=caller["Uniqueid"])
    ami.expect("Hangup", Uniqueid=caller["Uniqueid"])


def call_forked(_: Asterisk, ami: Manager) -> None:
    """Two phones ring, one answers."""
    caller = call(ami, "105")
    ami.expect("DialEnd", DialStatus="ANSWER", Uniqueid=caller["Uniqueid"])
    ami.expect("BridgeEnter", Uniqueid=caller["Uniqueid"])


def call_optimised(_: Asterisk, ami: Manager) -> None:
    """A Local channel between two bridges takes itself out of the way."""
    call(ami, "109", party="talker")
    ami.expect("LocalOptimizationBegin")
    ami.expect("LocalOptimizationEnd")


def call_with_odd_names(_: Asterisk, ami: Manager) -> None:
    """Names and values that need escaping, or are not ASCII."""
    caller = call(ami, "665", caller='"Zoë O\'Brien?" <+49 30 1234>')
    ami.expect("Hangup", Uniqueid=caller["Uniqueid"])


def originate_failed(_: Asterisk, ami: Manager) -> None:
    """Calls that the PBX could not place, one of them because nobody knows the number."""
    common = {"Context": "internal", "Exten": "100", "Priority": "1", "Async": "true", "Timeout": "2000"}
    for party, reason in (("busy", "5"), ("nobody", "0")):
        number = ami.send("Originate", Channel=f"Local/{party}@parties/n", **common)
        ami.expect("OriginateResponse", ActionID=number, Response="Failure", Reason=reason)


ALL: tuple[Scenario, ...] = (
    call_answered,
    call_ended_by_callee,
    call_not_answered,
    call_busy,
    call_cancelled,
    call_unreachable,
    call_forked,
    call_optimised,
    call_with_odd_names,
    originate_failed,
)
