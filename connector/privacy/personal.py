"""Which values tell something of a person, as far as their names show it.

A table of names and reasons, to be read against the settings: nothing is covered because it stands here.
"""

from typing import Final, NamedTuple

from connector.privacy.rules import is_needed, pattern


class Kind(NamedTuple):
    """A kind of personal value: what it is called, why it is personal, and the headers that hold it.

    `secret`: nobody behind Kafka should need it.
    """

    name: str
    why: str
    headers: tuple[str, ...]
    secret: bool = False


KINDS: Final = (
    Kind(
        "digits",
        "what somebody keys in: PINs, card numbers, choices",
        ("Digit", "NewPassword"),
        secret=True,
    ),
    Kind(
        "answers to challenges",
        "a password can be tried out on them",
        ("Challenge", "ExpectedResponse", "ReceivedChallenge", "ReceivedHash", "Md5Cred", "Password", "PasswordDigest",
         "OauthSecret", "RefreshToken"),
        secret=True,
    ),
    Kind(
        "numbers",
        "who calls, and who is called",
        ("*CallerIDNum", "*ConnectedLineNum", "CallerIDani", "CallerIDdnid", "CallerIDrdnis", "MConnectedIDNum", "*Exten",
         "Extension", "DNID", "Source", "Destination", "Callee", "Caller", "ParkerDialString", "DialString", "Forward",
         "UserNumber", "LocalStationID", "RemoteStationID", "VoicemailExtension", "ConnectedLineNumber"),
    ),
    Kind(
        "names",
        "what people are called",
        ("*CallerIDName", "*ConnectedLineName", "CallerID", "Callerid", "MConnectedIDName", "MemberName", "Fullname",
         "ResourceDisplayName", "UserField", "Userfield"),
    ),
    Kind(
        "channels and devices",
        "the name of a channel or device mostly holds an extension, a user's name, or the number that is dialled",
        ("*Channel", "Newname", "Interface", "StateInterface", "Device", "Peer", "Location", "Endpoint", "EndpointName",
         "AOR", "Aor", "Aors", "Agent", "Presentity", "ObjectName", "ConnectedChannel", "TalkingToChan"),
    ),
    Kind(
        "accounts",
        "whom a call is charged to, who logs in",
        ("*AccountCode", "Account", "AccountID", "PeerAccount", "Username", "User", "ObjectUsername", "FromUser", "JID",
         "IMAPUser", "MwiFromUser", "Mailbox", "*Mailboxes", "VoiceMailbox"),
    ),
    Kind(
        "addresses",
        "where somebody's telephone is in the network, or how mail reaches its owner",
        ("*Address", "IPaddress", "Address-IP", "Host", "URI", "Uri", "ContactUri", "ClientUri", "ServerUri", "ViaAddr",
         "ViaAddress", "Contact", "Contacts", "From", "To", "FromString", "Email", "Pager", "SessionID", "UserAgent",
         "CallID", "CallId", "Callid"),
    ),
    Kind(
        "what the dialplan says",
        "arguments and variables hold whatever the dialplan puts into them: numbers, names, answers of a caller",
        ("AppData", "ApplicationData", "LastData", "Data", "*ChanVariable", "ChanVariable()", "Variable", "Value",
         "Command", "CommandId", "Env", "Val", "Extra", "Result", "UserDefType"),
    ),
    Kind(
        "free text",
        "words that people write, or have recorded",
        ("Body", "Message", "StatusText", "PausedReason", "FileName", "Note"),
    ),
)  # fmt: skip


def kind_of(header: str) -> Kind | None:
    """Return the kind of a header's values; None: as far as its name shows they are not personal."""
    if is_needed(header):
        return None
    return next((kind for kind, names in _PATTERNS if names is not None and names.fullmatch(header)), None)


_PATTERNS: Final = [(kind, pattern(kind.headers, any_case=False)) for kind in KINDS]
