"""Asks analytics for the headline on a schedule, and keeps what it last answered. Never ends over a failure."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import grpc
from prometheus_client import CollectorRegistry, Counter, Histogram
from structlog.typing import FilteringBoundLogger

from fucai.exporter.figures import HeadlineCollector
from fucai.runtime.errors import code_of, explain
from fucai.runtime.progress import Progress
from fucai.v1 import analytics_pb2

Ask = Callable[[], Awaitable[analytics_pb2.HeadlineResponse]]

STALE_TURNS = 3
FIRST_SECONDS = 0.5  # between queries until the first answer: a stack that starts has it soon


class QueryMetrics:
    """How the queries themselves fare."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.failures = Counter(
            "fucai_exporter_query_failures",
            "Queries to analytics that failed, by gRPC status; the figures keep their last value.",
            ["code"],
            registry=registry,
        )
        self.seconds = Histogram(
            "fucai_exporter_query_duration_seconds",
            "Time a query to analytics took, failed ones too.",
            registry=registry,
        )


class Schedule:
    """Asks every `interval_s` seconds, and more often until the first answer."""

    def __init__(
        self,
        ask: Ask,
        collector: HeadlineCollector,
        *,
        metrics: QueryMetrics,
        progress: Progress,
        log: FilteringBoundLogger,
        interval_s: float,
    ) -> None:
        self._ask = ask
        self._collector = collector
        self._metrics = metrics
        self._progress = progress
        self._log = log
        self._interval_s = interval_s

    async def run(self) -> None:
        """Asks until cancelled."""
        while True:
            await self.turn()
            await asyncio.sleep(self._interval_s if self._collector.age_s is not None else FIRST_SECONDS)

    async def turn(self) -> None:
        """Asks once. Not ready before the first answer, nor when the last is older than three intervals."""
        began = time.perf_counter()
        try:
            answer = await self._ask()
        except grpc.RpcError as error:
            self._metrics.failures.labels(code_of(error).name.lower()).inc()
            self._log.warning("query failed", reason=explain(error))
            self._tell(explain(error))
        else:
            self._collector.publish(answer)
            self._progress.idle(f"figures up to {answer.to_day}")
        finally:
            self._metrics.seconds.observe(time.perf_counter() - began)

    def _tell(self, reason: str) -> None:
        age_s = self._collector.age_s
        if age_s is None:
            self._progress.blocked(f"no figures yet: {reason}")
        elif age_s > STALE_TURNS * self._interval_s:
            self._progress.blocked(f"figures are {age_s:.0f} s old: {reason}")
