"""A PBX on which much goes on at once, and every question about it that AMI answers with lists."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.parts.ami import Manager, Value
from tests.parts.asterisk import PHONE_SECRET, Asterisk
from tests.parts.processes import LOOPBACK
from tests.parts.scenarios.steps import bridged_call, call, hang_up_everything, set_variable
from tests.parts.sip import Phone

Question = tuple[str, dict[str, Value]]


@contextmanager
def busy(pbx: Asterisk) -> Iterator[Manager]:
    """Keep calls, a queue, a conference, a parking lot, an agent and a phone busy meanwhile."""
    with pbx.manager() as ami, Phone((LOOPBACK, pbx.sip_port), "phone1", PHONE_SECRET) as phone:
        phone.register()
        ami.expect("ContactStatus", AOR="phone1")
        phone.watch("1001")
        _fill(ami)
        yield ami
        phone.register(expires=0)
        hang_up_everything(ami)


def _fill(ami: Manager) -> None:
    set_variable(ami, "DEVICE_STATE(Custom:agent1)", "NOT_INUSE")
    set_variable(ami, "PRESENCE_STATE(CustomPresence:lamp1)", "away,lunch,soon")
    agent = call(ami, "204")
    bridged_call(ami)
    for number, event in (("300", "ConfbridgeJoin"), ("301", "ConfbridgeJoin"), ("202", "QueueCallerJoin")):
        ami.expect(event, Uniqueid=call(ami, number)["Uniqueid"])
    ami.expect("ParkedCall", ParkeeUniqueid=call(ami, "400")["Uniqueid"])
    ami.expect("AgentConnect", Uniqueid=call(ami, "200")["Uniqueid"])
    ami.expect("MusicOnHoldStart", Uniqueid=call(ami, "660", caller='"O\'Brien?" <1007>')["Uniqueid"])
    ami.expect("DeviceStateChange", Device="Agent:1001", State="NOT_INUSE")
    ami.expect("BridgeEnter", Uniqueid=call(ami, "205")["Uniqueid"])
    ami.expect("BridgeEnter", Uniqueid=agent["Uniqueid"], times=2)


def questions(channel: str, bridge: str) -> tuple[Question, ...]:
    """Give every question; some need a channel and a bridge of the moment."""
    return (
        ("Ping", {}),
        ("CoreStatus", {}),
        ("CoreSettings", {}),
        ("ListCommands", {}),
        ("CoreShowChannels", {}),
        ("CoreShowChannelMap", {"Channel": channel}),
        ("Status", {}),
        ("Status", {"Channel": channel, "Variables": "DIALSTATUS,NOT_SET,SHARED"}),
        ("BridgeList", {}),
        ("BridgeInfo", {"BridgeUniqueid": bridge}),
        ("BridgeTechnologyList", {}),
        ("QueueStatus", {}),
        ("QueueStatus", {"Queue": "nobody"}),
        ("QueueSummary", {}),
        ("QueueRule", {}),
        ("Agents", {}),
        ("ConfbridgeListRooms", {}),
        ("ConfbridgeList", {"Conference": "3000"}),
        ("ParkedCalls", {}),
        ("Parkinglots", {}),
        ("DeviceStateList", {}),
        ("ExtensionStateList", {}),
        ("ExtensionState", {"Context": "internal", "Exten": "5001"}),
        ("PresenceStateList", {}),
        ("PresenceState", {"Provider": "CustomPresence:lamp1"}),
        ("PJSIPShowEndpoints", {}),
        ("PJSIPShowEndpoint", {"Endpoint": "phone1"}),
        ("PJSIPShowEndpoint", {"Endpoint": "trunk"}),
        ("PJSIPShowEndpoint", {"Endpoint": "nobody"}),
        ("PJSIPShowAors", {}),
        ("PJSIPShowAuths", {}),
        ("PJSIPShowContacts", {}),
        ("PJSIPShowRegistrationsInbound", {}),
        ("PJSIPShowRegistrationInboundContactStatuses", {}),
        ("PJSIPShowRegistrationsOutbound", {}),
        ("PJSIPShowSubscriptionsInbound", {}),
        ("PJSIPShowResourceLists", {}),
        ("PJSIPShowMaintenance", {}),
        ("VoicemailUsersList", {}),
        ("VoicemailUserStatus", {"Context": "default", "Mailbox": "100"}),
        ("MailboxCount", {"Mailbox": "100@default"}),
        ("FAXSessions", {}),
        ("FAXStats", {}),
        ("DBPut", {"Family": "parts", "Key": "one", "Val": "first"}),
        ("DBGet", {"Family": "parts", "Key": "one"}),
        ("DBGetTree", {"Family": "parts"}),
        ("DBGet", {"Family": "parts", "Key": "none"}),
        ("GetConfig", {"Filename": "queues.conf"}),
        ("GetConfigJSON", {"Filename": "res_parking.conf"}),
        ("ListCategories", {"Filename": "confbridge.conf"}),
        ("ListCategories", {"Filename": "acl.conf"}),
        ("ShowDialPlan", {"Context": "parties"}),
        ("ShowDialPlan", {"Context": "nowhere"}),
        ("Command", {"Command": "core show channels concise"}),
        ("Command", {"Command": "no such command"}),
        ("Getvar", {"Variable": "PARTS"}),
        ("Getvar", {"Variable": "CHANNEL(state)", "Channel": channel}),
        ("SIPpeers", {}),
        ("ModuleCheck", {"Module": "app_queue.so"}),
        ("ModuleLoad", {"LoadType": "load"}),
        ("Challenge", {"AuthType": "MD5"}),
        ("Originate", {"Channel": "Local/busy@parties", "Application": "Wait", "Data": "1", "Async": "true"}),
        ("WaitEvent", {"Timeout": 1}),
        ("Originate", {"Channel": "Local/busy@parties", "Application": "Wait", "Data": "1", "Timeout": 2000}),
        ("Hangup", {"Channel": "/^Local.brief@/"}),
    )
