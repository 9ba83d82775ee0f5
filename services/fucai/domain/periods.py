"""Buckets of business days and the days they are compared with (同比, 环比). Knows no figures."""

from __future__ import annotations

import calendar
import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from fucai.domain.growth import Coverage

WEEKS_A_YEAR_DAYS = 364
_DAY = timedelta(days=1)
_FEBRUARY = 2
_LEAP_DAY = 29
_DECEMBER = 12


class Grain(enum.IntEnum):
    """Length of a bucket; the numbers are those of fucai.v1.Grain."""

    HOUR = 1
    DAY = 2
    WEEK = 3
    MONTH = 4
    YEAR = 5


class Comparison(enum.IntEnum):
    """What a bucket is compared with; the numbers are those of fucai.v1.Comparison."""

    NONE = 0
    YOY = 1
    PREVIOUS = 2
    WEEKDAY = 3
    OPEN_DAY = 4
    LUNAR = 5
    BASE_PERIOD = 6


@dataclass(frozen=True, slots=True, order=True)
class DayRange:
    """Business days from `first` to `last`, both included; never empty."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"a range of days from {self.first} to {self.last} is reversed")

    @property
    def days(self) -> int:
        """Number of days."""
        return (self.last - self.first).days + 1

    def shifted(self, days: int) -> DayRange:
        """As many days, later by `days`, or earlier where negative."""
        return DayRange(self.first + timedelta(days=days), self.last + timedelta(days=days))

    def overlap(self, other: DayRange) -> DayRange | None:
        """The days that lie in both; None where there are none."""
        first, last = max(self.first, other.first), min(self.last, other.last)
        return DayRange(first, last) if first <= last else None

    def __str__(self) -> str:
        return f"{self.first}" if self.first == self.last else f"{self.first}…{self.last}"

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(days=n) for n in range(self.days))


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket as far as it lies within a question, and the days it is compared with; None where there are none."""

    start: date
    days: DayRange
    base: DayRange | None


def whole(grain: Grain, day: date) -> DayRange:
    """The whole day, week (Monday to Sunday), calendar month or year that `day` lies in; hours have their day."""
    match grain:
        case Grain.HOUR | Grain.DAY:
            return DayRange(day, day)
        case Grain.WEEK:
            monday = day - timedelta(days=day.weekday())
            return DayRange(monday, monday + timedelta(days=6))
        case Grain.MONTH:
            return DayRange(day.replace(day=1), _month_end(day))
        case Grain.YEAR:
            return DayRange(date(day.year, 1, 1), date(day.year, _DECEMBER, 31))


def buckets(grain: Grain, asked: DayRange, comparison: Comparison) -> list[Bucket]:
    """The buckets of a question in order; the first and the last are cut where the question begins and ends."""
    found = []
    day = asked.first
    while True:
        bucket = whole(grain, day)
        days = DayRange(max(bucket.first, asked.first), min(bucket.last, asked.last))
        found.append(Bucket(bucket.first, days, base_of(grain, days, comparison)))
        if bucket.last >= asked.last:
            return found
        day = bucket.last + _DAY


def base_of(grain: Grain, days: DayRange, comparison: Comparison) -> DayRange | None:
    """The days that the part `days` of one bucket is compared with; None without comparison or counterpart.

    Raises:
        ValueError: the rule needs more than the calendar (LUNAR, BASE_PERIOD): ask `comparison.pair`.
    """
    if comparison in (Comparison.LUNAR, Comparison.BASE_PERIOD):
        raise ValueError(f"comparison {comparison.name}: the calendar alone does not tell the base")
    if comparison is Comparison.NONE:
        return None
    if comparison is Comparison.PREVIOUS:
        return _previous(grain, days)
    if comparison is Comparison.WEEKDAY or (comparison is Comparison.YOY and grain is Grain.WEEK):
        return days.shifted(-WEEKS_A_YEAR_DAYS)
    if grain in (Grain.HOUR, Grain.DAY) and _is_leap_day(days.first):
        return None
    if grain in (Grain.HOUR, Grain.DAY):
        same = days.first.replace(year=days.first.year - 1)
        return DayRange(same, same)
    return year_before(days)


