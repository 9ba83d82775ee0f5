"""The auditor's process: `python -m fucai.auditor`."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from typing import TypeVar
from zoneinfo import ZoneInfo

from pydantic import Field
from structlog.typing import FilteringBoundLogger

from fucai.adapters.clickhouse import ClickHouseError, Client, connect
from fucai.adapters.consumer import GroupConsumer, GroupSettings, KafkaError, MembershipLostError
from fucai.adapters.migrate import SchemaError, read_store_settings
from fucai.auditor.days import DayClock
from fucai.auditor.metrics import AuditorMetrics
from fucai.auditor.nightly import Nightly
from fucai.auditor.watch import ALL_TOPICS, Watch
from fucai.runtime.errors import FatalError
from fucai.runtime.progress import Progress
from fucai.runtime.service import Service, run
from fucai.runtime.settings import ServiceSettings

T = TypeVar("T")
RETRY_SECONDS = 0.5


class AuditorSettings(ServiceSettings):
    """What the auditor needs beyond the shared settings."""

    audit_group: str = Field(default="fucai-auditor", min_length=1, description="consumer group of the auditor")
    group: str = Field(default="fucai-loader", min_length=1, description="consumer group of the loaders")
    settle_seconds: float = Field(default=5.0, gt=0, description="seconds between two comparisons with the store")
    reconcile_hour: int = Field(default=4, ge=0, le=23, description="hour of the business day when yesterday is due")
    session_timeout_ms: int = Field(
        default=10_000, ge=1_000, description="the group waits so long for a silent auditor"
    )


async def build(service: Service[AuditorSettings]) -> None:
    """Wire the auditor: one thread that watches, one that reconciles yesterday once a day."""
    progress = service.progress("watch", stalled_after_s=120, silent_after_s=120)
    auditing = Auditing(service.settings, progress, AuditorMetrics(service.metrics), service.log)
    service.worker("watch", _until_stopped(service.stopping, auditing.stopping, auditing.watch))
    service.worker("reconcile", _until_stopped(service.stopping, auditing.stopping, auditing.reconcile))


class Auditing:
    """The auditor's threads: each waits for ClickHouse and Kafka in any order, then works until `stopping` is set."""

    def __init__(
        self, settings: AuditorSettings, progress: Progress, metrics: AuditorMetrics, log: FilteringBoundLogger
    ) -> None:
        """Connect to nothing yet."""
        self.stopping = threading.Event()
        self._settings, self._progress, self._metrics, self._log = settings, progress, metrics, log

    def watch(self) -> None:
        """Read all topics and compare with the store.

        Raises:
            FatalError: another process took this auditor's place in the group; a new process starts clean.
        """
        settings = self._settings
        zone = self._until(self._zone, "ClickHouse")
        consumer = self._until(self._join, "Kafka")
        client = self._until(self._connect, "ClickHouse")
        if zone is None or consumer is None or client is None:
            return
        watch = Watch(
            consumer,
            client,
            bootstrap=settings.kafka,
            loader_group=settings.group,
            settle_s=settings.settle_seconds,
            clock=DayClock(zone),
            metrics=self._metrics,
            progress=self._progress,
            log=self._log,
        )
        try:
            watch.run(self.stopping)
        except MembershipLostError as error:
            message = f"lost its place in group {settings.audit_group}: {error}"
            raise FatalError(message, exit_code=os.EX_TEMPFAIL) from error
        finally:
            consumer.close()
            client.close()

    def reconcile(self) -> None:
        """Reconcile yesterday once a day."""
        settings = self._settings
        zone = self._until(self._zone, "ClickHouse")
        if zone is None:
            return
        Nightly(
            settings.kafka,
            self._connect,
            zone=zone,
            hour=settings.reconcile_hour,
            loader_group=settings.group,
            metrics=self._metrics,
            log=self._log,
        ).run(self.stopping)

    def _until(self, attempt: Callable[[], T], neighbour: str) -> T | None:
        """Try until it works; None if the process is to stop first."""
        while not self.stopping.is_set():
            try:
                return attempt()
            except (ClickHouseError, SchemaError, KafkaError) as error:
                said = (str(error) or type(error).__name__).splitlines()[0][:300]
                self._progress.blocked(f"waiting for {neighbour}: {said}")
                self.stopping.wait(RETRY_SECONDS)
        return None

    def _connect(self) -> Client:
        """Return a client of its own for one thread."""
        settings = self._settings
        comment = f"auditor {settings.instance}"
        return connect(settings.clickhouse, settings.database, log_comment=comment, timeout_s=600)

    def _zone(self) -> ZoneInfo:
        """Return the business time zone once the store is migrated."""
        client = self._connect()
        try:
            return ZoneInfo(read_store_settings(client).timezone)
        finally:
            client.close()

    def _join(self) -> GroupConsumer:
        """Join the auditor's own consumer group."""
        settings = self._settings
        group = GroupSettings(settings.kafka, settings.audit_group, settings.instance, settings.session_timeout_ms)
        return GroupConsumer(group, list(ALL_TOPICS))


async def _until_stopped(stopping: asyncio.Event, told: threading.Event, work: Callable[[], None]) -> None:
    """Run work in a thread; tell it when the process is to stop, or when its neighbour has failed."""
    stop = asyncio.create_task(stopping.wait())
    running = asyncio.create_task(asyncio.to_thread(work))
    await asyncio.wait({running, stop}, return_when=asyncio.FIRST_COMPLETED)
    told.set()
    stop.cancel()
    await running


if __name__ == "__main__":
    run("auditor", AuditorSettings, build)
