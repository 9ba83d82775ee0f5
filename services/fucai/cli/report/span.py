"""Which days a bulletin is about: a week from Monday to Sunday, or a calendar month. Asks nobody."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from fucai.domain.periods import Comparison, DayRange

_WEEK = re.compile(r"(\d{4})-?W(\d{2})", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_DAY = timedelta(days=1)
_WEEK_DAYS = 7


@dataclass(frozen=True, slots=True)
class Span:
    """The period of a bulletin: its name (2026-W47, 2026-10), its days, and the rule of its comparison."""

    name: str
    days: DayRange
    rule: Comparison

    @property
    def is_week(self) -> bool:
        """Whether it is a week."""
        return self.rule is Comparison.WEEKDAY


def week_of(day: date) -> Span:
    """The ISO week of a day, to compare with the same weekdays 364 days before."""
    monday = day - timedelta(days=day.weekday())
    year, week, _ = day.isocalendar()
    return Span(f"{year}-W{week:02}", DayRange(monday, monday + 6 * _DAY), Comparison.WEEKDAY)


def month_of(day: date) -> Span:
    """The calendar month of a day, to compare with the same month of the year before."""
    first = day.replace(day=1)
    following = (first + 31 * _DAY).replace(day=1)
    return Span(f"{first:%Y-%m}", DayRange(first, following - _DAY), Comparison.YOY)


def last_week(until: date) -> Span:
    """The last week that is over when `until` is."""
    return week_of(until - (_WEEK_DAYS - 1) * _DAY)


def last_month(until: date) -> Span:
    """The last month that is over when `until` is."""
    return month_of((until + _DAY).replace(day=1) - _DAY)


def read_week(text: str) -> Span:
    """The week named like 2026-W47.

    Raises:
        ValueError: it is no week; says how to write one.
    """
    found = _WEEK.fullmatch(text.strip())
    try:
        if found:
            return week_of(date.fromisocalendar(int(found[1]), int(found[2]), 1))
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"{text}: that year has no such week; weeks are numbered by ISO 8601, 01 to 52 or 53"
        ) from error
    raise ValueError(f"{text!r} is no week: write YYYY-Www, such as 2026-W47")


def read_month(text: str) -> Span:
    """The month named like 2026-10.

    Raises:
        ValueError: it is no month; says how to write one.
    """
    found = _MONTH.fullmatch(text.strip())
    try:
        if found:
            return month_of(date(int(found[1]), int(found[2]), 1))
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text}: there is no such month; months are 01 to 12") from error
    raise ValueError(f"{text!r} is no month: write YYYY-MM, such as 2026-10")
