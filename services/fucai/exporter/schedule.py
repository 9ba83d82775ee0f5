"""Asks analytics its questions on a schedule, and keeps what it last answered. Never ends over a failure."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import grpc
from google.protobuf.message import Message
from prometheus_client import CollectorRegistry, Counter, Histogram
from structlog.typing import FilteringBoundLogger

from fucai.exporter.figures import FiguresCollector
from fucai.exporter.question import HEADLINE, Question
from fucai.runtime.errors import code_of, explain
from fucai.runtime.progress import Progress
from fucai.runtime.refreshing import Refreshing

Ask = Callable[[Question, Message], Awaitable[Message]]


class QueryMetrics:
    """How the queries themselves fare."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.failures = Counter(
            "fucai_exporter_query_failures",
            "Queries to analytics that failed, by question and gRPC status; the figures keep their last value.",
            ["question", "code"],
            registry=registry,
        )
        self.seconds = Histogram(
            "fucai_exporter_query_duration_seconds",
            "Time a query to analytics took, failed ones too.",
            ["question"],
            registry=registry,
        )


class Schedule:
    """Asks for the headline every `interval_s` seconds, more often until its first answer.

    Beside it, so that it never waits for them, the other questions are asked one after the other: those whose answer
    is older than `others_interval_s`, is not there yet, or is not to be shown any more. Each question fails alone.
    """

    def __init__(
        self,
        ask: Ask,
        questions: Sequence[Question],
        collector: FiguresCollector,
        *,
        metrics: QueryMetrics,
        progress: Progress,
        log: FilteringBoundLogger,
        interval_s: float,
        others_interval_s: float,
    ) -> None:
        self._ask = ask
        self._headline = next(question for question in questions if question.name == HEADLINE)
        self._others = [question for question in questions if question.name != HEADLINE]
        self._collector = collector
        self._metrics = metrics
        self._progress = progress
        self._log = log
        self._refreshing = Refreshing(interval_s, lambda: collector.age_s(HEADLINE), progress)
        self._others_interval_s = others_interval_s
        self._failed: dict[str, str] = {}
        self._is_away = True

    async def run(self) -> None:
        """Asks until cancelled."""
        again = self._refreshing.again
        await asyncio.gather(again(self.headline_turn), again(self.others_turn))

    async def headline_turn(self) -> None:
        """Asks once. Readiness is as `Refreshing.failed` says, by the headline."""
        await self._put(self._headline)
        self._tell()

    async def others_turn(self) -> None:
        """Asks whatever else is due, unless there was no headline yet because analytics or its store is away."""
        if self._is_away and self._collector.age_s(HEADLINE) is None:
            return
        for question in self._others:
            if self._is_due(question):
                await self._put(question)
        self._tell()

    def _is_due(self, question: Question) -> bool:
        age_s = self._collector.age_s(question.name)
        return age_s is None or age_s >= self._others_interval_s or not self._collector.is_shown(question.name)

    async def _put(self, question: Question) -> None:
        """Asks one question, if what it needs to know is known."""
        request = question.request(self._collector.days)
        if request is None:
            return
        began = time.perf_counter()
        try:
            answer = await self._ask(question, request)
        except grpc.RpcError as error:
            self._fail(question, error)
        else:
            self._collector.publish(question.name, answer)
            self._failed.pop(question.name, None)
        finally:
            self._metrics.seconds.labels(question.name).observe(time.perf_counter() - began)

    def _fail(self, question: Question, error: grpc.RpcError) -> None:
        code = code_of(error)
        if question.refusable and code is grpc.StatusCode.INVALID_ARGUMENT:
            self._collector.withdraw(question.name)
            self._failed.pop(question.name, None)
            return
        self._metrics.failures.labels(question.name, code.name.lower()).inc()
        if question is self._headline:
            self._is_away = code is grpc.StatusCode.UNAVAILABLE
        reason = explain(error)
        tell = self._log.debug if self._failed.get(question.name) == reason else self._log.warning
        tell("query failed", question=question.name, reason=reason)
        self._failed[question.name] = reason

    def _tell(self) -> None:
        reason = self._failed.get(HEADLINE)
        if reason is None:
            others = f"; no answer to {', '.join(sorted(self._failed))}" if self._failed else ""
            self._progress.idle(f"figures up to {self._collector.days[1] if self._collector.days else '-'}{others}")
        else:
            self._refreshing.failed(reason)
