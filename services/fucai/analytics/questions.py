"""Reads requests: every bad field is named with its value and the valid choices. Asks nothing of the store."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from fucai.analytics.measures import Measure, read_measures, sums_of
from fucai.analytics.selection import EVERYTHING, Selection, read_selection
from fucai.analytics.sums import OPEN_DAYS
from fucai.analytics.texts import DIMENSIONS, OF_EVENTS
from fucai.domain.periods import Comparison, DayRange, Grain, buckets
from fucai.runtime.errors import Violation
from fucai.v1 import analytics_pb2

MAX_ROWS = 50_000
MAX_DIMENSIONS = 5
MAX_OPEN_DAYS = 366
MAX_RECENT = 100
MAX_AVERAGE = 1_000
DEFAULT_RECENT = 10
DEFAULT_SALES = 1
DEFAULT_OPEN_DAYS = 7
DEFAULT_BENCHMARK = "national_welfare"
HEADLINE_DIMENSIONS = tuple(name for name in DIMENSIONS if name == "game" or name not in OF_EVENTS)

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
_EARLIEST, _LATEST = date(1971, 1, 1), date(2148, 12, 31)  # what a ClickHouse Date holds, and a year before it
_HOURS = 24
_FIGURES = frozenset({"sales", "bets", "events", "payouts"})


class BadQuestionError(Exception):
    """The question cannot be answered as it is; `violations` name field, value and valid choices."""

    def __init__(self, violations: Iterable[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__("; ".join(f"{violation.field}: {violation.description}" for violation in self.violations))


@dataclass(frozen=True, slots=True)
class TrendQuestion:
    """A checked question for a trend.

    Attributes:
        days: those asked for.
        grain: length of a bucket.
        by: dimensions.
        comparison: the rule.
        base_first: first day of the base by BASE_PERIOD; else None.
        measures: those beside the figures.
        sums: the sums that they need and that are no figure.
        selection: which events count.
        moving_average: buckets of a moving average; 0 for none.
        top: groups shown; 0 for all.
        average_open_days: whether closed days are in no average.
    """

    days: DayRange
    grain: Grain
    by: tuple[str, ...]
    comparison: Comparison
    base_first: date | None = None
    measures: tuple[Measure, ...] = ()
    sums: tuple[str, ...] = ()
    selection: Selection = EVERYTHING
    moving_average: int = 0
    top: int = 0
    average_open_days: bool = False


@dataclass(frozen=True, slots=True)
class HeadlineQuestion:
    """A checked question for the headline; its days are read by `pairing.read_period`."""

    benchmark: str
    least_sales: int
    open_days: int
    by: str
    selection: Selection


def read_trend(request: analytics_pb2.TrendRequest, today: date, now_ms: int, *, bounded: bool = True) -> TrendQuestion:
    """The question of a request, at a moment; `bounded` where all its buckets must fit into one message.

    Raises:
        BadQuestionError: with one violation for each bad field.
    """
    bad: list[Violation] = []
    first = read_day("from_day", request.from_day, bad)
    last = read_day("to_day", request.to_day, bad)
    grain = _grain(request.grain, bad)
    by = read_dimensions(request.by, bad)
    comparison = read_comparison(request.compare, bad)
    measures = read_measures(request.measures, (), bad)
    selection = read_selection(request.selection, today, now_ms, bad)
    if request.moving_average > MAX_AVERAGE:
        text = f"{request.moving_average} buckets: choose 1 to {MAX_AVERAGE}, or 0 for none"
        bad.append(Violation("moving_average", text))
    if request.average_open_days and (not request.moving_average or grain is not Grain.DAY):
        text = "has a meaning with a moving average by day only: choose those, or leave it out"
        bad.append(Violation("average_open_days", text))
    if first and last and last < first:
        bad.append(_reversed(first, last))
    if bad or first is None or last is None:
        raise BadQuestionError(bad)
    days = DayRange(first, last)
    base_first = _base_first(request, comparison, days)
    if bounded and days.days * _HOURS > MAX_ROWS:  # only then count: buckets of centuries are many
        count = len(buckets(grain, days, Comparison.NONE)) * (_HOURS if grain is Grain.HOUR else 1)
        if count > MAX_ROWS:
            text = f"{first} to {last} has {count:,} buckets, at most {MAX_ROWS:,}: shorten it or choose a longer grain"
            raise BadQuestionError([Violation("grain", text)])
    needed = tuple(name for name in sums_of(measures) if name not in {*_FIGURES, OPEN_DAYS})
    return TrendQuestion(
        days,
        grain,
        by,
        comparison,
        base_first,
        measures,
        needed,
        selection,
        request.moving_average,
        request.top,
        request.average_open_days,
    )


def _base_first(request: analytics_pb2.TrendRequest, comparison: Comparison, days: DayRange) -> date | None:
    """The first day of the base by BASE_PERIOD, which is as long as the question and lies wholly before it."""
    text, bad = request.base_from_day, list[Violation]()
    if comparison is not Comparison.BASE_PERIOD:
        if text:
            told = f"{text}, but the comparison is {comparison.name.lower()}: choose base_period, or leave it out"
            raise BadQuestionError([Violation("base_from_day", told)])
        return None
    found = read_day("base_from_day", text, bad)
    if found is not None and found + timedelta(days=days.days - 1) >= days.first:
        told = f"a base of {days.days} days from {found} reaches into the period: give a day before {_before(days)}"
        bad.append(Violation("base_from_day", told))
    if bad or found is None:
        raise BadQuestionError(bad)
    return found


def _before(days: DayRange) -> date:
    return days.first - timedelta(days=days.days - 1)


def read_headline(
    request: analytics_pb2.HeadlineRequest, today: date, now_ms: int, bad: list[Violation]
) -> HeadlineQuestion:
    """The question of a request but for its days; what is wrong goes into `bad`."""
    if request.active_open_days > MAX_OPEN_DAYS:
        text = f"{request.active_open_days}: choose 1 to {MAX_OPEN_DAYS} open days, or 0 for {DEFAULT_OPEN_DAYS}"
        bad.append(Violation("active_open_days", text))
    if request.by and request.by not in HEADLINE_DIMENSIONS:
        bad.append(Violation("by", f"{request.by!r} is no dimension: choose {_choices(HEADLINE_DIMENSIONS)}"))
    return HeadlineQuestion(
        request.benchmark,
        request.active_sales or DEFAULT_SALES,
        request.active_open_days or DEFAULT_OPEN_DAYS,
        request.by,
        read_selection(request.selection, today, now_ms, bad),
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


def read_day(field: str, text: str, bad: list[Violation]) -> date | None:
    """The day written in a field; None where it is none of 1971 to 2148, and then `bad` says so."""
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


def read_comparison(number: int, bad: list[Violation]) -> Comparison:
    """The rule of that number; what is wrong goes into `bad`."""
    if number not in set(Comparison):
        choices = _choices(item.name.lower() for item in Comparison)
        bad.append(Violation("compare", f"{number} is no comparison: choose {choices}"))
        return Comparison.NONE
    return Comparison(number)


def read_dimensions(names: Iterable[str], bad: list[Violation]) -> tuple[str, ...]:
    """The dimensions to group by, in order; what is wrong goes into `bad`."""
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
