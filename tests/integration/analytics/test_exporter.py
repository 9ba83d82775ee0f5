"""The exporter as a service before a real analytics service: what a Prometheus scrape reads."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from typing import Any

import grpc
import pytest
from prometheus_client.parser import text_string_to_metric_families

from fucai.exporter.__main__ import ExporterSettings, build
from fucai.runtime.service import Service
from fucai.runtime.telemetry import configure_logging
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub


async def _page(address: str, path: str) -> tuple[int, str]:
    def read() -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://{address}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    return await asyncio.to_thread(read)


def _exporter(analytics: str) -> Service[ExporterSettings]:
    settings = ExporterSettings(analytics=analytics, metrics="127.0.0.1:0", grpc="127.0.0.1:0", export_seconds=1)
    return Service("exporter", settings, configure_logging(service="exporter", instance="test-0", level="error"))


async def _samples(address: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    _, text = await _page(address, "/metrics")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_scrape_reads_what_analytics_answers(analytics: AnalyticsServiceStub, analytics_address: str) -> None:
    """Every zone type's sales and active outlets, and the channel's growth, equal a headline asked directly."""
    answer = analytics.Headline(pb.HeadlineRequest(by="zone_type"))

    async def scenario() -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        async with _exporter(analytics_address).running(build) as service, asyncio.timeout(30):
            while (await _page(service.metrics_address, "/ready"))[0] != 200:
                await asyncio.sleep(0.05)
            return await _samples(service.metrics_address)

    found = asyncio.run(scenario())
    period = ("period", "28d")
    assert found["fucai_channel_sales_yuan", (period,)] == answer.total.sales_fen / 100
    assert found["fucai_channel_sales_growth_ratio", (period,)] == pytest.approx(answer.total.sales_growth.ratio)
    assert answer.groups
    for group in answer.groups:
        zone_type = ("zone_type", group.group or "none")
        assert found["fucai_zone_type_sales_yuan", (period, zone_type)] == group.sales_fen / 100
        assert found["fucai_zone_type_active_outlets", (zone_type,)] == group.active_outlets
    assert found["fucai_exporter_figures_age_seconds", (("question", "headline"),)] < 30


def test_without_analytics_it_is_not_ready_and_shows_no_figure() -> None:
    """No zero stands for what is not known; readiness says what is away, and failures are counted."""

    async def scenario() -> tuple[int, Any, dict[Any, float]]:
        async with _exporter("127.0.0.1:1").running(build) as service, asyncio.timeout(30):
            labels = (("code", grpc.StatusCode.UNAVAILABLE.name.lower()), ("question", "headline"))
            failed = ("fucai_exporter_query_failures_total", labels)
            while failed not in (found := await _samples(service.metrics_address)):
                await asyncio.sleep(0.05)
            status, body = await _page(service.metrics_address, "/ready")
            return status, json.loads(body), found

    status, ready, found = asyncio.run(scenario())
    assert status == 503
    assert "no figures yet" in ready["reason"]
    assert not [name for name, _ in found if name.startswith(("fucai_channel", "fucai_zone_type"))]
