"""Facts as spans of OpenTelemetry, by its conventions for messaging: requests, and batches of events.

    process <topic>     CONSUMER, from the request's record read to its response in Kafka, in the requester's trace
      <action>          CLIENT, from the action sent to the PBX to its answer
    send <topic>        PRODUCER, from the oldest event read to the batch acknowledged; no topic where there are several

Needs the extra `otel`: import it where it is asked for.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import Attributes

from connector import __version__
from connector.facts import ActionAnswered, EventsPublished, Fact, Report, TracesUnsent
from connector.settings.tracing import Tracing

TIMEOUT_S: Final = 5.0
"""Seconds that an export may take, and that the last one may at the end."""


class Spans:
    """Makes spans of facts (it is a `Report`).

    Args:
        settings: which traces are exported.
        service: what the connector calls itself.
        processor: takes the spans that have ended.
        now_ns: nanoseconds since 1970.
    """

    def __init__(
        self,
        settings: Tracing,
        service: str,
        processor: SpanProcessor,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(settings.sample_ratio)),
            resource=Resource.create({"service.name": service, "service.version": __version__}),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("ami-kafka", __version__)
        self._now_ns = now_ns

    def __call__(self, fact: Fact) -> None:
        """Take a fact."""
        match fact:
            case ActionAnswered():
                self._answered(fact)
            case EventsPublished():
                self._published(fact)

    def close(self) -> None:
        """Export what is left."""
        self._provider.shutdown()

    def _answered(self, fact: ActionAnswered) -> None:
        span = self._tracer.start_span(
            f"process {fact.topic}",
            TraceContextTextMapPropagator().extract({"traceparent": fact.traceparent}),
            SpanKind.CONSUMER,
            _request(fact),
            start_time=fact.consumed_at_ms * 1_000_000,
        )
        if fact.status != "SUCCESS":
            span.set_attribute("error.type", fact.status)
            span.set_status(Status(StatusCode.ERROR))
        if fact.sent_at_ms is not None and not fact.replayed:
            self._sent(fact, fact.sent_at_ms, span)
        span.end(self._now_ns())

    def _sent(self, fact: ActionAnswered, sent_at_ms: int, parent: Span) -> None:
        span = self._tracer.start_span(
            fact.action,
            set_span_in_context(parent),
            SpanKind.CLIENT,
            {"ami.pbx": fact.pbx, "ami.action": fact.action},
            start_time=sent_at_ms * 1_000_000,
        )
        if fact.answered_at_ms is None:
            span.set_attribute("error.type", "timeout")
            span.set_status(Status(StatusCode.ERROR))
            span.end(self._now_ns())
        else:
            span.end(fact.answered_at_ms * 1_000_000)

    def _published(self, fact: EventsPublished) -> None:
        now_ns = self._now_ns()
        topic = next(iter(fact.counts)) if len(fact.counts) == 1 else None
        span = self._tracer.start_span(
            f"send {topic}" if topic else "send",
            kind=SpanKind.PRODUCER,
            attributes=_batch(fact, topic),
            start_time=now_ns if fact.received_us is None else fact.received_us * 1_000,
        )
        span.end(now_ns)


def _request(fact: ActionAnswered) -> Attributes:
    return {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": fact.topic,
        "messaging.destination.partition.id": str(fact.partition),
        "messaging.kafka.offset": fact.offset,
        "messaging.message.id": fact.request_id,
        "ami.pbx": fact.pbx,
        "ami.action": fact.action,
        "ami.status": fact.status,
        "ami.executed": fact.executed,
        "ami.replayed": fact.replayed,
    }


def _batch(fact: EventsPublished, topic: str | None) -> Attributes:
    attributes: dict[str, str | int] = {
        "messaging.system": "kafka",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.batch.message_count": sum(fact.counts.values()),
    }
    return attributes if topic is None else attributes | {"messaging.destination.name": topic}


class _Words(logging.Handler):
    """Takes what the exporter says in the log, from any thread."""

    def __init__(self, tell: Callable[[str], object]) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        self._tell(record.getMessage())


@asynccontextmanager
async def exporting(settings: Tracing, service: str, report: Report) -> AsyncIterator[Spans]:
    """Give what makes spans and exports them; `report` is told where they cannot be.

    What is left at the end gets TIMEOUT_S.
    """
    loop = asyncio.get_running_loop()
    endpoint = f"{settings.endpoint.rstrip('/')}/v1/traces" if settings.endpoint else None
    exporter = OTLPSpanExporter(endpoint, timeout=TIMEOUT_S)
    spans = Spans(settings, service, BatchSpanProcessor(exporter))
    log = logging.getLogger("opentelemetry")
    words = _Words(lambda text: loop.call_soon_threadsafe(report, TracesUnsent(text)))
    log.addHandler(words)
    log.propagate = False
    try:
        yield spans
    finally:
        await asyncio.to_thread(spans.close)
        log.removeHandler(words)
