"""Facts as Prometheus counters and histograms; what is measured at a scrape comes from `present`.

Labels are bounded: PBXs and rules by the settings, reasons and statuses by the code, actions by the
catalogue, topics and events by a number, beyond which all count as `(others)`.
"""

import time
from collections.abc import Callable, Collection, Iterable
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder

from connector import facts
from connector.facts import Fact

OTHERS: Final = "(others)"
"""The label of whatever a label is not kept for."""

LABELS: Final = 500
"""Topics of a metric that are told apart."""

DELIVERY_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
ACTION_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Metrics:
    """Counts facts (it is a `Report`) for a registry of its own.

    Args:
        pbxs: the PBXs of the settings, whose counters begin at 0.
        actions: the names that are told apart.
        now_us: the time in microseconds since 1970.
    """

    def __init__(
        self,
        pbxs: Iterable[str] = (),
        actions: Collection[str] = (),
        now_us: Callable[[], int] = lambda: time.time_ns() // 1_000,
    ) -> None:
        self.registry = CollectorRegistry()
        self._actions = {name.lower(): name for name in actions}
        self._now_us = now_us
        self._topics: set[str] = set()
        self._make_events()
        self._make_troubles()
        self._make_actions()
        for pbx in pbxs:
            self._begin(pbx)

    def __call__(self, fact: Fact) -> None:
        """Take a fact."""
        take = _TAKEN.get(type(fact))
        if take is not None:
            take(self, fact)

    def render(self, accept: str) -> tuple[bytes, str]:
        """Return all metrics in the form that an Accept header asks for, and its content type."""
        encoder, content_type = choose_encoder(accept)
        return encoder(self.registry), content_type

    def _make_events(self) -> None:
        self.published = self._counter("records_published", "Records that Kafka has acknowledged.", "topic")
        self.delivery = Histogram(
            "ami_kafka_delivery_seconds",
            "From receipt to Kafka's acknowledgement, of the oldest entry of each batch.",
            buckets=DELIVERY_S,
            registry=self.registry,
        )
        self.letters = self._counter("dead_letters", "What went to the dead-letter topic.", "reason")
        self.lost = self._counter("entries_lost", "Entries given up or damaged, where counted.", "pbx")
        self.losses = self._counter("losses", "Times at which entries were lost.", "pbx")
        self.gaps = self._counter("gaps", "Interruptions told as gaps.", "pbx", "loss")
        self.gap_seconds = self._counter("gap_seconds", "How long they lasted.", "pbx")
        self.missed = self._counter("events_missed", "Events that the PBX numbered and nobody read.", "pbx")
        self.snapshot_items = self._counter("snapshot_items", "Items of lists asked after logins.", "pbx")

    def _make_troubles(self) -> None:
        self.logins = self._counter("logins", "Logins of sessions for events.", "pbx")
        self.ends = self._counter("session_ends", "Sessions for events that ended or did not begin.", "pbx")
        self.refusals = self._counter("login_refusals", "Logins that a PBX refused.", "pbx", "session")
        self.canaries = self._counter("canaries_missed", "Canaries that were not seen.", "pbx")
        self.journal = self._counter("journal_failures", "Times at which a journal's disk failed.", "pbx")
        self.broker = self._counter("kafka_errors", "Errors that the Kafka client reported.", "fatal")
        self.queued = self._gauge("producer_queued", "Records in the producer's queue.")
        self.queued_bytes = self._gauge("producer_queued_bytes", "Their size.")
        self.round_trip = self._gauge("producer_round_trip_seconds", "The slowest broker's mean round trip.")
        self.brokers = self._gauge("producer_brokers_up", "Brokers to which a connection stands.")
        self.registries = self._counter("registry_errors", "Questions that the registry did not answer.")

    def _make_actions(self) -> None:
        self.answered = self._counter(
            "actions", "Requests with a response in Kafka.", "pbx", "action", "status", "replayed"
        )
        self.took = Histogram(
            "ami_kafka_action_seconds",
            "From a request's record to its response in Kafka; repeats are left out.",
            ("pbx",),
            buckets=ACTION_S,
            registry=self.registry,
        )
        self.refused = self._counter("actions_refused", "Requests not carried out.", "pbx", "status", "rule")
        self.undecodable = self._counter("requests_undecodable", "Records that are no requests.", "topic")
        self.unresolved = self._counter("calls_unresolved", "Originates told as UNKNOWN.", "pbx")
        self.aborted = self._counter("transactions_aborted", "Transactions that are done again.")
        self.fenced = self._counter("transactions_fenced", "Transactions refused: another owns a partition.")
        self.lost_partitions = self._counter("partitions_lost", "Partitions found to be another's.")

    def _begin(self, pbx: str) -> None:
        """Have counters at 0 before they count: a first step from nothing is no increase for Prometheus."""
        counters = (
            self.lost,
            self.losses,
            self.gap_seconds,
            self.missed,
            self.snapshot_items,
            self.logins,
            self.ends,
        )
        for counter in (*counters, self.canaries, self.journal, self.unresolved):
            counter.labels(pbx)
        for loss in ("possible", "certain"):
            self.gaps.labels(pbx, loss)
        for session in ("events", "actions"):
            self.refusals.labels(pbx, session)
        for fatal in ("false", "true"):
            self.broker.labels(fatal)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"ami_kafka_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"ami_kafka_{name}", text, registry=self.registry)

    def topic(self, name: str) -> str:
        """Return the label of a topic."""
        if name not in self._topics:
            if len(self._topics) >= LABELS:
                return OTHERS
            self._topics.add(name)
        return name

    def action(self, name: str) -> str:
        """Return the label of an action, which a requester may have made up."""
        return self._actions.get(name.lower(), OTHERS)

    def publish(self, fact: facts.EventsPublished) -> None:
        """Count a batch."""
        for topic, count in fact.counts.items():
            self.published.labels(self.topic(topic)).inc(max(count, 0))
        if fact.received_us is not None:
            self.delivery.observe(max(self._now_us() - fact.received_us, 0) / 1_000_000)

    def answer(self, fact: facts.ActionAnswered) -> None:
        """Count a response."""
        replayed = str(fact.replayed).lower()
        self.answered.labels(fact.pbx, self.action(fact.action), fact.status, replayed).inc()
        if not fact.replayed:
            self.took.labels(fact.pbx).observe(max(fact.took_ms, 0) / 1_000)


