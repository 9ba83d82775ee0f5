"""Channel scale (渠道规模): outlets installed, active, opened, closed at the end of each bucket. Knows no SQL."""

from __future__ import annotations

import asyncio
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import accumulate

from fucai.analytics import definitions, scale_texts, texts
from fucai.analytics.asked import Asked
from fucai.analytics.measures import growth_message
from fucai.analytics.outlet_days import of_days
from fucai.analytics.pairing import Begin, Period, market, pairing, pairing_message, read_period
from fucai.analytics.questions import (
    DEFAULT_OPEN_DAYS,
    DEFAULT_SALES,
    MAX_OPEN_DAYS,
    MAX_ROWS,
    BadQuestionError,
    read_dimensions,
)
from fucai.analytics.reach import Reach, names, reach
from fucai.analytics.selection import Selection, merged, read_selection
from fucai.analytics.store import Row
from fucai.domain.catalogue import IMPORT_KIND
from fucai.domain.comparison import Pairing, pair
from fucai.domain.growth import grow
from fucai.domain.market import Market
from fucai.domain.periods import Comparison, DayRange, Grain, buckets, coverage, whole
from fucai.domain.scale import Penetration, sales_per_outlet
from fucai.domain.windows import Windows, windows
from fucai.runtime.errors import Violation
from fucai.v1 import analytics_pb2

MAX_BUCKETS = 5_000
MAX_STEPS = 2_000_000
_GRAINS = (Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.YEAR)

Group = tuple[str, ...]
Counts = Mapping[Group, Sequence[int]]
"""By group, the count at each end of a window, in order."""


@dataclass(frozen=True, slots=True)
class _Question:
    """A checked question: grain None stands for the whole period as one bucket."""

    grain: Grain | None
    by: Group
    least_sales: int
    open_days: int
    selection: Selection
    terminals: bool


@dataclass(frozen=True, slots=True)
class _Bucket:
    """Days of a bucket, and the day at whose end the active outlets of its base stand; None where there is none."""

    days: DayRange
    base_day: date | None


@dataclass(frozen=True, slots=True)
class _Found:
    """What the store counts, by group: at each end, and by day or bucket."""

    active: Counts
    active_installed: Counts
    installed: Counts
    turnover: Mapping[Group, Sequence[tuple[date, int, int]]]  # by day
    sales: Mapping[tuple[Group, date], int]
    terminals: Counts = field(default_factory=dict)
    active_terminals: Counts = field(default_factory=dict)

    def groups(self) -> list[Group]:
        """All groups that have anything, in order."""
        sold = {group for group, _ in self.sales}
        return sorted({*self.active, *self.installed, *self.turnover, *self.terminals, *sold})


async def scale(asked: Asked, request: analytics_pb2.ScaleRequest) -> analytics_pb2.ScaleResponse:
    """The answer: a row for each bucket and group that has anything in it, by day, then by group.

    Raises:
        BadQuestionError: a field of the request is wrong, there is no base, or the answer has too many rows.
    """
    now = await reach(asked.ask)
    bad: list[Violation] = []
    question = _read(request, asked, bad)
    period = read_period(request, now, asked.today, bad, begin=Begin.FOUR_WEEKS, unset=Comparison.NONE)
    if bad or period is None:
        raise BadQuestionError(bad)
    pair_, known = await asyncio.gather(
        pairing(asked.ask, period, question.selection), market(asked.ask, period.days, question.selection)
    )
    found = _buckets(question, period, pair_, known)
    ends = {bucket.days.last for bucket in found} | {bucket.base_day for bucket in found if bucket.base_day}
    windows_ = windows(ends, question.open_days, known.closed())
    counted, named = await asyncio.gather(
        _count(asked, question, windows_, pair_.days), names(asked.ask, list(question.by))
    )
    groups = counted.groups() or ([] if question.by else [()])
    if len(groups) * len(found) > MAX_ROWS:
        text = f"{len(groups):,} groups in {len(found):,} buckets: more than {MAX_ROWS:,} rows; choose a longer grain"
        raise BadQuestionError([Violation("by", text)])
    rows = []
    for bucket in found:
        for group in groups:
            row = _row(bucket, group, question, counted, windows_, now)
            if not question.by or _is_something(row):
                row.group_names.extend(of.get(value) or value for of, value in zip(named, group, strict=True))
                rows.append(row)
    told = definitions.of_scale(
        least_sales=question.least_sales,
        open_days=question.open_days,
        terminals=question.terminals,
        compared=pair_.rule is not Comparison.NONE,
        grouped=bool(question.by),
    )
    line = pairing_message(pair_, asked.today)
    line.warning_zh = line.warning_en = ""  # windows are made of open days, so closures that move do not mislead
    return analytics_pb2.ScaleResponse(rows=rows, pairing=line, about=asked.about(now, told))


