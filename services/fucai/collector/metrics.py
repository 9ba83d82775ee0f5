"""The collector's own Prometheus metrics. Nothing is counted per event by a call: whole batches are added."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from fucai.v1 import collector_pb2, sales_pb2

_PREFIX = "QUARANTINE_REASON_"
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0)


class CollectorMetrics:
    """Counters of what was taken, put into quarantine and refused; how long Kafka took."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.batches = Counter(
            "fucai_collector_batches", "Batches whose every record Kafka confirmed.", registry=registry
        )
        self.accepted = Counter(
            "fucai_collector_events_accepted", "Events confirmed by Kafka in the sales topic.", registry=registry
        )
        self.quarantined = Counter(
            "fucai_collector_events_quarantined",
            "Events confirmed by Kafka in the quarantine topic, by reason.",
            ["reason"],
            registry=registry,
        )
        self.refused = Counter(
            "fucai_collector_batches_refused", "Batches not taken, by gRPC status code.", ["code"], registry=registry
        )
        self.streams_refused = Counter(
            "fucai_collector_streams_refused",
            "Streams refused because another agent with the same identity has one open.",
            registry=registry,
        )
        self.streams_superseded = Counter(
            "fucai_collector_streams_superseded",
            "Streams ended because the same agent has opened a newer one.",
            registry=registry,
        )
        self.statements = Counter(
            "fucai_collector_statements",
            "Statements of terminals confirmed by Kafka, by what their signature and key showed.",
            ["verdict"],
            registry=registry,
        )
        self.produce_seconds = Histogram(
            "fucai_collector_produce_seconds",
            "Time from handing a batch to the Kafka producer to the broker's confirmation of its last record.",
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self.last_batch = Gauge(
            "fucai_collector_last_batch_timestamp_seconds",
            "When Kafka last confirmed a batch, Unix time.",
            registry=registry,
        )
        self._registry = registry

    def quarantined_for(self, reason: int, count: int) -> None:
        """Counts events of one reason."""
        name = sales_pb2.QuarantineReason.Name(sales_pb2.QuarantineReason.ValueType(reason))
        self.quarantined.labels(name.removeprefix(_PREFIX).lower()).inc(count)

    def stated(self, verdict: collector_pb2.StatementVerdict.ValueType) -> None:
        """Counts a statement."""
        name = collector_pb2.StatementVerdict.Name(verdict)
        self.statements.labels(name.removeprefix("STATEMENT_VERDICT_").lower()).inc()

    def show_backlog(self, read_bytes: Callable[[], float]) -> None:
        """Shows the bytes waiting for Kafka, read at each scrape."""
        gauge = Gauge(
            "fucai_collector_backlog_bytes", "Bytes handed to Kafka and not confirmed yet.", registry=self._registry
        )
        gauge.set_function(read_bytes)

    def show_leases(self, read_count: Callable[[], float]) -> None:
        """Shows how many agents have a stream open, read at each scrape."""
        gauge = Gauge(
            "fucai_collector_leased_terminals",
            "Terminals whose agent has a stream open.",
            registry=self._registry,
        )
        gauge.set_function(read_count)

    def show_snapshot(self, read_revision: Callable[[], float], read_age_seconds: Callable[[], float]) -> None:
        """Shows which registry snapshot is in use, read at each scrape."""
        revision = Gauge(
            "fucai_collector_snapshot_revision", "Revision of the registry snapshot in use.", registry=self._registry
        )
        revision.set_function(read_revision)
        age = Gauge(
            "fucai_collector_snapshot_age_seconds",
            "Time since the registry last confirmed the snapshot in use; since the start if it never has.",
            registry=self._registry,
        )
        age.set_function(read_age_seconds)
