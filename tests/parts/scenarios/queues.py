"""Queues, their members and their agents."""

from tests.parts.ami import Manager
from tests.parts.asterisk import Asterisk
from tests.parts.scenarios.steps import Scenario, call, hang_up, set_variable


def queue_answered(_: Asterisk, ami: Manager) -> None:
    """A member takes the caller; the caller ends the call."""
    set_variable(ami, "DEVICE_STATE(Custom:agent1)", "NOT_INUSE")
    caller = call(ami, "200")
    ami.expect("QueueCallerJoin", Queue="support", Uniqueid=caller["Uniqueid"])
    ami.expect("AgentCalled", Queue="support", Uniqueid=caller["Uniqueid"])
    ami.expect("AgentConnect", Queue="support", Uniqueid=caller["Uniqueid"])
    ami.expect("BridgeEnter", Uniqueid=caller["Uniqueid"])
    hang_up(ami, caller)
    ami.expect("AgentComplete", Queue="support", Reason="caller")


def queue_abandoned(_: Asterisk, ami: Manager) -> None:
    """The caller gives up."""
    caller = call(ami, "202")
    ami.expect("QueueCallerJoin", Uniqueid=caller["Uniqueid"])
    hang_up(ami, caller)
    ami.expect("QueueCallerAbandon", Uniqueid=caller["Uniqueid"])
    ami.expect("QueueCallerLeave", Uniqueid=caller["Uniqueid"])


def queue_timed_out(_: Asterisk, ami: Manager) -> None:
    """The dialplan takes the caller back; only a variable tells this from an abandoned call."""
    caller = call(ami, "201")
    ami.expect("VarSet", Variable="QUEUESTATUS", Value="TIMEOUT", Uniqueid=caller["Uniqueid"])
    ami.expect("QueueCallerLeave", Uniqueid=caller["Uniqueid"])


def queue_member_silent(_: Asterisk, ami: Manager) -> None:
    """The only member does not answer and is paused by the queue."""
    set_variable(ami, "DEVICE_STATE(Custom:agent2)", "NOT_INUSE")
    caller = call(ami, "203")
    ami.expect("AgentRingNoAnswer", Queue="deaf", Uniqueid=caller["Uniqueid"])
    ami.expect("QueueMemberPause", Queue="deaf", Paused="1")
    hang_up(ami, caller)
    ami.action("QueuePause", Queue="deaf", Interface="Local/never@parties/n", Paused="false")
    ami.expect("QueueMemberPause", Queue="deaf", Paused="0")


def queue_members(_: Asterisk, ami: Manager) -> None:
    """A member comes, rests, is valued otherwise, and goes."""
    who = {"Queue": "unmanned", "Interface": "Local/answer@parties/n"}
    ami.action("QueueAdd", **who, MemberName="Agent Three", Penalty=3, StateInterface="Custom:agent3")
    ami.expect("QueueMemberAdded", Queue="unmanned")
    ami.action("QueuePause", **who, Paused="true", Reason="lunch")
    ami.expect("QueueMemberPause", Queue="unmanned", Paused="1")
    ami.action("QueuePause", **who, Paused="false")
    ami.action("QueuePenalty", **who, Penalty=5)
    ami.expect("QueueMemberPenalty", Queue="unmanned", Penalty="5")
    ami.action("QueueMemberRingInUse", **who, RingInUse="no")
    ami.expect("QueueMemberRinginuse", Queue="unmanned")
    set_variable(ami, "DEVICE_STATE(Custom:agent3)", "BUSY")
    ami.expect("QueueMemberStatus", Queue="unmanned", Status="3")
    ami.action("QueueRemove", **who)
    ami.expect("QueueMemberRemoved", Queue="unmanned")


def agent_pool(_: Asterisk, ami: Manager) -> None:
    """An agent of the agent pool logs in, takes a call, and leaves."""
    agent = call(ami, "204")
    ami.expect("AgentLogin", Agent="1001")
    ami.expect("DeviceStateChange", Device="Agent:1001", State="NOT_INUSE")
    caller = call(ami, "205")
    ami.expect("BridgeEnter", Uniqueid=caller["Uniqueid"])
    hang_up(ami, caller)
    hang_up(ami, agent)
    ami.expect("AgentLogoff", Agent="1001")


ALL: tuple[Scenario, ...] = (
    queue_answered,
    queue_abandoned,
    queue_timed_out,
    queue_member_silent,
    queue_members,
    agent_pool,
)