def _read(request: analytics_pb2.ScaleRequest, asked: Asked, bad: list[Violation]) -> _Question:
    selection = read_selection(request.selection, asked.today, asked.now_ms, bad)
    by = read_dimensions(request.by, bad)
    for place, name in enumerate(by):
        if name in texts.OF_EVENTS:
            choices = ", ".join(one for one in texts.DIMENSIONS if one not in texts.OF_EVENTS)
            text = f"{name!r} is of events, not of outlets: choose {choices}; a game can be a filter"
            bad.append(Violation(f"by[{place}]", text))
    grain = int(request.grain)
    if grain and grain not in _GRAINS:
        choices = ", ".join(one.name.lower() for one in _GRAINS)
        bad.append(Violation("grain", f"{grain} is no grain here: choose {choices}, or none for the period"))
    elif grain and int(request.compare) == Comparison.BASE_PERIOD:
        text = "a base period is compared with the whole period: leave grain out, or choose another comparison"
        bad.append(Violation("grain", text))
    if request.active_open_days > MAX_OPEN_DAYS:
        text = f"{request.active_open_days}: choose 1 to {MAX_OPEN_DAYS} open days, or 0 for {DEFAULT_OPEN_DAYS}"
        bad.append(Violation("active_open_days", text))
    return _Question(
        Grain(grain) if grain in _GRAINS else None,
        by,
        request.active_sales or DEFAULT_SALES,
        request.active_open_days or DEFAULT_OPEN_DAYS,
        selection,
        request.with_terminals,
    )


def _buckets(question: _Question, period: Period, pair_: Pairing, known: Market) -> list[_Bucket]:
    """The buckets of what counts of the period, each with the last day of its base."""
    if question.grain is None:
        return [_Bucket(pair_.days, _base_day(pair_))]
    days = [bucket.days for bucket in buckets(question.grain, pair_.days, Comparison.NONE)]
    if len(days) > MAX_BUCKETS:
        text = f"{pair_.days} has {len(days):,} buckets, at most {MAX_BUCKETS:,}: shorten it or choose a longer grain"
        raise BadQuestionError([Violation("grain", text)])
    pairs = (pair(one, pair_.rule, period.stored, known, grain=question.grain) for one in days)
    return [_Bucket(one, _base_day(its)) for one, its in zip(days, pairs, strict=True)]


def _base_day(pair_: Pairing) -> date | None:
    return pair_.base.last if pair_.base is not None else None


