"""Records of the request topics to requests.

Three things can come of a record: a request, a request with a flaw (it could be read, and can never
be carried out), or none at all. Whatever the bytes, nothing is raised.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from connector.actions.instant import MAX_MS
from connector.actions.pair import Pair
from connector.actions.reading.body import Body, from_object, json_object
from connector.actions.reading.correlation import Correlation
from connector.actions.record import Incoming
from connector.actions.request import NeedsSchema, Reply, Request, Undecodable
from connector.avro.codec import PREFIX_BYTES, schema_id_of
from connector.avro.records import RecordCodec
from connector.errors import ActionError, SchemaError

MAX_ID: Final = 200
"""Characters of a request id."""

MAX_NAME: Final = 200
"""Characters of an action's name, a PBX's and an ActionID; what is longer is cut, and a flaw."""

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRules:
    """By what requests are read.

    Args:
        pairs: the request topics, each with the topics that belong to it.
        reply_topics: where requesters may have answers sent, beside the pair's own topic: whole names,
            or `prefix*`.
        ttl_ms: how long after the record's time an action may be sent where the request does not say.
        max_ttl_ms: the longest that a request may ask for; what asks for more gets this.
        timeout_ms: how long an answer may take where the request does not say.
        max_timeout_ms: likewise.
        max_bytes: the largest record; an action of Asterisk's own limits fits in half of it.
    """

    pairs: Sequence[Pair]
    reply_topics: Sequence[str] = ()
    ttl_ms: int = 30_000
    max_ttl_ms: int = 3_600_000
    timeout_ms: int = 30_000
    max_timeout_ms: int = 600_000
    max_bytes: int = 262_144


class RequestReader:
    """Reads requests.

    Args:
        rules: what is allowed, and what holds where a request does not say.
        schema: `schemas/actions/request.avsc`.
    """

    def __init__(self, rules: RequestRules, schema: RecordCodec) -> None:
        self._rules = rules
        self._schema = schema
        self._pairs = {pair.requests: pair for pair in rules.pairs}

    def read(
        self, record: Incoming, writer_schemas: Mapping[int, str]
    ) -> Request | Undecodable | NeedsSchema:
        """Read a record of one of the pairs' request topics.

        `writer_schemas` are the texts of the registry's schemas by id, as far as they are known.
        """
        correlation = self._correlation(record)
        found: Mapping[str, Any] = {}
        try:
            raw = self._raw(record, writer_schemas)
            if isinstance(raw, NeedsSchema):
                return raw
            found = raw
            body = from_object(found) if self._is_json(record) else found
            request_id = _request_id(body, correlation)
        except (ActionError, SchemaError) as error:
            return _undecodable(record, str(error), correlation, found)
        return self._request(record, body, request_id, correlation)

    def undecodable(self, record: Incoming, reason: str) -> Undecodable:
        """Return a record as none of a request; so is one whose schema the registry does not have."""
        return _undecodable(record, reason, self._correlation(record), {})

    def _correlation(self, record: Incoming) -> Correlation:
        default = self._pairs[record.place.topic].responses
        return Correlation(record.headers, default, self._rules.reply_topics)

    def _is_json(self, record: Incoming) -> bool:
        return self._pairs[record.place.topic].form == "json"

    def _raw(self, record: Incoming, writer_schemas: Mapping[int, str]) -> Mapping[str, Any] | NeedsSchema:
        value = record.value
        if value is None:
            raise ActionError("the record has no value")
        if len(value) > self._rules.max_bytes:
            raise ActionError(f"the value has {len(value)} bytes; {self._rules.max_bytes} are allowed")
        if self._is_json(record):
            return json_object(value)
        schema_id = schema_id_of(value)
        if schema_id is None:
            raise ActionError("not Avro in Confluent's framing: a zero byte, then the schema's id in four")
        text = writer_schemas.get(schema_id)
        if text is None:
            return NeedsSchema(record, schema_id)
        return self._schema.decode(value[PREFIX_BYTES:], text)

    def _request(self, record: Incoming, body: Body, request_id: str, correlation: Correlation) -> Request:
        flaws: list[str] = []
        headers, action_id = _without_action_id(_pairs(body["headers"]), flaws)
        variables = _pairs(body["variables"])
        action = _short("action", body["action"], flaws)
        if not action:
            flaws.append("action is empty")
        return Request(
            record=record,
            request_id=request_id,
            pbx=_short("pbx", body["pbx"] or "", flaws),
            action=action,
            headers=headers,
            variables=variables,
            action_id=None if action_id is None else _short("ActionID", action_id, flaws),
            expires_at_ms=self._expires_at(record, body["expires_at"], correlation, flaws),
            timeout_ms=self._timeout(body["timeout_ms"], flaws),
            accept_parts=bool(body["accept_parts"]),
            reply=_reply(correlation, body["reply_to"] or "", flaws),
            digest=_digest(body, headers, variables),
            flaw="; ".join(flaws),
        )

    def _expires_at(
        self, record: Incoming, given: int | None, correlation: Correlation, flaws: list[str]
    ) -> int:
        """Return the earliest of what the body, the header and the settings say."""
        sent = record.timestamp_ms
        try:
            header = correlation.expires_at_ms()
        except ActionError as error:
            flaws.append(str(error))
            header = None
        if given is not None and not 0 <= given <= MAX_MS:
            flaws.append("expires_at: not milliseconds since 1970 of the years to 9999")
            given = None
        asked = [instant for instant in (given, header) if instant is not None]
        return min(*asked, sent + self._rules.max_ttl_ms) if asked else sent + self._rules.ttl_ms

    def _timeout(self, given: int | None, flaws: list[str]) -> int:
        if given is None:
            return self._rules.timeout_ms
        if given < 1:
            flaws.append(f"timeout_ms: {given} given; at least 1, in milliseconds, is expected")
            return self._rules.timeout_ms
        return min(given, self._rules.max_timeout_ms)


def _undecodable(
    record: Incoming, reason: str, correlation: Correlation, found: Mapping[str, Any]
) -> Undecodable:
    """Return what is no request, with whom to tell: by its headers, or by as much of it as can be read."""
    request_id, reply_to = found.get("request_id"), found.get("reply_to")
    try:
        reply = correlation.reply(reply_to if isinstance(reply_to, str) else "")
    except ActionError:
        reply = correlation.fallback()
    known = next((each for each in (request_id, reply.cause) if isinstance(each, str) and _is_id(each)), "")
    return Undecodable(record, reason, reply if known or correlation.correlated else None, known)


def _request_id(body: Body, correlation: Correlation) -> str:
    request_id: str = body["request_id"] or correlation.text("ce_id")
    if not request_id:
        raise ActionError("request_id is missing, and so is the header ce_id")
    if not _is_id(request_id):
        raise ActionError(
            f"request_id has {len(request_id)} characters; 1 to {MAX_ID}, all of them printable, are allowed"
        )
    return request_id


def _is_id(text: str) -> bool:
    return 1 <= len(text) <= MAX_ID and text.isprintable()


def _pairs(items: Sequence[Mapping[str, str]] | None) -> Headers:
    return tuple((item["name"], item["value"]) for item in items or ())


def _without_action_id(headers: Headers, flaws: list[str]) -> tuple[Headers, str | None]:
    own = [value for name, value in headers if name.lower() == "actionid"]
    if len(own) > 1:
        flaws.append("ActionID stands twice")
    rest = tuple(pair for pair in headers if pair[0].lower() != "actionid")
    return rest, own[0] if own else None


def _short(name: str, text: str, flaws: list[str]) -> str:
    if len(text) > MAX_NAME:
        flaws.append(f"{name}: {len(text)} characters; {MAX_NAME} are allowed")
    return text[:MAX_NAME]


def _reply(correlation: Correlation, reply_to: str, flaws: list[str]) -> Reply:
    try:
        return correlation.reply(reply_to)
    except ActionError as error:
        flaws.append(str(error))
        return correlation.fallback()


def _digest(body: Body, headers: Headers, variables: Headers) -> str:
    """Hash what is asked, in whichever form and order it was written.

    The order of equal names is kept, since it means something; defaults are left out, so that a
    repeat after a change of the settings is still a repeat.
    """
    asked: list[Any] = [
        *(body["action"], body["pbx"] or ""),
        *(_by_name(headers), _by_name(variables)),
        *(body["timeout_ms"], bool(body["accept_parts"])),
    ]
    return sha256(json.dumps(asked, separators=(",", ":")).encode()).hexdigest()


def _by_name(pairs: Headers) -> list[tuple[str, str]]:
    return sorted(pairs, key=lambda pair: pair[0])
