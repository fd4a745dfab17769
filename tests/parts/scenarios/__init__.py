"""Things that happen on a PBX, made to happen on a real one.

Each scenario drives a running Asterisk over a bare AMI session, waits for the events that prove each step,
and fails saying what did not come. `Local/` channels make the calls; `phones` has those that need SIP, and
`scripts` those that sipp makes, where it is here.

    from tests.parts import scenarios
    scenarios.run(pbx, "queue")            # a group
    scenarios.run(pbx, "queue_abandoned")  # one of it
"""

from tests.parts.asterisk import Asterisk
from tests.parts.scenarios import calls, features, phones, queues, rooms, scripts, states, system
from tests.parts.scenarios.steps import Scenario, hang_up_everything

ALL: dict[str, tuple[Scenario, ...]] = {
    "dial": calls.ALL,
    "features": features.ALL,
    "queue": queues.ALL,
    "conference": rooms.CONFERENCE,
    "parking": rooms.PARKING,
    "transfer": rooms.TRANSFER,
    "states": states.ALL,
    "system": system.ALL,
    "sip": phones.ALL,
}
"""Groups by name; a capture holds one group."""
SIPP = {"sipp": scripts.ALL}
"""The group that needs one program more."""


def run(pbx: Asterisk, name: str) -> None:
    """Run a whole group, or a single scenario by its function's name; leave no call behind."""
    groups = {**ALL, **SIPP}
    singles = {scenario.__name__: (scenario,) for group in groups.values() for scenario in group}
    with pbx.manager() as ami:
        for scenario in groups.get(name) or singles[name]:
            ami.forget()
            scenario(pbx, ami)
            hang_up_everything(ami)