def _lost(metrics: Metrics, fact: facts.EventsLost) -> None:
    metrics.losses.labels(fact.pbx).inc()
    metrics.lost.labels(fact.pbx).inc(fact.count or 0)


def _gap(metrics: Metrics, fact: facts.GapTold) -> None:
    metrics.gaps.labels(fact.pbx, fact.loss).inc()
    metrics.gap_seconds.labels(fact.pbx).inc(fact.lasted_s)


def _measured(metrics: Metrics, fact: facts.ProducerMeasured) -> None:
    metrics.queued.set(fact.queued)
    metrics.queued_bytes.set(fact.queued_bytes)
    metrics.round_trip.set(fact.round_trip_us / 1_000_000)
    metrics.brokers.set(fact.brokers_up)


_TAKEN: Final[dict[type[Fact], Callable[[Metrics, Any], None]]] = {
    facts.EventsPublished: Metrics.publish,
    facts.EventQuarantined: lambda metrics, fact: metrics.letters.labels(fact.reason).inc(),
    facts.RecordRefused: lambda metrics, _: metrics.letters.labels("record-refused").inc(),
    facts.EventsLost: _lost,
    facts.GapTold: _gap,
    facts.EventsMissed: lambda metrics, fact: metrics.missed.labels(fact.pbx).inc(fact.count),
    facts.SnapshotTaken: lambda metrics, fact: metrics.snapshot_items.labels(fact.pbx).inc(fact.items),
    facts.LinkUp: lambda metrics, fact: metrics.logins.labels(fact.pbx).inc(),
    facts.LinkDown: lambda metrics, fact: metrics.ends.labels(fact.pbx).inc(),
    facts.LoginWasRefused: lambda metrics, fact: metrics.refusals.labels(fact.pbx, "events").inc(),
    facts.ActionLoginRefused: lambda metrics, fact: metrics.refusals.labels(fact.pbx, "actions").inc(),
    facts.CanaryMissed: lambda metrics, fact: metrics.canaries.labels(fact.pbx).inc(),
    facts.JournalFailed: lambda metrics, fact: metrics.journal.labels(fact.pbx).inc(),
    facts.BrokerTrouble: lambda metrics, fact: metrics.broker.labels(str(fact.fatal).lower()).inc(),
    facts.ProducerMeasured: _measured,
    facts.RegistryTrouble: lambda metrics, _: metrics.registries.inc(),
    facts.ActionAnswered: Metrics.answer,
    facts.ActionRefused: lambda metrics, fact: metrics.refused.labels(
        fact.pbx, fact.status, fact.rule or ""
    ).inc(),
    facts.RequestUndecodable: lambda metrics, fact: metrics.undecodable.labels(fact.topic).inc(),
    facts.CallUnresolved: lambda metrics, fact: metrics.unresolved.labels(fact.pbx).inc(),
    facts.TransactionAborted: lambda metrics, _: metrics.aborted.inc(),
    facts.RequestsFenced: lambda metrics, _: metrics.fenced.inc(),
    facts.PartitionsLost: lambda metrics, fact: metrics.lost_partitions.inc(len(fact.partitions)),
}
