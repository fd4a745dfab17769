"""Steps that scenarios are made of."""

from collections.abc import Callable

from tests.parts.ami import Manager, Message
from tests.parts.asterisk import Asterisk
from tests.parts.processes import wait_until

Scenario = Callable[[Asterisk, Manager], None]


def call(ami: Manager, exten: str, *, party: str = "caller", caller: str = "Alice <1001>") -> Message:
    """Let a party call a number of the PBX; give the channel that runs the number's dialplan."""
    before = list(ami.events)
    ami.action(
        "Originate",
        Channel=f"Local/{party}@parties/n",
        Context="internal",
        Exten=exten,
        Priority=1,
        CallerID=caller,
        Timeout=30000,
        Async="true",
    )

    def is_ours(event: Message) -> bool:
        name = event["Channel"]
        fresh = event["Event"] == "Newchannel" and event not in before
        return fresh and name.startswith(f"Local/{party}@parties") and name.endswith(";1")

    return ami.expect_any(is_ours, f"the channel of {party} calling {exten}")


def bridged_call(ami: Manager, exten: str = "110") -> tuple[Message, Message]:
    """Make a call that is answered; give both channels as they entered the bridge."""
    caller = call(ami, exten)
    first = ami.expect("BridgeEnter", Uniqueid=caller["Uniqueid"])

    def is_other(event: Message) -> bool:
        same = event["BridgeUniqueid"] == first["BridgeUniqueid"]
        return event["Event"] == "BridgeEnter" and same and event["Uniqueid"] != caller["Uniqueid"]

    return first, ami.expect_any(is_other, "the other party in the bridge")


def hang_up(ami: Manager, channel: Message) -> None:
    """Hang up, and wait until everybody was told."""
    ami.ask("Hangup", Channel=channel["Channel"], Cause=16)
    ami.expect("Hangup", Uniqueid=channel["Uniqueid"])


def hang_up_everything(ami: Manager) -> None:
    """End all calls, and wait until the last record about them was written."""

    def silent() -> bool:
        left = ami.items("CoreShowChannels")
        for channel in left:
            ami.ask("Hangup", Channel=channel["Channel"])
        return not left

    wait_until(silent, "no channel left", within=20)
    for linked in {event["Linkedid"] for event in ami.events if event["Event"] == "Newchannel"}:
        ami.expect("CEL", EventName="LINKEDID_END", LinkedID=linked)


def set_variable(ami: Manager, name: str, value: str) -> None:
    """Set a global variable or write a function such as DEVICE_STATE(...)."""
    ami.action("Setvar", Variable=name, Value=value)
