"""An outcome as the fields of a response (`schemas/actions/response.avsc`)."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from connector.actions.request import Reply
from connector.actions.response import Lines, Outcome

MAX_MESSAGE: Final = 4_096
"""Characters of a message; Asterisk's own are far shorter."""

_OUTPUT: Final = "output"


class Answer(NamedTuple):
    """Whom a response answers."""

    request_id: str
    reply: Reply
    action: str = ""
    action_id: str | None = None
    pbx: str = ""


def fields(answer: Answer, outcome: Outcome) -> Mapping[str, Any]:
    """Return a response as its schema names and types it, whole."""
    return {
        "request_id": answer.request_id or None,
        "action": answer.action or None,
        "action_id": answer.action_id,
        "pbx": answer.pbx or None,
        **ending(outcome),
        "response": headers(line for line in outcome.response if line[0].lower() != _OUTPUT),
        "output": [value for name, value in outcome.response if name.lower() == _OUTPUT],
        "replayed": outcome.replayed,
        "part": 1,
        "parts": 1,
        "correlation_id": answer.reply.correlation_id or None,
        "causation_id": answer.reply.cause or None,
    }


def ending(outcome: Outcome) -> dict[str, Any]:
    """Return what a response and a claim have in common."""
    message = outcome.message
    return {
        "status": outcome.status.value,
        "executed": outcome.executed.value,
        "message": (message if len(message) <= MAX_MESSAGE else f"{message[:MAX_MESSAGE]}...") or None,
        "rule": outcome.rule or None,
        "response": headers(outcome.response),
        "events": [_event(event) for event in outcome.events],
        "call_id": outcome.call_id,
        "sent_time": outcome.sent_at_ms,
        "answered_time": outcome.answered_at_ms,
        "truncated": outcome.truncated,
    }


def headers(lines: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Return headers as records."""
    return [{"name": name, "value": value} for name, value in lines]


def _event(lines: Lines) -> dict[str, Any]:
    """Take the event's name, which comes first, apart."""
    return {"event": lines[0][1] if lines else "", "headers": headers(lines[1:])}
