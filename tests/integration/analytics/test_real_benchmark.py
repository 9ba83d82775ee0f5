"""A published series beside our own sales on the real file: its Lotto 649 as the series, each game held against it.

The published series of the suite are of another country and other years; no growth of the file is to be compared with
them, and none is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import polars as pl
import pytest

from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from tests.integration.analytics.ontario import GAMES, SERIES, Ontario
from tests.integration.analytics.ontario_periods import of_days


def own(real: Ontario, games: Sequence[str], first: date, last: date) -> int:
    """Sales of some games on some days."""
    return int(of_days(real.rows, [first, last]).filter(pl.col("game").is_in(list(games)))["fen"].sum())


@pytest.mark.parametrize("grain", ["YEAR", "MONTH"])
@pytest.mark.parametrize("game", GAMES)
def test_a_series_of_one_game_beside_the_others(
    toronto: AnalyticsServiceStub, real: Ontario, game: str, grain: str
) -> None:
    """Growth of both, excess and verdict of every month and year; none in the first year, which has no base."""
    request = pb.BenchmarkRequest(series=SERIES, grain=pb.Grain.Value(f"GRAIN_{grain}"))
    request.selection.filters.append(pb.Filter(dimension="game", values=[game]))
    answer = toronto.Benchmark(request)
    months = 12 if grain == "MONTH" else 1
    assert (len(answer.rows), list(answer.missing)) == (2 * months, [])
    for place, row in enumerate(answer.rows):
        year, month = 2014 + place // months, place % months + 1
        first = date(year, month, 1)
        last = date(year + month // 12, month % 12 + 1, 1) - timedelta(1) if grain == "MONTH" else date(year, 12, 31)
        assert row.period == (first.isoformat()[:7] if grain == "MONTH" else str(year))
        theirs, ours = (own(real, [one], first, last) for one in (SERIES, game))
        assert (row.amount_fen, row.sales_fen) == (theirs, ours)
        assert row.HasField("computed_growth") == row.HasField("excess_points") == (year == 2015)
        if year == 2014:
            assert (row.growth.mark, row.verdict) == (pb.GROWTH_MARK_NO_BASE, pb.VERDICT_UNSPECIFIED)
            continue
        before, until = first.replace(year=2014), last.replace(year=2014)
        market, mine = (
            Fraction(value, own(real, [one], before, until)) - 1 for one, value in ((SERIES, theirs), (game, ours))
        )
        excess = 100 * (mine - market)
        assert row.computed_growth == pytest.approx(float(market))
        assert row.growth.ratio == pytest.approx(float(mine))
        assert row.excess_points == pytest.approx(float(excess))
        assert row.verdict == verdict(market, mine, excess), row.period


def verdict(market: Fraction, mine: Fraction, excess: Fraction) -> Any:
    """The word for two growths."""
    if abs(excess) <= Fraction(5, 100):
        return pb.VERDICT_LEVEL
    if market < 0 < mine:
        return pb.VERDICT_AGAINST_TREND
    return pb.VERDICT_AHEAD if excess > 0 else pb.VERDICT_BEHIND


def test_a_headline_and_growth_stand_beside_the_series(toronto: AnalyticsServiceStub, real: Ontario) -> None:
    """Of a whole quarter that is published growth, excess and verdict; of one day less neither excess nor verdict."""
    first, last = date(2015, 1, 1), date(2015, 3, 31)
    series, ours = (
        Fraction(own(real, games, first, last), own(real, games, first.replace(year=2014), last.replace(year=2014))) - 1
        for games in ([SERIES], GAMES)
    )
    days: dict[str, Any] = {"from_day": first.isoformat(), "to_day": last.isoformat(), "benchmark": SERIES}
    asked = (toronto.Headline(pb.HeadlineRequest(**days)), toronto.Growth(pb.GrowthRequest(**days)))
    for found in (answer.benchmark for answer in asked):
        assert found.published
        assert found.growth == pytest.approx(float(series))
        assert found.excess_points == pytest.approx(float(100 * (ours - series)))
        assert found.verdict == verdict(series, ours, 100 * (ours - series))
    days["to_day"] = "2015-03-30"
    for found in (
        toronto.Headline(pb.HeadlineRequest(**days)).benchmark,
        toronto.Growth(pb.GrowthRequest(**days)).benchmark,
    ):
        assert (found.published, found.HasField("excess_points"), found.verdict) == (
            False,
            False,
            pb.VERDICT_UNSPECIFIED,
        )
