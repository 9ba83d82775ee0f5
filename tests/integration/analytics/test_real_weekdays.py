"""Weekdays, alerts and silence on the real file.

Its rows are sums of a day at noon: they stand in no hour, and make no pattern of hours and so no silent hours. Weekdays
are asked by filter, and alerts compare a day with the same weekdays before. Active terminals are proved elsewhere: the
file comes through terminals that bring history.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from datetime import date, datetime, timedelta

import polars as pl

from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from tests.integration.analytics.ontario import FIRST, LAST, ZONE, Ontario
from tests.integration.analytics.ontario_periods import of_days
from tests.integration.analytics.test_alerts import Row, rows_of

ALERT_DAYS = (
    *(date(2014, 1, 28), date(2014, 1, 29), date(2014, 1, 30), date(2014, 12, 25), date(2015, 1, 1), date(2015, 2, 16)),
    *(date(2015, 2, 28), date(2015, 7, 1), date(2015, 9, 18), date(2015, 12, 25), LAST),
)
"""Days with three and four of their weekday before them, holidays, the end of February, the last day."""


def test_weekdays_equal_the_file(toronto: AnalyticsServiceStub, real: Ontario) -> None:
    """By game, each weekday of the whole file asked by filter, half of them as a weekend and its opposite."""
    rows = real.rows.with_columns(weekday=pl.col("day").dt.weekday().cast(pl.String))
    for values, exclude in ((["1"], False), (["5"], False), (["6", "7"], False), (["6", "7"], True)):
        kept = pb.Filter(dimension="weekday", values=values, exclude=exclude)
        request = pb.TrendRequest(from_day=FIRST.isoformat(), to_day=LAST.isoformat(), grain=pb.GRAIN_YEAR)
        request.by.append("game")
        request.selection.filters.append(kept)
        found = [
            (row.bucket[:4], row.group[0], row.figures.sales_fen, row.figures.bets)
            for row in toronto.Trend(request).rows
        ]
        expected = (
            rows.filter(pl.col("weekday").is_in(values) != exclude)
            .group_by(pl.col("day").dt.year().cast(pl.String), "game")
            .agg(pl.col("fen").sum(), pl.col("bets").sum())
            .sort("day", "game")
        )
        assert found == expected.rows()


def test_no_row_of_the_file_has_an_hour(toronto: AnalyticsServiceStub, real: Ontario) -> None:
    """The profile has no cell, and tells all sales of its days apart and by weekday."""
    for first, last in ((FIRST, LAST), (date(2015, 2, 26), date(2015, 3, 2)), (LAST, LAST)):
        request = pb.ProfileRequest(from_day=first.isoformat(), to_day=last.isoformat(), by="game")
        answer = toronto.Profile(request)
        assert list(answer.cells) == []
        rows = of_days(real.rows, [first, last])
        assert answer.without_hour_fen == rows["fen"].sum()
        assert list(answer.hours) == []
        sums = rows.group_by("game", pl.col("day").dt.weekday().alias("weekday")).agg(pl.col("fen").sum())
        assert [(one.group, one.of, one.sales_fen) for one in answer.weekdays] == sums.sort("game", "weekday").rows()
        for game in rows["game"].unique():
            assert sum(one.share_bp for one in answer.weekdays if one.group == game) == 10_000


def test_sums_of_a_day_make_no_silent_hours(toronto: AnalyticsServiceStub, real: Ontario) -> None:
    """All outlets are looked at and none is silent or judged, though sums of the very day are there: no usual hours."""
    for moment in (datetime(2014, 1, 1, 20, tzinfo=ZONE), datetime(2015, 12, 28, 9, tzinfo=ZONE)):
        answer = toronto.Silent(pb.SilentRequest(at_ms=int(moment.timestamp() * 1000), least_hours=1))
        assert list(answer.outlets) == []
        opened = sum(day <= moment.date() for day in real.opened.values())
        assert (answer.watched, answer.without_pattern) == (opened, opened)


def alerts(cells: Mapping[tuple[str, date], int], opening: Mapping[str, date], day: date) -> list[Row]:
    """The alerts of a day, in order: rule, outlet, actual, expected, score; `cells` are sales by outlet and day."""
    found: list[Row] = []
    for outlet, opened in opening.items():
        past = [day - timedelta(7 * weeks) for weeks in range(1, 9)]
        values = [cells.get((outlet, one), 0) for one in past if one >= max(opened, FIRST)]
        if len(values) < 4:
            continue
        fen, middle = cells.get((outlet, day), 0), statistics.median(values)
        spread = max(1.4826 * statistics.median(abs(value - middle) for value in values), middle / 10)
        if middle >= 20_000 and abs(fen - middle) >= max(3.5 * spread, 0.3 * middle):
            rule = "fall" if fen < middle else "rise"
            found.append((rule, outlet, fen, round(middle), round((fen - middle) / spread, 6)))
        if not fen and 10 * sum(value > 0 for value in values) >= 8 * len(values):
            found.append(("silence", outlet, 0, round(middle), 0.0))
    order = ["fall", "rise", "silence"]
    return sorted(found, key=lambda row: (order.index(row[0]), -abs(row[2] - row[3]), row[1]))


def test_alerts_equal_the_file(toronto: AnalyticsServiceStub, real: Ontario) -> None:
    """Falls, rises and silent days with what was to be expected and the score; the card of an outlet has its own."""
    sums = real.rows.group_by("outlet", "day").agg(pl.col("fen").sum())
    cells = {(outlet, day): fen for outlet, day, fen in sums.iter_rows()}
    seen = set()
    for day in ALERT_DAYS:
        answer = toronto.Alerts(pb.AlertsRequest(day=day.isoformat()))
        expected = alerts(cells, real.opened, day)
        assert rows_of(answer.alerts) == expected, day
        assert len(answer.alerts) == len(expected)
        seen |= {rule for rule, *_ in expected}
    assert seen == {"fall", "rise", "silence"}
    newest = toronto.Alerts(pb.AlertsRequest())
    assert newest.day == LAST.isoformat()
    outlet = newest.alerts[0].outlet_id
    card = toronto.Outlet(pb.OutletRequest(outlet_id=outlet))
    assert list(card.alerts) == [one for one in newest.alerts if one.outlet_id == outlet]
