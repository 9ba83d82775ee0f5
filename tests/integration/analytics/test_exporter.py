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

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


async def _page(address: str, path: str) -> tuple[int, str]:
    def read() -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://{address}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    return await asyncio.to_thread(read)


def _exporter(analytics: str, **more: Any) -> Service[ExporterSettings]:
    settings = ExporterSettings(
        analytics=analytics, metrics="127.0.0.1:0", grpc="127.0.0.1:0", export_seconds=1, **more
    )
    return Service("exporter", settings, configure_logging(service="exporter", instance="test-0", level="error"))


async def _samples(address: str) -> Samples:
    _, text = await _page(address, "/metrics")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_scrape_reads_what_analytics_answers(analytics: AnalyticsServiceStub, analytics_address: str) -> None:
    """Every zone type's sales and active outlets, and the channel's growth, equal a headline asked directly."""
    answer = analytics.Headline(pb.HeadlineRequest(by="zone_type"))

    async def scenario() -> Samples:
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


def _quantity(found: pb.Quantity) -> float:
    kind = found.WhichOneof("value")
    assert kind
    value = float(getattr(found, kind))
    return value / 100 if kind == "fen" else value


NAMES = {"bets": "bets", "selling_outlets": "selling_outlets", "attach_rate": "attach_ratio"}
NAMES |= {name: f"{name}_yuan" for name in ("sales_per_outlet", "companion", "welfare_fund", "commission")}


def _put(found: Samples, name: str, value: float, **labels: str) -> None:
    found[name, tuple(sorted(labels.items()))] = value


def _growth(analytics: AnalyticsServiceStub, days: tuple[str, str], place: str) -> Samples:
    """Growth of a place asked directly, as samples; names are put together here once more."""
    found: Samples = {}
    asked = pb.GrowthRequest(from_day=days[0], to_day=days[1], by=[place] if place else [], measures=list(NAMES))
    growth = analytics.Growth(asked)
    for row in growth.rows if place else [growth.total]:
        labels = {"period": "28d"} | ({place: row.group[0] or "none"} if place else {})
        prefix = f"fucai_{place or 'channel'}"
        for one in row.measurements:
            if one.HasField("value"):
                _put(found, f"{prefix}_{NAMES[one.measure]}", _quantity(one.value), **labels)
            if one.growth.mark in (pb.GROWTH_MARK_RATIO, pb.GROWTH_MARK_PARTIAL_BASE):
                _put(found, f"{prefix}_{one.measure}_growth_ratio", one.growth.ratio, **labels)
        _put(found, f"{prefix}_same_outlet_sales_yuan", _quantity(row.same_outlet.value), **labels)
        _put(found, f"{prefix}_same_outlets", row.same_outlets, **labels)
    return found


def _expected(analytics: AnalyticsServiceStub) -> Samples:
    """Figures of every question asked directly, as samples."""
    headline = analytics.Headline(pb.HeadlineRequest())
    days = headline.from_day, headline.to_day
    found: Samples = {}
    for place in ("", "zone_type", "district", "game"):
        found |= _growth(analytics, days, place)
    for zone in analytics.Scale(pb.ScaleRequest(by=["zone"])).rows:
        _put(found, "fucai_zone_installed_outlets", zone.installed, zone=zone.group[0] or "none")
        _put(found, "fucai_zone_active_outlets", zone.active, zone=zone.group[0] or "none")
    (scale,) = analytics.Scale(pb.ScaleRequest(with_terminals=True)).rows
    for name, fen in (
        ("installed_outlet", scale.sales_per_installed_fen),
        ("active_outlet_open_day", scale.sales_per_outlet_open_day_fen),
        ("installed_outlet_open_day", scale.sales_per_installed_open_day_fen),
        ("terminal_week", scale.sales_per_terminal_week_fen),
    ):
        assert fen
        _put(found, f"fucai_channel_sales_per_{name}_yuan", fen / 100, period="28d")
    for place in ("", "zone_type"):
        ranked = analytics.Rank(pb.RankRequest(from_day=days[0], to_day=days[1], within=place, top=1))
        for one in ranked.concentrations:
            labels = {"period": "28d"} | ({place: one.within or "none"} if place else {})
            prefix = f"fucai_{place or 'channel'}"
            _put(found, f"{prefix}_concentration_outlets", one.members, **labels)
            _put(found, f"{prefix}_largest_tenth_share_ratio", one.top_share, **labels)
            _put(found, f"{prefix}_sales_gini_ratio", one.gini, **labels)
    total = analytics.Decompose(pb.DecomposeRequest(from_day=days[0], to_day=days[1])).total
    for part, fen in (("new", total.new_fen), ("closed", total.closed_fen), ("same", total.same_fen)):
        _put(found, "fucai_channel_sales_change_yuan", fen / 100, part=part, period="28d")
    for rule in analytics.Alerts(pb.AlertsRequest()).rules:
        _put(found, "fucai_channel_alerts_evaluated", rule.evaluated, rule=rule.rule)
        if rule.evaluated:
            _put(found, "fucai_channel_alerts", rule.alerts, rule=rule.rule)
    _put(found, "fucai_channel_silent_outlets", analytics.Silent(pb.SilentRequest()).total_rows)
    year = next(row for row in analytics.Benchmark(pb.BenchmarkRequest()).rows if row.period == "2024")
    labels = {"series": "national_welfare", "grain": "year", "benchmark_period": "2024"}
    verdict = pb.Verdict.Name(year.verdict).removeprefix("VERDICT_").lower()
    _put(found, "fucai_benchmark_growth_ratio", year.published_growth, **labels, basis="published")
    _put(found, "fucai_benchmark_own_growth_ratio", year.growth.ratio, **labels)
    _put(found, "fucai_benchmark_verdict", 1, **labels, verdict=verdict)
    _put(found, "fucai_channel_withheld_draws", headline.freshness.withheld_draws)
    return found


def test_every_question_is_published_as_it_is_answered(analytics: AnalyticsServiceStub, analytics_address: str) -> None:
    """Growth and spread by place, scale, causes, alerts, silence and benchmark equal what is asked directly."""
    wanted = _expected(analytics)

    async def scenario() -> Samples:
        async with _exporter(analytics_address, export_zones=True).running(build) as service, asyncio.timeout(60):
            while not wanted.keys() <= (found := await _samples(service.metrics_address)).keys():
                await asyncio.sleep(0.1)
            return found

    found = asyncio.run(scenario())
    assert {key: found[key] for key in wanted} == pytest.approx(wanted)
    assert not [key for key, _ in found if key.startswith("fucai_exporter_query_failures")]
    cut = {key: value for key, value in found.items() if key[0] == "fucai_exporter_groups_cut"}
    assert set(cut.values()) == {0}


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
