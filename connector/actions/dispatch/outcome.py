"""What became of an action at the PBX, as the outcome of its request."""

from dataclasses import replace

from connector.actions.dispatch.job import Job
from connector.actions.originate import outcome_in_words
from connector.actions.request import Request
from connector.actions.response import Executed, Lines, Outcome, Status
from connector.ami.completion import Answer
from connector.ami.message import AmiMessage
from connector.ami.reach import Reach, Result
from connector.privacy.privacy import Privacy


def outcome_of(request: Request, job: Job, result: Result) -> Outcome:
    """Tell a result as an outcome; when it was sent and answered is for the caller to add."""
    if result.reach is Reach.ANSWERED and result.answer is not None:
        outcome = _answered(job, result.answer)
    elif result.reach is Reach.NOT_SENT:
        outcome = unavailable(result.reason)
    else:
        outcome = _unanswered(job, result)
    if result.answer is not None:
        outcome = replace(
            outcome,
            response=_lines(result.answer.response, request.action_id),
            events=tuple(_lines(event, request.action_id) for event in result.answer.events),
        )
    return outcome


def discreet(outcome: Outcome, privacy: Privacy) -> Outcome:
    """Return an outcome with what may be told of the PBX's answer; to be done once, before anything keeps it."""
    answers = privacy.answers
    if answers is not None and outcome.response:
        told = answers.lines((("Message", outcome.message),)) if outcome.message else ()
        message = told[0][1] if told else ""
        outcome = replace(outcome, message=message, response=answers.lines(outcome.response))
    events = tuple(_discreet_event(lines, privacy) for lines in outcome.events)
    return replace(outcome, events=events) if events != outcome.events else outcome


def _discreet_event(lines: Lines, privacy: Privacy) -> Lines:
    mask = privacy.of_event(lines[0][1]) if lines else None
    return lines if mask is None else mask.lines(lines)


def unavailable(reason: str) -> Outcome:
    """Return the outcome of a request whose PBX could not be asked."""
    message = reason or "there is no session at the PBX"
    return Outcome(status=Status.UNAVAILABLE, executed=Executed.NO, message=message)


def expired() -> Outcome:
    """Return the outcome of a request whose time to be sent is over."""
    return Outcome(
        status=Status.EXPIRED, executed=Executed.NO, message="its time to be sent was over before its turn"
    )


def unknown(reason: str) -> Outcome:
    """Return the outcome of an effect that may have been done or not."""
    return Outcome(status=Status.UNKNOWN, executed=Executed.UNKNOWN, message=reason)


def is_small(outcome: Outcome, bound: int) -> bool:
    """Say whether an outcome's texts have no more characters than `bound`."""
    texts = (text for lines in (outcome.response, *outcome.events) for line in lines for text in line)
    return sum(map(len, texts)) + len(outcome.message) <= bound


def slim(outcome: Outcome) -> Outcome:
    """Return how it ended without what Asterisk said but for how much that was."""
    size = f"the answer had {len(outcome.response)} lines and {len(outcome.events)} events, and was not kept"
    message = f"{outcome.message}; {size}" if outcome.message else size
    return (
        outcome
        if outcome.truncated
        else replace(outcome, message=message, response=(), events=(), truncated=True)
    )


def undelivered(outcome: Outcome, reason: str) -> Outcome:
    """Return what is told in place of an answer that Kafka will not take; what was done stays as it was."""
    status = Status.FAILURE if outcome.status is Status.SUCCESS else outcome.status
    message = f"the answer could not be delivered: {reason}"
    return replace(outcome, status=status, message=message, response=(), events=(), truncated=True)


def _answered(job: Job, answer: Answer) -> Outcome:
    said = answer.response.get("Message")
    if not answer.success:
        if job.facts is not None and job.facts.means_empty(said):
            return Outcome(status=Status.SUCCESS, executed=Executed.YES, message=said)
        return Outcome(status=Status.FAILURE, executed=Executed.NO, message=said)
    if job.call and answer.events:
        result = answer.events[-1]
        status = Status.SUCCESS if result.get("Response").lower() == "success" else Status.FAILURE
        return Outcome(status=status, executed=Executed.YES, message=outcome_in_words(result))
    return Outcome(status=Status.SUCCESS, executed=Executed.YES, message=said)


def _unanswered(job: Job, result: Result) -> Outcome:
    if job.effect:
        return unknown(result.reason or "it was sent, and no answer was heard")
    items = len(result.answer.events) if result.answer is not None else 0
    cut = f"the list was cut after {items} items" if items else "no answer was heard"
    message = f"{cut}: {result.reason}" if result.reason else cut
    status = Status.TIMEOUT if result.late else Status.UNAVAILABLE
    return Outcome(status=status, executed=Executed.UNKNOWN, message=message)


def _lines(message: AmiMessage, action_id: str | None) -> Lines:
    """Give a message's headers, the requester's own ActionID in place of the connector's."""
    own = [] if action_id is None else [action_id]
    return tuple(
        (name, text)
        for name, value in message.headers
        for text in (own if name.lower() == "actionid" else [value])
    )
