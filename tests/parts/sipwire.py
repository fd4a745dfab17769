"""SIP on the wire: messages, what a call is known by, and the answer to a challenge."""

import hashlib
import re
import secrets
from dataclasses import dataclass

from tests.parts.processes import LOOPBACK

Headers = dict[str, str]


@dataclass(frozen=True)
class Packet:
    """One SIP message; header names in lower case."""

    first: str
    headers: Headers
    body: str

    @property
    def status(self) -> int:
        """The status of a response, 0 for a request."""
        return int(self.first.split()[1]) if self.first.startswith("SIP/") else 0

    @property
    def method(self) -> str:
        """The method of the transaction."""
        return self.headers["cseq"].split()[1]

    @property
    def media(self) -> tuple[str, int]:
        """Where the other side wants to receive sound."""
        found = re.search(r"^m=audio (\d+)", self.body, re.MULTILINE)
        return LOOPBACK, int(found[1]) if found else 0


@dataclass
class Dialog:
    """One call of the phone, as both sides know it."""

    call_id: str
    local: str
    remote: str
    target: str
    media: tuple[str, int] = (LOOPBACK, 0)
    number: int = 1


def parse(text: str) -> Packet:
    """Read one message."""
    head, _, body = text.partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return Packet(first, {name.strip().lower(): value.strip() for name, _, value in pairs}, body)


def proof(challenge: str, user: str, password: str, method: str, uri: str) -> str:
    """Answer a digest challenge."""
    asked = dict(re.findall(r'(\w+)="?([^",]*)"?', challenge))
    nonce, client = asked["nonce"], secrets.token_hex(4)
    who = _md5(f"{user}:{asked['realm']}:{password}")
    what = _md5(f"{method}:{uri}")
    response = _md5(f"{who}:{nonce}:00000001:{client}:auth:{what}")
    return (
        f'Digest username="{user}",realm="{asked["realm"]}",nonce="{nonce}",uri="{uri}",'
        f'response="{response}",algorithm=MD5,qop=auth,nc=00000001,cnonce="{client}"'
        + (f',opaque="{asked["opaque"]}"' if "opaque" in asked else "")
    )


def tag(name: str) -> str:
    """Give the tag of a From or To header."""
    return name.partition("tag=")[2]


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
