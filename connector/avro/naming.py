"""The names that AMI's words get in Avro and Kafka; every name is settled here and never changes after a release."""

import re
from collections.abc import Collection

#: Fields of the envelope: the record's own names win against a header of the same name.
ENVELOPE = (
    "event_id",
    "event_time",
    "event_time_us",
    "event_time_source",
    "received_time",
    "received_time_us",
    "call_id",
    "source",
    "privilege",
    "extra",
)

#: AMI writes some compounds as one word; split, they read as their well-written cousins do (CallerIDNum, Callerid).
_COMPOUNDS = {
    "accountcode": "account_code",
    "callerid": "caller_id",
    "callgroup": "call_group",
    "callid": "call_id",
    "channeltype": "channel_type",
    "clientid": "client_id",
    "dnsmanager": "dns_manager",
    "fullname": "full_name",
    "holdtime": "hold_time",
    "ipaddress": "ip_address",
    "ipport": "ip_port",
    "linkedid": "linked_id",
    "logintime": "login_time",
    "nativeformats": "native_formats",
    "newname": "new_name",
    "parkinglot": "parking_lot",
    "pickupgroup": "pickup_group",
    "qualify2xx": "qualify_2xx",
    "readformat": "read_format",
    "readtrans": "read_trans",
    "ringinuse": "ring_in_use",
    "servicelevel": "service_level",
    "tenantid": "tenant_id",
    "uniqueid": "unique_id",
    "userfield": "user_field",
    "wrapuptime": "wrapup_time",
    "writeformat": "write_format",
    "writetrans": "write_trans",
    "devicelist": "device_list",
    "linelist": "line_list",
    "newchannel": "new_channel",
    "newexten": "new_exten",
    "newstate": "new_state",
    "parkinglots": "parking_lots",
    "peerlist": "peer_list",
    "peerstatus": "peer_status",
}

#: Words whose capitals mislead: the split that the eye makes and the rule below does not.
_SPELT = (
    (re.compile(r"(CallerI|ConnectedI)D(?=[a-z])(.)"), lambda found: found[1] + "d" + found[2].upper()),
    (re.compile(r"(?<=[A-Z]P)(address|port|peer)"), lambda found: found[1].capitalize()),
    (re.compile(r"UnParked|DialPlan|TimeOut|FAXes|DNSm"), lambda found: found[0].capitalize()),
)

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+[0-9]*|[0-9]+[a-z]*")
_LEGAL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")

#: The wire types whose unit stands in the field's name, and the words that would say it twice.
UNITS = {
    "duration_s": "s",
    "duration_ms": "ms",
    "duration_us": "us",
    "duration_s_float": "s",
    "duration_hms": "s",
}
_SPOKEN_UNITS = {"usec": "us", "msec": "ms", "sec": "s", "seconds": "seconds", "ms": "ms", "us": "us"}


def words(text: str) -> list[str]:
    """Split a header's or event's name into lower-case words: `CallerIDNum` gives caller, id, num."""
    for written, spelt in _SPELT:
        text = written.sub(spelt, text)
    found = (word.lower() for word in _WORD.findall(text))
    return "_".join(_COMPOUNDS.get(word, word) for word in found).split("_")


def snake(text: str) -> str:
    """Return a name in snake case: `BridgeUniqueid` gives bridge_unique_id."""
    return "_".join(words(text))


def kebab(text: str) -> str:
    """Return a name in kebab case, as topics are named: `QueueMemberStatus` gives queue-member-status."""
    return "-".join(words(text))


def record(event: str) -> str:
    """Return the Avro record name of an event: the wire name, with what Avro forbids replaced (`AOC-S` gives AOC_S)."""
    name = re.sub(r"[^A-Za-z0-9_]", "_", event)
    return name if is_legal(name) else f"_{name}"


def is_legal(name: str) -> bool:
    """Say whether Avro takes a text as the name of a record or field."""
    return _LEGAL.match(name) is not None


def field(header: str, wire: str, taken: Collection[str] = ENVELOPE) -> str:
    """Return the field name of a header of a wire type; a name that is taken or illegal gets the prefix `ami_`."""
    name = _with_unit(snake(header), wire)
    return f"ami_{name}" if name in taken or not is_legal(name) else name


def _with_unit(name: str, wire: str) -> str:
    unit = UNITS.get(wire)
    if unit is None:
        return name
    stem, _, last = name.rpartition("_")
    spoken = _SPOKEN_UNITS.get(last)
    if spoken is None:
        return f"{name}_{unit}"
    return f"{stem}_{spoken}".lstrip("_")


def variables(prefix: str) -> str:
    """Return the name of the map that holds the variables of the channel whose snapshot has this prefix."""
    return f"{snake(prefix)}_channel_variables".lstrip("_")
