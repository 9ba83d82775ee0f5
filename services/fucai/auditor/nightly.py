"""Reconciles yesterday once a day, and keeps and shows the outcome. Has connections of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from structlog.typing import FilteringBoundLogger

from fucai.adapters import audit_store
from fucai.adapters.clickhouse import ClickHouseError, Client
from fucai.adapters.consumer import KafkaError
from fucai.auditor.days import DayClock
from fucai.auditor.keep import keep
from fucai.auditor.metrics import AuditorMetrics
from fucai.auditor.run import Question, audit


class StoppedError(Exception):
    """The process is to end in the middle of a reconciliation; it starts again with the next one."""


class Nightly:
    """Looks every `look_s` whether yesterday is due and not yet reconciled. `now` tells the time of day."""

    def __init__(
        self,
        bootstrap: str,
        connect: Callable[[], Client],
        *,
        zone: ZoneInfo,
        hour: int,
        loader_group: str,
        metrics: AuditorMetrics,
        log: FilteringBoundLogger,
        look_s: float = 60.0,
        now: Callable[[ZoneInfo], datetime] = datetime.now,
    ) -> None:
        self._bootstrap, self._connect = bootstrap, connect
        self._zone, self._hour, self._loader_group = zone, hour, loader_group
        self._metrics, self._log, self._look_s, self._now = metrics, log, look_s, now
        self._done: date | None = None

    def run(self, stopping: threading.Event) -> None:
        """Work until `stopping` is set; a neighbour that is away is tried again at the next look."""
        while not stopping.is_set():
            try:
                self._look(stopping)
            except StoppedError:
                return
            except (ClickHouseError, KafkaError, LookupError) as error:
                said = (str(error) or type(error).__name__).splitlines()[0][:300]
                self._log.warning("yesterday is not reconciled yet", error=said)
            stopping.wait(self._look_s)

    def _look(self, stopping: threading.Event) -> None:
        now = self._now(self._zone)
        yesterday = now.date() - timedelta(days=1)
        if now.hour < self._hour:
            return
        client = self._connect()
        try:
            if self._done != yesterday and not audit_store.is_reconciled(client, yesterday):
                self._reconcile(client, yesterday, now.date(), stopping)
            self._done = yesterday
            verdicts = audit_store.verdicts_of(client, yesterday)
            self._metrics.show_reconciled(DayClock(self._zone).start_ms(yesterday) / 1000, verdicts)
        finally:
            client.close()

    def _reconcile(self, client: Client, day: date, today: date, stopping: threading.Event) -> None:
        def stage(_what: str, _total: int) -> Callable[[int], None]:
            def made(_steps: int) -> None:
                if stopping.is_set():
                    raise StoppedError

            return made

        found = audit(
            self._bootstrap,
            client,
            Question(day, day, with_lines=True, loader_group=self._loader_group),
            zone=self._zone,
            now_ms=lambda: time.time_ns() // 1_000_000,
            stage=stage,
        )
        keep(client, found, "nightly", today)
        told = self._log.info if found.is_clean else self._log.error
        told("day reconciled", day=str(day), lines=len(found.lines), findings=len(found.findings), run=found.run_id)
