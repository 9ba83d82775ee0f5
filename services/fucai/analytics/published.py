"""A published series by year or month beside our own sales of the same days. Interpolates nothing, assumes nothing."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import cast

from fucai.analytics import texts, watch_definitions
from fucai.analytics.asked import Asked
from fucai.analytics.left_out import withheld_days
from fucai.analytics.measures import growth_message
from fucai.analytics.outlet_days import of_days
from fucai.analytics.questions import DEFAULT_BENCHMARK, BadQuestionError, read_day
from fucai.analytics.reach import Reach, reach
from fucai.analytics.selection import Selection, merged, read_selection
from fucai.domain.benchmarks import Published, match, period_days
from fucai.domain.comparison import whole_days
from fucai.domain.growth import Coverage, Growth, Mark, excess_points, grow
from fucai.domain.labels import Label
from fucai.domain.periods import Comparison, DayRange, Grain, buckets, coverage, whole, year_before
from fucai.domain.verdict import LEVEL_POINTS, verdict
from fucai.runtime.errors import Violation
from fucai.v1 import analytics_pb2

MAX_PERIODS = 1_200
_MOST_POINTS = 100.0
_PERCENT = 100.0
_FORMS = {Grain.YEAR: "%Y", Grain.MONTH: "%Y-%m"}
_GRAINS = {0: Grain.YEAR, int(Grain.YEAR): Grain.YEAR, int(Grain.MONTH): Grain.MONTH}
_GRAIN_NAMES = {int(grain): grain.name.lower() for grain in Grain}

_NOT_STORED = Label("这些日子未完整入库", "these days are not wholly stored")
_SEALED = Label("含封存中的期次", "a sealed draw was sold on these days")
_SEALED_BASE = Label("上年同期含封存中的期次", "a sealed draw was sold on the days a year before")


@dataclass(frozen=True, slots=True)
class _Question:
    """A checked question: the days of None are for the series to say."""

    series: str
    first: date | None
    last: date | None
    grain: Grain
    level_points: float
    selection: Selection


@dataclass(frozen=True, slots=True)
class _Own:
    """Our sales in fen by first day of a period, the whole days that are stored, and those with a sealed draw."""

    sales: Mapping[date, int]
    stored: DayRange | None
    sealed: Collection[date]


async def published(asked: Asked, request: analytics_pb2.BenchmarkRequest) -> analytics_pb2.BenchmarkResponse:
    """The answer: each period from the first to the last, those that are missing with them.

    Raises:
        BadQuestionError: a field is wrong, there is no such series, or it has nothing in the days asked for.
    """
    now = await reach(asked.ask)
    question = _read(request, asked)
    series: defaultdict[str, dict[str, Published]] = defaultdict(dict)
    bases: dict[str, str] = {}
    for name, period, fen, percent, basis in await asked.ask(texts.plain("published"), {}):
        series[name][period] = Published(int(fen), float(percent) if percent else None)
        if name == question.series:
            bases[period] = str(basis)
    values = series.get(question.series)
    if not values:
        choices = f"choose {', '.join(series)}" if series else "none is in the registry: import benchmarks.csv"
        raise BadQuestionError([Violation("series", f"no series {question.series!r}: {choices}")])
    periods = _periods(question, values)
    own = await _own(asked, question, periods, now)
    rows = [_row(days, question, values, own) for days in periods]
    for row in rows:
        row.basis = bases.get(row.period, "")
    return analytics_pb2.BenchmarkResponse(
        series=question.series,
        rows=rows,
        missing=[row.period for row in rows if not row.HasField("amount_fen")],
        known_series=series,
        about=asked.about(now, watch_definitions.of_benchmark(question.level_points)),
    )


def _read(request: analytics_pb2.BenchmarkRequest, asked: Asked) -> _Question:
    bad: list[Violation] = []
    selection = read_selection(request.selection, asked.today, asked.now_ms, bad)
    first = read_day("from_day", request.from_day, bad) if request.from_day else None
    last = read_day("to_day", request.to_day, bad) if request.to_day else None
    if first and last and last < first:
        bad.append(Violation("to_day", f"{last} is before from_day {first}: swap them"))
    year_end = whole(Grain.YEAR, asked.today).last
    for field, day in (("from_day", first), ("to_day", last)):
        if day and day > year_end:
            bad.append(Violation(field, f"{day} is in the future: choose up to {year_end}"))
    if request.grain not in _GRAINS:
        named = _GRAIN_NAMES.get(request.grain, str(request.grain))
        bad.append(Violation("grain", f"nothing is published by {named}: choose month or year"))
    points = request.level_points if request.HasField("level_points") else LEVEL_POINTS
    if not 0 <= points <= _MOST_POINTS:
        bad.append(Violation("level_points", f"{points:g} percentage points: choose 0 to {_MOST_POINTS:g}"))
    if bad:
        raise BadQuestionError(bad)
    return _Question(request.series or DEFAULT_BENCHMARK, first, last, _GRAINS[request.grain], points, selection)


def _periods(question: _Question, values: Mapping[str, Published]) -> list[DayRange]:
    """The whole periods asked for, in order; where a side is open, to what is published.

    Raises:
        BadQuestionError: none of them is published, or they are too many.
    """
    known = [days for days in map(period_days, sorted(values)) if days == whole(question.grain, days.first)]
    name, grain = question.series, question.grain.name.lower()
    if not known:
        other = "year" if question.grain is Grain.MONTH else "month"
        raise BadQuestionError([Violation("grain", f"{name} is not published by {grain}: choose {other}")])
    reaches = f"{name} is published by {grain} for {known[0].first:{_FORMS[question.grain]}} to "
    reaches += f"{known[-1].first:{_FORMS[question.grain]}}"
    first = question.first or min(known[0].first, question.last or known[0].first)
    last = question.last or max(known[-1].last, question.first or known[-1].last)
    found = [
        bucket.days
        for bucket in buckets(question.grain, DayRange(first, last), Comparison.NONE)
        if bucket.days == whole(question.grain, bucket.start)
    ]
    if len(found) > MAX_PERIODS:
        text = f"{first} to {last} are {len(found):,} periods, at most {MAX_PERIODS:,}; {reaches}"
        raise BadQuestionError([Violation("from_day", text)])
    if not {days.first for days in found} & {days.first for days in known}:
        raise BadQuestionError([Violation("from_day", f"nothing whole is published in {first} to {last}: {reaches}")])
    return found


async def _own(asked: Asked, question: _Question, periods: list[DayRange], now: Reach) -> _Own:
    """Our sales of the periods and of those a year before, as far as they are stored."""
    reached = DayRange(now.first_day, now.last_day) if now.first_day and now.last_day else None
    stored = whole_days(reached, asked.today)
    base = year_before(periods[0])
    wanted = DayRange(base.first if base else periods[0].first, periods[-1].last)
    days = stored.overlap(wanted) if stored else None
    if days is None:
        return _Own({}, stored, ())
    selection = question.selection
    text = texts.figures(
        question.grain,
        Comparison.NONE,
        (),
        selection.key,
        today=selection.today is not None,
        as_of=bool(selection.as_of_ms),
    )
    named = of_days(days) | {"rows": 2 * MAX_PERIODS}
    rows, withheld = await asyncio.gather(
        asked.ask(text, merged(named, selection.parameters())), withheld_days(asked.ask, now, days)
    )
    sealed = {day for game, found in withheld.days.items() if _counts(selection, game) for day in found}
    return _Own({bucket: int(fen) for bucket, _, _, fen, *_ in rows}, stored, sealed)


def _counts(selection: Selection, game: str) -> bool:
    """Whether sales of the game can be among those selected."""
    return all((game in one.values) is not one.exclude for one in selection.of("game"))


def _row(days: DayRange, question: _Question, values: Mapping[str, Published], own: _Own) -> analytics_pb2.BenchmarkRow:
    form = _FORMS[question.grain]
    row = analytics_pb2.BenchmarkRow(period=days.first.strftime(form))
    value, base = values.get(row.period), values.get(days.first.replace(year=days.first.year - 1).strftime(form))
    found = match(values, days)
    if value is not None:
        row.amount_fen = value.amount_fen
        if value.yoy_pct is not None:
            row.published_growth = value.yoy_pct / _PERCENT
    if base is not None:
        row.base_amount_fen = base.amount_fen
    if value is not None and base is not None and base.amount_fen > 0:
        row.computed_growth = (value.amount_fen - base.amount_fen) / base.amount_fen
    absent, ours = _ours(days, own)
    if absent is not None:
        row.absent_zh, row.absent_en = absent.zh, absent.en
    if ours is None:
        return row
    row.sales_fen = own.sales.get(days.first, 0)
    row.growth.CopyFrom(growth_message(ours))
    excess = excess_points(ours, found.growth) if found.published else None
    if excess is not None:
        row.excess_points = excess
    row.verdict = cast("analytics_pb2.Verdict.ValueType", int(verdict(ours, found, question.level_points)))
    return row


def _ours(days: DayRange, own: _Own) -> tuple[Label | None, Growth | None]:
    """Why our sales, or their base, are absent; and their growth, None where the sales are."""
    if own.stored is None or days.first < own.stored.first or days.last > own.stored.last:
        return _NOT_STORED, None
    if any(day in days for day in own.sealed):
        return _SEALED, None
    base = year_before(days)
    covered = coverage(base, own.stored.first)
    if base is None or covered is Coverage.NONE:
        return None, Growth(None, Mark.NO_BASE)
    if any(day in base for day in own.sealed):
        return _SEALED_BASE, Growth(None, Mark.NO_BASE)
    return None, grow(own.sales.get(days.first, 0), own.sales.get(base.first, 0), covered)
