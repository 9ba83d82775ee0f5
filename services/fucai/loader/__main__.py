"""The loader's process: `python -m fucai.loader`."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING, TypeVar

from pydantic import Field

from fucai.adapters import gates
from fucai.adapters.clickhouse import ClickHouseError, connect
from fucai.adapters.consumer import GroupConsumer, GroupSettings, KafkaError, MembershipLostError
from fucai.adapters.migrate import SchemaError, StoreSettings, read_store_settings
from fucai.loader.lane import FlushPolicy
from fucai.loader.ledger import MAX_RANGES
from fucai.loader.metrics import LoaderMetrics
from fucai.loader.pipeline import TOPICS, Pipeline, first_line
from fucai.loader.store import ClickHouseStore
from fucai.loader.worker import Worker
from fucai.runtime.errors import FatalError
from fucai.runtime.service import Service, run
from fucai.runtime.settings import ServiceSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from structlog.typing import FilteringBoundLogger

    from fucai.adapters.clickhouse import Client
    from fucai.runtime.progress import Progress

T = TypeVar("T")
RETRY_SECONDS = 0.5


class LoaderSettings(ServiceSettings):
    """What the loader needs beyond the shared settings."""

    group: str = Field(
        default="fucai-loader", min_length=1, description="consumer group; all loaders of a store share it"
    )
    workers: int = Field(default=2, ge=1, le=64, description="inserts at a time")
    linger_ms: int = Field(default=150, ge=0, le=60_000, description="wait this long for more before an insert")
    flush_bytes: int = Field(
        default=32 * 1024 * 1024,
        ge=1024,
        description="insert at once when this much waits; a worker that holds twice as much reads no more",
    )
    max_ranges: int = Field(
        default=MAX_RANGES, ge=1, description="ranges of numbers, with gaps between, kept in mind for each terminal"
    )
    session_timeout_ms: int = Field(
        default=10_000, ge=1_000, description="the group waits this long for a silent loader"
    )


async def build(service: Service[LoaderSettings]) -> None:
    """Wire the loader: one thread that waits for its neighbours and then loads until the process stops."""
    progress = service.progress("load", stalled_after_s=60, silent_after_s=60)
    loading = Loading(service.settings, progress, LoaderMetrics(service.metrics), service.log)
    service.worker("load", _run_until_stopped(service.stopping, loading))


async def _run_until_stopped(stopping: asyncio.Event, loading: Loading) -> None:
    """Run the loading in a thread; end it gracefully when the process is to stop."""
    stop = asyncio.create_task(stopping.wait())
    running = asyncio.create_task(asyncio.to_thread(loading.run))
    await asyncio.wait({running, stop}, return_when=asyncio.FIRST_COMPLETED)
    loading.stopping.set()
    stop.cancel()
    await running


class Loading:
    """The loader's thread: waits for ClickHouse and Kafka in any order, then runs the pipeline."""

    def __init__(
        self, settings: LoaderSettings, progress: Progress, metrics: LoaderMetrics, log: FilteringBoundLogger
    ) -> None:
        """Connect to nothing yet."""
        self.stopping = threading.Event()
        self._settings, self._progress, self._metrics, self._log = settings, progress, metrics, log

    def run(self) -> None:
        """Load until `stopping` is set.

        Raises:
            FatalError: another process took this loader's place in the group; a new process starts clean.
        """
        store = self._until(self._read_store, "ClickHouse")
        consumer = self._until(self._join, "Kafka")
        if store is None or consumer is None:
            return
        pipeline = Pipeline(
            consumer,
            [
                Worker(
                    number,
                    ClickHouseStore(self._connect(), store.timezone),
                    max_ranges=self._settings.max_ranges,
                )
                for number in range(self._settings.workers)
            ],
            instance=gates.instance_of(self._settings.instance),
            policy=FlushPolicy(
                linger_s=self._settings.linger_ms / 1000,
                flush_bytes=self._settings.flush_bytes,
                hold_bytes=2 * self._settings.flush_bytes,
            ),
            metrics=self._metrics,
            progress=self._progress,
            log=self._log,
        )
        try:
            pipeline.run(self.stopping)
        except MembershipLostError as error:
            message = f"lost its place in group {self._settings.group}: {error}"
            raise FatalError(message, exit_code=os.EX_TEMPFAIL) from error
        finally:
            pipeline.close()

    def _until(self, attempt: Callable[[], T], neighbour: str) -> T | None:
        """Try until it works; None if the process is to stop first."""
        while not self.stopping.is_set():
            try:
                return attempt()
            except (ClickHouseError, SchemaError, KafkaError) as error:
                self._progress.blocked(f"waiting for {neighbour}: {first_line(error)}")
                self.stopping.wait(RETRY_SECONDS)
        return None

    def _connect(self) -> Client:
        """Return a client of its own for one worker."""
        return connect(
            self._settings.clickhouse, self._settings.database, log_comment=f"loader {self._settings.instance}"
        )

    def _read_store(self) -> StoreSettings:
        """Return the store's settings once it is migrated."""
        client = self._connect()
        try:
            return read_store_settings(client)
        finally:
            client.close()

    def _join(self) -> GroupConsumer:
        """Join the consumer group."""
        settings = self._settings
        group = GroupSettings(settings.kafka, settings.group, settings.instance, settings.session_timeout_ms)
        return GroupConsumer(group, list(TOPICS))


if __name__ == "__main__":
    run("loader", LoaderSettings, build)
