"""The rules of buckets, their bases, open days and coverage."""

from __future__ import annotations

import calendar
import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.growth import Coverage
from fucai.domain.periods import (
    Comparison,
    DayRange,
    Grain,
    base_of,
    buckets,
    coverage,
    hour_base,
    months_inside,
    open_window,
    stretch_before,
    whole,
    whole_months,
    year_before,
)
from fucai.v1 import analytics_pb2

DAYS = st.dates(date(1999, 1, 1), date(2040, 12, 31))
DAY = timedelta(days=1)
BY_CALENDAR = [rule for rule in Comparison if rule not in (Comparison.LUNAR, Comparison.BASE_PERIOD)]


@st.composite
def spans(draw: st.DrawFn, longest: int = 900) -> DayRange:
    """A range of days."""
    first = draw(DAYS)
    return DayRange(first, first + timedelta(days=draw(st.integers(0, longest))))


def span(first: str, last: str) -> DayRange:
    """A range from its two days."""
    return DayRange(date.fromisoformat(first), date.fromisoformat(last))


def plus_one_year(day: date) -> date:
    """One calendar year later; 29 February becomes 28 February."""
    last = calendar.monthrange(day.year + 1, day.month)[1]
    return day.replace(year=day.year + 1, day=min(day.day, last))


@given(spans(), st.sampled_from(Grain), st.sampled_from(BY_CALENDAR))
def test_buckets_cover_the_question_once(asked: DayRange, grain: Grain, comparison: Comparison) -> None:
    """The buckets follow each other without hole or overlap, and together are the question."""
    found = buckets(grain, asked, comparison)
    assert found[0].days.first == asked.first
    assert found[-1].days.last == asked.last
    for before, after in itertools.pairwise(found):
        assert after.days.first == before.days.last + DAY
    assert all(bucket.start == whole(grain, bucket.days.first).first for bucket in found)


@given(spans(), st.sampled_from([Grain.MONTH, Grain.YEAR]))
def test_a_base_day_plus_a_year_lies_in_the_bucket(asked: DayRange, grain: Grain) -> None:
    """Year on year, a day is in the base of exactly the bucket that holds the day one calendar year later."""
    for bucket in buckets(grain, asked, Comparison.YOY):
        near = DayRange(bucket.days.first - 368 * DAY, bucket.days.last - 363 * DAY)
        expected = [day for day in near if plus_one_year(day) in bucket.days]
        assert (list(bucket.base) if bucket.base else []) == expected


@given(spans(longest=200), st.sampled_from(Grain), st.sampled_from([Comparison.YOY, Comparison.PREVIOUS]))
def test_bases_of_neighbours_do_not_overlap(asked: DayRange, grain: Grain, comparison: Comparison) -> None:
    """No day stands in the base of two buckets, and the days between the first and last base day are all in one."""
    bases = [bucket.base for bucket in buckets(grain, asked, comparison) if bucket.base]
    for before, after in itertools.pairwise(bases):
        hole = DayRange(before.last, after.first).days - 2
        assert hole == 0 or (hole == 1 and (before.last + DAY).strftime("%m-%d") == "02-29")


