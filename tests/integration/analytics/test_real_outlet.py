"""Outlet cards on the real file: an outlet that opened inside, two that rested, one that always sold.

The file has no zones, hence no average of a zone type; its outlets are ranked within their postal districts. It knows
no visits, payouts and rates; and terminals that bring history are none of an outlet's own.
"""

from __future__ import annotations

from datetime import date, datetime, time

import polars as pl
import pytest

from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from tests.integration.analytics.ontario import FIRST, LAST, ZONE, Ontario
from tests.integration.analytics.ontario_periods import base_of, mark_of, of_days
from tests.integration.analytics.oracle import days_between
from tests.integration.analytics.test_growth import growth_of, wire
from tests.integration.analytics.test_profile import shared

CARDS = [
    ("M5K", "2014-01-01", "2014-01-12", "YOY"),
    ("M5K", "2015-12-01", "2016-02-29", "YOY"),
    ("M4R", "2015-02-15", "2015-03-01", "LUNAR"),
    ("M1B", "2015-12-28", "2016-01-03", "WEEKDAY"),
    ("M2L", "2015-06-01", "2015-06-30", "PREVIOUS"),
    ("M6A", "2014-12-30", "2015-01-02", "YOY"),
]
FUNDS = ("welfare_fund", "commission")


def by_game(rows: pl.DataFrame) -> list[tuple[str, int]]:
    """Sales by game, largest first."""
    found = rows.group_by("game").agg(pl.col("fen").sum()).sort(["fen", "game"], descending=[True, False])
    return [(game, fen) for game, fen in found.iter_rows()]


@pytest.mark.parametrize(("outlet", "first", "last", "rule"), CARDS)
def test_cards_equal_the_file(
    toronto: AnalyticsServiceStub, real: Ontario, outlet: str, first: str, last: str, rule: str
) -> None:
    """Measures with bases, curve, games, place and last sale; an outlet that opened inside, or rested, with them."""
    request = pb.OutletRequest(outlet_id=outlet, from_day=first, to_day=last)
    request.compare = pb.Comparison.Value(f"COMPARISON_{rule}")
    answer = toronto.Outlet(request)
    start, asked = date.fromisoformat(first), date.fromisoformat(last)
    days, base = days_between(start, min(asked, LAST)), base_of(rule, start, asked)
    mine = real.rows.filter(pl.col("outlet") == outlet)
    now, before = of_days(mine, days), of_days(mine, base)
    stored = base[-1] >= FIRST
    measures = {one.measure: one for one in answer.measurements}
    for name, column in (("sales", "fen"), ("bets", "bets")):
        value, old = int(now[column].sum()), int(before[column].sum())
        assert wire(measures[name].value) == value
        assert (wire(measures[name].base) if measures[name].HasField("base") else None) == (old if stored else None)
        assert growth_of(measures[name].growth) == mark_of(value, old, base)
    assert [wire(measures[name].value) for name in ("visits", "companion", "payouts")] == [0, 0, 0]
    assert not [name for name in ("attach_rate", *FUNDS) if measures[name].HasField("value")]
    curve = dict(now.group_by("day").agg(pl.col("fen").sum()).iter_rows())
    assert list(answer.daily_sales_fen) == [curve.get(day, 0) for day in days]
    games = by_game(now)
    assert [(one.game, one.sales_fen) for one in answer.games] == games
    assert [one.share_bp for one in answer.games] == shared([fen for _, fen in games])
    area = of_days(real.rows, days).filter(pl.col("mgmt_area") == outlet[:2])
    sums = dict(area.group_by("outlet").agg(pl.col("fen").sum()).iter_rows())
    place = 1 + sum(fen > sums[outlet] for fen in sums.values())
    assert (answer.mgmt_area, answer.place_in_area, answer.outlets_in_area) == (outlet[:2], place, len(sums))
    assert (answer.zone_type, answer.HasField("zone_type_average_fen")) == ("", False)
    newest = mine["day"].max()
    assert isinstance(newest, date)
    assert answer.last_sale_ms == datetime.combine(newest, time(12), ZONE).timestamp() * 1000
    assert (answer.opened, answer.closed) == (real.opened[outlet].isoformat(), "")
    assert not answer.terminals
