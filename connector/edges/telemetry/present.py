"""What the board says of the present, as Prometheus metrics at each scrape."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Final

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from connector.edges.telemetry.metrics import LABELS, OTHERS
from connector.status.board import Board, Pbx
from connector.status.samples import Sample

_US: Final = 1_000_000


def _sampled(pbx: Pbx, value_of: Callable[[Sample], float | None]) -> float | None:
    return value_of(pbx.samples.latest) if pbx.samples.latest else None


def _age(pbx: Pbx, now_us: int) -> float | None:
    sample = pbx.samples.latest
    if sample is None:
        return None
    return 0.0 if sample.oldest_us is None else max(now_us - sample.oldest_us, 0) / _US


_BY_PBX: Final[Mapping[str, tuple[str, Callable[[Pbx, int], float | None]]]] = {
    "session_up": ("Whether the session for events is logged in.", lambda pbx, _: pbx.up),
    "stream_stalled": ("Whether a canary was not seen on a session.", lambda pbx, _: pbx.stalled),
    "action_sessions": ("Sessions for actions that are logged in.", lambda pbx, _: pbx.action_sessions),
    "journal_failing": ("Whether the journal's disk fails.", lambda pbx, _: pbx.journal_trouble is not None),
    "journal_entries": (
        "Entries that Kafka has not acknowledged.",
        lambda pbx, _: _sampled(pbx, lambda one: one.entries),
    ),
    "journal_bytes": ("Their size.", lambda pbx, _: _sampled(pbx, lambda one: one.size)),
    "journal_limit_bytes": ("The journal's bound.", lambda pbx, _: _sampled(pbx, lambda one: one.limit)),
    "journal_oldest_seconds": (
        "The age of the oldest of them, 0 without any.",
        _age,
    ),
    "event_delay_seconds": (
        "The longest of the last seconds from the PBX's Timestamp to receipt.",
        lambda pbx, _: _sampled(pbx, lambda one: None if one.lag_us is None else one.lag_us / _US),
    ),
    "clock_offset_seconds": (
        "How far the PBX's clock is ahead of ours.",
        lambda pbx, _: _sampled(pbx, lambda one: None if one.offset_us is None else one.offset_us / _US),
    ),
}


class Present(Collector):
    """Reads the board at each scrape.

    Args:
        board: what is known.
        version: of the connector.
        ready: whether it is ready now.
        unselected: events left out by the selection, counted by name.
        now_us: the time in microseconds since 1970.
    """

    def __init__(
        self,
        board: Board,
        version: str,
        ready: Callable[[], bool],
        unselected: Mapping[str, int],
        now_us: Callable[[], int],
    ) -> None:
        self._board = board
        self._version = version
        self._ready = ready
        self._unselected = unselected
        self._now_us = now_us

    def describe(self) -> Iterable[Metric]:
        """Return nothing: to register it must not read the board."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield every metric as it is now."""
        yield InfoMetricFamily("ami_kafka_build", "The connector.", {"version": self._version})
        yield _gauge("ready", "Whether /readyz says yes.", self._ready())
        yield _gauge(
            "request_partitions", "Partitions of requests that are ours.", len(self._board.partitions)
        )
        seen = self._board.acknowledged_us
        if seen is not None:
            yield _gauge("acknowledged_timestamp_seconds", "When Kafka last took something.", seen / _US)
        yield from self._by_pbx()
        yield self._left_out()

    def _by_pbx(self) -> Iterator[Metric]:
        now_us = self._now_us()
        for name, (text, value_of) in _BY_PBX.items():
            family = GaugeMetricFamily(f"ami_kafka_{name}", text, labels=["pbx"])
            for pbx, known in self._board.pbxs.items():
                value = value_of(known, now_us)
                if value is not None:
                    family.add_metric([pbx], float(value))
            yield family
        read = CounterMetricFamily(
            "ami_kafka_entries_read", "Entries numbered since the start.", labels=["pbx"]
        )
        for pbx, known in self._board.pbxs.items():
            read.add_metric([pbx], _sampled(known, lambda one: one.read) or 0)
        yield read

    def _left_out(self) -> Metric:
        """Say what the selection leaves out; a PBX's modules may name as many events as they like."""
        text = "Events that the settings leave out."
        family = CounterMetricFamily("ami_kafka_events_unselected", text, labels=["event"])
        named = dict(islice(self._unselected.items(), LABELS))
        for event, count in named.items():
            family.add_metric([event], count)
        if len(self._unselected) > len(named):
            family.add_metric([OTHERS], sum(self._unselected.values()) - sum(named.values()))
        return family


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"ami_kafka_{name}", text, value=float(value))
