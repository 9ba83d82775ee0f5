"""Sales over time: which rows an answer has, and what each is compared with. The figures come from the store."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction

from fucai.analytics import definitions, rates, sums, texts
from fucai.analytics.asked import Asked
from fucai.analytics.buckets import buckets_of, cautions_of, span
from fucai.analytics.cells import Bucket, Cell, Cells, Figures, Group, Values
from fucai.analytics.measures import Sums, growth_message, measurement
from fucai.analytics.paging import page
from fucai.analytics.pairing import market
from fucai.analytics.questions import TrendQuestion, read_trend
from fucai.analytics.reach import Reach, names, reach
from fucai.analytics.store import Ask
from fucai.analytics.unrated import is_lacking, unrated
from fucai.domain.comparison import Pairing
from fucai.domain.growth import Coverage
from fucai.domain.market import Market
from fucai.domain.periods import Comparison, DayRange, Grain, coverage, hour_base, whole
from fucai.v1 import analytics_pb2

PART_ROWS = 1_000
"""Rows of one part of a stream."""

_HOURS = 24
_READ_AT_ONCE = 20_000  # rows that a stream asks the store for, about


@dataclass(frozen=True, slots=True)
class _Slot:
    """One bucket, or one hour of it, with the days it is compared with."""

    start: date
    hour: int
    days: DayRange
    pairing: Pairing | None


@dataclass(slots=True)
class _Course:
    """An answer in the making: what the rows need, and what is known once they are through."""

    question: TrendQuestion
    now: Reach
    market: Market
    buckets: Sequence[Bucket]
    cells: Cells
    names: Sequence[Mapping[str, str]]
    last_hour: int
    rows: int = 0
    cautions: Sequence[analytics_pb2.Caution] = ()
    lacks_rates: bool = False
    total: Figures = field(default_factory=Figures)
    running: Counter[Group] = field(default_factory=Counter)
    window: deque[Mapping[Group, int] | None] = field(default_factory=deque)


async def trend(asked: Asked, request: analytics_pb2.TrendRequest) -> analytics_pb2.TrendResponse:
    """The answer: rows by bucket, then by group, a page of them, and figures of the whole.

    The question is cut to the stored days: what is not stored, or has not happened yet, is neither zero nor compared.

    Raises:
        BadQuestionError: a field is wrong, or the answer has more rows than one message carries.
    """
    course = await _course(asked, request, bounded=True)
    rows = [row for part in [await _part(course, course.buckets)] for row in part] if course.buckets else []
    paged, token = page(rows, request)
    answer = await _end(asked, course)
    answer.rows.extend(paged)
    answer.next_page_token = token
    return answer


async def stream_trend(
    asked: Asked, request: analytics_pb2.TrendRequest
) -> AsyncIterator[analytics_pb2.StreamTrendResponse]:
    """The same rows in parts of PART_ROWS; the last part has none and carries everything else.

    The store is asked bucket by bucket, so that no more is held than what is on its way.

    Raises:
        BadQuestionError: a field is wrong.
    """
    course = await _course(asked, request, bounded=False)
    ready: list[analytics_pb2.TrendRow] = []
    place, step = 0, 1 if course.question.by else _READ_AT_ONCE
    while place < len(course.buckets):
        found = course.buckets[place : place + step]
        place += len(found)
        ready += await _part(course, found)
        step = max(1, _READ_AT_ONCE * place // max(course.rows, 1))
        while len(ready) >= PART_ROWS or (ready and place == len(course.buckets)):
            yield analytics_pb2.StreamTrendResponse(rows=ready[:PART_ROWS])
            del ready[:PART_ROWS]
    yield analytics_pb2.StreamTrendResponse(end=await _end(asked, course))


async def _course(asked: Asked, request: analytics_pb2.TrendRequest, *, bounded: bool) -> _Course:
    question = read_trend(request, asked.today, asked.now_ms, bounded=bounded)
    now = await reach(asked.ask)
    by_calendar = (
        question.comparison
        or question.average_open_days
        or any(sums.OPEN_DAYS in measure.sums for measure in question.measures)
    )
    known = await market(asked.ask, question.days, question.selection) if by_calendar else Market()
    found = buckets_of(question, now, known)
    fixed, named, last_hour = await asyncio.gather(
        rates.parameters(asked.ask, question.sums), names(asked.ask, question.by), _last_hour(asked.ask, question, now)
    )
    cells = Cells(asked.ask, question, fixed)
    if question.top and question.by and found:
        cells = replace(cells, shown=await cells.largest(found, question.top))
    window: deque[Mapping[Group, int] | None] = deque(maxlen=question.moving_average or 1)
    cautions = cautions_of(question, found, now, known)
    return _Course(question, now, known, found, cells, named, last_hour, cautions=cautions, window=window)


async def _end(asked: Asked, course: _Course) -> analytics_pb2.TrendResponse:
    """All that is not a row."""
    question = course.question
    lacking = (
        await unrated(asked.ask, question.measures, *span(course.buckets), question.selection)
        if course.lacks_rates
        else ()
    )
    return analytics_pb2.TrendResponse(
        freshness=course.now.freshness(asked.now_ms),
        definitions=definitions.of_trend(
            question.measures,
            grouped=bool(question.by),
            moving_average=question.moving_average,
            open_days=question.average_open_days,
        ),
        currency=asked.currency,
        comparison_rule=definitions.comparison_rule(question.grain, question.comparison),
        total_rows=course.rows,
        total=analytics_pb2.Figures(**course.total._asdict()),
        queries=asked.queries(),
        unrated=lacking,
        cautions=course.cautions,
    )


async def _last_hour(ask: Ask, question: TrendQuestion, now: Reach) -> int:
    if question.grain is not Grain.HOUR or now.last_day is None:
        return 0
    ((hour,),) = await ask(texts.plain("last_hour"), {"day": now.last_day})
    return int(hour)


async def _part(course: _Course, found: Sequence[Bucket]) -> list[analytics_pb2.TrendRow]:
    """The rows of buckets that follow those before; counts them and adds them up."""
    values, bases = await asyncio.gather(course.cells.values(found), course.cells.bases(found))
    groups = None if not course.question.by else _by_slot([*values, *bases])
    rows = [
        row for bucket in found for slot in _slots(bucket, course) for row in _rows(slot, groups, values, bases, course)
    ]
    course.rows += len(rows)
    if course.question.sums and not course.lacks_rates:
        course.lacks_rates = is_lacking(
            _sums(one, course.question) for side in (values, bases) for one in side.values()
        )
    for one in values.values():
        course.total = Figures(*(sum(pair_) for pair_ in zip(course.total, one.figures, strict=True)))
    return rows


def _slots(bucket: Bucket, course: _Course) -> Iterator[_Slot]:
    """The bucket itself, or its hours up to the last stored one."""
    question = course.question
    if question.grain is not Grain.HOUR:
        yield _Slot(bucket.start, 0, bucket.days, bucket.pairing)
        return
    for hour in range(_HOURS):
        if course.now.last_day is not None and (bucket.start, hour) > (course.now.last_day, course.last_hour):
            return
        pairing = bucket.pairing
        if pairing is not None and question.comparison is Comparison.PREVIOUS:
            before = hour_base(bucket.start, hour, question.comparison)
            base = DayRange(before[0], before[0]) if before else None
            pairing = replace(pairing, base=base, coverage=coverage(base, course.now.first_day), gap=None)
        yield _Slot(bucket.start, hour, bucket.days, pairing)


def _by_slot(cells: Iterable[Cell]) -> Mapping[tuple[date, int], set[Group]]:
    """The groups that stand in each slot."""
    groups: dict[tuple[date, int], set[Group]] = {}
    for cell in cells:
        groups.setdefault((cell.start, cell.hour), set()).add(cell.group)
    return groups


def _rows(
    slot: _Slot,
    groups: Mapping[tuple[date, int], set[Group]] | None,
    values: Mapping[Cell, Values],
    bases: Mapping[Cell, Values],
    course: _Course,
) -> Iterator[analytics_pb2.TrendRow]:
    question = course.question
    nothing = Values(further=(0,) * len(question.sums))
    here = [()] if groups is None else _ordered(groups.get((slot.start, slot.hour), set()))
    cells = [(group, Cell(slot.start, slot.hour, group)) for group in here]
    found = [(group, values.get(cell, nothing), bases.get(cell, nothing)) for group, cell in cells]
    if not question.average_open_days or course.market.open_days(slot.days):
        course.window.append(_whole_sales(slot, question, [(group, value) for group, value, _ in found]))
    both = ([value for _, value, _ in found], [base for _, _, base in found]) if question.measures else ()
    wholes = [_whole(side, question) for side in both]
    open_days = _open_days(slot, course) if question.measures else (0, 0)
    for group, value, base in found:
        course.running[group] += value.figures.sales_fen
        row = analytics_pb2.TrendRow(
            bucket=slot.days.first.isoformat() + (f"T{slot.hour:02}" if question.grain is Grain.HOUR else ""),
            first_day=slot.days.first.isoformat(),
            last_day=slot.days.last.isoformat(),
            group=[*group, *[""] * (len(question.by) - len(group))],
            group_names=_named(group, course),
            figures=analytics_pb2.Figures(**value.figures._asdict()),
            running_sum_fen=course.running[group],
        )
        if slot.pairing is not None:
            _compare(row, slot.pairing, value.figures, base.figures)
        if question.measures:
            mine, before = (
                ({**_sums(side, question), sums.OPEN_DAYS: days}, whole_sums)
                for side, days, whole_sums in zip((value, base), open_days, wholes, strict=True)
            )
            row.measurements.extend(measurement(one, mine, before, slot.pairing) for one in question.measures)
        if (average := _average(course, group)) is not None:
            row.moving_average_fen = average
        yield row


def _open_days(slot: _Slot, course: _Course) -> tuple[int, int]:
    """Those of a slot and of what it is compared with; 0 where there is nothing."""
    base = slot.pairing.base if slot.pairing else None
    return course.market.open_days(slot.days), course.market.open_days(base) if base else 0


def _ordered(groups: Iterable[Group]) -> list[Group]:
    """By value; what was summed as others last."""
    return sorted(groups, key=lambda group: (group == (texts.OTHERS,), group))


def _compare(row: analytics_pb2.TrendRow, pairing: Pairing, value: Figures, base: Figures) -> None:
    row.growth.CopyFrom(growth_message(pairing.grow(value.sales_fen, base.sales_fen)))
    if pairing.base:
        row.base_first_day, row.base_last_day = pairing.base.first.isoformat(), pairing.base.last.isoformat()
    if pairing.coverage is not Coverage.NONE:
        row.base.CopyFrom(analytics_pb2.Figures(**base._asdict()))


def _sums(values: Values, question: TrendQuestion) -> Sums:
    """The sums of a cell by name."""
    figures = values.figures
    found = dict(zip(question.sums, values.further, strict=True))
    known = {"sales": figures.sales_fen, "bets": figures.bets, "events": figures.events, "payouts": figures.payouts_fen}
    return {**found, **known}


def _whole(values: Iterable[Values], question: TrendQuestion) -> Sums:
    """The sums of a slot; outlets of several groups are not to be added and are left out."""
    added: Counter[str] = Counter()
    for one in values:
        for name, value in _sums(one, question).items():
            if name != sums.OUTLETS:
                added[name] += value
    return added


def _whole_sales(
    slot: _Slot, question: TrendQuestion, found: Iterable[tuple[Group, Values]]
) -> Mapping[Group, int] | None:
    """Sales by group; None of a bucket that is cut, which stands in no average."""
    if not question.moving_average or slot.days != whole(question.grain, slot.start):
        return None
    return {group: values.figures.sales_fen for group, values in found}


def _average(course: _Course, group: Group) -> int | None:
    """The mean of the sales of the last buckets, half to even; None where the window is not full of whole ones."""
    length = course.question.moving_average
    window = [one for one in course.window if one is not None]
    if not length or len(window) < length:
        return None
    return round(Fraction(sum(one.get(group, 0) for one in window), length))


def _named(group: Group, course: _Course) -> list[str]:
    if course.cells.shown is not None and group == (texts.OTHERS,):
        return [texts.OTHERS_ZH, *[""] * (len(course.question.by) - 1)]
    return [known.get(value) or value for known, value in zip(course.names, group, strict=True)]
