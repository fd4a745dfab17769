"""One frame as ordered headers.

What a message is, its first header says alone: body headers may be called `Response` or `Event`
too (OriginateResponse, ResourceListDetail). Repeats are kept, order is kept.
"""

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import Final, NamedTuple

_GREETING: Final = b"Asterisk Call Manager/"

_STAMP: Final = re.compile(rb"Event: [^\r\n]*\r\nPrivilege: [^\r\n]*\r\nTimestamp: (\d+)\.(\d{6})(?:\r\n|\Z)")
"""A Timestamp of Asterisk's own, in its place: any other header may be somebody's value."""


class Kind(Enum):
    """What a frame is, by its first header."""

    EVENT = auto()
    RESPONSE = auto()
    GREETING = auto()
    ORPHAN = auto()


def kind_of(frame: bytes) -> Kind:
    """Classify a frame; an ORPHAN is the rest of a message that was torn by its own values."""
    if frame.startswith(b"Event: "):
        return Kind.EVENT
    if frame.startswith(b"Response: "):
        return Kind.RESPONSE
    if frame.startswith(_GREETING):
        return Kind.GREETING
    return Kind.ORPHAN


def event_name(frame: bytes) -> str:
    """Return the event's name, or "" where the frame is no event."""
    if not frame.startswith(b"Event: "):
        return ""
    return text_of(frame[7:].split(b"\r\n", 1)[0])


def timestamp_of(frame: bytes) -> int | None:
    """Return an event's Timestamp in microseconds since 1970 (UTC); None where Asterisk wrote none."""
    match = _STAMP.match(frame)
    return int(match[1] + match[2]) if match else None


def text_of(raw: bytes) -> str:
    """Decode a value; bytes that are not UTF-8 become U+FFFD."""
    return raw.decode("utf-8", "replace")


def split_line(line: bytes) -> tuple[bytes, bytes]:
    """Split `Name: value`; the blank may be missing. A line without a colon is all value, its name empty."""
    name, colon, value = line.partition(b":")
    if not colon:
        return b"", line
    return name, value[1:] if value[:1] == b" " else value


class AmiMessage(NamedTuple):
    """A message's headers in wire order, decoded; `lossy` where a byte was not UTF-8."""

    kind: Kind
    headers: tuple[tuple[str, str], ...]
    lossy: bool = False

    def get(self, name: str, default: str = "") -> str:
        """Return the first value of a header, its name in any case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), default)

    def all(self, name: str) -> Iterator[str]:
        """Yield every value of a header, its name in any case, in wire order."""
        wanted = name.lower()
        return (value for key, value in self.headers if key.lower() == wanted)


def parse(frame: bytes) -> AmiMessage:
    """Read a frame of any kind; never raises.

    The raw text of a `Response: Follows` (Asterisk 13 and older) comes as one `Output` per line, as
    later releases send it. A line feed that Asterisk leaves at the end of a `Message` is taken off.
    """
    kind = kind_of(frame)
    if kind is Kind.GREETING:
        return AmiMessage(kind, (("Greeting", text_of(frame)),))
    lines = _unfold(frame) if frame.startswith(b"Response: Follows\r\n") else frame.split(b"\r\n")
    headers = tuple(_header(line) for line in lines)
    return AmiMessage(kind, headers, lossy=not _is_utf8(frame))


def _header(line: bytes) -> tuple[str, str]:
    name, value = split_line(line)
    if name == b"Message":
        value = value.rstrip(b"\n")
    return text_of(name), text_of(value)


def _unfold(frame: bytes) -> list[bytes]:
    """Turn the old form of Command's answer into the new one."""
    head: list[bytes] = []
    rest = frame
    while rest.startswith((b"Response: ", b"Privilege: ", b"ActionID: ", b"Message: ")):
        line, _, rest = rest.partition(b"\r\n")
        head.append(line)
    text = rest.removesuffix(b"--END COMMAND--").removesuffix(b"\n")
    return head + [b"Output: " + line for line in text.split(b"\n")]


def _is_utf8(frame: bytes) -> bool:
    try:
        frame.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
