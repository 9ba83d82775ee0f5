"""Published series: growth from the amounts as the ministry published it, gaps named, our own sales beside it."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

from fucai.runtime.errors import violations_of
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from tests.integration.analytics import busy as busy_store
from tests.integration.analytics.busy import Busy, published
from tests.integration.analytics.served import served
from tests.integration.analytics.world import FIRST, LAST, World

SOURCES = [folder / "shared" / "data" for folder in Path(__file__).resolve().parents]
YEARS = {2015: -2.2, 2016: 2.5, 2017: 5.1, 2018: 3.5, 2019: -14.8, 2020: -24.4}
YEARS |= {2021: -1.5, 2022: 4.1, 2023: 31.3, 2024: 7.0, 2025: 0.3}


def by_period(answer: pb.BenchmarkResponse) -> dict[str, pb.BenchmarkRow]:
    """The rows by period, which come in order."""
    periods = [row.period for row in answer.rows]
    assert periods == sorted(set(periods))
    return {row.period: row for row in answer.rows}


def test_growth_by_year_is_the_one_that_was_published(watch: AnalyticsServiceStub) -> None:
    """Computed from the amounts: 2020 -24.4 %, 2023 +31.3 %, 2024 +7.0 %, each other year to the digit published."""
    answer = watch.Benchmark(pb.BenchmarkRequest())
    rows = by_period(answer)
    assert (answer.series, list(answer.missing)) == ("national_welfare", [])
    assert list(rows) == [str(year) for year in range(2014, 2026)]
    computed = {year: round(100 * rows[str(year)].computed_growth, 1) for year in YEARS}
    assert computed == YEARS
    assert {year: round(100 * rows[str(year)].published_growth, 1) for year in YEARS} == YEARS
    assert not rows["2014"].HasField("computed_growth")
    assert not rows["2014"].HasField("published_growth")
    assert (rows["2020"].amount_fen, rows["2020"].base_amount_fen) == (144_488_000_000_00, 191_238_000_000_00)
    assert rows["2019"].basis == "derived"
    assert {"national_all", "national_sports", "own"} < set(answer.known_series)


def test_growth_by_month_is_within_a_tenth_of_a_point(watch: AnalyticsServiceStub) -> None:
    """Wherever both years of a month are there; where one is missing nothing is computed, and no amount filled in."""
    answer = watch.Benchmark(pb.BenchmarkRequest(grain=pb.GRAIN_MONTH))
    amounts = {period: fen for series, period, fen, *_ in published() if series == "national_welfare" and "-" in period}
    rows, checked = by_period(answer), 0
    assert len(rows) == 72  # January 2020 to December 2025
    assert list(answer.missing) == [period for period in rows if period not in amounts]
    for period, row in rows.items():
        before = f"{int(period[:4]) - 1}{period[4:]}"
        assert (row.amount_fen if row.HasField("amount_fen") else None) == amounts.get(period)
        assert row.HasField("computed_growth") == (period in amounts and before in amounts)
        if row.HasField("computed_growth") and row.HasField("published_growth"):
            assert 100 * abs(row.computed_growth - row.published_growth) <= 0.1
            checked += 1
    assert checked >= 6


def test_the_packaged_series_is_the_one_that_was_collected() -> None:
    """Where the collected files are beside the suite, the packaged copy has their very months and years."""
    source = next((folder for folder in SOURCES if folder.is_dir()), None)
    if source is None:
        missing = "the packaged series was NOT held against the collected files: they are not beside the suite"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    months, years = source / "national_welfare_sales_monthly.csv", source / "national_sales_annual.csv"
    mine = {period: (fen, percent) for series, period, fen, percent, _ in published() if series == "national_welfare"}
    found = {}
    for file, key, amount, growth in (
        (months, "month", "welfare", "yoy_pct"),
        (years, "year", "welfare", "welfare_yoy_pct"),
    ):
        lines = [line for line in file.read_text("utf-8-sig").splitlines() if not line.startswith("#")]
        for row in csv.DictReader(lines):
            found[row[key]] = (round(float(row[amount]) * 10_000_000_000), row[growth])
    assert {period: (fen, percent) for period, (fen, percent) in mine.items()} == found


def own_sales(world: World, first: date, last: date) -> int:
    """Our sales of these days, from the raw events."""
    signs = {"SALE": 1, "VOID": -1, "PAYOUT": 0}
    return sum(signs[event.kind] * event.amount_fen for event in world.events if first <= event.day <= last)


def ends(period: str) -> tuple[date, date]:
    """First and last day of YYYY or YYYY-MM."""
    year, month = int(period[:4]), int(period[5:] or 0)
    if not month:
        return date(year, 1, 1), date(year, 12, 31)
    return date(year, month, 1), date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


@pytest.mark.parametrize(("series", "grain"), [("national_welfare", pb.GRAIN_YEAR), ("own", pb.GRAIN_MONTH)])
def test_our_sales_stand_beside_it_where_they_are_wholly_stored(
    analytics: AnalyticsServiceStub, world: World, series: str, grain: Any
) -> None:
    """Sales and growth of the very days; nothing for a period that is partly stored; excess and verdict of both."""
    request = pb.BenchmarkRequest(series=series, grain=grain, from_day="2021-01-01", to_day="2025-12-31")
    seen = set()
    for row in analytics.Benchmark(request).rows:
        first, last = ends(row.period)
        stored = first >= FIRST and last <= LAST
        assert row.HasField("sales_fen") == stored == (not row.absent_zh)
        if not stored:
            assert (row.verdict, row.HasField("growth")) == (pb.VERDICT_UNSPECIFIED, False)
            continue
        assert row.sales_fen == own_sales(world, first, last)
        before, until = ends(f"{first.year - 1}{row.period[4:]}")
        base = own_sales(world, before, until)
        if until < FIRST:
            assert row.growth.mark == pb.GROWTH_MARK_NO_BASE
        elif before < FIRST:
            assert row.growth.mark == pb.GROWTH_MARK_PARTIAL_BASE
        else:
            assert row.growth.ratio == pytest.approx((row.sales_fen - base) / base)
        theirs = row.computed_growth if row.HasField("computed_growth") else row.published_growth
        comparable = before >= FIRST and (row.HasField("computed_growth") or row.HasField("published_growth"))
        assert row.HasField("excess_points") == comparable
        if comparable:
            excess = 100 * (row.growth.ratio - theirs)
            assert row.excess_points == pytest.approx(excess)
            level = pb.VERDICT_LEVEL if abs(excess) <= 0.05 else pb.VERDICT_AHEAD if excess > 0 else pb.VERDICT_BEHIND
            against = theirs < 0 < row.growth.ratio and abs(excess) > 0.05
            assert row.verdict == (pb.VERDICT_AGAINST_TREND if against else level)
            seen.add(row.verdict)
    assert seen


def test_selections_of_our_sales_sum_to_the_whole_and_leave_the_series_alone(analytics: AnalyticsServiceStub) -> None:
    """By game, the sales of a period sum to those of all games; amounts and published growth stay."""
    request = pb.BenchmarkRequest(series="own", grain=pb.GRAIN_MONTH)
    whole = by_period(analytics.Benchmark(request))
    parts = []
    for game in ("ssq", "3d", "instant"):
        request.selection.CopyFrom(pb.Selection(filters=[pb.Filter(dimension="game", values=[game])]))
        parts.append(by_period(analytics.Benchmark(request)))
    for period, row in whole.items():
        assert row.sales_fen == sum(part[period].sales_fen for part in parts)
        assert {part[period].amount_fen for part in parts} == {row.amount_fen}


def test_the_level_is_a_parameter(analytics: AnalyticsServiceStub) -> None:
    """Within 100 points everything is level; within 0 only what is equal."""
    request = pb.BenchmarkRequest(from_day="2023-01-01", to_day="2024-12-31", level_points=100)
    assert [row.verdict for row in analytics.Benchmark(request).rows] == [pb.VERDICT_LEVEL, pb.VERDICT_LEVEL]
    request.level_points = 0
    assert pb.VERDICT_LEVEL not in [row.verdict for row in analytics.Benchmark(request).rows]


@pytest.fixture
def sealed(engine_url: str, busy: Busy) -> Iterator[AnalyticsServiceStub]:
    """A service before a store in which a draw of February has not ended."""
    busy_store.keep(engine_url, "busy_published", busy, unended=[busy_store.draw_no(date(2025, 2, 24))])
    with served(engine_url, "busy_published", busy_store.NOW) as stub:
        yield stub


def test_a_period_with_a_sealed_draw_has_no_sales_of_ours(
    sealed: AnalyticsServiceStub, watch: AnalyticsServiceStub
) -> None:
    """February lacks a draw, so it would look like a fall; without the game of that draw its sales are there."""
    request = pb.BenchmarkRequest(series="own", grain=pb.GRAIN_MONTH)
    whole, cut = by_period(watch.Benchmark(request)), by_period(sealed.Benchmark(request))
    assert whole["2025-02"].sales_fen > 0
    assert not cut["2025-02"].HasField("sales_fen")
    assert ("封存" in cut["2025-02"].absent_zh, "sealed draw" in cut["2025-02"].absent_en) == (True, True)
    assert cut["2025-01"].sales_fen == whole["2025-01"].sales_fen
    request.selection.CopyFrom(pb.Selection(filters=[pb.Filter(dimension="game", values=["3d"], exclude=True)]))
    assert by_period(sealed.Benchmark(request)) == by_period(watch.Benchmark(request))


@pytest.mark.parametrize(
    ("request_", "field", "told"),
    [
        (
            pb.BenchmarkRequest(series="x' OR 1"),
            "series",
            "choose national_all, national_sports, national_welfare, own",
        ),
        (pb.BenchmarkRequest(grain=pb.GRAIN_WEEK), "grain", "by week: choose month or year"),
        (pb.BenchmarkRequest(series="national_all", grain=pb.GRAIN_MONTH), "grain", "not published by month"),
        (pb.BenchmarkRequest(from_day="2026-01-01"), "from_day", "in the future"),
        (pb.BenchmarkRequest(from_day="2020-01-01", to_day="2019-01-01"), "to_day", "swap them"),
        (pb.BenchmarkRequest(to_day="2013-12-31"), "from_day", "published by year for 2014 to 2025"),
        (
            pb.BenchmarkRequest(from_day="2020-02-01", to_day="2020-05-31", grain=pb.GRAIN_MONTH),
            "from_day",
            "published by month for 2020-01 to 2025-12",
        ),
        (pb.BenchmarkRequest(from_day="2020-02-30"), "from_day", "no day of the calendar"),
        (pb.BenchmarkRequest(level_points=float("nan")), "level_points", "choose 0 to 100"),
        (pb.BenchmarkRequest(level_points=-1), "level_points", "-1 percentage points"),
    ],
)
def test_a_bad_field_is_named(
    watch: AnalyticsServiceStub, request_: pb.BenchmarkRequest, field: str, told: str
) -> None:
    """INVALID_ARGUMENT with field, value and the valid choices."""
    with pytest.raises(grpc.RpcError) as caught:
        watch.Benchmark(request_)
    assert [one.field for one in violations_of(caught.value) if told in one.description] == [field]
