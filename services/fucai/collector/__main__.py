"""The collector process: settings, wiring, serve."""

from __future__ import annotations

import gc
from pathlib import Path

import uvloop
from pydantic import Field

from fucai.adapters.producer import Producer, ProducerSettings
from fucai.collector.backlog import Backlog, BacklogBounds
from fucai.collector.delivery import Deliveries
from fucai.collector.metrics import CollectorMetrics
from fucai.collector.rules import CurrentRules, RefreshSettings
from fucai.collector.service import CollectorService, ServiceLimits, register
from fucai.domain import topics
from fucai.domain.batches import Limits
from fucai.domain.validation import DAY_MS, Window
from fucai.runtime.client import connect
from fucai.runtime.service import Service, run
from fucai.runtime.settings import ServiceSettings
from fucai.runtime.snapshot import Snapshot, fetch

MIB = 1024 * 1024
FETCH_SECONDS = 5.0
CLOSE_SECONDS = 3.0
HANG_SECONDS = 5.0
SILENT_SECONDS = 60.0


class CollectorSettings(ServiceSettings):
    """What a collector reads from FUCAI_* beside the shared settings."""

    max_message_bytes: int = Field(default=8 * MIB, ge=1024, description="larger gRPC messages are not even read")
    max_batch_bytes: int = Field(default=4 * MIB, ge=1024, description="largest batch taken")
    max_batch_events: int = Field(default=10_000, ge=1, description="most events in a batch")
    past_days: float = Field(default=62, gt=0, description="how old an event of a till may be")
    ahead_seconds: float = Field(default=300, ge=0, description="how far an event may lie ahead of this clock")
    backlog_bytes: int = Field(default=64 * MIB, ge=1024, description="batches are refused when as much awaits Kafka")
    linger_ms: int = Field(default=30, ge=0, description="how long records wait for others to share a Kafka request")
    delivery_seconds: float = Field(default=20, ge=1, description="how long Kafka has to confirm a record")
    snapshot: Path | None = Field(default=None, description="file that keeps the registry snapshot for a restart")
    snapshot_seconds: float = Field(default=3, gt=0, description="how often to ask the registry for changes")


async def build(service: Service[CollectorSettings]) -> None:
    """Wires the parts, from the registry and Kafka up to the RPCs."""
    settings = service.settings
    metrics = CollectorMetrics(service.metrics)

    channel = await service.enter(connect(settings.registry))

    async def fetch_snapshot(known_revision: int) -> Snapshot | None:
        return await fetch(channel, known_revision=known_revision, timeout_s=FETCH_SECONDS)

    rules = CurrentRules(
        fetch_snapshot,
        zone=settings.zone,
        window=Window(past_ms=int(settings.past_days * DAY_MS), ahead_ms=int(settings.ahead_seconds * 1000)),
        settings=RefreshSettings(every_seconds=settings.snapshot_seconds, path=settings.snapshot),
        log=service.log,
    )
    rules.restore()
    metrics.show_snapshot(lambda: rules.revision, lambda: rules.age_seconds)
    service.background("registry", rules.keep_fresh(service.progress("registry", silent_after_s=SILENT_SECONDS)))

    producer = Producer(
        ProducerSettings(
            bootstrap=settings.kafka,
            client_id=settings.instance,
            topics=(topics.SALES, topics.QUARANTINE, topics.DAYCLOSE),
            delivery_seconds=settings.delivery_seconds,
            linger_ms=settings.linger_ms,
        )
    )
    service.closing(lambda: producer.close(seconds=CLOSE_SECONDS))
    backlog = Backlog(BacklogBounds(soft_bytes=settings.backlog_bytes // 2, hard_bytes=settings.backlog_bytes))
    metrics.show_backlog(lambda: backlog.waiting_bytes)
    deliveries = Deliveries(producer, backlog, metrics, lost_after_seconds=settings.delivery_seconds + HANG_SECONDS)
    service.background("kafka", deliveries.keep_connected(service.progress("kafka", silent_after_s=SILENT_SECONDS)))

    collector = CollectorService(
        rules=rules,
        deliveries=deliveries,
        metrics=metrics,
        limits=ServiceLimits(Limits(settings.max_batch_bytes, settings.max_batch_events)),
        collector_id=settings.instance,
    )
    service.add(register, collector)
    service.worker("drain", collector.drain(service.stopping))


if __name__ == "__main__":
    # Batches leave no cycles behind: the default of 700 objects looks for them a thousand times a second.
    gc.set_threshold(20_000, 50, 100)
    run("collector", CollectorSettings, build, loop_factory=uvloop.new_event_loop)
