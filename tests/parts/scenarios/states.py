"""States of devices, lamps and people; events that users make."""

from tests.parts.ami import Manager
from tests.parts.asterisk import Asterisk
from tests.parts.scenarios.steps import Scenario, call, set_variable


def lamp(_: Asterisk, ami: Manager) -> None:
    """A custom device changes, and the hint that watches it."""
    for state, lit in (("INUSE", "InUse"), ("RINGING", "Ringing"), ("NOT_INUSE", "Idle")):
        set_variable(ami, "DEVICE_STATE(Custom:lamp1)", state)
        ami.expect("DeviceStateChange", Device="Custom:lamp1", State=state)
        # The hint tells the state of the moment it looks: a quick change would hide the one before.
        ami.expect("ExtensionStatus", Exten="5001", StatusText=lit)


def presence(_: Asterisk, ami: Manager) -> None:
    """A person says that they are away, and why."""
    set_variable(ami, "PRESENCE_STATE(CustomPresence:lamp1)", "away,lunch,back at \\two")
    ami.expect("PresenceStateChange", Presentity="CustomPresence:lamp1", Status="away")
    ami.expect("PresenceStatus", Exten="5001", Status="away")


def user_events(_: Asterisk, ami: Manager) -> None:
    """The dialplan and a program say things of their own."""
    call(ami, "600")
    ami.expect("UserEvent", UserEvent="OrderPlaced", Order="4711")
    ami.expect("UserEvent", UserEvent="Empty")
    ami.expect("CEL", EventName="Marked")
    ami.action("UserEvent", UserEvent="Ticket", Number="42", Note=["first", "second"])
    ami.expect("UserEvent", UserEvent="Ticket", Number="42")


ALL: tuple[Scenario, ...] = (lamp, presence, user_events)
