"""What type a header has, guessed from the values seen; where they do not prove it, it is a string."""

import re
from collections.abc import Collection

from connector.avro import naming

#: Words that make a number a name: extensions, ids and phone numbers must keep their zeros and their type.
_NAMING_WORDS = frozenset(
    (
        *("account", "agent", "ani", "box", "call", "callee", "caller", "channel", "code", "context", "cpn"),
        *("device", "did", "dnid", "endpoint", "exten", "extension", "from", "group", "guid", "id", "key"),
        *(
            "mailbox",
            "member",
            "name",
            "num",
            "number",
            "peer",
            "phone",
            "pin",
            "queue",
            "ref",
            "to",
            "trunk",
        ),
        *("unique", "user", "uuid", "version"),
    )
)
_TIME_WORDS = frozenset(("at", "date", "epoch", "expires", "since", "start", "time", "timestamp", "until"))
_NOTHING = frozenset(("", "<unknown>", "unknown", "Unknown", "none", "N/A", "(null)", "<none>"))
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})\Z")
_FRACTION = re.compile(r"-?(0|[1-9][0-9]{0,8})\.[0-9]{1,6}\Z")
_EPOCH = re.compile(r"[12][0-9]{9}\Z")
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:?\d\d|Z)\Z")
_TRUTHS = ({"Yes", "No"}, {"yes", "no"}, {"True", "False"}, {"true", "false"}, {"on", "off"}, {"On", "Off"})


def wire_type(header: str, values: Collection[str]) -> str:
    """Return the wire type of a header with these values; a single value never proves a number."""
    seen = {value for value in values if value not in _NOTHING}
    if not seen:
        return "string"
    if any(seen <= pair for pair in _TRUTHS):
        return "boolean"
    if all(_ISO.match(value) for value in seen):
        return "datetime_iso8601"
    return _number(set(naming.words(header)), seen)


def _number(words: set[str], seen: Collection[str]) -> str:
    if words & _NAMING_WORDS or len(seen) == 1:
        return "string"
    if words & _TIME_WORDS:
        return "epoch_s" if all(_EPOCH.match(value) for value in seen) else "string"
    if all(_WHOLE.match(value) for value in seen):
        return "int"
    return "float" if all(_FRACTION.match(value) for value in seen) else "string"
