"""The exporter process: asks analytics on a schedule, and shows its last answers on /metrics."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message
from pydantic import Field

from fucai.exporter.catalogue import all_questions
from fucai.exporter.figures import FiguresCollector
from fucai.exporter.question import Asking, Question
from fucai.exporter.schedule import QueryMetrics, Schedule
from fucai.runtime.client import connect
from fucai.runtime.service import Service, run
from fucai.runtime.settings import ServiceSettings
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub


class ExporterSettings(ServiceSettings):
    """What the exporter adds to every service's settings."""

    export_seconds: float = Field(default=15.0, ge=1, description="seconds between two queries for the headline")
    export_others_seconds: float = Field(
        default=60.0,
        ge=1,
        description="seconds between two queries for every other figure: they read more, change less",
    )
    export_timeout_seconds: float = Field(default=30.0, gt=0, description="a query may take this long")
    export_zones: bool = Field(default=False, description="true to publish figures of each zone, too")
    export_max_zones: int = Field(
        default=200, ge=1, le=2_000, description="zones published, the largest sales first; each is some 25 series"
    )
    benchmark: str = Field(default="", description="benchmark series; empty for national_welfare")
    active_sales: int = Field(default=1, ge=1, description="an outlet is active with this many sales in the window")
    active_open_days: int = Field(default=7, ge=1, le=366, description="length of that window in open days")

    @property
    def asking(self) -> Asking:
        """What all questions have in common."""
        return Asking(
            self.zone,
            self.benchmark,
            self.active_sales,
            self.active_open_days,
            self.export_max_zones if self.export_zones else 0,
        )


async def build(service: Service[ExporterSettings]) -> None:
    """Wires the process."""
    settings = service.settings
    channel = await service.enter(connect(settings.analytics))
    analytics: Any = AnalyticsServiceStub(channel)
    questions = all_questions(settings.asking)
    collector = FiguresCollector(questions, least_sales=settings.active_sales, open_days=settings.active_open_days)
    service.metrics.register(collector)

    async def ask(question: Question, request: Message) -> Message:
        answer: Message = await getattr(analytics, question.method)(request, timeout=settings.export_timeout_seconds)
        return answer

    schedule = Schedule(
        ask,
        questions,
        collector,
        metrics=QueryMetrics(service.metrics),
        progress=service.progress("figures"),
        log=service.log,
        interval_s=settings.export_seconds,
        others_interval_s=settings.export_others_seconds,
    )
    service.background("schedule", schedule.run())


if __name__ == "__main__":
    run("exporter", ExporterSettings, build)
