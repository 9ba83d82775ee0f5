"""Trends over the real file: every bucket, measure, base and moving average, at its edges and across ISO week 53.

The file knows daily sums of tickets and sales only. So there are no voids, payouts, visits, companion spend, hours or
draws, and its games have no rates: what asks for those is shown to be zero or absent, and is proved on random events.
No day of it is 29 February, and no year of it begins on a Monday.
"""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import polars as pl
import pytest

from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from tests.integration.analytics.ontario import FIRST, GAMES, LAST, Ontario
from tests.integration.analytics.ontario_periods import mark_of, of_days
from tests.integration.analytics.oracle import Oracle, bucket_key, days_between
from tests.integration.analytics.test_figures import ask
from tests.integration.analytics.test_growth import growth_of, wire
from tests.integration.analytics.test_real_growth import NOTHING, measured, side_of
from tests.integration.analytics.test_trend_measures import FURTHER
from tests.support.real_sales import DOLLARS, ROWS, TICKETS

QUESTIONS = [
    (FIRST, date(2016, 12, 31), "year", ["outlet", "game"], "yoy"),
    (FIRST, date(2016, 2, 29), "month", ["game"], "yoy"),
    (FIRST, date(2014, 4, 30), "month", ["outlet"], "previous"),
    (date(2014, 12, 15), date(2016, 1, 3), "week", ["game"], "yoy"),
    (date(2014, 12, 25), date(2015, 1, 14), "week", ["outlet"], "previous"),
    (date(2015, 2, 26), date(2015, 3, 3), "day", ["game", "mgmt_area"], "yoy"),
    (date(2013, 12, 25), date(2014, 1, 6), "day", ["outlet"], "previous"),
    (date(2015, 12, 24), date(2016, 1, 3), "day", ["outlet"], "yoy"),
    (date(2015, 2, 10), date(2015, 3, 29), "month", ["mgmt_area"], "previous"),
]


@pytest.fixture(scope="module")
def oracle(real: Ontario) -> Oracle:
    """The brute-force computation."""
    return real.oracle()


@pytest.mark.parametrize(("first", "last", "grain", "by", "compare"), QUESTIONS)
def test_trends_equal_the_file(
    toronto: AnalyticsServiceStub, oracle: Oracle, first: date, last: date, grain: str, by: list[str], compare: str
) -> None:
    """Rows, their days, all figures, bases, ratios and marks."""
    expected = oracle.trend(first, last, grain, by, compare)
    assert expected
    assert ask(toronto, first, last, grain, by, compare) == expected


@pytest.mark.parametrize(("grain", "window"), [("DAY", 28), ("WEEK", 5), ("MONTH", 3), ("YEAR", 2)])
def test_moving_averages_equal_the_file(toronto: AnalyticsServiceStub, real: Ontario, grain: str, window: int) -> None:
    """By game over the whole file, half to even; none before the window is full, nor over a week that is cut."""
    request = pb.TrendRequest(from_day=FIRST.isoformat(), to_day=LAST.isoformat(), by=["game"], moving_average=window)
    request.grain = pb.Grain.Value(f"GRAIN_{grain}")
    days = days_between(FIRST, LAST)
    buckets = sorted({bucket_key(grain.lower(), day) for day in days})
    whole = {
        bucket: grain != "WEEK" or len([day for day in days if bucket_key("week", day) == bucket]) == 7
        for bucket in buckets
    }
    keys = pl.Series([bucket_key(grain.lower(), day) for day in days])
    bucket_of = dict(zip(days, keys, strict=True))
    sums = {
        (bucket, game): fen
        for bucket, game, fen in real.rows.with_columns(bucket=pl.col("day").replace_strict(bucket_of))
        .group_by("bucket", "game")
        .agg(pl.col("fen").sum())
        .iter_rows()
    }
    expected = {}
    for place, bucket in enumerate(buckets):
        span = buckets[max(0, place - window + 1) : place + 1]
        full = len(span) == window and all(whole[one] for one in span)
        for game in GAMES:
            mean = round(Fraction(sum(sums[one, game] for one in span), window)) if full else None
            expected[max(bucket, FIRST).isoformat(), game] = (sums[bucket, game], mean)
    found = {
        (row.bucket, row.group[0]): (
            row.figures.sales_fen,
            row.moving_average_fen if row.HasField("moving_average_fen") else None,
        )
        for row in toronto.Trend(request).rows
    }
    assert found == expected
    assert any(mean for _, mean in found.values())


