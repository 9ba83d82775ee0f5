"""Headlines and channel scale on the real file: who is installed, opened and active, and what each sold.

One outlet opens on the file's second day and rests on most weekends; none closes, so closings are proved on random
events. The file comes through terminals that bring history, so no terminal of it counts as installed or active.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction

import polars as pl
import pytest

from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from tests.integration.analytics.ontario import FIRST, LAST, SERIES, Ontario
from tests.integration.analytics.ontario_periods import base_of, mark_of, of_days
from tests.integration.analytics.oracle import base_days, bucket_key, days_between
from tests.integration.analytics.test_growth import growth_of
from tests.integration.analytics.test_scale import averages, quotient
from tests.support.real_sales import ROWS

Group = tuple[str, ...]
HEADLINES = [
    ("", "", "", 0, "YOY"),
    ("2015-02-15", "2015-03-01", "outlet", 1, "YOY"),
    ("2014-12-30", "2015-01-02", "outlet", 3, "YOY"),
    ("2014-12-30", "2015-01-04", "mgmt_area", 2, "WEEKDAY"),
    ("2015-12-27", "2015-12-27", "game", 1, "PREVIOUS"),
    ("2015-02-01", "2015-02-28", "game", 30, "LUNAR"),
    ("2015-12-01", "2016-02-29", "outlet", 7, "PREVIOUS"),
]


def window_of(end: date, length: int) -> list[date]:
    """The last days up to an end; the market of the file is always open."""
    return days_between(end - timedelta(length - 1), end)


def active(rows: pl.DataFrame, by: Sequence[str], end: date, length: int) -> dict[Group, int]:
    """Outlets with sales in the window, by group; () is there without a dimension."""
    sold = of_days(rows, window_of(end, length))
    if not by:
        return {(): sold["outlet"].n_unique()}
    found = sold.group_by(by).agg(pl.col("outlet").n_unique().alias("outlets"))
    return {tuple(group): count for *group, count in found.iter_rows()}


def sales(rows: pl.DataFrame, by: Sequence[str], days: Sequence[date]) -> dict[Group, int]:
    """Sales of consecutive days by group."""
    part = of_days(rows, days)
    if not by:
        return {(): int(part["fen"].sum())}
    return {tuple(group): fen for *group, fen in part.group_by(by).agg(pl.col("fen").sum()).iter_rows()}


@pytest.mark.parametrize(("first", "last", "by", "length", "rule"), HEADLINES)
def test_headlines_equal_the_file(
    toronto: AnalyticsServiceStub, real: Ontario, first: str, last: str, by: str, length: int, rule: str
) -> None:
    """Active outlets, sales, both bases, marks and the daily curve of the whole and of every group."""
    request = pb.HeadlineRequest(from_day=first, to_day=last, by=by, active_open_days=length, benchmark=SERIES)
    request.compare = pb.Comparison.Value(f"COMPARISON_{rule}")
    answer = toronto.Headline(request)
    asked = date.fromisoformat(last or LAST.isoformat())
    start, end = date.fromisoformat(first) if first else asked - timedelta(27), min(asked, LAST)
    base, days = base_of(rule, start, asked), days_between(start, end)
    assert answer.currency == "CAD"
    assert (answer.from_day, answer.to_day) == (start.isoformat(), end.isoformat())
    assert (answer.base_from_day, answer.base_to_day) == (base[0].isoformat(), base[-1].isoformat())
    for dimensions, groups in (([], [answer.total]), ([by] if by else [], answer.groups)):
        sold, before = sales(real.rows, dimensions, days), sales(real.rows, dimensions, base)
        scale = active(real.rows, dimensions, end, length or 7)
        old_scale = active(real.rows, dimensions, base[-1], length or 7)
        if not dimensions and groups is answer.groups:
            assert not groups
            continue
        assert {group.group for group in groups} == {key[0] if key else "" for key in sold | before | scale | old_scale}
        for group in groups:
            key = (group.group,) if dimensions else ()
            counts = scale.get(key, 0), old_scale.get(key, 0)
            amounts = sold.get(key, 0), before.get(key, 0)
            assert (group.active_outlets, group.base_active_outlets) == counts
            assert (group.sales_fen, group.base_sales_fen) == amounts
            assert growth_of(group.scale_growth) == mark_of(*counts, window_of(base[-1], length or 7))
            assert growth_of(group.sales_growth) == mark_of(*amounts, base)
            part = real.rows.filter(pl.col(by) == group.group) if dimensions else real.rows
            curve = dict(part.group_by("day").agg(pl.col("fen").sum()).iter_rows())
            assert list(group.daily_sales_fen) == [curve.get(day, 0) for day in days]


def turned(real: Ontario, by: Sequence[str], first: date, last: date) -> Mapping[Group, int]:
    """Outlets that opened within some days."""
    found: dict[Group, int] = {}
    for outlet, opened in real.opened.items():
        if first <= opened <= last:
            group = tuple({"outlet": outlet, "mgmt_area": outlet[:2]}[one] for one in by)
            found[group] = found.get(group, 0) + 1
    return found


@pytest.mark.parametrize(
    ("first", "last", "grain", "by", "length", "compare"),
    [
        (FIRST, date(2014, 1, 12), "day", ["outlet"], 1, "previous"),
        (FIRST, LAST, "month", ["mgmt_area"], 1, "yoy"),
        (FIRST, date(2014, 3, 31), "day", [], 1, ""),
        (date(2015, 2, 20), date(2015, 3, 9), "day", [], 3, "yoy"),
        (date(2015, 12, 14), date(2016, 1, 10), "week", ["outlet"], 2, "yoy"),
        (date(2015, 1, 1), LAST, "year", ["outlet"], 7, "yoy"),
        (date(2015, 12, 5), date(2015, 12, 6), "", ["mgmt_area"], 2, ""),
    ],
)
def test_scale_equals_the_file(
    toronto: AnalyticsServiceStub,
    real: Ontario,
    first: date,
    last: date,
    grain: str,
    by: list[str],
    length: int,
    compare: str,
) -> None:
    """Installed, active, opened, penetration, sales per outlet and growth of every bucket and group."""
    request = pb.ScaleRequest(from_day=first.isoformat(), to_day=last.isoformat(), by=by)
    request.active_open_days, request.with_terminals = length, grain in {"week", ""}
    if grain:
        request.grain = pb.Grain.Value(f"GRAIN_{grain.upper()}")
    if compare:
        request.compare = pb.Comparison.Value(f"COMPARISON_{compare.upper()}")
    days = days_between(first, min(last, LAST))
    buckets: dict[date, list[date]] = {}
    for day in days:
        buckets.setdefault(bucket_key(grain, day) if grain else first, []).append(day)
    rows = {(row.first_day, row.day, tuple(row.group)): row for row in toronto.Scale(request).rows}
    seen = set()
    for bucket in buckets.values():
        end = bucket[-1]
        base = base_days(grain, compare, bucket) if compare else []
        sides = [
            turned(real, by, FIRST, end),
            active(real.rows, by, end, length),
            turned(real, by, bucket[0], end),
            sales(real.rows, by, bucket),
        ]
        before = active(real.rows, by, base[-1], length) if base else {}
        for group in {key for side in (*sides, before) for key in side}:
            row = rows[bucket[0].isoformat(), end.isoformat(), group]
            seen.add((row.first_day, row.day, group))
            installed, selling, opened, fen = (side.get(group, 0) for side in sides)
            assert (row.installed, row.active, row.opened, row.closed) == (installed, selling, opened, 0)
            assert (row.active_not_installed, row.terminals, row.active_terminals) == (0, 0, 0)
            assert row.sales_fen == fen
            assert row.penetration == (pytest.approx(selling / installed) if installed else 0.0)
            assert row.HasField("sales_per_outlet_fen") == bool(selling)
            assert row.sales_per_outlet_fen == (round(Fraction(fen, selling)) if selling else 0)
            assert row.open_days == len(bucket)
            assert averages(row) == (
                quotient(fen, installed),
                quotient(fen, selling * len(bucket)),
                quotient(fen, installed * len(bucket)),
                None,
            )
            if base:
                assert (row.base_day, row.base_active) == (base[-1].isoformat(), before.get(group, 0))
                assert growth_of(row.growth) == mark_of(selling, before.get(group, 0), window_of(base[-1], length))
    assert seen == set(rows)


def test_everything_stored_is_fresh_and_whole(toronto: AnalyticsServiceStub) -> None:
    """All rows, none in quarantine, from the file's first day to its last, and no draw withheld."""
    answer = toronto.Freshness(pb.FreshnessRequest())
    assert (answer.events, answer.quarantined, answer.freshness.withheld_draws) == (ROWS, 0, 0)
    assert (answer.freshness.first_day, answer.freshness.last_day) == (FIRST.isoformat(), LAST.isoformat())