@pytest.mark.parametrize(
    ("grain", "comparison", "days", "base"),
    [
        (Grain.DAY, Comparison.YOY, span("2025-02-28", "2025-02-28"), span("2024-02-28", "2024-02-28")),
        (Grain.DAY, Comparison.YOY, span("2024-02-29", "2024-02-29"), None),
        (Grain.DAY, Comparison.PREVIOUS, span("2024-03-01", "2024-03-01"), span("2024-02-29", "2024-02-29")),
        (Grain.WEEK, Comparison.YOY, span("2024-12-30", "2025-01-05"), span("2024-01-01", "2024-01-07")),
        (Grain.WEEK, Comparison.PREVIOUS, span("2025-01-01", "2025-01-05"), span("2024-12-25", "2024-12-29")),
        (Grain.MONTH, Comparison.YOY, span("2025-02-01", "2025-02-28"), span("2024-02-01", "2024-02-29")),
        (Grain.MONTH, Comparison.YOY, span("2024-02-01", "2024-02-29"), span("2023-02-01", "2023-02-28")),
        (Grain.MONTH, Comparison.YOY, span("2024-02-29", "2024-02-29"), None),
        (Grain.MONTH, Comparison.YOY, span("2025-02-01", "2025-02-15"), span("2024-02-01", "2024-02-15")),
        (Grain.MONTH, Comparison.PREVIOUS, span("2025-03-01", "2025-03-31"), span("2025-02-01", "2025-02-28")),
        (Grain.MONTH, Comparison.PREVIOUS, span("2025-02-01", "2025-02-28"), span("2025-01-01", "2025-01-31")),
        (Grain.MONTH, Comparison.PREVIOUS, span("2025-03-01", "2025-03-10"), span("2025-02-01", "2025-02-10")),
        (Grain.MONTH, Comparison.PREVIOUS, span("2025-03-29", "2025-03-31"), None),
        (Grain.YEAR, Comparison.PREVIOUS, span("2025-01-01", "2025-12-31"), span("2024-01-01", "2024-12-31")),
        (Grain.YEAR, Comparison.YOY, span("2025-01-01", "2025-03-02"), span("2024-01-01", "2024-03-02")),
    ],
)
def test_known_bases(grain: Grain, comparison: Comparison, days: DayRange, base: DayRange | None) -> None:
    """Leap days, weeks over new year, and buckets cut at the edges have the bases that docs/definitions.md gives."""
    assert base_of(grain, days, comparison) == base


@given(spans())
def test_an_arbitrary_range_has_the_days_of_the_year_before(days: DayRange) -> None:
    """The base of any range is the days that fall into it one calendar year later."""
    near = DayRange(days.first - 368 * DAY, days.last - 363 * DAY)
    base = year_before(days)
    assert (list(base) if base else []) == [day for day in near if plus_one_year(day) in days]


@given(spans(longest=62), st.sampled_from(Grain))
def test_weekdays_meet_themselves(days: DayRange, grain: Grain) -> None:
    """Weekday-aligned, every day of every bucket has the day 52 weeks before as its base."""
    for bucket in buckets(grain, days, Comparison.WEEKDAY):
        assert bucket.base is not None
        assert [(day - before).days for day, before in zip(bucket.days, bucket.base, strict=True)] == (
            [364] * bucket.days.days
        )


@pytest.mark.parametrize("rule", [Comparison.LUNAR, Comparison.BASE_PERIOD])
def test_the_calendar_alone_does_not_answer_for_every_rule(rule: Comparison) -> None:
    """A rule that needs lunar dates or a given base is refused by name, not answered by another rule."""
    with pytest.raises(ValueError, match=rule.name):
        base_of(Grain.MONTH, span("2025-02-01", "2025-02-28"), rule)


@given(spans(longest=40), st.integers(-60, 60), st.integers(0, 40))
def test_the_overlap_is_the_days_of_both(left: DayRange, away: int, longer: int) -> None:
    """Two ranges overlap in exactly the days that lie in both, whichever is asked."""
    right = DayRange(left.first + away * DAY, left.first + (away + longer) * DAY)
    shared = left.overlap(right)
    assert (list(shared) if shared else []) == [day for day in left if day in right]
    assert shared == right.overlap(left)


