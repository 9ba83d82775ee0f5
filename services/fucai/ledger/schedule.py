"""Surveys the channel on a schedule, publishes what it found, and tells of floods. Never ends over a failure."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from structlog.typing import FilteringBoundLogger

from fucai.ledger.conservation import DisturbedError
from fucai.ledger.metrics import SurveyCollector, SurveyMetrics
from fucai.ledger.store import StoreAwayError
from fucai.ledger.survey import Survey
from fucai.runtime.progress import Progress
from fucai.runtime.refreshing import Refreshing
from fucai.runtime.snapshot import RegistryAwayError

Take = Callable[[], Awaitable[Survey]]


class Schedule:
    """Surveys every `interval_s` seconds, and more often until the first success."""

    def __init__(
        self,
        take: Take,
        collector: SurveyCollector,
        *,
        metrics: SurveyMetrics,
        progress: Progress,
        log: FilteringBoundLogger,
        interval_s: float,
    ) -> None:
        self._take = take
        self._collector = collector
        self._metrics = metrics
        self._progress = progress
        self._log = log
        self._refreshing = Refreshing(interval_s, lambda: collector.age_s, progress)
        self._flooding: set[str] = set()

    async def run(self) -> None:
        """Surveys until cancelled."""
        await self._refreshing.again(self.turn)

    async def turn(self) -> None:
        """Surveys once. Readiness is as `Refreshing.failed` says."""
        began = time.perf_counter()
        try:
            survey = await self._take()
        except (StoreAwayError, RegistryAwayError, DisturbedError) as error:
            away = "registry" if isinstance(error, RegistryAwayError) else "clickhouse"
            self._metrics.failures.labels(away).inc()
            self._log.warning("survey failed", reason=str(error))
            self._refreshing.failed(str(error))
        else:
            self._collector.publish(survey)
            self._tell_floods(survey)
            self._progress.idle(f"{survey.gaps} gaps, {survey.silent_unexpected} terminals silent unexpectedly")
        finally:
            self._metrics.seconds.observe(time.perf_counter() - began)

    def _tell_floods(self, survey: Survey) -> None:
        """One line for each terminal when its flood begins, and when it ends."""
        flooding = {found.terminal_id for found in survey.floods}
        for found in survey.floods:
            if found.terminal_id not in self._flooding:
                self._log.warning(
                    "quarantine flood",
                    terminal=found.terminal_id,
                    quarantined=found.quarantined,
                    stored=found.stored,
                    remedy="`fucai quarantine list --terminal` shows why; nothing is dropped",
                )
        for terminal in sorted(self._flooding - flooding):
            self._log.info("quarantine flood is over", terminal=terminal)
        self._flooding = flooding
