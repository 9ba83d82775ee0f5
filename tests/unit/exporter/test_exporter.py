"""What Prometheus sees of the headline: names, units, marks, and the age of a figure after a failure."""

from __future__ import annotations

import asyncio
from zoneinfo import ZoneInfo

import grpc
import grpc.aio
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from fucai.exporter.figures import HeadlineCollector
from fucai.exporter.schedule import QueryMetrics, Schedule
from fucai.runtime.progress import Progress
from fucai.runtime.telemetry import configure_logging
from fucai.v1 import analytics_pb2 as pb

RATIO = pb.GROWTH_MARK_RATIO


def headline(*, published: bool = False) -> pb.HeadlineResponse:
    """An answer: sales up 7 %, one zone type new, one outlet outside any zone."""
    benchmark = pb.BenchmarkComparison(series="national_welfare", published=published, period="2025-02", growth=-0.03)
    if published:
        benchmark.excess_points = 10.0
    return pb.HeadlineResponse(
        from_day="2025-02-11",
        to_day="2025-03-10",
        total=pb.HeadlineGroup(
            active_outlets=54,
            base_active_outlets=50,
            scale_growth=pb.Growth(ratio=0.08, mark=RATIO),
            sales_fen=10_700_050,
            base_sales_fen=10_000_000,
            sales_growth=pb.Growth(ratio=0.07, mark=RATIO),
        ),
        groups=[
            pb.HeadlineGroup(
                group="night_market",
                active_outlets=3,
                sales_fen=200,
                scale_growth=pb.Growth(mark=pb.GROWTH_MARK_NEW),
                sales_growth=pb.Growth(mark=pb.GROWTH_MARK_NEW),
            ),
            pb.HeadlineGroup(
                group="",
                active_outlets=1,
                scale_growth=pb.Growth(mark=pb.GROWTH_MARK_NO_BASE),
                sales_growth=pb.Growth(ratio=0.5, mark=pb.GROWTH_MARK_PARTIAL_BASE),
            ),
        ],
        benchmark=benchmark,
        freshness=pb.DataFreshness(latest_received_ms=1_741_600_000_500),
        currency="CNY",
    )


