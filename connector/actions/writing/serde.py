"""Writes and reads the records of one pair of topics: responses, claims, dead letters."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from connector.actions.claim import Claim
from connector.actions.instant import rfc3339
from connector.actions.pair import Pair
from connector.actions.record import Headers, Incoming, Outgoing, Place
from connector.actions.request import Request, Undecodable
from connector.actions.response import Executed, Outcome, Status
from connector.actions.writing import claiming
from connector.actions.writing.dead_letter import dead_letter
from connector.actions.writing.encoding import ActionSchemas, Encoding, Registered
from connector.actions.writing.masking import Masking
from connector.actions.writing.parts import split
from connector.actions.writing.responding import Answer, fields
from connector.ami.catalogue import ActionCatalogue
from connector.percent import path_part


@dataclass(frozen=True, slots=True, kw_only=True)
class SerdeRules:
    """By what records are written.

    Args:
        connector: this connector's name, for dead letters.
        dead_letters: the dead-letter topic.
        max_bytes: the largest value of a response; the topic must take it, and some hundred bytes of
            key and headers beside.
        reveal: actions, in any case, whose secrets are not masked; `*` is all of them.
    """

    connector: str
    dead_letters: str
    max_bytes: int = 900_000
    reveal: Collection[str] = ()


class _Part(NamedTuple):
    """A response or a part of one, and the value of its record."""

    fields: Mapping[str, Any]
    value: bytes


class Serde:
    """Writes and reads the records of one pair.

    Args:
        pair: the topics, and the form of their records.
        schemas: of the records.
        registered: for Avro, the registry's ids of `schemas.response` and `schemas.claim`, and the texts by
            which claims of other versions are read.
        catalogue: what is known of actions.
        rules: by what records are written.
    """

    def __init__(
        self,
        pair: Pair,
        schemas: ActionSchemas,
        registered: Registered,
        catalogue: ActionCatalogue,
        rules: SerdeRules,
    ) -> None:
        avro = pair.form == "avro"
        self.pair: Final = pair
        self._response = Encoding(schemas.response, registered.ids[schemas.response.name] if avro else None)
        self._claim = Encoding(schemas.claim, registered.ids[schemas.claim.name] if avro else None)
        self._texts = registered.texts
        self._masking = Masking(catalogue, rules.reveal)
        self._rules = rules

    def responses(self, request: Request, outcome: Outcome, now_ms: int) -> Sequence[Outgoing]:
        """Return the records of one response, in order: one, or numbered parts where they are accepted."""
        answer = _answer(request)
        _, parts = self._fit(answer, outcome, accept_parts=request.accept_parts)
        return self._records(request.record, answer, parts, now_ms)

    def fitted(self, request: Request, outcome: Outcome) -> Outcome:
        """Return an outcome as `responses` tells it: without secrets, and a failure where it is too large."""
        return self._fit(_answer(request), outcome, accept_parts=request.accept_parts)[0]

    def rejections(self, undecodable: Undecodable, now_ms: int) -> Sequence[Outgoing]:
        """Return the INVALID response to what is no request; nothing where nobody is named to be answered."""
        if undecodable.reply is None:
            return ()
        answer = Answer(undecodable.request_id, undecodable.reply)
        outcome = Outcome(status=Status.INVALID, executed=Executed.NO, message=undecodable.reason)
        _, parts = self._fit(answer, outcome, accept_parts=False)
        return self._records(undecodable.record, answer, parts, now_ms)

    def dead_letter(self, undecodable: Undecodable) -> Outgoing:
        """Return the record for the dead-letter topic."""
        return dead_letter(undecodable, self._rules.dead_letters, self._rules.connector)

    def claim(self, claim: Claim, place: Place) -> Outgoing:
        """Return the record of a claim, without secrets, for the partition with its request's number."""
        outcome = None if claim.outcome is None else self._masking.mask(claim.action, claim.outcome)
        value = self._claim.encode(claiming.fields(replace(claim, outcome=outcome)))
        headers = (("content-type", self._claim.content_type),)
        return Outgoing(self.pair.claims, place.partition, claiming.key(claim), value, headers)

    def read_claim(self, record: Incoming) -> Claim | None:
        """Read a claim's record; one that cannot be read has no digest, and None is no claim at all."""
        return claiming.read(record, lambda value: self._claim.decode(value, self._texts))

    def _fit(
        self, answer: Answer, outcome: Outcome, *, accept_parts: bool
    ) -> tuple[Outcome, Sequence[_Part]]:
        """Return what is told of an outcome, and the parts that tell it."""
        told, limit = self._masking.mask(answer.action, outcome), self._rules.max_bytes
        whole = self._part(fields(answer, told))
        if len(whole.value) <= limit:
            return told, [whole]
        records = split(whole.fields, self._response.encode, limit) if accept_parts else None
        if records is not None:
            return told, [self._part(record) for record in records]
        told = _too_large(told, len(whole.value), limit, accept_parts=accept_parts)
        return told, [self._part(fields(answer, told))]

    def _part(self, record: Mapping[str, Any]) -> _Part:
        return _Part(record, self._response.encode(record))

    def _records(
        self, record: Incoming, answer: Answer, parts: Sequence[_Part], now_ms: int
    ) -> Sequence[Outgoing]:
        reply = answer.reply
        return [
            Outgoing(
                reply.topic,
                reply.partition,
                record.key,
                part.value,
                self._headers(record, answer, part.fields, now_ms),
            )
            for part in parts
        ]

    def _headers(self, record: Incoming, answer: Answer, part: Mapping[str, Any], now_ms: int) -> Headers:
        number = f"/{part['part']}" if part["parts"] > 1 else ""
        place = f"{record.place.topic}/{record.place.partition}/{record.offset}{number}"
        source = f"/asterisk/{path_part(answer.pbx)}" if answer.pbx else "/asterisk"
        texts = {
            "ce_specversion": "1.0",
            "ce_id": place,
            "ce_type": self._response.record_type.decode(),
            "ce_source": source,
            "ce_time": rfc3339(now_ms),
            "ce_subject": answer.request_id,
            "ce_correlationid": answer.reply.correlation_id or answer.request_id,
            "ce_causationid": answer.reply.cause or answer.request_id,
        }
        ours = [(name, text.encode()) for name, text in texts.items() if text]
        return [*ours, ("content-type", self._response.content_type), *answer.reply.echo]


def _answer(request: Request) -> Answer:
    return Answer(request.request_id, request.reply, request.action, request.action_id, request.pbx)


def _too_large(outcome: Outcome, size: int, limit: int, *, accept_parts: bool) -> Outcome:
    """Return the failure that tells of an answer too large to be sent; what was done stays as it was."""
    remedy = "ask for less" if accept_parts else "set accept_parts, or ask for less"
    about = f"{len(outcome.response)} lines and {len(outcome.events)} events"
    message = f"the answer ({about}) has {size} bytes; a response may have {limit}: {remedy}"
    status = Status.FAILURE if outcome.status is Status.SUCCESS else outcome.status
    return replace(outcome, status=status, message=message, response=(), events=(), truncated=True)
