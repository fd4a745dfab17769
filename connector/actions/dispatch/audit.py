"""Decisions on requests as facts: who asked for what, and what became of it; never what a request says."""

from typing import TypedDict

from connector.actions.dispatch.job import Job
from connector.actions.dispatch.ticket import Role, Ticket
from connector.actions.preparation import own_channel
from connector.actions.reading.correlation import traceparent
from connector.actions.request import Request, Undecodable
from connector.actions.response import Outcome, Status
from connector.facts import (
    ActionAnswered,
    ActionBegun,
    ActionDoubtful,
    ActionRefused,
    AnswerRefused,
    CallUnresolved,
    Report,
    RequestUndecodable,
)

_REFUSALS = frozenset({Status.REFUSED, Status.INVALID})
_INSTEAD = {
    Role.CLAIM: "it is not done",
    Role.ANSWER: "a short response on the default topic",
    Role.FALLBACK: "a dead letter",
    Role.DEAD_LETTER: "nothing",
    Role.DONE: "nothing: after a restart its repeats are answered as unknown, or done again where they are reads",
}


class _Subject(TypedDict):
    request_id: str
    pbx: str
    action: str
    topic: str
    partition: int
    offset: int
    traceparent: str


def begun(ticket: Ticket, job: Job, report: Report) -> None:
    """Report that an action is given to the PBX's sessions."""
    report(ActionBegun(**_subject(ticket), rule=job.rule))


def doubted(ticket: Ticket, job: Job, report: Report) -> None:
    """Report parameters that an action does not have."""
    if job.doubts:
        report(ActionDoubtful(**_subject(ticket), reason="; ".join(job.doubts)))


def finished(ticket: Ticket, report: Report) -> None:
    """Report that a request is not carried out, where that was decided here."""
    request, outcome = ticket.request, ticket.outcome
    if isinstance(request, Undecodable):
        place = ticket.place
        report(RequestUndecodable(place.topic, place.partition, ticket.record.offset, request.reason))
    elif outcome is not None and outcome.status in _REFUSALS and not outcome.replayed:
        decided = {"status": outcome.status, "rule": outcome.rule, "reason": outcome.message}
        report(ActionRefused(**_subject(ticket), **decided))


def answered(ticket: Ticket, outcome: Outcome, now_ms: int, report: Report) -> None:
    """Report that a response stands in Kafka."""
    report(
        ActionAnswered(
            **_subject(ticket),
            status=outcome.status,
            executed=outcome.executed,
            replayed=outcome.replayed,
            took_ms=now_ms - ticket.record.timestamp_ms,
            consumed_at_ms=ticket.consumed_at_ms,
            sent_at_ms=outcome.sent_at_ms,
            answered_at_ms=outcome.answered_at_ms,
        )
    )
    call_id = outcome.call_id
    # An id that the requester chose proves nothing: another channel may have it.
    if outcome.status is Status.UNKNOWN and not outcome.replayed and call_id == own_channel(*ticket.key):
        report(CallUnresolved(**_subject(ticket), call_id=call_id))


def unanswerable(ticket: Ticket, role: Role, topic: str, reason: str, report: Report) -> None:
    """Report that Kafka will not take a record of a request's answer."""
    report(AnswerRefused(**_subject(ticket), record_topic=topic, reason=reason, instead=_INSTEAD[role]))


def _subject(ticket: Ticket) -> _Subject:
    request, place = ticket.request, ticket.place
    action = request.action if isinstance(request, Request) else ""
    pbx, request_id = ticket.key
    return _Subject(
        request_id=request_id,
        pbx=pbx,
        action=action,
        topic=place.topic,
        partition=place.partition,
        offset=ticket.record.offset,
        traceparent=traceparent(ticket.record.headers),
    )
