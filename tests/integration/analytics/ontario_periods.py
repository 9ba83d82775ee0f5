"""Periods of the real file that hurt, and the days that each is compared with; from docs/definitions.md alone."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction

import polars as pl

from fucai.v1 import analytics_pb2 as pb
from tests.integration.analytics.ontario import FIRST, LAST
from tests.integration.analytics.oracle import DAY, Oracle, days_between, year_later

NEW_YEARS = (date(2013, 2, 10), date(2014, 1, 31), date(2015, 2, 19), date(2016, 2, 8))
GIVEN = (date(2014, 2, 27), date(2014, 3, 2))
"""A base of four days, for comparison with a base that is named."""

PERIODS = {
    "the first day": (FIRST, FIRST),
    "over a new year": (date(2014, 12, 30), date(2015, 1, 2)),
    "over the end of February": (date(2015, 2, 15), date(2015, 3, 1)),
    "February": (date(2015, 2, 1), date(2015, 2, 28)),
    "two months after one of 28 days": (date(2015, 3, 1), date(2015, 4, 30)),
    "a year": (date(2015, 1, 1), date(2015, 12, 31)),
    "ISO week 53, unfinished": (date(2015, 12, 28), date(2016, 1, 3)),
    "to 29 February, unfinished": (date(2015, 12, 1), date(2016, 2, 29)),
}
RULES = ("YOY", "OPEN_DAY", "WEEKDAY", "LUNAR", "PREVIOUS", "BASE_PERIOD")


def base_of(rule: str, first: date, asked: date) -> list[date]:
    """The days of the base of what is stored of `first`..`asked`."""
    last = min(asked, LAST)
    length = (last - first).days + 1
    if rule == "BASE_PERIOD":
        given = days_between(*GIVEN)
        return given if last == asked else given[:length]
    if rule == "PREVIOUS":
        months = _whole_months(first, asked)
        start = _months_before(first, months) if months else first - timedelta((asked - first).days + 1)
        before = days_between(start, first - DAY)
        return before if last == asked else before[:length]
    if rule == "WEEKDAY":
        return days_between(first - timedelta(364), last - timedelta(364))
    if rule == "LUNAR":
        back = _lunar_year(first, asked)
        return days_between(first - back, last - back)
    near = days_between(first - timedelta(370), last - timedelta(360))
    return [day for day in near if first <= year_later(day) <= last]


def _whole_months(first: date, last: date) -> int:
    """How many calendar months the days are; 0 where they are no whole ones."""
    if first.day != 1 or last.day != calendar.monthrange(last.year, last.month)[1]:
        return 0
    return 12 * (last.year - first.year) + last.month - first.month + 1


def _months_before(first: date, months: int) -> date:
    number = 12 * first.year + first.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


def _lunar_year(first: date, last: date) -> timedelta:
    """From the new year before to the one that the period belongs to."""
    distances = [max(first - new_year, new_year - last, timedelta(0)) for new_year in NEW_YEARS]
    place = distances.index(min(distances))
    return NEW_YEARS[place] - NEW_YEARS[place - 1]


def of_days(rows: pl.DataFrame, days: Sequence[date]) -> pl.DataFrame:
    """The rows of consecutive days."""
    return rows.filter(pl.col("day").is_between(days[0], days[-1]))


def mark_of(value: int | Fraction, base: int | Fraction, days: Sequence[date]) -> tuple[str, float | None]:
    """Mark and ratio against a base of these days."""
    stored = sum(day >= FIRST for day in days)
    mark, ratio = Oracle.mark(value, base, stored, len(days))  # type: ignore[arg-type]
    return mark, None if ratio is None else float(ratio)


def check_days(pairing: pb.Pairing, first: str, last: str, rule: str) -> None:
    """Both stretches of days are those of the rule."""
    asked = date.fromisoformat(last)
    base = base_of(rule, date.fromisoformat(first), asked)
    ends = (min(asked, LAST), base[0], base[-1])
    assert (pairing.to_day, pairing.base_from_day, pairing.base_to_day) == tuple(day.isoformat() for day in ends)
