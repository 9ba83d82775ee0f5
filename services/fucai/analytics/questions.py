"""Reads requests: every bad field is named with its value and the valid choices. Asks nothing of the store."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from fucai.analytics.texts import DIMENSIONS
from fucai.domain.periods import Comparison, DayRange, Grain, buckets
from fucai.runtime.errors import Violation
from fucai.v1 import analytics_pb2

MAX_ROWS = 50_000
MAX_DIMENSIONS = 5
MAX_OPEN_DAYS = 366
MAX_RECENT = 100
DEFAULT_RECENT = 10
DEFAULT_SALES = 1
DEFAULT_OPEN_DAYS = 7
DEFAULT_BENCHMARK = "national_welfare"
HEADLINE_DAYS = 28
HEADLINE_DIMENSIONS = tuple(name for name in DIMENSIONS if name != "kind")

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
_EARLIEST, _LATEST = date(1971, 1, 1), date(2148, 12, 31)  # what a ClickHouse Date holds, and a year before it
_HOURS = 24
_COMPARED = (Comparison.NONE, Comparison.YOY, Comparison.PREVIOUS)


class BadQuestionError(Exception):
    """The question cannot be answered as it is; `violations` name field, value and valid choices."""

    def __init__(self, violations: Iterable[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__("; ".join(f"{violation.field}: {violation.description}" for violation in self.violations))


@dataclass(frozen=True, slots=True)
class TrendQuestion:
    """A checked question for a trend."""

    days: DayRange
    grain: Grain
    by: tuple[str, ...]
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class HeadlineQuestion:
    """A checked question for the headline; None stands for what the store decides."""

    first: date | None
    last: date | None
    benchmark: str
    least_sales: int
    open_days: int
    by: str


def read_trend(request: analytics_pb2.TrendRequest) -> TrendQuestion:
    """The question of a request.

    Raises:
        BadQuestionError: with one violation for each bad field.
    """
    bad: list[Violation] = []
    first = _day("from_day", request.from_day, bad)
    last = _day("to_day", request.to_day, bad)
    grain = _grain(request.grain, bad)
    by = _dimensions(request.by, bad)
    comparison = _comparison(request.compare, bad)
    if first and last and last < first:
        bad.append(_reversed(first, last))
    if bad or first is None or last is None:
        raise BadQuestionError(bad)
    days = DayRange(first, last)
    if days.days * _HOURS > MAX_ROWS:  # only then count: buckets of centuries are many
        count = len(buckets(grain, days, Comparison.NONE)) * (_HOURS if grain is Grain.HOUR else 1)
        if count > MAX_ROWS:
            text = f"{first} to {last} has {count:,} buckets, at most {MAX_ROWS:,}: shorten it or choose a longer grain"
            raise BadQuestionError([Violation("grain", text)])
    return TrendQuestion(days, grain, by, comparison)


def read_headline(request: analytics_pb2.HeadlineRequest) -> HeadlineQuestion:
    """The question of a request.

    Raises:
        BadQuestionError: with one violation for each bad field.
    """
    bad: list[Violation] = []
    first = _day("from_day", request.from_day, bad) if request.from_day else None
    last = _day("to_day", request.to_day, bad) if request.to_day else None
    if first and last and last < first:
        bad.append(_reversed(first, last))
    if request.active_open_days > MAX_OPEN_DAYS:
        text = f"{request.active_open_days}: choose 1 to {MAX_OPEN_DAYS} open days, or 0 for {DEFAULT_OPEN_DAYS}"
        bad.append(Violation("active_open_days", text))
    if request.by and request.by not in HEADLINE_DIMENSIONS:
        bad.append(Violation("by", f"{request.by!r} is no dimension: choose {_choices(HEADLINE_DIMENSIONS)}"))
    if bad:
        raise BadQuestionError(bad)
    return HeadlineQuestion(
        first,
        last,
        request.benchmark,
        request.active_sales or DEFAULT_SALES,
        request.active_open_days or DEFAULT_OPEN_DAYS,
        request.by,
    )


def read_recent(request: analytics_pb2.RecentRequest) -> int:
    """The number of events asked for.

    Raises:
        BadQuestionError: more than 100.
    """
    if request.limit > MAX_RECENT:
        raise BadQuestionError(
            [Violation("limit", f"{request.limit}: choose 1 to {MAX_RECENT}, or 0 for {DEFAULT_RECENT}")]
        )
    return request.limit or DEFAULT_RECENT


def _day(field: str, text: str, bad: list[Violation]) -> date | None:
    try:
        day = date.fromisoformat(text) if _ISO.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        bad.append(Violation(field, f"{text!r} is no day of the calendar: write YYYY-MM-DD, for example 2025-03-31"))
    elif not _EARLIEST <= day <= _LATEST:
        bad.append(Violation(field, f"{text} is out of range: choose {_EARLIEST} to {_LATEST}"))
        return None
    return day


def _grain(number: int, bad: list[Violation]) -> Grain:
    if number == 0:
        return Grain.DAY
    if number not in set(Grain):
        bad.append(Violation("grain", f"{number} is no grain: choose {_choices(item.name.lower() for item in Grain)}"))
        return Grain.DAY
    return Grain(number)


def _comparison(number: int, bad: list[Violation]) -> Comparison:
    if number not in _COMPARED:
        bad.append(Violation("compare", f"{number} is no comparison: choose none, yoy, previous"))
        return Comparison.NONE
    return Comparison(number)


def _dimensions(names: Iterable[str], bad: list[Violation]) -> tuple[str, ...]:
    by = tuple(names)
    for place, name in enumerate(by):
        if name not in DIMENSIONS:
            bad.append(Violation(f"by[{place}]", f"{name!r} is no dimension: choose {_choices(DIMENSIONS)}"))
        elif name in by[:place]:
            bad.append(Violation(f"by[{place}]", f"{name!r} stands twice: name each dimension once"))
    if len(by) > MAX_DIMENSIONS:
        bad.append(Violation("by", f"{len(by)} dimensions: choose at most {MAX_DIMENSIONS}"))
    return by


def _reversed(first: date, last: date) -> Violation:
    return Violation("to_day", f"{last} is before from_day {first}: swap them")


def _choices(names: Iterable[str]) -> str:
    return ", ".join(names)
