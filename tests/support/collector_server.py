"""A collector served in the test's own process over real gRPC, with Kafka played by a sender that confirms at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import structlog
from prometheus_client import CollectorRegistry

from fucai.adapters.producer import Confirm
from fucai.collector.backlog import Backlog, BacklogBounds
from fucai.collector.delivery import Deliveries
from fucai.collector.metrics import CollectorMetrics
from fucai.collector.rules import CurrentRules, RefreshSettings
from fucai.collector.service import CollectorService, ServiceLimits, register
from fucai.domain.batches import Limits
from fucai.domain.validation import Window
from fucai.runtime.server import Health, Servicers, build_server
from fucai.runtime.snapshot import Snapshot
from tests.support.tills import NOW_MS


class PromptSender:
    """Confirms each record at once."""

    connected = True

    async def connect(self) -> None:
        """Always there."""

    async def reachable(self) -> bool:
        """Always."""
        return True

    def give_up(self, reason: str) -> None:
        """Has nothing to give up."""

    def send(self, topic: str, *, key: bytes, value: bytes, headers: list[tuple[str, bytes]], confirm: Confirm) -> None:
        """Confirms."""
        del topic, key, value, headers
        asyncio.get_running_loop().call_soon(confirm, None)


@dataclass
class Collecting:
    """A collector that listens, and what it counts."""

    address: str
    metrics: CollectorRegistry

    def count(self, name: str) -> float:
        """One of its metrics."""
        return self.metrics.get_sample_value(f"fucai_collector_{name}") or 0

    async def becomes(self, name: str, value: float) -> None:
        """Returns when a metric has that value."""
        while self.count(name) != value:
            await asyncio.sleep(0.01)


async def no_snapshot(_known: int) -> Snapshot | None:
    """A registry without records: every event is quarantined, which is as durable as any other."""
    return None


@asynccontextmanager
async def collecting(now_ms: int = NOW_MS) -> AsyncIterator[Collecting]:
    """Serves a collector as its process does, whose clock shows `now_ms`."""
    registry = CollectorRegistry()
    metrics = CollectorMetrics(registry)
    deliveries = Deliveries(PromptSender(), Backlog(BacklogBounds(1 << 20, 1 << 21)), metrics, lost_after_seconds=9)
    rules = CurrentRules(
        no_snapshot,
        zone=ZoneInfo("Asia/Shanghai"),
        window=Window(),
        settings=RefreshSettings(at_most_every_seconds=0),
        log=structlog.get_logger(),
    )
    servicers = Servicers()
    servicers.add(
        register,
        CollectorService(
            rules=rules,
            deliveries=deliveries,
            metrics=metrics,
            limits=ServiceLimits(Limits()),
            collector_id="collector-0",
            now_ms=lambda: now_ms,
        ),
    )
    server = build_server(servicers, health_of=Health([]), interceptors=[], max_message_bytes=1 << 20)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield Collecting(f"127.0.0.1:{port}", registry)
    finally:
        await server.stop(None)
