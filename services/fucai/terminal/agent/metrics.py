"""The agent's metrics, for outlets whose machines are watched. They repeat what the status says."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge

from fucai.v1.terminal_pb2 import GetStatusResponse

_GAUGES = {
    "recorded_through": "Highest sequence number recorded in the present epoch.",
    "acknowledged_through": "Every event of the present epoch up to here is durable upstream.",
    "waiting_events": "Events that wait for the collector.",
    "connected": "1 while a stream to the collector is open, else 0.",
    "accepted_events": "Events accepted upstream since the outbox was created.",
    "quarantined_events": "Events put into quarantine upstream since the outbox was created.",
    "refused_batches": "Batches that the collector refused for good, set aside in the outbox.",
    "waiting_statements": "Statements that wait for the collector.",
    "outbox_bytes": "Bytes that the outbox takes on disk.",
    "free_bytes": "Bytes free on that disk.",
}


class AgentMetrics:
    """Gauges `fucai_agent_...`, as of the last `show`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._gauges = {name: Gauge(f"fucai_agent_{name}", text, registry=registry) for name, text in _GAUGES.items()}
        self._oldest = Gauge(
            "fucai_agent_oldest_waiting_seconds", "Age of the oldest event that waits; 0 without.", registry=registry
        )
        self._warnings = Gauge("fucai_agent_warnings", "Things that a person should look at.", registry=registry)

    def show(self, status: GetStatusResponse, now_ms: int) -> None:
        """Sets them all."""
        for name, gauge in self._gauges.items():
            gauge.set(float(getattr(status, name)))
        waits_ms = now_ms - status.oldest_waiting_ms if status.oldest_waiting_ms else 0
        self._oldest.set(max(0.0, waits_ms / 1000))
        self._warnings.set(len(status.warnings))
