"""Figures by bucket, hour and group, of a period and of what its buckets are compared with, as the store sums them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import NamedTuple

from fucai.analytics import texts
from fucai.analytics.outlet_days import of_days
from fucai.analytics.questions import BadQuestionError, TrendQuestion
from fucai.analytics.selection import merged
from fucai.analytics.store import Ask
from fucai.domain.comparison import Pairing
from fucai.domain.periods import Comparison, DayRange, Grain
from fucai.runtime.errors import Violation

MAX_CELLS = 1_000_000
_SHIFTED_BY_DAYS = (Comparison.LUNAR, Comparison.BASE_PERIOD)

Group = tuple[str, ...]


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
    group: Group


class Values(NamedTuple):
    """Figures of a cell and the further sums, in the question's order."""

    figures: Figures = Figures()
    further: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket as far as it lies within the question, and its pairing with its base; None without comparison."""

    start: date
    days: DayRange
    pairing: Pairing | None

    @property
    def base(self) -> DayRange | None:
        """The days it is compared with; None where there are none."""
        return self.pairing.base if self.pairing else None


@dataclass(frozen=True, slots=True)
class Cells:
    """Asks for the cells of one question: `fixed` are its sums' parameters, `shown` its groups where it has a top."""

    ask: Ask
    question: TrendQuestion
    fixed: Mapping[str, object] = field(default_factory=dict)
    shown: tuple[Group, ...] | None = None

    async def values(self, found: Sequence[Bucket]) -> dict[Cell, Values]:
        """The cells of these buckets, which follow one another."""
        return await self._cells(DayRange(found[0].days.first, found[-1].days.last), Comparison.NONE)

    async def bases(self, found: Sequence[Bucket]) -> dict[Cell, Values]:
        """The cells of their bases, each under the bucket that is compared with it."""
        rule = self.question.comparison
        parts = await asyncio.gather(*(self._cells(days, rule, by_days) for days, by_days in self._stretches(found)))
        return {cell: values for part in parts for cell, values in part.items()}

    async def largest(self, found: Sequence[Bucket], top: int) -> tuple[Group, ...] | None:
        """The groups with the largest sales of the whole period; None where there are no more than `top`."""
        question = self.question
        sales: Counter[Group] = Counter()
        stretches = [(DayRange(found[0].days.first, found[-1].days.last), 1)]
        bases = [bucket.base for bucket in found if bucket.base]
        if bases:
            stretches.append((DayRange(min(base.first for base in bases), max(base.last for base in bases)), 0))
        selection = question.selection
        grain = Grain.HOUR if question.grain is Grain.HOUR else Grain.YEAR
        text = texts.figures(
            grain,
            Comparison.NONE,
            question.by,
            selection.key,
            **selection.switches,
        )
        for days, counts in stretches:
            named = of_days(days) | {"rows": MAX_CELLS + 1}
            for _, _, group, fen, *_ in await self.ask(text, merged(named, selection.parameters())):
                sales[tuple(group)] += int(fen) * counts
        order = sorted(sales, key=lambda group: (-sales[group], group))
        return tuple(order[:top]) if len(order) > top else None

    def _stretches(self, found: Sequence[Bucket]) -> Iterator[tuple[DayRange, int | None]]:
        """Days to read for the bases, and how many days they lie before their buckets where the rule does not say."""
        question = self.question
        based = [(bucket, base) for bucket in found if (base := bucket.base)]
        if not based:
            return
        if question.comparison in _SHIFTED_BY_DAYS:
            for shift, some in groupby(based, key=lambda one: (one[0].days.first - one[1].first).days):
                bases = [base for _, base in some]
                yield DayRange(bases[0].first, bases[-1].last), shift
            return
        same_day = question.grain is Grain.HOUR and question.comparison is Comparison.PREVIOUS
        yield DayRange(based[0][1].first, found[-1].days.last if same_day else based[-1][1].last), None

    async def _cells(self, days: DayRange, shift: Comparison, by_days: int | None = None) -> dict[Cell, Values]:
        question, selection = self.question, self.question.selection
        text = texts.figures(
            question.grain,
            shift,
            question.by,
            selection.key,
            **selection.switches,
            further=question.sums,
            fold=self.shown is not None,
        )
        named = of_days(days) | {"rows": MAX_CELLS + 1}
        if by_days is not None:
            named["shift_days"] = by_days
        if self.shown is not None:
            named["shown"] = [list(group) for group in self.shown]
        rows = await self.ask(text, merged(named, self.fixed, selection.parameters()))
        if len(rows) > MAX_CELLS:
            told = f"the answer has more than {MAX_CELLS:,} rows: ask for less time or fewer dimensions, or StreamTrend"
            raise BadQuestionError([Violation("by", told)])
        count = len(Figures._fields)
        found = {}
        for start, hour, group, *numbers in rows:
            whole = [int(number) for number in numbers]
            found[Cell(start, int(hour), tuple(group))] = Values(Figures(*whole[:count]), tuple(whole[count:]))
        return found
