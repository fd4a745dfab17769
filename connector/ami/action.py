"""An action as bytes; the only place that knows what may not go on the wire.

Asterisk ends a header at a line feed or a NUL, and reads a line of exactly 1,023 bytes as the end of
the action, so that the headers behind it run as a new one. Nothing is cleaned here: what is not safe
is refused.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from connector.errors import ActionError

MAX_LINE: Final = 1000
"""Bytes of one line without its end; Asterisk's own buffer takes 1,022."""

MAX_LINES: Final = 128
"""Lines of one action, `Action` and `ActionID` among them."""

MAX_ACTION_ID: Final = 64
"""Bytes of an ActionID; some answers pass it through a buffer that glues longer ones to the next header."""

RESERVED: Final = frozenset(
    {"action", "actionid", "authtype", "events", "key", "secret", "suppressevents", "username"}
)
"""Names, in small letters, that no parameter may have: they belong to the session itself."""

_KEYED: Final = frozenset({"dbdel", "dbdeltree", "dbget", "dbgettree", "dbput"})
"""Actions, in small letters, that have a `Key` of their own: one of the database, not of a login."""

OF_THE_SESSION: Final = frozenset(
    {
        *("login", "logoff", "challenge", "events", "filter", "filterlist", "waitevent"),
        *("dataget", "iaxnetstats", "queues"),
    }
)
"""Actions, in small letters, that nobody may ask for: they act on the session itself, or their answer has no end."""

_BLANKS: Final = "".join(map(chr, range(33)))
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_()./-]{0,63}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_ACTION_ID: Final = re.compile(r"[\x21-\x7e]{1,64}")
_VARIABLE_NAME: Final = re.compile(r'[^\x00-\x1f\x7f=,"\\]+')


class AmiAction(NamedTuple):
    """An action to be sent: its name, its parameters in order, and the ActionID of the connector's own."""

    name: str
    headers: tuple[tuple[str, str], ...] = ()
    action_id: str = ""

    def get(self, name: str) -> str:
        """Return a parameter as Asterisk sees it: the first, its name in any case, leading blanks skipped."""
        wanted = name.lower()
        return next((value.lstrip(_BLANKS) for key, value in self.headers if key.lower() == wanted), "")


def encode(action: AmiAction) -> bytes:
    """Return the bytes of an action.

    Raises:
        ActionError: a name, value, line or their number must not go on the wire; the text says which
            and where, and never repeats a value, which may be a secret.
    """
    if action.name.lower() in OF_THE_SESSION:
        raise ActionError(
            f"{action.name} is never sent: it acts on the session itself, or its answer has no end"
        )
    own = {"key"} if action.name.lower() in _KEYED else set()
    for name, _ in action.headers:
        if name.lower() in RESERVED - own:
            raise ActionError(f"{name!r} is reserved: it belongs to the session and cannot be a parameter")
    return encode_own(action)


def encode_own(action: AmiAction) -> bytes:
    """Return the bytes of one of the connector's own login actions, which may carry reserved names.

    Raises:
        ActionError: as `encode`.
    """
    if not _NAME.fullmatch(action.name):
        raise ActionError(f"{action.name!r} cannot be an action's name")
    if not _ACTION_ID.fullmatch(action.action_id):
        raise ActionError(f"an ActionID has 1 to {MAX_ACTION_ID} visible ASCII characters")
    lines = [*_lines(action)]
    if len(lines) > MAX_LINES:
        raise ActionError(f"{action.name} has {len(lines)} lines; Asterisk takes {MAX_LINES}")
    return b"".join(line + b"\r\n" for line in [*lines, b""])


def variable(name: str, value: str) -> str:
    """Return `name=value` for a `Variable` header, escaped; one header carries one variable.

    Asterisk splits the header at commas, honouring quotes and backslashes.

    Raises:
        ActionError: the name holds what would end or split it.
    """
    if not _VARIABLE_NAME.fullmatch(name):
        raise ActionError(f"{name!r} cannot be a variable's name")
    return f"{name}=" + re.sub(r'([\\",])', r"\\\1", value)


def _lines(action: AmiAction) -> Iterator[bytes]:
    yield _line("Action", action.name)
    yield _line("ActionID", action.action_id)
    for name, value in action.headers:
        yield _line(name, value)


def _line(name: str, value: str) -> bytes:
    if not _NAME.fullmatch(name):
        raise ActionError(f"{name!r} cannot be a header's name")
    if control := _CONTROL.search(value):
        raise ActionError(
            f"the value of {name} has the control character {control[0]!r} at character {control.start() + 1}"
        )
    try:
        line = f"{name}: {value}".encode()
    except UnicodeEncodeError as error:
        place = error.start - len(name) - 1
        raise ActionError(f"the value of {name} is not text at character {place}") from None
    if len(line) > MAX_LINE:
        raise ActionError(f"the line of {name} has {len(line)} bytes; {MAX_LINE} are allowed")
    return line