@pytest.mark.parametrize(
    ("first", "last", "grain", "rule", "back"),
    [
        (date(2014, 12, 22), date(2015, 1, 11), "WEEK", "WEEKDAY", 364),
        (date(2015, 12, 21), date(2016, 1, 10), "WEEK", "LUNAR", 354),
        (date(2015, 2, 1), date(2015, 3, 31), "MONTH", "LUNAR", 384),
        (date(2015, 2, 25), date(2015, 3, 3), "DAY", "BASE_PERIOD", 363),
    ],
)
def test_measures_and_other_comparisons_equal_the_file(
    toronto: AnalyticsServiceStub, real: Ontario, first: date, last: date, grain: str, rule: str, back: int
) -> None:
    """By game, several measures at once with their bases: each bucket against the very days so many before."""
    request = pb.TrendRequest(from_day=first.isoformat(), to_day=last.isoformat(), by=["game"], measures=FURTHER)
    request.grain = pb.Grain.Value(f"GRAIN_{grain}")
    request.compare = pb.Comparison.Value(f"COMPARISON_{rule}")
    if rule == "BASE_PERIOD":
        request.base_from_day = (first - timedelta(back)).isoformat()
    rows = toronto.Trend(request).rows
    days = days_between(first, min(last, LAST))
    buckets = sorted({bucket_key(grain.lower(), day) for day in days})
    assert [(row.bucket, row.group[0]) for row in rows] == [
        (one.isoformat(), game) for one in buckets for game in GAMES
    ]
    for row in rows:
        bucket = [day for day in days if bucket_key(grain.lower(), day).isoformat() == row.bucket]
        base = [day - timedelta(back) for day in bucket]
        ends = (bucket[0], bucket[-1], base[0], base[-1])
        assert (row.first_day, row.last_day, row.base_first_day, row.base_last_day) == tuple(map(str, ends))
        now, before = (side_of(of_days(real.rows, side), "game") for side in (bucket, base))
        group = tuple(row.group)
        mine, theirs = now[group], before.get(group, NOTHING)
        figures = (row.figures.sales_fen, row.figures.bets, row.figures.events, row.base.sales_fen, row.base.bets)
        assert figures == (mine["fen"], mine["bets"], mine["events"], theirs["fen"], theirs["bets"])
        assert growth_of(row.growth) == mark_of(mine["fen"], theirs["fen"], base)
        values = measured(mine, now[()], len(bucket))
        bases = measured(theirs, before.get((), NOTHING), len(base))
        for one in row.measurements:
            exact = float if one.measure == "share" else round
            found = [
                wire(one.value) if one.HasField("value") else None,
                wire(one.base) if one.HasField("base") else None,
            ]
            old = bases[one.measure] if base[-1] >= FIRST else None
            assert found == [None if side is None else exact(side) for side in (values[one.measure], old)], one.measure


def test_the_largest_stand_alone_and_the_rest_together(toronto: AnalyticsServiceStub, real: Ontario) -> None:
    """Five outlets by sales of the whole period in every month and others summed, in one answer and in parts."""
    request = pb.TrendRequest(from_day="2015-01-15", to_day="2015-03-15", grain=pb.GRAIN_MONTH, by=["outlet"], top=5)
    request.measures.append("selling_outlets")
    days = days_between(date(2015, 1, 15), date(2015, 3, 15))
    sums = of_days(real.rows, days).group_by("outlet").agg(pl.col("fen").sum()).sort("fen", descending=True)
    largest = sums["outlet"].to_list()[:5]
    shown = pl.when(pl.col("outlet").is_in(largest)).then("outlet").otherwise(pl.lit("others"))
    expected = (
        of_days(real.rows, days)
        .group_by(pl.col("day").dt.month().alias("month"), shown.alias("shown"))
        .agg(pl.col("fen").sum(), pl.col("bets").sum(), pl.col("outlet").n_unique())
    )
    answer = toronto.Trend(request)
    found = {
        (int(row.bucket[5:7]), row.group[0], row.figures.sales_fen, row.figures.bets, row.measurements[0].value.count)
        for row in answer.rows
    }
    assert found == set(expected.rows())
    assert len(answer.rows) == 3 * 6
    parts = toronto.StreamTrend(pb.StreamTrendRequest(question=request))
    assert [row for part in parts for row in part.rows] == list(answer.rows)


def test_the_whole_equals_the_file(toronto: AnalyticsServiceStub) -> None:
    """Rows, tickets and cents of all days."""
    total = toronto.Trend(pb.TrendRequest(from_day=FIRST.isoformat(), to_day=LAST.isoformat())).total
    assert (total.events, total.bets, total.sales_fen, total.payouts_fen) == (ROWS, TICKETS, DOLLARS * 100, 0)
