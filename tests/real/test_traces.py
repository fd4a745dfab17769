"""Spans of both roads reach a collector: a request's in the trace of whoever asked, with the PBX's answer below."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.parts.asterisk import Pbx
from tests.parts.collector import Collector, attributes, collector
from tests.parts.kafka import Cluster, Kafka
from tests.real import reading
from tests.real.asking import Inbox, ask
from tests.real.bridge import Bridge, Tables, bridge, fresh, pbx_table

TRACE, PARENT = 0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7
TRACEPARENT = f"00-{TRACE:032x}-{PARENT:016x}-01"
REQUESTS: dict[str, dict[str, Any]] = {
    "done": {"request_id": "t-1", "action": "CoreSettings"},
    "forbidden": {"request_id": "t-2", "action": "Command", "headers": {"Command": "core show version"}},
}


@pytest.fixture
def prefix(kafka: Cluster | Kafka) -> Iterator[str]:
    name = fresh("traces")
    yield name
    reading.remove(kafka.bootstrap, name)


def tables(kafka: Cluster | Kafka, prefix: str, pbx: Pbx, endpoint: str) -> Tables:
    return {
        "pbx.main": pbx_table(pbx.host, pbx.port, pbx.username, pbx.secret),
        "pbx.main.actions": {"username": "actions", "secret": pbx.secret},
        "connector": {"name": prefix},
        "kafka": {"bootstrap_servers": [kafka.bootstrap]},
        "events": {"topic_prefix": prefix, "select": ["Newchannel", "Hangup"]},
        "topics": {"partitions": 1},
        "actions": {"format": "json"},
        "tracing": {"enabled": True, "endpoint": endpoint},
    }


def test_requests_and_batches_are_spans(
    kafka: Cluster | Kafka, asterisk22: Pbx, tmp_path: Path, prefix: str
) -> None:
    with ExitStack() as ends:
        seen = ends.enter_context(collector())
        settings = tables(kafka, prefix, asterisk22, seen.endpoint)
        running = ends.enter_context(bridge(tmp_path, settings))
        running.expect("LinkUp")
        running.expect("ClaimsRead")
        ask(kafka.bootstrap, f"{prefix}.actions.json", REQUESTS, traceparent=TRACEPARENT)
        inbox = Inbox(kafka.bootstrap, f"{prefix}.responses.json", 1)
        ends.callback(inbox.close)
        inbox.expect(REQUESTS)
        running.expect("ActionAnswered", request_id="t-2", traceparent=TRACEPARENT)
        assert running.stop() == 0, running.text()
        assert not running.facts("TracesUnsent")
    assert seen.services == {prefix}
    assert_requests(seen, prefix)
    assert_batches(seen, running, prefix)


def assert_requests(seen: Collector, prefix: str) -> None:
    spans = {
        attributes(span)["messaging.message.id"]: span
        for span in named(seen, f"process {prefix}.actions.json")
    }
    assert spans.keys() == {"t-1", "t-2"}
    assert {(span.trace_id, span.parent_span_id) for span in spans.values()} == {
        (TRACE.to_bytes(16), PARENT.to_bytes(8))
    }
    ends = {key: (attributes(span)["ami.status"], span.status.code) for key, span in spans.items()}
    assert ends == {
        "t-1": ("SUCCESS", Status.STATUS_CODE_UNSET),
        "t-2": ("REFUSED", Status.STATUS_CODE_ERROR),
    }
    (action,) = named(seen, "CoreSettings")
    request = spans["t-1"]
    assert (action.trace_id, action.parent_span_id) == (request.trace_id, request.span_id)
    times = [
        *(request.start_time_unix_nano, action.start_time_unix_nano),
        *(action.end_time_unix_nano, request.end_time_unix_nano),
    ]
    assert times == sorted(times)


def assert_batches(seen: Collector, running: Bridge, prefix: str) -> None:
    batches = [span for span in seen.spans if span.kind == Span.SPAN_KIND_PRODUCER]
    counted = sum(int(attributes(span)["messaging.batch.message_count"]) for span in batches)
    told = sum(sum(fact["counts"].values()) for fact in running.facts("EventsPublished"))
    assert counted == told > 0
    alone = {attributes(span).get("messaging.destination.name") for span in batches} - {None}
    assert all(str(topic).startswith(prefix) for topic in alone)
    assert TRACE.to_bytes(16) not in {span.trace_id for span in batches}


def named(seen: Collector, name: str) -> list[Span]:
    return sorted(
        (span for span in seen.spans if span.name == name), key=lambda span: span.end_time_unix_nano
    )