def year_before(days: DayRange) -> DayRange | None:
    """The days that fall into `days` when one calendar year is added to them; None for 29 February alone.

    29 February plus one year is 28 February: so it counts in the base of a range that has the 28 February after it,
    and a range over 29 February of its own has one day less in its base.
    """
    first = date(days.first.year - 1, 3, 1) if _is_leap_day(days.first) else _back(days.first)
    last = date(days.last.year - 1, _FEBRUARY, 28) if _is_leap_day(days.last) else _back(days.last)
    if last.month == _FEBRUARY and last.day == _LEAP_DAY - 1 and calendar.isleap(last.year):
        last += _DAY
    return DayRange(first, last) if first <= last else None


def whole_months(days: DayRange) -> int:
    """How many whole calendar months the days are; 0 where they begin or end within one."""
    if days.first.day != 1 or days.last != _month_end(days.last):
        return 0
    return (days.last.year - days.first.year) * _DECEMBER + days.last.month - days.first.month + 1


def months_inside(*ranges: DayRange) -> list[date]:
    """The first days of the months of which all days are in some of the ranges, and in the same ones; in order."""
    found: set[date] = set()
    for one in ranges:
        month = whole(Grain.MONTH, one.first)
        while month.first <= one.last:
            parts = (month.overlap(other) for other in ranges)
            if all(part in (None, month) for part in parts):
                found.add(month.first)
            month = whole(Grain.MONTH, month.last + _DAY)
    return sorted(found)


def stretch_before(days: DayRange, elapsed: DayRange | None = None) -> DayRange:
    """The stretch before `days` (环比): as many whole months where they are whole months, else as many days.

    Of a period of which only `elapsed` has passed, the base is as many days from the start of that stretch, never
    beyond its end; of whole years, the same calendar days.
    """
    part = elapsed or days
    months = whole_months(days)
    if not months:
        return part.shifted(-days.days)
    if months % _DECEMBER == 0:
        return _years_before(part, months // _DECEMBER)
    place = days.first.year * _DECEMBER + days.first.month - 1 - months
    before = DayRange(date(place // _DECEMBER, place % _DECEMBER + 1, 1), days.first - _DAY)
    if part.last == days.last:
        return before
    return DayRange(before.first, min(before.last, before.first + timedelta(days=part.days - 1)))


def hour_base(day: date, hour: int, comparison: Comparison) -> tuple[date, int] | None:
    """The day and hour that one hour is compared with; None without comparison or counterpart."""
    if comparison is Comparison.PREVIOUS:
        return (day, hour - 1) if hour else (day - _DAY, 23)
    base = base_of(Grain.HOUR, DayRange(day, day), comparison)
    return (base.first, hour) if base else None


def coverage(base: DayRange | None, first_stored: date | None) -> Coverage:
    """How much of a base lies on or after the first stored day; None stands for an empty store."""
    if base is None or first_stored is None or base.last < first_stored:
        return Coverage.NONE
    return Coverage.FULL if base.first >= first_stored else Coverage.PARTIAL


def open_window(last: date, open_days: int, closures: Iterable[DayRange]) -> list[date]:
    """The last `open_days` open days (开市日) up to and with `last`, ascending; a day within a closure is not open."""
    closed = list(closures)
    window: list[date] = []
    day = last
    while len(window) < open_days:
        covering = [closure for closure in closed if day in closure]
        if covering:
            day = min(closure.first for closure in covering)
        else:
            window.append(day)
        day -= _DAY
    return window[::-1]


def _previous(grain: Grain, days: DayRange) -> DayRange | None:
    """The same part of the bucket before: as many days from its start, to its end where `days` reach theirs."""
    if grain is Grain.YEAR:
        return year_before(days)
    bucket = whole(grain, days.first)
    before = whole(grain, bucket.first - _DAY)
    first = before.first + (days.first - bucket.first)
    last = before.last if days.last == bucket.last else min(before.last, before.first + (days.last - bucket.first))
    return DayRange(first, last) if first <= last else None


def _years_before(days: DayRange, years: int) -> DayRange:
    """The days of `years` calendar years earlier; `days` begin on the first of a month, so there are some."""
    for _ in range(years):
        days = year_before(days) or days
    return days


def _back(day: date) -> date:
    return day.replace(year=day.year - 1)


def _is_leap_day(day: date) -> bool:
    return day.month == _FEBRUARY and day.day == _LEAP_DAY


def _month_end(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])