class Rig:
    """A collector in a registry of its own, whose clock is set by hand."""

    def __init__(self) -> None:
        self.now = 1_741_700_000.0
        self.registry = CollectorRegistry()
        self.collector = HeadlineCollector(
            zone=ZoneInfo("Asia/Shanghai"), least_sales=1, open_days=7, clock=lambda: self.now
        )
        self.registry.register(self.collector)

    def scrape(self) -> list[Sample]:
        """What a standard parser reads from the exposition."""
        text = generate_latest(self.registry).decode()
        return [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    def value(self, name: str, **labels: str) -> float | None:
        """The one sample of that name and those labels; None where it is absent."""
        found = [sample.value for sample in self.scrape() if sample.name == name and sample.labels == labels]
        assert len(found) <= 1
        return found[0] if found else None


def test_before_the_first_answer_there_is_no_figure() -> None:
    """No answer, no sample: not even a zero."""
    assert Rig().scrape() == []


def test_figures_have_base_units_and_labels() -> None:
    """Money in yuan, growth as a ratio, the period as a label, zone types under their own name."""
    rig = Rig()
    rig.collector.publish(headline())
    assert rig.value("fucai_channel_active_outlets") == 54
    assert rig.value("fucai_channel_sales_yuan", period="28d") == 107_000.50
    assert rig.value("fucai_channel_sales_growth_ratio", period="28d") == 0.07
    assert rig.value("fucai_channel_active_outlets_growth_ratio") == 0.08
    assert rig.value("fucai_zone_type_active_outlets", zone_type="night_market") == 3
    assert rig.value("fucai_zone_type_sales_yuan", zone_type="none", period="28d") == 0
    assert rig.value("fucai_channel_period_end_timestamp_seconds") == 1_741_622_400
    assert rig.value("fucai_channel_data_latest_received_timestamp_seconds") == 1_741_600_000.5


def test_kept_figures_end_when_a_draw_is_sealed_that_they_may_contain() -> None:
    """From the next seal on there is no figure until analytics answers again; their age goes on."""
    rig = Rig()
    answer = headline()
    answer.freshness.next_seal_ms = int(rig.now * 1000) + 60_000
    rig.collector.publish(answer)
    rig.now += 59
    assert rig.value("fucai_channel_active_outlets") == 54
    rig.now += 1
    assert not [sample for sample in rig.scrape() if not sample.name.startswith("fucai_exporter")]
    assert rig.value("fucai_exporter_figures_age_seconds") == 60


def test_growth_without_a_ratio_is_absent_and_marked() -> None:
    """A new zone type has no growth sample, but one mark of the seven is 1."""
    rig = Rig()
    rig.collector.publish(headline())
    assert rig.value("fucai_zone_type_sales_growth_ratio", zone_type="night_market", period="28d") is None
    marks = {
        sample.labels["mark"]: sample.value
        for sample in rig.scrape()
        if sample.name == "fucai_zone_type_growth_mark"
        and sample.labels["zone_type"] == "night_market"
        and sample.labels["figure"] == "sales"
    }
    others = ("ratio", "both_zero", "negative_base", "no_base", "partial_base", "small_base")
    assert marks == {"new": 1, **dict.fromkeys(others, 0)}
    assert rig.value("fucai_zone_type_sales_growth_ratio", zone_type="none", period="28d") == 0.5


def test_excess_stands_only_beside_a_published_benchmark() -> None:
    """The newest value of another period is shown with published 0, and nothing is subtracted."""
    rig = Rig()
    labels = {"series": "national_welfare", "benchmark_period": "2025-02"}
    rig.collector.publish(headline())
    assert rig.value("fucai_channel_benchmark_published", series="national_welfare") == 0
    assert rig.value("fucai_channel_benchmark_growth_ratio", **labels) == -0.03
    assert rig.value("fucai_channel_sales_excess_ratio", **labels) is None
    rig.collector.publish(headline(published=True))
    assert rig.value("fucai_channel_benchmark_published", series="national_welfare") == 1
    assert rig.value("fucai_channel_sales_excess_ratio", **labels) == pytest.approx(0.1)


def test_every_metric_explains_itself() -> None:
    """Each family has a HELP text, and names keep to Prometheus' rules: fucai_ and no unit in the middle."""
    rig = Rig()
    rig.collector.publish(headline())
    for family in text_string_to_metric_families(generate_latest(rig.registry).decode()):
        assert family.documentation
        assert family.name.startswith("fucai_")
        assert family.type == "gauge"


def test_a_failed_query_keeps_the_figure_and_shows_its_age() -> None:
    """After a failure the last value stays, its age grows, the failure is counted, and readiness tells why."""

    async def scenario() -> None:
        rig = Rig()
        metrics, progress = QueryMetrics(rig.registry), Progress()
        answers: list[pb.HeadlineResponse | grpc.aio.AioRpcError] = [
            _unavailable(),
            headline(),
            _unavailable(),
        ]

        async def ask() -> pb.HeadlineResponse:
            answer = answers.pop(0)
            if isinstance(answer, pb.HeadlineResponse):
                return answer
            raise answer

        log = configure_logging(service="exporter", instance="test-0")
        schedule = Schedule(ask, rig.collector, metrics=metrics, progress=progress, log=log, interval_s=15)
        await schedule.turn()
        assert rig.value("fucai_channel_active_outlets") is None
        assert not progress.readiness().ready
        assert "no figures yet: UNAVAILABLE" in progress.readiness().reason
        await schedule.turn()
        assert progress.readiness().ready
        assert rig.value("fucai_exporter_figures_age_seconds") == 0
        rig.now += 3600
        await schedule.turn()
        assert rig.value("fucai_channel_active_outlets") == 54
        assert rig.value("fucai_exporter_figures_age_seconds") == 3600
        assert rig.value("fucai_exporter_last_success_timestamp_seconds") == rig.now - 3600
        assert rig.value("fucai_exporter_query_failures_total", code="unavailable") == 2
        assert rig.value("fucai_exporter_query_duration_seconds_count") == 3
        assert not progress.readiness().ready
        assert "3600 s old" in progress.readiness().reason

    asyncio.run(scenario())


def _unavailable() -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(
        grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata(), "ClickHouse is away", ""
    )
