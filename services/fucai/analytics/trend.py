"""Sales over time: which rows an answer has, and what each is compared with. The figures come from the store."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, cast

from fucai.analytics import texts
from fucai.analytics.questions import MAX_ROWS, BadQuestionError, TrendQuestion
from fucai.analytics.reach import Reach, names
from fucai.analytics.store import Ask, Row
from fucai.domain.growth import Coverage, Growth, grow
from fucai.domain.periods import Bucket, Comparison, DayRange, Grain, buckets, coverage, hour_base
from fucai.runtime.errors import Violation
from fucai.v1 import analytics_pb2

_HOURS = 24


class Figures(NamedTuple):
    """Figures of one cell; money in fen."""

    sales_fen: int = 0
    bets: int = 0
    events: int = 0
    payouts_fen: int = 0


class Cell(NamedTuple):
    """Where figures stand: the bucket's whole start, the hour (0 for other grains), the group."""

    start: date
    hour: int
    group: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """One bucket, or one hour of it, with the days it is compared with."""

    start: date
    hour: int
    days: DayRange
    base: DayRange | None


async def trend(ask: Ask, question: TrendQuestion, now: Reach) -> list[analytics_pb2.TrendRow]:
    """The rows of an answer, by bucket, then by group.

    The question is cut to the stored days: what is not stored, or has not happened yet, is neither zero nor compared.

    Raises:
        BadQuestionError: the answer has more rows than one message carries.
    """
    days = _stored(question.days, now)
    if days is None or now.last_day is None:
        return []
    found = buckets(question.grain, days, question.comparison)
    values, bases, last_hour, named = await asyncio.gather(
        _cells(ask, question, days, Comparison.NONE),
        _base_cells(ask, question, found),
        _last_hour(ask, question.grain, now.last_day),
        names(ask, question.by),
    )
    slots = [slot for bucket in found for slot in _slots(bucket, question, (now.last_day, last_hour))]
    rows = list(_rows(slots, _by_slot([*values, *bases], dense=not question.by), values, bases, question, now))
    if len(rows) > MAX_ROWS:
        raise _too_many()
    return [_named(row, named) for row in rows]


def _stored(days: DayRange, now: Reach) -> DayRange | None:
    if now.first_day is None or now.last_day is None:
        return None
    first, last = max(days.first, now.first_day), min(days.last, now.last_day)
    return DayRange(first, last) if first <= last else None


async def _cells(ask: Ask, question: TrendQuestion, days: DayRange, shift: Comparison) -> dict[Cell, Figures]:
    rows = await ask(
        texts.figures(question.grain, shift, question.by),
        {"first_day": days.first, "last_day": days.last, "rows": MAX_ROWS + 1},
    )
    if len(rows) > MAX_ROWS:
        raise _too_many()
    return dict(_cell(row) for row in rows)


async def _base_cells(ask: Ask, question: TrendQuestion, found: Sequence[Bucket]) -> dict[Cell, Figures]:
    bases = [bucket.base for bucket in found if bucket.base]
    if not bases:
        return {}
    same_day = question.grain is Grain.HOUR and question.comparison is Comparison.PREVIOUS
    days = DayRange(bases[0].first, found[-1].days.last if same_day else bases[-1].last)
    return await _cells(ask, question, days, question.comparison)


async def _last_hour(ask: Ask, grain: Grain, day: date) -> int:
    if grain is not Grain.HOUR:
        return 0
    ((hour,),) = await ask(texts.plain("last_hour"), {"day": day})
    return int(hour)


def _slots(bucket: Bucket, question: TrendQuestion, end: tuple[date, int]) -> Iterator[Slot]:
    """The bucket itself, or its hours up to the last stored one."""
    if question.grain is not Grain.HOUR:
        yield Slot(bucket.start, 0, bucket.days, bucket.base)
        return
    for hour in range(_HOURS):
        if (bucket.start, hour) <= end:
            base = hour_base(bucket.start, hour, question.comparison)
            yield Slot(bucket.start, hour, bucket.days, DayRange(base[0], base[0]) if base else None)


def _by_slot(cells: Iterable[Cell], *, dense: bool) -> Mapping[tuple[date, int], set[tuple[str, ...]]] | None:
    """The groups that stand in each slot; None where every slot has the one group of the whole."""
    if dense:
        return None
    groups: dict[tuple[date, int], set[tuple[str, ...]]] = {}
    for cell in cells:
        groups.setdefault((cell.start, cell.hour), set()).add(cell.group)
    return groups


def _rows(
    slots: Iterable[Slot],
    groups: Mapping[tuple[date, int], set[tuple[str, ...]]] | None,
    values: Mapping[Cell, Figures],
    bases: Mapping[Cell, Figures],
    question: TrendQuestion,
    now: Reach,
) -> Iterator[analytics_pb2.TrendRow]:
    for slot in slots:
        covered = coverage(slot.base, now.first_day)
        for group in [()] if groups is None else sorted(groups.get((slot.start, slot.hour), ())):
            cell = Cell(slot.start, slot.hour, group)
            value, base = values.get(cell, Figures()), bases.get(cell, Figures())
            row = analytics_pb2.TrendRow(
                bucket=_bucket(slot, question.grain),
                first_day=slot.days.first.isoformat(),
                last_day=slot.days.last.isoformat(),
                group=group,
                figures=analytics_pb2.Figures(**value._asdict()),
            )
            if question.comparison is not Comparison.NONE:
                _compare(row, slot.base, covered, grow(value.sales_fen, base.sales_fen, covered), base)
            yield row


def _compare(
    row: analytics_pb2.TrendRow, base: DayRange | None, covered: Coverage, growth: Growth, figures: Figures
) -> None:
    row.growth.CopyFrom(growth_message(growth))
    if base:
        row.base_first_day, row.base_last_day = base.first.isoformat(), base.last.isoformat()
    if covered is not Coverage.NONE:
        row.base.CopyFrom(analytics_pb2.Figures(**figures._asdict()))


def growth_message(growth: Growth) -> analytics_pb2.Growth:
    """As it goes over the wire."""
    mark = cast("analytics_pb2.GrowthMark.ValueType", int(growth.mark))
    return analytics_pb2.Growth(ratio=growth.ratio or 0.0, mark=mark)


def _bucket(slot: Slot, grain: Grain) -> str:
    day = slot.days.first.isoformat()
    return f"{day}T{slot.hour:02}" if grain is Grain.HOUR else day


def _cell(row: Row) -> tuple[Cell, Figures]:
    start, hour, group, *figures = row
    return Cell(start, int(hour), tuple(group)), Figures(*(int(figure) for figure in figures))


def _named(row: analytics_pb2.TrendRow, named: Sequence[Mapping[str, str]]) -> analytics_pb2.TrendRow:
    row.group_names.extend(known.get(value) or value for known, value in zip(named, row.group, strict=True))
    return row


def _too_many() -> BadQuestionError:
    text = f"the answer has more than {MAX_ROWS:,} rows: ask for a shorter period, longer grain or fewer dimensions"
    return BadQuestionError([Violation("by", text)])
