"""Channel scale and sales of a period, year on year, beside a benchmark. The figures come from the store."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from fucai.analytics import texts
from fucai.analytics.benchmark import benchmark
from fucai.analytics.measures import growth_message
from fucai.analytics.questions import HEADLINE_DAYS, MAX_ROWS, BadQuestionError, HeadlineQuestion
from fucai.analytics.reach import Reach, names
from fucai.analytics.store import Ask
from fucai.domain.growth import grow
from fucai.domain.periods import Comparison, DayRange, Grain, coverage, open_window, year_before
from fucai.runtime.errors import Violation
from fucai.v1 import analytics_pb2

Days = Mapping[date, int]
Key = str | None
"""A value of the dimension; None for the whole channel."""


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of the comparison: sales in fen by group and day, active outlets by group, and the days they are of."""

    days: DayRange
    window: DayRange
    sales: Mapping[Key, Days]
    active: Mapping[Key, int]


async def headline(ask: Ask, question: HeadlineQuestion, now: Reach, today: date) -> analytics_pb2.HeadlineResponse:
    """The headline, without freshness, definitions and currency.

    The period ends at the last stored day at the latest: what has not happened yet is not compared.

    Raises:
        BadQuestionError: the period lies after the stored days, has no counterpart in the year before, is too long, or
            the benchmark series does not exist.
    """
    days = _period(question, now, today)
    base_days = year_before(days)
    if base_days is None:
        raise BadQuestionError([Violation("from_day", f"{days.first} has no counterpart in the year before")])
    closures = [DayRange(first, last) for first, last, _ in await ask(texts.plain("closures"), {})]
    value, base, named = await asyncio.gather(
        _side(ask, question, days, closures),
        _side(ask, question, base_days, closures),
        names(ask, [question.by] if question.by else []),
    )
    total = _group(None, value, base, now)
    keys = {*value.sales, *base.sales, *value.active, *base.active} - {None}
    groups = [_group(key, value, base, now) for key in keys]
    for group in groups:
        group.group_name = named[0].get(group.group) or group.group
    return analytics_pb2.HeadlineResponse(
        from_day=days.first.isoformat(),
        to_day=days.last.isoformat(),
        base_from_day=base_days.first.isoformat(),
        base_to_day=base_days.last.isoformat(),
        total=total,
        groups=sorted(groups, key=lambda group: (group.group_name, group.group)),
        benchmark=await benchmark(ask, question.benchmark, days, total.sales_growth),
    )


def _period(question: HeadlineQuestion, now: Reach, today: date) -> DayRange:
    stored = now.last_day
    last = question.last or min(today - timedelta(days=1), stored or date.max)
    if stored is not None:
        last = min(last, stored)
    first = question.first or last - timedelta(days=HEADLINE_DAYS - 1)
    if last < first:
        raise BadQuestionError([Violation("from_day", f"{first} is after {last}, the last day that can be answered")])
    if (last - first).days >= MAX_ROWS:
        raise BadQuestionError([Violation("from_day", f"{first} to {last} is too long: at most {MAX_ROWS:,} days")])
    return DayRange(first, last)


async def _side(ask: Ask, question: HeadlineQuestion, days: DayRange, closures: Sequence[DayRange]) -> _Side:
    by = (question.by,) if question.by else ()
    open_days = open_window(days.last, question.open_days, closures)
    sales, active, all_active = await asyncio.gather(
        _sales(ask, by, days), _active(ask, by, open_days, question), _active(ask, (), open_days, question)
    )
    return _Side(days, DayRange(open_days[0], open_days[-1]), sales, {**active, None: all_active.get(None, 0)})


async def _sales(ask: Ask, by: tuple[str, ...], days: DayRange) -> dict[Key, Days]:
    """Sales by group and day, and by day alone under None: the whole is the sum of what was read at once."""
    rows = await ask(
        texts.figures(Grain.DAY, Comparison.NONE, by),
        {"first_day": days.first, "last_day": days.last, "rows": MAX_ROWS + 1},
    )
    if len(rows) > MAX_ROWS:
        text = f"{days.days} days have more than {MAX_ROWS:,} figures: ask for a shorter period or another dimension"
        raise BadQuestionError([Violation("by", text)])
    found: dict[Key, Counter[date]] = {None: Counter()}
    for day, _, group, fen, *_ in rows:
        for key in {None, _key(group)}:
            found.setdefault(key, Counter())[day] += int(fen)
    return dict(found)


async def _active(
    ask: Ask, by: tuple[str, ...], open_days: Sequence[date], question: HeadlineQuestion
) -> dict[Key, int]:
    rows = await ask(
        texts.active(by), {"open_days": list(open_days), "least_sales": question.least_sales, "rows": MAX_ROWS}
    )
    return {_key(group): int(outlets) for group, outlets in rows}


def _key(group: Sequence[str]) -> Key:
    return str(group[0]) if group else None


def _group(key: Key, value: _Side, base: _Side, now: Reach) -> analytics_pb2.HeadlineGroup:
    curve = value.sales.get(key, {})
    sales, base_sales = sum(curve.values()), sum(base.sales.get(key, {}).values())
    active, base_active = value.active.get(key, 0), base.active.get(key, 0)
    return analytics_pb2.HeadlineGroup(
        group=key or "",
        active_outlets=active,
        base_active_outlets=base_active,
        scale_growth=growth_message(grow(active, base_active, coverage(base.window, now.first_day))),
        sales_fen=sales,
        base_sales_fen=base_sales,
        sales_growth=growth_message(grow(sales, base_sales, coverage(base.days, now.first_day))),
        daily_sales_fen=[curve.get(day, 0) for day in value.days],
    )
