"""What the loader tells Prometheus about itself. Decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prometheus_client import CollectorRegistry

    from fucai.loader.plan import Plan


class LoaderMetrics:
    """The loader's metrics, in a registry passed in."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register all of them."""
        events = Counter(
            "fucai_loader_events",
            "Events taken from Kafka, by what became of them: stored, duplicate, quarantined, replayed "
            "(read again after a restart, stored before).",
            ["outcome"],
            registry=registry,
        )
        self._stored = events.labels("stored")
        self._duplicate = events.labels("duplicate")
        self._quarantined = events.labels("quarantined")
        self._replayed = events.labels("replayed")
        self._bad = Counter(
            "fucai_loader_bad_records",
            "Kafka records that could not be used, kept whole in quarantine.",
            registry=registry,
        )
        self._capped = Counter(
            "fucai_loader_capped_records",
            "Good Kafka records kept whole in quarantine because their terminal's numbers jump around too much.",
            registry=registry,
        )
        self._batch = Histogram(
            "fucai_loader_flush_events", "Events in one insert.", registry=registry, buckets=[10**n for n in range(7)]
        )
        self.failed_flushes = Counter(
            "fucai_loader_failed_flushes", "Inserts that failed; each is followed by a new gate.", registry=registry
        )
        self.gates = Counter("fucai_loader_gates_opened", "Gates opened.", registry=registry)
        self.rebalances = Counter("fucai_loader_rebalances", "Assignments of partitions taken up.", registry=registry)
        self.restore_seconds = Histogram(
            "fucai_loader_restore_seconds", "Time to read the sequence sets back from ClickHouse.", registry=registry
        )
        self.gaps = Gauge(
            "fucai_loader_open_gaps", "Ranges of sequence numbers neither stored nor quarantined.", registry=registry
        )
        self._lag = Gauge(
            "fucai_loader_lag_records", "Records in Kafka not yet on disk.", ["topic", "partition"], registry=registry
        )
        self._newest = Gauge(
            "fucai_loader_newest_record_timestamp_seconds",
            "Kafka's time of the newest record stored.",
            registry=registry,
        )
        self._offsets: dict[tuple[str, int], int] = {}

    def count(self, plan: Plan) -> None:
        """Count a flush that is on disk."""
        self._stored.inc(plan.stored)
        self._duplicate.inc(plan.duplicates)
        self._quarantined.inc(plan.quarantined)
        self._replayed.inc(plan.replayed)
        self._bad.inc(plan.bad_records)
        self._capped.inc(plan.capped_records)
        self._batch.observe(plan.stored)
        self._newest.set(plan.newest_ms / 1000)

    def at_offset(self, topic: str, partition: int, offset: int) -> None:
        """Note up to where a place is on disk."""
        self._offsets[topic, partition] = offset

    def show_lag(self, ends: Mapping[tuple[str, int], int | None]) -> int:
        """Set the lag of every assigned place, drop those of others, and return the sum."""
        for place in set(self._offsets) - set(ends):
            del self._offsets[place]
            self._lag.remove(place[0], str(place[1]))
        total = 0
        for place, end in ends.items():
            lag = max((end or 0) - self._offsets.get(place, 0), 0)
            self._lag.labels(place[0], str(place[1])).set(lag)
            total += lag
        return total
