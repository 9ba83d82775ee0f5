"""The exporter process: asks analytics on a schedule, and shows its last answer on /metrics."""

from __future__ import annotations

from pydantic import Field

from fucai.exporter.figures import HeadlineCollector
from fucai.exporter.schedule import QueryMetrics, Schedule
from fucai.runtime.client import connect
from fucai.runtime.service import Service, run
from fucai.runtime.settings import ServiceSettings
from fucai.v1 import analytics_pb2
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub


class ExporterSettings(ServiceSettings):
    """What the exporter adds to every service's settings."""

    export_seconds: float = Field(default=15.0, ge=1, description="seconds between two queries")
    export_timeout_seconds: float = Field(default=30.0, gt=0, description="a query may take this long")
    benchmark: str = Field(default="", description="benchmark series; empty for national_welfare")
    active_sales: int = Field(default=1, ge=1, description="an outlet is active with this many sales in the window")
    active_open_days: int = Field(default=7, ge=1, le=366, description="length of that window in open days")


async def build(service: Service[ExporterSettings]) -> None:
    """Wires the process."""
    settings = service.settings
    channel = await service.enter(connect(settings.analytics))
    analytics = AnalyticsServiceStub(channel)
    question = analytics_pb2.HeadlineRequest(
        benchmark=settings.benchmark,
        active_sales=settings.active_sales,
        active_open_days=settings.active_open_days,
        by="zone_type",
    )
    collector = HeadlineCollector(
        zone=settings.zone, least_sales=settings.active_sales, open_days=settings.active_open_days
    )
    service.metrics.register(collector)

    async def ask() -> analytics_pb2.HeadlineResponse:
        return await analytics.Headline(question, timeout=settings.export_timeout_seconds)

    schedule = Schedule(
        ask,
        collector,
        metrics=QueryMetrics(service.metrics),
        progress=service.progress("figures"),
        log=service.log,
        interval_s=settings.export_seconds,
    )
    service.background("schedule", schedule.run())


if __name__ == "__main__":
    run("exporter", ExporterSettings, build)
