"""The profiles: which actions are allowed where no rule says otherwise."""

from collections.abc import Mapping
from typing import Final, Literal

from connector.actions.policy.uses import Kind

ProfileName = Literal["read-only", "call-control", "full"]

READS: Final = (
    "Agents", "BridgeInfo", "BridgeList", "BridgeTechnologyList", "ConfbridgeList", "ConfbridgeListRooms",
    "CoreSettings", "CoreShowChannelMap", "CoreShowChannels", "CoreStatus", "DAHDIShowChannels", "DAHDIShowStatus",
    "DeviceStateList", "ExtensionState", "ExtensionStateList", "FAXSession", "FAXSessions", "FAXStats", "Getvar",
    "IAXpeerlist", "IAXpeers", "IAXregistry", "ListCommands", "MWIGet", "MailboxCount", "MailboxStatus", "MeetmeList",
    "MeetmeListRooms", "ModuleCheck", "PJSIPShowAors", "PJSIPShowContacts", "PJSIPShowEndpoints",
    "PJSIPShowMaintenance", "PJSIPShowRegistrationInboundContactStatuses", "PJSIPShowRegistrationsInbound",
    "PJSIPShowResourceLists", "PJSIPShowSubscriptionsInbound", "PJSIPShowSubscriptionsOutbound", "PRIShowSpans",
    "ParkedCalls", "Parkinglots", "Ping", "PresenceState", "PresenceStateList", "QueueRule", "QueueStatus",
    "QueueSummary", "SIPpeers", "SIPpeerstatus", "SIPshowpeer", "SIPshowregistry", "SKINNYdevices", "SKINNYlines",
    "SKINNYshowdevice", "SKINNYshowline", "Status", "VoicemailBoxSummary",
)  # fmt: skip
"""What `read-only` allows: nothing that changes anything, and nothing whose answer holds a secret.

Left out on purpose, though they only read: what shows configuration or the dialplan (GetConfig,
GetConfigJSON, ListCategories, ShowDialPlan), AstDB (DBGet, DBGetTree), passwords (PJSIPShowAuths,
PJSIPShowEndpoint, PJSIPShowRegistrationsOutbound), people's addresses (VoicemailUsersList,
VoicemailUserStatus).
"""

CONTROLS: Final = (
    "AbsoluteTimeout", "AgentLogoff", "Atxfer", "BlindTransfer", "Bridge", "BridgeDestroy", "BridgeKick",
    "CancelAtxfer", "ConfbridgeKick", "ConfbridgeLock", "ConfbridgeMute", "ConfbridgeSetSingleVideoSrc",
    "ConfbridgeUnlock", "ConfbridgeUnmute", "ControlPlayback", "Hangup", "LocalOptimizeAway", "MeetmeMute",
    "MeetmeUnmute", "MixMonitorMute", "MuteAudio", "Originate", "PJSIPHangup", "Park", "PauseMonitor", "PlayDTMF",
    "PlayMF", "QueueAdd", "QueueChangePriorityCaller", "QueueMemberRingInUse", "QueuePause", "QueuePenalty",
    "QueueRemove", "QueueWithdrawCaller", "Redirect", "SendFlash", "SendText", "Setvar", "UnpauseMonitor",
)  # fmt: skip
"""What `call-control` allows beside the reads; where they lead must be named by the settings."""

NEVER: Final = frozenset({"challenge", "events", "filter", "iaxnetstats", "login", "logoff", "waitevent"})
"""What acts on the connector's own session, in small letters; no policy lets it through."""

ACTIONS: Final[Mapping[ProfileName, tuple[str, ...]]] = {
    "read-only": READS,
    "call-control": (*READS, *CONTROLS),
    "full": ("*",),
}

NEEDS: Final[Mapping[str, Kind]] = {
    "originate": Kind.CHANNEL, "queueadd": Kind.CHANNEL, "redirect": Kind.CONTEXT, "blindtransfer": Kind.CONTEXT,
    "atxfer": Kind.CONTEXT, "command": Kind.COMMAND, "agi": Kind.COMMAND, "setvar": Kind.SET,
}  # fmt: skip
"""Actions, in small letters, that cannot pass where nothing of a kind is named."""
