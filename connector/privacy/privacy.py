"""All rules of a process, made ready for each kind of message once."""

import json
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

from connector.ami.framing import Oversize
from connector.ami.message import Kind, event_name, kind_of
from connector.avro.schema import EventSchema, SchemaSet
from connector.privacy.mask import Mask, Ready, bare
from connector.privacy.rules import Rule, Scope, pattern
from connector.privacy.ways import Change, Do, Key, digest, drop, mask, pseudonym, truncate

DEFAULTS: Final = "default: secret"
"""What the rules that hold unless others say otherwise are called."""

_FINGERPRINT_HEX: Final = 8


class Privacy:
    """Rules in order; of those that are about a value the first decides.

    Args:
        rules: what the operator says, what holds by default behind it.
        schemas: every event that is known.
        key: for pseudonyms; None: no rule makes any.
    """

    def __init__(self, rules: Sequence[Rule], schemas: SchemaSet, key: Key | None = None) -> None:
        pseudonyms = pseudonym(key) if key else None
        self._ready = [(rule.scope, _ready(rule, pseudonyms)) for rule in rules]
        self._schemas = schemas
        self._key = key
        self._masks: dict[EventSchema, Mask | None] = {}
        # What one kind of event may tell, a fragment of another may not.
        self._anything = Mask((ready for _, ready in self._ready if ready.change), {})
        answering = [ready for scope, ready in self._ready if scope.answers]
        self.answers: Final = Mask(answering, {}) if answering else None
        self.fingerprint: Final = _fingerprint(rules)
        tearable = [rule.scope for rule in rules if rule.do is not Do.LEAVE and not rule.whole]
        self.withholds: Final = any(scope.schemas for scope in tearable)
        self._withholds_answers = any(scope.answers for scope in tearable)

    def __bool__(self) -> bool:
        """Say whether there are any rules."""
        return bool(self._ready)

    def of(self, schema: EventSchema) -> Mask | None:
        """Return what is done to events of a schema; None: nothing."""
        if schema not in self._masks:
            ready = [ready for scope, ready in self._ready if schema in scope.schemas]
            fields = {field.header: field for field in schema.fields if field.header}
            self._masks[schema] = Mask(ready, fields) if ready else None
        return self._masks[schema]

    def of_event(self, event: str) -> Mask | None:
        """Return what is done to events of a name; None: nothing."""
        return self.of(self._schemas.lookup(event))

    def fragment(self, frame: bytes) -> bytes:
        """Return what may be told of a frame that is torn, forged, too large, or no event.

        Its lines may be anybody's, and a value may go on behind a line end. So where rules are about values
        that can be torn, nothing is told but its name, length and keyed digest, as a frame too large to be
        kept; else each line goes by all rules there are.
        """
        is_answer = kind_of(frame) is Kind.RESPONSE
        if self._withholds_answers if is_answer else self.withholds:
            return self._withheld(frame)
        found = self._anything.text(frame)
        changed = found is not frame
        return (
            _oversize(found, frame.size, frame.sha256) if changed and isinstance(frame, Oversize) else found
        )

    def _withheld(self, frame: bytes) -> Oversize:
        name = event_name(frame)
        known = self._schemas.lookup(name) is not self._schemas.unknown
        head = f"Event: {name}".encode() if known else b""
        if kind_of(frame) is Kind.RESPONSE:
            head = b"Response: "
        if isinstance(frame, Oversize):
            return _oversize(head, frame.size, frame.sha256)
        return _oversize(head, len(frame), digest(self._key, frame).decode() if self._key else "")


def defaults(schemas: SchemaSet) -> Iterable[Rule]:
    """Yield the rules for what the schemas call secret: digits, new PINs, answers to challenges.

    None of it can hold a line end: digits, and hexadecimal or base64 text.
    """
    by_headers: dict[tuple[str, ...], set[EventSchema]] = {}
    for schema in schemas:
        secret = tuple(sorted(field.header for field in schema.fields if field.secret))
        if secret:
            by_headers.setdefault(secret, set()).add(schema)
    for headers, members in sorted(by_headers.items()):
        scope = Scope(schemas=frozenset(members))
        yield Rule(name=DEFAULTS, scope=scope, headers=headers, whole=True)


def _ready(rule: Rule, pseudonyms: Change | None) -> Ready:
    # A channel's name in brackets is no part of a header's: ChanVariable(SIP/100-1).
    headers = [each.partition("(")[0] for each in rule.headers]
    variables = [bare(each) for each in rule.variables]
    change = {
        Do.DROP: drop,
        Do.MASK: mask(rule.keep),
        Do.HMAC: pseudonyms,
        Do.TRUNCATE: truncate(rule.keep),
        Do.LEAVE: None,
    }[rule.do]
    return Ready(
        rule.name,
        pattern(headers, any_case=True),
        pattern(variables, any_case=False),
        rule.do,
        change,
    )


def _fingerprint(rules: Iterable[Rule]) -> str:
    """Return what tells these rules from others; not the key, since what was made with an old one is done."""
    said = [
        [
            sorted(schema.full_name for schema in rule.scope.schemas),
            [*map(str.lower, rule.headers)],
            rule.variables,
            rule.do,
            rule.keep,
        ]
        for rule in rules
    ]
    return sha256(json.dumps(said).encode()).hexdigest()[:_FINGERPRINT_HEX]


def _oversize(head: bytes, size: int, told_digest: str) -> Oversize:
    frame = Oversize(head)
    frame.size, frame.sha256 = size, told_digest
    return frame