async def _count(asked: Asked, question: _Question, windows_: Windows, days: DayRange) -> _Found:
    """Asks for all counts at once."""
    by, key, today = question.by, question.selection.key, question.selection.today is not None
    as_of = bool(question.selection.as_of_ms)
    chosen = question.selection.parameters() | {"rows": MAX_STEPS + 1}
    numbers = {
        "next_ends": windows_.next_ends,
        "last_ends": windows_.last_ends,
        "first_day": windows_.first_day,
        "open_days": list(windows_.days),
    }
    months = {"open_months": list(windows_.months), "open_bits": list(windows_.months.values())}
    within = merged(chosen, of_days(days))
    grain = question.grain or Grain.YEAR
    asking = [
        asked.ask(
            scale_texts.active(by, key, today=today, as_of=as_of, once=question.least_sales == 1),
            merged(chosen, numbers, {"least_sales": question.least_sales, **months}),
        ),
        asked.ask(scale_texts.installed(by, key, today=today), merged(chosen, numbers)),
        asked.ask(scale_texts.turnover(by, key, today=today), within),
        asked.ask(texts.figures(grain, Comparison.NONE, by, key, today=today, as_of=as_of), within),
    ]
    if question.terminals:
        own = merged(chosen, numbers, {"import_kind": IMPORT_KIND})
        asking += [
            asked.ask(scale_texts.installed(by, key, today=today, terminals=True), own),
            asked.ask(scale_texts.active_terminals(by, key, today=today, as_of=as_of), own),
        ]
    active, installed, turned, sold, *terminals = await asyncio.gather(*asking)
    if max(map(len, (active, installed, sold))) > MAX_STEPS:
        text = f"more than {MAX_STEPS:,} changes of groups: ask for a shorter period or fewer dimensions"
        raise BadQuestionError([Violation("by", text)])
    turnover: defaultdict[Group, list[tuple[date, int, int]]] = defaultdict(list)
    for group, day, opened, closed in turned:
        turnover[tuple(group)].append((day, int(opened), int(closed)))
    sales: defaultdict[tuple[Group, date], int] = defaultdict(int)
    for start, _, group, fen, *_ in sold:
        sales[tuple(group), days.first if question.grain is None else start] += int(fen)
    count = len(windows_.ends)
    return _Found(
        _running(active, 2, count),
        _running(active, 3, count),
        _running(installed, 2, count),
        turnover,
        sales,
        *(_running(steps, 2, count) for steps in terminals),
    )


def _running(steps: Sequence[Row], column: int, count: int) -> Counts:
    """Running sums by group of the steps in a column, at the places 1 to `count`."""
    at: defaultdict[Group, list[int]] = defaultdict(lambda: [0] * (count + 1))
    for row in steps:
        at[tuple(row[0])][int(row[1]) - 1] += int(row[column])
    return {group: list(accumulate(changes))[:count] for group, changes in at.items()}


def _row(
    bucket: _Bucket, group: Group, question: _Question, found: _Found, windows_: Windows, now: Reach
) -> analytics_pb2.ScaleRow:
    end = bucket.days.last

    def at(counts: Counts, day: date) -> int:
        return counts[group][windows_.place(day) - 1] if group in counts else 0

    turns = found.turnover.get(group, ())
    turned = turns[bisect_left(turns, bucket.days.first, key=_day) : bisect_right(turns, bucket.days.last, key=_day)]
    start = bucket.days.first if question.grain is None else whole(question.grain, bucket.days.first).first
    sales = found.sales.get((group, start), 0)
    active = at(found.active, end)
    both = at(found.active_installed, end)
    reached = Penetration(at(found.installed, end), both, active - both)
    row = analytics_pb2.ScaleRow(
        day=end.isoformat(),
        first_day=bucket.days.first.isoformat(),
        group=group,
        installed=reached.installed,
        active=active,
        active_not_installed=reached.active_unregistered,
        opened=sum(opened for _, opened, _ in turned),
        closed=sum(closed for _, _, closed in turned),
        penetration=reached.ratio,
        sales_fen=sales,
        sales_per_outlet_fen=sales_per_outlet(sales, active).fen,
    )
    if question.terminals:
        row.terminals, row.active_terminals = at(found.terminals, end), at(found.active_terminals, end)
    if bucket.base_day is not None:
        base_window = windows_.window(bucket.base_day)
        covered = coverage(base_window, now.first_day)
        row.base_day, row.base_active = bucket.base_day.isoformat(), at(found.active, bucket.base_day)
        row.growth.CopyFrom(growth_message(grow(active, row.base_active, covered)))
    return row


def _day(turn: tuple[date, int, int]) -> date:
    return turn[0]


def _is_something(row: analytics_pb2.ScaleRow) -> bool:
    """Whether a group has any figure in a bucket or its base."""
    counts = (row.installed, row.active, row.opened, row.closed, row.terminals, row.base_active)
    return any(counts) or row.sales_fen != 0
