"""Channel scale and sales of a period, year on year, beside a benchmark. The figures come from the store."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from fucai.analytics import definitions, texts
from fucai.analytics.asked import Asked
from fucai.analytics.benchmark import benchmark
from fucai.analytics.measures import growth_message
from fucai.analytics.outlet_days import of_sides
from fucai.analytics.pairing import Begin, pairing, pairing_message, read_period
from fucai.analytics.questions import MAX_ROWS, BadQuestionError, HeadlineQuestion, read_headline
from fucai.analytics.reach import Reach, names, reach
from fucai.analytics.selection import merged
from fucai.analytics.store import Ask
from fucai.domain.comparison import Pairing
from fucai.domain.growth import grow
from fucai.domain.periods import Comparison, DayRange, Grain, coverage, open_window
from fucai.runtime.errors import Violation
from fucai.v1 import analytics_pb2

_MOST = 2 * MAX_ROWS
"""Figures by group and day, of the period and its base together."""

Days = Mapping[date, int]
Key = str | None
"""A value of the dimension; None for the whole channel."""


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of the comparison: sales in fen by group and day, active outlets by group, and the days they are of."""

    days: DayRange | None
    window: DayRange | None
    sales: Mapping[Key, Days]
    active: Mapping[Key, int]


async def headline(asked: Asked, request: analytics_pb2.HeadlineRequest) -> analytics_pb2.HeadlineResponse:
    """The headline.

    The period ends at the last whole stored day at the latest: what has not happened yet is not compared.

    Raises:
        BadQuestionError: a field is wrong, there is no base, or the benchmark series does not exist.
    """
    now = await reach(asked.ask)
    bad: list[Violation] = []
    question = read_headline(request, asked.today, asked.now_ms, bad)
    period = read_period(request, now, asked.today, bad, begin=Begin.FOUR_WEEKS)
    if bad or period is None:
        raise BadQuestionError(bad)
    pair = await pairing(asked.ask, period, question.selection)
    closures = [DayRange(first, last) for first, last, _ in await asked.ask(texts.plain("closures"), {})]
    (value, base), named = await asyncio.gather(
        _sides(asked.ask, question, pair, closures), names(asked.ask, [question.by] if question.by else [])
    )
    total = _group(None, value, base, pair, now)
    keys = {*value.sales, *base.sales, *value.active, *base.active} - {None}
    groups = [_group(key, value, base, pair, now) for key in keys]
    for group in groups:
        group.group_name = named[0].get(group.group) or group.group
    answer = analytics_pb2.HeadlineResponse(
        from_day=pair.days.first.isoformat(),
        to_day=pair.days.last.isoformat(),
        base_from_day=pair.base.first.isoformat() if pair.base else "",
        base_to_day=pair.base.last.isoformat() if pair.base else "",
        total=total,
        groups=sorted(groups, key=lambda group: (group.group_name, group.group)),
        benchmark=await benchmark(asked.ask, question.benchmark, pair.days, total.sales_growth, rule=pair.rule),
        pairing=pairing_message(pair, asked.today),
        freshness=now.freshness(asked.now_ms),
        definitions=definitions.of_headline(
            least_sales=question.least_sales, open_days=question.open_days, grouped=bool(question.by)
        ),
        currency=asked.currency,
    )
    answer.queries.extend(asked.queries())
    return answer


async def _sides(
    ask: Ask, question: HeadlineQuestion, pair: Pairing, closures: Sequence[DayRange]
) -> tuple[_Side, _Side]:
    """The period and its base, which has no days where there is none."""
    by = (question.by,) if question.by else ()
    window = open_window(pair.days.last, question.open_days, closures)
    base_window = open_window(pair.base.last, question.open_days, closures) if pair.base else []
    curves, actives = await asyncio.gather(
        _sales(ask, by, pair, question),
        asyncio.gather(*(_active(ask, of, window, base_window, question) for of in {(), by})),
    )
    active: dict[Key, tuple[int, int]] = {None: (0, 0)}
    for found in actives:
        active |= found
    side, base_side = (
        _Side(
            days,
            DayRange(open_days[0], open_days[-1]) if open_days else None,
            {
                key: {day: fen for day, fen in curve.items() if days and day in days}
                for key, curve in curves.items()
                if key is None or (days and any(day in days for day in curve))
            },
            {key: counts[nth] for key, counts in active.items() if key is None or counts[nth]},
        )
        for nth, (days, open_days) in enumerate(((pair.days, window), (pair.base, base_window)))
    )
    return side, base_side


async def _sales(ask: Ask, by: tuple[str, ...], pair: Pairing, question: HeadlineQuestion) -> dict[Key, Days]:
    """Sales by group and day, and by day alone under None: the whole is the sum of what was read at once."""
    selection = question.selection
    text = texts.figures(Grain.DAY, Comparison.NONE, by, selection.key, **selection.switches, sides=True)
    rows = await ask(text, merged(of_sides(pair.days, pair.base), {"rows": _MOST + 1}, selection.parameters()))
    if len(rows) > _MOST:
        told = f"{pair.days} and its base have more than {_MOST:,} figures: ask for less time or another dimension"
        raise BadQuestionError([Violation("by", told)])
    found: dict[Key, Counter[date]] = {None: Counter()}
    for day, _, group, fen, *_ in rows:
        for key in {None, _key(group)}:
            found.setdefault(key, Counter())[day] += int(fen)
    return dict(found)


async def _active(
    ask: Ask, by: tuple[str, ...], window: Sequence[date], base_window: Sequence[date], question: HeadlineQuestion
) -> dict[Key, tuple[int, int]]:
    """Active outlets by group, at the end of the period and of its base."""
    rows = await ask(
        texts.active(by, question.selection.key, **question.selection.switches),
        merged(
            {"open_days": list(window), "base_open_days": list(base_window)},
            {"least_sales": question.least_sales, "rows": MAX_ROWS},
            question.selection.parameters(),
        ),
    )
    return {_key(group): (int(outlets), int(base_outlets)) for group, outlets, base_outlets in rows}


def _key(group: Sequence[str]) -> Key:
    return str(group[0]) if group else None


def _group(key: Key, value: _Side, base: _Side, pair: Pairing, now: Reach) -> analytics_pb2.HeadlineGroup:
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
        sales_growth=growth_message(pair.grow(sales, base_sales)),
        daily_sales_fen=[curve.get(day, 0) for day in pair.days],
    )
