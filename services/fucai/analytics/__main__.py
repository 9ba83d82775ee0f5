"""The analytics process: one pool of ClickHouse clients behind the gRPC service."""

from __future__ import annotations

from pydantic import Field

from fucai.analytics.readiness import watch_store
from fucai.analytics.service import AnalyticsService
from fucai.analytics.store import Store
from fucai.runtime.service import Service, run
from fucai.runtime.settings import ServiceSettings
from fucai.v1.analytics_pb2_grpc import add_AnalyticsServiceServicer_to_server


class AnalyticsSettings(ServiceSettings):
    """What analytics adds to every service's settings."""

    queries: int = Field(default=6, ge=1, le=64, description="queries that run in ClickHouse at the same time")


async def build(service: Service[AnalyticsSettings]) -> None:
    """Wires the process."""
    settings = service.settings
    store = Store(
        settings.clickhouse, settings.database, threads=settings.queries, log_comment=f"fucai {settings.instance}"
    )
    service.closing(store.close)
    watching = service.progress("store", silent_after_s=30.0)
    service.background("store", watch_store(store, settings, watching))
    service.add(
        add_AnalyticsServiceServicer_to_server,
        AnalyticsService(store, zone=settings.zone, currency=settings.currency),
    )


if __name__ == "__main__":
    run("analytics", AnalyticsSettings, build)