@given(DAYS, st.integers(1, 30), st.data())
def test_whole_months_have_whole_months_before_them(day: date, months: int, data: st.DataObject) -> None:
    """Before whole months lie as many whole months; a part of them has as many days from there, never beyond."""
    first = day.replace(day=1)
    after = date(first.year + (first.month - 1 + months) // 12, (first.month - 1 + months) % 12 + 1, 1)
    days = DayRange(first, after - DAY)
    assert whole_months(days) == months
    before = stretch_before(days)
    assert (before.last, whole_months(before)) == (first - DAY, months)
    part = DayRange(first, data.draw(st.dates(first, days.last)))
    if months % 12:
        same = [base for base, _ in zip(before, part, strict=False)]
        assert list(stretch_before(days, part)) == (list(before) if part == days else same)


@given(spans(longest=100))
def test_other_stretches_have_as_many_days_before_them(days: DayRange) -> None:
    """What is no whole months is compared with as many days directly before it."""
    if whole_months(days) == 0:
        assert stretch_before(days) == DayRange(days.first - days.days * DAY, days.first - DAY)


@given(spans(200), st.one_of(st.none(), st.tuples(st.integers(-400, 100), st.integers(0, 200))))
def test_months_inside_are_those_of_which_every_day_is_in_the_same_ranges(
    days: DayRange, other: tuple[int, int] | None
) -> None:
    """Told day by day, of all months that have a day in any."""
    asked = [days]
    if other:
        first = days.first + timedelta(days=other[0])
        asked.append(DayRange(first, first + timedelta(days=other[1])))
    of_any = {day for one in asked for day in one}
    expected = []
    for first in sorted({day.replace(day=1) for day in of_any}):
        month = list(whole(Grain.MONTH, first))
        seen = {tuple(day in one for one in asked) for day in month}
        if len(seen) == 1 and any(seen.pop()):
            expected.append(first)
    assert months_inside(*asked) == expected


def test_hours_keep_their_hour() -> None:
    """Year on year an hour keeps its hour, 29 February has no counterpart, and midnight follows 23 o'clock."""
    assert hour_base(date(2025, 3, 1), 21, Comparison.YOY) == (date(2024, 3, 1), 21)
    assert hour_base(date(2024, 2, 29), 21, Comparison.YOY) is None
    assert hour_base(date(2025, 3, 1), 0, Comparison.PREVIOUS) == (date(2025, 2, 28), 23)
    assert hour_base(date(2025, 3, 1), 8, Comparison.PREVIOUS) == (date(2025, 3, 1), 7)
    assert hour_base(date(2025, 3, 1), 8, Comparison.NONE) is None


@given(spans(), DAYS)
def test_coverage_counts_stored_days(base: DayRange, first_stored: date) -> None:
    """A base is covered fully, partly or not at all, as many of its days are stored."""
    stored = sum(day >= first_stored for day in base)
    expected = {0: Coverage.NONE, base.days: Coverage.FULL}.get(stored, Coverage.PARTIAL)
    assert coverage(base, first_stored) is expected
    assert coverage(base, None) is Coverage.NONE
    assert coverage(None, first_stored) is Coverage.NONE


@given(DAYS, st.integers(1, 40), st.lists(spans(longest=15), max_size=4), st.integers(0, 40))
def test_open_window_skips_closures(last: date, wanted: int, others: list[DayRange], back: int) -> None:
    """The window has the wanted number of days, none closed, and every day it jumps over is."""
    near = DayRange(last - timedelta(days=back), last - timedelta(days=back // 2))
    closures = [near, *others]
    window = open_window(last, wanted, closures)
    assert len(window) == wanted
    skipped = set(DayRange(window[0], last)) - set(window)
    assert all(any(day in closure for closure in closures) for day in skipped)
    assert not any(day in closure for day in window for closure in closures)


def test_numbers_are_those_of_the_contract() -> None:
    """Grains and comparisons have the numbers and names that go over the wire."""
    grains = {f"GRAIN_{grain.name}": int(grain) for grain in Grain}
    assert grains == {name: number for name, number in analytics_pb2.Grain.items() if number}
    compared = {f"COMPARISON_{comparison.name}": int(comparison) for comparison in Comparison if comparison}
    assert compared == {name: number for name, number in analytics_pb2.Comparison.items() if number}
