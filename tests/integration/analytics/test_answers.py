"""What goes with the figures: freshness, names, definitions, benchmark, newest events; and what serves them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from fucai.adapters.clickhouse import connect
from fucai.analytics import texts
from fucai.domain.periods import Comparison, Grain
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from tests.integration.analytics.world import DATABASE, FIRST, LAST, NOW, World

NOW_MS = int(NOW.timestamp() * 1000)


def test_every_answer_carries_freshness_and_definitions(analytics: AnalyticsServiceStub, world: World) -> None:
    """Trend and headline say how far the store reaches, when they answered, in which currency, and what it means."""
    days: dict[str, Any] = {"from_day": "2024-01-01", "to_day": "2024-12-31"}
    trend = analytics.Trend(pb.TrendRequest(**days, by=["zone"], compare=pb.COMPARISON_YOY, grain=pb.GRAIN_WEEK))
    headline = analytics.Headline(pb.HeadlineRequest(**days))
    for answer in (trend, headline):
        assert answer.freshness.first_day == FIRST.isoformat()
        assert answer.freshness.last_day == LAST.isoformat()
        assert answer.freshness.answered_ms == NOW_MS
        assert answer.currency == "CNY"
        assert all(item.name and item.text_zh and item.text_en for item in answer.definitions)
    assert {item.name for item in trend.definitions} == {"sales", "bets", "running_sum", "growth", "as_of_sale"}
    assert {item.name for item in headline.definitions} == {"active_outlets", "sales", "growth"}
    assert "364" in trend.comparison_rule
    found = analytics.Freshness(pb.FreshnessRequest())
    assert found.events == len(world.events)
    assert found.quarantined == 0
    assert found.freshness.latest_received_ms == trend.freshness.latest_received_ms > 0


def test_groups_have_names_for_people(analytics: AnalyticsServiceStub) -> None:
    """Zone, district, outlet and game names come from the registry, newest first; codes have Chinese names."""
    by = ["zone", "zone_type", "district", "outlet", "game", "kind", "format"]
    answer = analytics.Trend(
        pb.TrendRequest(from_day="2024-01-01", to_day="2024-12-31", grain=pb.GRAIN_YEAR, by=by[:5])
    )
    names = {dict(zip(by, row.group, strict=False))["zone"]: list(row.group_names) for row in answer.rows}
    assert names["Z1"][:3] == ["金街", "商圈", "和平"]
    shown = {(row.group[3], row.group_names[3]) for row in answer.rows}
    assert ("000", "网点000") in shown
    assert ("011", "011") in shown
    games = {row.group[4]: row.group_names[4] for row in answer.rows}
    assert games == {"ssq": "双色球", "3d": "福彩3D", "instant": "instant"}
    coded = analytics.Trend(pb.TrendRequest(from_day="2024-01-01", to_day="2024-01-31", by=["kind", "format"]))
    assert {tuple(row.group_names) for row in coded.rows} >= {("销售", "酒店"), ("注销", "超市"), ("兑奖", "")}


def test_headline_stands_beside_the_published_benchmark(analytics: AnalyticsServiceStub) -> None:
    """A whole published year has its growth and our excess over it."""
    answer = analytics.Headline(pb.HeadlineRequest(from_day="2024-01-01", to_day="2024-12-31"))
    found = answer.benchmark
    assert (found.series, found.published, found.period) == ("national_welfare", True, "2024")
    assert found.growth == pytest.approx(2079.56 / 1944.41 - 1)
    assert answer.total.sales_growth.mark == pb.GROWTH_MARK_RATIO
    assert found.excess_points == pytest.approx(100 * (answer.total.sales_growth.ratio - found.growth))


def test_an_unpublished_benchmark_shows_the_newest_labelled(analytics: AnalyticsServiceStub) -> None:
    """28 days are no published period: the newest month stands under its own label, and there is no excess."""
    found = analytics.Headline(pb.HeadlineRequest()).benchmark
    assert (found.published, found.period) == (False, "2024-12")
    assert found.growth == pytest.approx(0.095)
    assert not found.HasField("excess_points")
    assert "2024-12" in found.note_zh
    assert "2024-12" in found.note_en


def test_a_users_own_series_can_be_named(analytics: AnalyticsServiceStub) -> None:
    """A named series answers for its months; without a base in our store there is no excess."""
    request = pb.HeadlineRequest(from_day="2025-02-01", to_day="2025-02-28", benchmark="own")
    found = analytics.Headline(request).benchmark
    assert (found.series, found.published) == ("own", True)
    assert found.growth == pytest.approx(0.2)


def test_recent_shows_the_newest_events(analytics: AnalyticsServiceStub, world: World) -> None:
    """The newest events of the store, newest first, with names."""
    newest = sorted((event.sold_at for event in world.events), reverse=True)[:10]
    events = analytics.Recent(pb.RecentRequest()).events
    assert [event.sold_at_ms for event in events] == [int(at.timestamp() * 1000) for at in newest]
    assert len(analytics.Recent(pb.RecentRequest(limit=3)).events) == 3
    assert {event.kind for event in events} <= {"sale", "void", "payout"}
    assert any(event.outlet_name.startswith("网点") for event in events)


DAYS = {"first_day": date(2024, 1, 1), "last_day": date(2024, 12, 31), "rows": 10}


@pytest.mark.parametrize(
    ("text", "parameters", "projection"),
    [
        (texts.figures(Grain.MONTH, Comparison.NONE, ()), DAYS, "by_draw"),
        (texts.figures(Grain.DAY, Comparison.YOY, ("zone_type", "game")), DAYS, "by_outlet_draw"),
        (texts.figures(Grain.WEEK, Comparison.PREVIOUS, ("game", "kind")), DAYS, "by_draw"),
        (texts.figures(Grain.HOUR, Comparison.YOY, ()), DAYS, "hourly"),
        (texts.figures(Grain.HOUR, Comparison.PREVIOUS, ("game",)), DAYS, "hourly"),
        (texts.plain("reach"), {"named": 20}, "by_draw"),
        (texts.plain("last_hour"), {"day": date(2024, 1, 1)}, "hourly"),
    ],
)
def test_figures_are_read_from_projections(
    store_url: str, text: str, parameters: dict[str, object], projection: str
) -> None:
    """The engine's plan reads sums by day or hour, not events."""
    client = connect(store_url, DATABASE)
    plan = client.query(f"EXPLAIN {text}", parameters=parameters).result_rows
    client.close()
    reads = [line.split("(")[1].rstrip(")") for (line,) in plan if "ReadFrom" in line and "(" in line]
    assert reads == [projection]
