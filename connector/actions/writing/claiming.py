"""Claims as records of the claims topic, and back."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connector.actions.claim import Claim
from connector.actions.record import Incoming
from connector.actions.response import Executed, Lines, Outcome, Status
from connector.actions.writing.responding import ending
from connector.errors import SchemaError
from connector.percent import key_part, unescaped

_SEPARATOR = "|"


def key(claim: Claim) -> bytes:
    """Return the key of all claims of one request."""
    return f"{key_part(claim.pbx)}{_SEPARATOR}{key_part(claim.request_id)}".encode()


def fields(claim: Claim) -> Mapping[str, Any]:
    """Return a claim as `schemas/actions/claim.avsc` names and types it."""
    return {
        "request_id": claim.request_id,
        "pbx": claim.pbx,
        "action": claim.action,
        "digest": claim.digest,
        "topic": claim.topic,
        "offset": claim.offset,
        "owner": claim.owner,
        "claimed_time": claim.at_ms,
        "outcome": None if claim.outcome is None else ending(claim.outcome),
    }


def read(record: Incoming, decode: Callable[[bytes], Mapping[str, Any]]) -> Claim | None:
    """Read a claim's record.

    Where only its key can be read, the claim has no digest and no outcome: what was done for its
    request is not known. None: it is a tombstone, or not even its key can be read.
    """
    if record.value is None:
        return None
    try:
        return _claim(decode(record.value))
    except (SchemaError, ValueError):  # a status that this version does not know is a ValueError
        return _blank(record)


def _claim(found: Mapping[str, Any]) -> Claim:
    outcome = found["outcome"]
    return Claim(
        request_id=found["request_id"],
        pbx=found["pbx"],
        action=found["action"],
        digest=found["digest"],
        topic=found["topic"],
        offset=found["offset"],
        owner=found["owner"],
        at_ms=found["claimed_time"],
        outcome=None if outcome is None else _outcome(outcome),
    )


def _outcome(found: Mapping[str, Any]) -> Outcome:
    return Outcome(
        status=Status(found["status"]),
        executed=Executed(found["executed"]),
        message=found["message"] or "",
        rule=found["rule"] or "",
        response=_lines(found["response"]),
        events=tuple((("Event", event["event"]), *_lines(event["headers"])) for event in found["events"]),
        call_id=found["call_id"],
        sent_at_ms=found["sent_time"],
        answered_at_ms=found["answered_time"],
        truncated=found["truncated"],
    )


def _lines(headers: Sequence[Mapping[str, str]]) -> Lines:
    return tuple((header["name"], header["value"]) for header in headers)


def _blank(record: Incoming) -> Claim | None:
    pbx, separator, request_id = (record.key or b"").decode("utf-8", "replace").partition(_SEPARATOR)
    if not separator:
        return None
    return Claim(
        request_id=unescaped(request_id),
        pbx=unescaped(pbx),
        action="",
        digest="",
        topic="",
        offset=-1,
        owner="",
        at_ms=record.timestamp_ms,
    )
