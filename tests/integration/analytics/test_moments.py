"""Figures by weekday, hour and draw, recomputed from the events."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest

from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from tests.integration.analytics.world import Event, World

FIRST, LAST = date(2024, 2, 1), date(2024, 4, 12)
"""Two whole months and a part of one."""


def weekday(event: Event) -> str:
    """1 is Monday."""
    return str(event.day.isoweekday())


def hour(event: Event) -> str:
    """The hour of the day; a daily summary has none."""
    return "" if event.summary else f"{event.sold_at.hour:02}"


VALUES = {"weekday": weekday, "hour": hour}


def sales(events: list[Event], by: str, first: date, last: date) -> dict[tuple[str, str], int]:
    """SALE less VOID by value and game."""
    found: Counter[tuple[str, str]] = Counter()
    for event in events:
        if first <= event.day <= last and event.kind != "PAYOUT":
            sign = 1 if event.kind == "SALE" else -1
            found[VALUES[by](event), event.game] += sign * event.amount_fen
    return {key: fen for key, fen in found.items() if fen}


@pytest.mark.parametrize("by", VALUES)
@pytest.mark.parametrize("grain", [pb.GRAIN_DAY, pb.GRAIN_MONTH, pb.GRAIN_YEAR])
def test_trends(analytics: AnalyticsServiceStub, world: World, by: str, grain: pb.Grain.ValueType) -> None:
    """Summed over the buckets; a month is not read as one row where its days are told apart."""
    request = pb.TrendRequest(from_day=str(FIRST), to_day=str(LAST), grain=grain, by=[by, "game"])
    found: Counter[tuple[str, str]] = Counter()
    for row in analytics.Trend(request).rows:
        found[row.group[0], row.group[1]] += row.figures.sales_fen
    assert {key: fen for key, fen in found.items() if fen} == sales(world.events, by, FIRST, LAST)


@pytest.mark.parametrize("by", VALUES)
def test_growth(analytics: AnalyticsServiceStub, world: World, by: str) -> None:
    """Against the stretch before; each group has a name."""
    answer = analytics.Growth(
        pb.GrowthRequest(
            from_day=str(FIRST), to_day=str(LAST), by=[by, "game"], compare=pb.COMPARISON_PREVIOUS, measures=["sales"]
        )
    )
    rows = {(row.group[0], row.group[1]): row.measurements[0] for row in answer.rows}
    base = date.fromisoformat(answer.pairing.base_from_day), date.fromisoformat(answer.pairing.base_to_day)
    assert base[1] == FIRST - timedelta(days=1)
    now, before = sales(world.events, by, FIRST, LAST), sales(world.events, by, *base)
    assert {key: one.value.fen for key, one in rows.items() if one.value.fen} == now
    assert {key: one.base.fen for key, one in rows.items() if one.base.fen} == before
    assert all(row.group_names[0] for row in answer.rows)


def test_outlets_have_no_hour(analytics: AnalyticsServiceStub) -> None:
    """Scale counts outlets, sales or not."""
    with pytest.raises(Exception, match="'hour' is of events, not of outlets"):
        analytics.Scale(pb.ScaleRequest(by=["hour"]))
