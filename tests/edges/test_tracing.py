"""Facts become spans: of requests in the requester's trace, of batches; what cannot be exported is told."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from connector.app.tracing import tracing
from connector.edges.telemetry import Telemetry
from connector.edges.telemetry.tracing import Spans, exporting
from connector.errors import SettingsError
from connector.facts import ActionAnswered, EventsPublished, Fact, LinkUp, TracesUnsent
from connector.settings.tracing import Tracing
from tests.parts.collector import attributes, collector
from tests.settings.test_load import settings as loaded

TRACE, PARENT = 0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7
TRACEPARENT = f"00-{TRACE:032x}-{PARENT:016x}-01"
NOW_MS = 1_760_000_000_000
ANSWERED = ActionAnswered(
    "r-1", "main", "Originate", "asterisk.actions", 2, 41,
    status="SUCCESS", executed="yes", replayed=False, took_ms=900, traceparent=TRACEPARENT,
    consumed_at_ms=NOW_MS - 800, sent_at_ms=NOW_MS - 700, answered_at_ms=NOW_MS - 100,
)  # fmt: skip


def spans(*facts: Fact, **settings: Any) -> Sequence[ReadableSpan]:
    exporter = InMemorySpanExporter()
    made = Spans(Tracing(**settings), "bridge", SimpleSpanProcessor(exporter), lambda: NOW_MS * 1_000_000)
    for fact in facts:
        made(fact)
    found = exporter.get_finished_spans()
    made.close()
    return found


def span_id(span: ReadableSpan) -> int:
    assert span.context is not None
    return int(span.context.span_id)


def parent_of(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent else None


def test_a_request_is_a_span_in_its_requesters_trace_with_the_action_below() -> None:
    action, request = spans(ANSWERED)
    assert (request.name, request.kind) == ("process asterisk.actions", SpanKind.CONSUMER)
    assert request.context is not None
    assert (request.context.trace_id, parent_of(request)) == (TRACE, PARENT)
    assert (request.start_time, request.end_time) == ((NOW_MS - 800) * 1_000_000, NOW_MS * 1_000_000)
    assert request.status.status_code is StatusCode.UNSET
    assert request.attributes is not None
    assert (
        request.attributes.items()
        == {
            "messaging.system": "kafka",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.destination.name": "asterisk.actions",
            "messaging.destination.partition.id": "2",
            "messaging.kafka.offset": 41,
            "messaging.message.id": "r-1",
            "ami.pbx": "main",
            "ami.action": "Originate",
            "ami.status": "SUCCESS",
            "ami.executed": "yes",
            "ami.replayed": False,
        }.items()
    )
    assert (action.name, action.kind, parent_of(action)) == ("Originate", SpanKind.CLIENT, span_id(request))
    assert (action.start_time, action.end_time) == ((NOW_MS - 700) * 1_000_000, (NOW_MS - 100) * 1_000_000)


@pytest.mark.parametrize("traceparent", ["", f"00-{0:032x}-{PARENT:016x}-01", "no context"])
def test_a_request_without_a_trace_begins_one(traceparent: str) -> None:
    action, request = spans(replace(ANSWERED, traceparent=traceparent))
    assert (parent_of(request), parent_of(action)) == (None, span_id(request))
    assert request.context is not None
    assert request.context.trace_id != TRACE


def test_what_did_not_succeed_is_an_error() -> None:
    (refused,) = spans(replace(ANSWERED, status="REFUSED", sent_at_ms=None, answered_at_ms=None))
    assert refused.status.status_code is StatusCode.ERROR
    assert refused.attributes is not None
    assert refused.attributes["error.type"] == "REFUSED"


def test_an_action_without_an_answer_ends_with_its_request_as_an_error() -> None:
    action, request = spans(replace(ANSWERED, status="UNKNOWN", answered_at_ms=None))
    assert (action.end_time, action.status.status_code) == (request.end_time, StatusCode.ERROR)


def test_an_answer_told_again_was_not_sent_again() -> None:
    (request,) = spans(replace(ANSWERED, replayed=True))
    assert request.attributes is not None
    assert request.attributes["ami.replayed"] is True


def test_a_batch_is_a_span_from_its_oldest_event_to_the_acknowledgement() -> None:
    (several,) = spans(EventsPublished({"hangup": 2, "cdr": 1}, (NOW_MS - 30) * 1_000))
    assert (several.name, several.kind) == ("send", SpanKind.PRODUCER)
    assert (several.start_time, several.end_time) == ((NOW_MS - 30) * 1_000_000, NOW_MS * 1_000_000)
    assert several.attributes is not None
    assert several.attributes["messaging.batch.message_count"] == 3
    assert "messaging.destination.name" not in several.attributes
    (one,) = spans(EventsPublished({"hangup": 2}))
    assert (one.name, one.start_time) == ("send hangup", NOW_MS * 1_000_000)
    assert one.attributes is not None
    assert one.attributes["messaging.destination.name"] == "hangup"


def test_other_facts_make_none() -> None:
    assert not spans(LinkUp("main", "127.0.0.1:5038", "2.10", None))


def test_of_own_traces_a_share_is_exported_and_of_others_what_their_begin_decided() -> None:
    batch, unsampled = EventsPublished({"hangup": 2}), replace(ANSWERED, traceparent=TRACEPARENT[:-1] + "0")
    assert not spans(*[batch] * 20, unsampled, sample_ratio=0.0)
    assert len(spans(ANSWERED, sample_ratio=0.0)) == 2
    assert not spans(unsampled, sample_ratio=1.0)


def test_spans_reach_a_collector_before_the_end() -> None:
    async def run(endpoint: str) -> None:
        told: list[Fact] = []
        async with exporting(Tracing(enabled=True, endpoint=endpoint), "bridge", told.append) as made:
            made(ANSWERED)
        await asyncio.sleep(0)
        assert not told

    with collector() as seen:
        asyncio.run(run(f"{seen.endpoint}/"))
        assert seen.services == {"bridge"}
        assert sorted(span.name for span in seen.spans) == ["Originate", "process asterisk.actions"]
        assert attributes(seen.spans[-1])["messaging.message.id"] == "r-1"
        assert {span.trace_id for span in seen.spans} == {TRACE.to_bytes(16)}


def test_a_collector_that_refuses_is_told() -> None:
    async def run(endpoint: str) -> list[Fact]:
        told: list[Fact] = []
        async with exporting(Tracing(enabled=True, endpoint=endpoint), "bridge", told.append) as made:
            made(ANSWERED)
        await asyncio.sleep(0)
        return told

    with collector(status=400) as seen:
        told = asyncio.run(run(seen.endpoint))
        assert told
        assert all(isinstance(fact, TracesUnsent) and "400" in fact.reason for fact in told)
        assert not seen.spans


def test_without_the_packages_the_setting_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    async def enter(text: str) -> None:
        async with tracing(loaded(text), Telemetry()):
            """Nothing."""

    monkeypatch.delitem(sys.modules, "connector.edges.telemetry.tracing", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    asyncio.run(enter(""))
    with pytest.raises(
        SettingsError, match=r"tracing\.enabled: .* is not installed: pip install 'ami-kafka\[otel\]'"
    ):
        asyncio.run(enter("[tracing]\nenabled = true\n"))
