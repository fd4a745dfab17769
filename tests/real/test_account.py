"""The section for manager.conf that the settings lead to, given to a real Asterisk as it is printed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from connector.avro.schema import load
from connector.settings.account import USEFUL_VARIABLES, manager_conf
from connector.settings.kinds import Address, Secret
from connector.settings.sections import Pbx
from tests.parts.ami import Manager
from tests.parts.asterisk import Asterisk

SCHEMAS = Path(__file__).parents[2] / "schemas" / "events"
SECRET = "its-own-secret"


@pytest.mark.parametrize(("version", "advanced"), [(22, True), (22, False), (16, False)])
def test_of_the_dialplan_only_the_useful_variables_come(
    start_asterisk: Callable[..., Asterisk], version: int, *, advanced: bool
) -> None:
    pbx = Pbx(
        address=(Address("h"),),
        username="kafka",
        secret=Secret(SECRET),
        event_classes=("system", "call", "agent", "cdr", "user", "dialplan"),
    )
    selected = [
        load((SCHEMAS / f"{name}.avsc").read_text(), name) for name in ("hangup", "var_set", "dial_end")
    ]
    section = manager_conf(pbx, selected, advanced=advanced)
    section = section.replace("<the secret of the settings>", SECRET)
    section = section.replace("<the connector's address>/255.255.255.255", "127.0.0.1/255.255.255.255")
    asterisk = start_asterisk(version, manager_extra=section)
    everyone = asterisk.manager()
    ours = Manager(asterisk.host, asterisk.port, "kafka", SECRET, events="call,dialplan")
    with everyone, ours:
        call = {"Channel": "Local/108@internal/n", "Application": "Wait", "Data": "1", "Async": "true"}
        everyone.action("Originate", **call)
        everyone.expect("Newexten", Application="Dial")
        ours.expect("VarSet", Variable="DIALSTATUS", Value="ANSWER")
        ours.expect("Hangup", times=4)
        variables = {event["Variable"] for event in ours.events if event["Event"] == "VarSet"}
        assert variables <= set(USEFUL_VARIABLES)
        assert not [event for event in ours.events if event["Event"] == "Newexten"]
        assert [event for event in ours.events if event["Event"] == "DialEnd"]
