"""Bytes from an AMI socket to whole frames.

A frame is everything up to a blank line, without the terminator. Lines end in CR LF; a bare LF is
data, since values may hold several lines. Two terminators are known on the wire: CR LF CR LF, and
CR LF LF, which CoreShowChannelMap writes in Asterisk 18.19 to 21.3. Nothing is decoded here, so a
character cut by a read comes out whole.

Two messages do not end at a blank line: the greeting is one line, and a `Response: Follows` of
Asterisk 13 and older ends at its `--END COMMAND--`.
"""

import hashlib
import re
from typing import Final

DEFAULT_MAX_FRAME: Final = 1 << 20
"""Bytes of one frame, 1 MiB: Kafka's own default limit for a message is about the same, and what
Asterisk writes beyond it is a file or a list squeezed into a header."""

_BLANK_LINE: Final = re.compile(rb"\r\n\r?\n")
_END_COMMAND: Final = re.compile(rb"(?<=--END COMMAND--)\r\n\r?\n")
_LONGEST_END: Final = len(b"--END COMMAND--\r\n\r\n")
_GREETING: Final = b"Asterisk Call Manager/"
_LONGEST_GREETING: Final = 128
_FOLLOWS: Final = b"Response: Follows\r\n"


class Oversize(bytes):
    """The head of a frame larger than the bound; the rest was read, counted and let go."""

    size: int
    sha256: str


class Framer:
    """Cuts a stream into frames; the same bytes give the same frames however they are cut.

    Args:
        max_frame: the bound in bytes; a larger frame comes out as an `Oversize` with that many of
            its first bytes, its whole size, and the SHA-256 of the whole.
    """

    def __init__(self, max_frame: int = DEFAULT_MAX_FRAME) -> None:
        self._max = max_frame
        self._rest = bytearray()
        self._searched = 0
        self._greeted = False
        self._overrun: _Overrun | None = None

    @property
    def pending(self) -> bytes:
        """The bytes of a frame that has not ended: what a lost connection tears."""
        return bytes(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        """Take what a read gave, and return the frames that are now whole, in order."""
        self._rest += data
        if not self._greeted and not self._open():
            return []
        if self._overrun is None and b"\r\n\n" not in self._rest and _FOLLOWS not in self._rest:
            frames = self._split()
        else:
            frames = self._scan()
        self._bound()
        return frames

    def _open(self) -> bool:
        """Hold back until the stream's first bytes show whether it opens with the greeting line."""
        if self._rest.startswith(_GREETING):
            end = self._rest.find(b"\r\n", 0, _LONGEST_GREETING)
            if end < 0 and len(self._rest) < _LONGEST_GREETING:
                return False
            # The greeting is a frame of its own: it gets the blank line that it lacks.
            self._rest[end:end] = b"\r\n" if end >= 0 else b""
        elif _GREETING.startswith(self._rest):
            return False
        self._greeted = True
        return True

    def _split(self) -> list[bytes]:
        """Cut at CR LF CR LF, the common case, at the speed of bytes.split."""
        if self._rest.find(b"\r\n\r\n", max(0, self._searched - _LONGEST_END)) < 0:
            self._searched = len(self._rest)
            return []
        *frames, rest = bytes(self._rest).split(b"\r\n\r\n")
        self._rest = bytearray(rest)
        self._searched = len(rest)
        return [self._bounded(whole) for frame in frames if (whole := frame.lstrip(b"\r\n"))]

    def _scan(self) -> list[bytes]:
        """Cut at every end known, one frame at a time."""
        frames: list[bytes] = []
        while (span := self._end()) is not None:
            frame = bytes(self._rest[: span[0]])
            del self._rest[: span[1]]
            self._searched = 0
            if self._overrun is not None:
                frames.append(self._overrun.end(frame))
                self._overrun = None
            elif frame:
                frames.append(self._bounded(frame))
        self._searched = len(self._rest)
        return frames

    def _end(self) -> tuple[int, int] | None:
        self._drop_blank_lines()
        follows = self._overrun.follows if self._overrun else self._rest.startswith(_FOLLOWS)
        ending = _END_COMMAND if follows else _BLANK_LINE
        match = ending.search(self._rest, max(0, self._searched - _LONGEST_END))
        return match.span() if match else None

    def _drop_blank_lines(self) -> None:
        if self._overrun is None and self._rest.startswith((b"\r", b"\n")):
            self._rest = self._rest.lstrip(b"\r\n")
            self._searched = 0

    def _bound(self) -> None:
        """Past the bound, keep of an unended frame only the bytes that its end may begin with."""
        self._drop_blank_lines()
        if self._overrun is None:
            if len(self._rest) <= self._max + _LONGEST_END:
                return
            self._overrun = _Overrun(self._max, follows=self._rest.startswith(_FOLLOWS))
        self._overrun.take(bytes(self._rest[:-_LONGEST_END]))
        del self._rest[:-_LONGEST_END]
        self._searched = 0

    def _bounded(self, frame: bytes) -> bytes:
        return frame if len(frame) <= self._max else _Overrun(self._max).end(frame)


class _Overrun:
    """Counts and digests a frame that is too large to keep."""

    def __init__(self, keep: int, *, follows: bool = False) -> None:
        self.follows = follows
        self._keep = keep
        self._head = b""
        self._size = 0
        self._digest = hashlib.sha256()

    def take(self, data: bytes) -> None:
        self._head += data[: self._keep - len(self._head)]
        self._size += len(data)
        self._digest.update(data)

    def end(self, data: bytes) -> Oversize:
        self.take(data)
        frame = Oversize(self._head)
        frame.size = self._size
        frame.sha256 = self._digest.hexdigest()
        return frame
