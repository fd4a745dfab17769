"""Requests of every kind, chosen by a seed: the n-th is the same in every run with it."""

import json
import random
from collections.abc import Mapping
from typing import Any, NamedTuple

PBX = "pbx-a"
CONTEXT = "effects"
KEYS = 40
KIND, NUMBER, CORRELATION = "test-kind", "test-number", "kafka_correlationId"
READS: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("Ping", {}),
    ("CoreShowChannels", {}),
    ("CoreStatus", {}),
    ("Getvar", {"Variable": "PARTS"}),
)


class Draft(NamedTuple):
    """A record to be written."""

    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]


class Stream:
    """Endless requests: two thirds dial, the rest read; some repeat earlier ones, a few are poisoned."""

    def __init__(self, seed: int, replies: str) -> None:
        self._random = random.Random(seed)
        self._replies = replies
        self._count = 0
        self._repeatable: list[tuple[str, Draft]] = []

    def draw(self) -> Draft:
        """Return the next request."""
        self._count += 1
        lot = self._random.random()
        if lot < 0.03:
            return self._poisoned()
        if lot < 0.08 and self._repeatable:
            return self._again()
        kind, draft = self._originate() if lot < 0.70 else self._read()
        if draft.key is not None:
            # A repeat without a key may come to another partition, where its id is not known.
            self._repeatable.append((kind, draft))
        return self._marked(kind, draft)

    def _originate(self) -> tuple[str, Draft]:
        number = str(1_000_000 + self._count)
        headers = {"Channel": f"Local/{number}@{CONTEXT}/n", "Application": "Wait", "Data": "0.02"}
        return "originate", self._request("Originate", headers, number=number)

    def _read(self) -> tuple[str, Draft]:
        name, headers = self._random.choice(READS)
        draft = self._request(name, headers)
        return "read", draft._replace(key=None) if self._random.random() < 0.2 else draft

    def _again(self) -> Draft:
        """Repeat one of the last, which may be under way yet, or any."""
        recent = self._repeatable[-20:] if self._random.random() < 0.5 else self._repeatable
        return self._marked(*self._random.choice(recent))

    def _poisoned(self) -> Draft:
        kind = self._random.choice(("no-partition", "no-topic", "too-large", "no-request", "other-content"))
        match kind:
            case "no-partition":
                draft = self._request("Ping", {})
                nowhere = [("kafka_replyPartition", (9_999).to_bytes(4, "big"))]
                draft = draft._replace(headers=[*draft.headers, *nowhere])
            case "no-topic":
                draft = self._originate()[1]
                draft = draft._replace(headers=[*draft.headers, ("kafka_replyTopic", b"somebody.elses")])
            case "too-large":
                draft = self._request("ListCommands", {}, parts=False)
            case "no-request":
                draft = self._request("Ping", {})._replace(value=b'{"action": ')
            case _ if self._repeatable:
                known = self._random.choice(self._repeatable)[1]
                told = {**json.loads(known.value), "action": "CoreSettings", "headers": {}}
                draft = known._replace(
                    value=json.dumps(told).encode(), headers=[(NUMBER, b""), *known.headers[1:]]
                )
            case _:
                return self.draw()
        return self._marked(kind, draft)

    def _request(
        self, action: str, headers: Mapping[str, str], *, number: str = "", parts: bool = True
    ) -> Draft:
        key = f"key-{self._random.randrange(KEYS)}".encode()
        body: dict[str, Any] = {
            "request_id": f"r{self._count}-{self._random.randrange(1 << 32):08x}",
            "action": action,
            "pbx": PBX,
            "headers": dict(headers),
            "timeout_ms": 20_000,
            "accept_parts": parts,
        }
        marks = [(NUMBER, number.encode())]
        if self._random.random() < 0.3:
            marks.append(("kafka_replyTopic", self._replies.encode()))
        return Draft(key, json.dumps(body).encode(), marks)

    def _marked(self, kind: str, draft: Draft) -> Draft:
        own = [(CORRELATION, f"c{self._count}".encode()), (KIND, kind.encode())]
        return draft._replace(headers=[*draft.headers, *own])
