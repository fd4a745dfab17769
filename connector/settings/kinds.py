"""The kinds of value that a setting may have, beyond what Python brings."""

import re
from collections.abc import Mapping
from typing import Annotated, Final, NamedTuple


class Secret:
    """Text that is never shown: not by `repr`, not by `str`, not in an error."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text, for the one place that must send it."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "Secret(***)"


class Outside(str):
    """Text from the environment or a file: it may stand for a number or a list, and is never shown."""

    __slots__ = ()


class Address(NamedTuple):
    """Where a PBX listens; port 0: the usual one, 5038 or 5039 with TLS."""

    host: str
    port: int = 0

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port else host


class Bounds(NamedTuple):
    """The least and the greatest value of a number."""

    least: float
    greatest: float

    def __str__(self) -> str:
        return f"{self.least:,} to {self.greatest:,}"


class Form(NamedTuple):
    """What a text must look like, as a pattern and in words; `told`: whether an error may show what it is instead."""

    pattern: re.Pattern[str]
    words: str
    told: bool = True

    def __str__(self) -> str:
        return self.words


_DAY_S: Final = 86_400
_NAME: Final = Form(
    re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"),
    "letters, digits, '.', '_' and '-', a letter or digit first, 64 at most",
)
_TOPIC: Final = Form(
    re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,249}"),
    "a legal topic name: letters, digits, '.', '_' and '-', 249 at most",
)
_LINE: Final = Form(re.compile(r"[^\x00-\x1f\x7f]+"), "text without control characters, not empty")
_REPLY_TOPIC: Final = Form(
    re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,249}\*?"),
    "a legal topic name, or how names begin with '*' behind",
)
_URL: Final = Form(
    re.compile(r"https?://[^\s@/?#]+(/[^\s@?#]*)?"),
    "http:// or https://, a host and a path, without user and password",
    told=False,
)

_FINGERPRINT: Final = Form(
    re.compile(r"[0-9A-Fa-f]{64}|[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){31}"),
    "a certificate's SHA-256: 64 hex digits, with colons or without",
)

Name = Annotated[str, _NAME]
TopicName = Annotated[str, _TOPIC]
ReplyTopic = Annotated[str, _REPLY_TOPIC]
Line = Annotated[str, _LINE]
Url = Annotated[str, _URL]
Fingerprint = Annotated[str, _FINGERPRINT]
Seconds = Annotated[float, Bounds(0.05, _DAY_S)]
Count = Annotated[int, Bounds(1, 1_000_000)]
Milliseconds = Annotated[int, Bounds(-1, 1 << 62)]
Span = Annotated[int, Bounds(1, _DAY_S * 1000)]
"""A time within a day, in milliseconds."""

Rate = Annotated[float, Bounds(0.001, 1_000_000)]
"""So many a second."""

Bytes = Annotated[int, Bounds(1024, 1 << 30)]

Option = str | int | float | bool | Secret
Options = Mapping[str, Option]
"""librdkafka's own settings by their own names; what is secret among them is a `Secret`."""
