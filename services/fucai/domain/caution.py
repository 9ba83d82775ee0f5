"""When a moving closure or lunar new year makes a comparison mislead, and the better question. Knows no figures."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from fucai.domain.calendar import FIRST_DAY
from fucai.domain.labels import Label
from fucai.domain.lunar import MissingNewYearError, lunar_shift
from fucai.domain.market import Market
from fucai.domain.periods import Comparison, DayRange, whole_months, year_before

_NEAR = timedelta(days=20)
"""How far from new year its closure reaches, generously: the longest so far was ten days."""
_SEASON_DAYS = 92


class Better(enum.Enum):
    """A question that a moving closure does not spoil."""

    JANUARY_FEBRUARY = enum.auto()
    LUNAR = enum.auto()
    OPEN_DAY = enum.auto()


_ASK = {
    Better.JANUARY_FEBRUARY: Label("一、二月合并比较", "for January and February together"),
    Better.LUNAR: Label("按春节对齐比较", "for it aligned on lunar new year"),
    Better.OPEN_DAY: Label("按开市日均比较", "for it per open day"),
}


@dataclass(frozen=True, slots=True)
class Remedy:
    """The better question with both sides."""

    kind: Better
    days: DayRange
    base: DayRange


@dataclass(frozen=True, slots=True)
class Caution:
    """Why a comparison misleads.

    Attributes:
        rule: the rule of the comparison.
        closed_days: closed days of the period and of the base.
        new_years: lunar new years in the period and in the base.
        remedy: the better question; None where none is known.
    """

    rule: Comparison
    closed_days: tuple[int, int]
    new_years: tuple[tuple[date, ...], tuple[date, ...]]
    remedy: Remedy | None

    def text(self) -> Label:
        """What is wrong and what to ask instead, one line each."""
        zh, en = [], []
        here, there = self.closed_days
        if here != there and self.rule is not Comparison.OPEN_DAY:
            zh.append(f"休市天数不同（本期 {here} 天，基期 {there} 天）")
            en.append(f"closed days differ ({here} in the period, {there} in the base)")
        if len(self.new_years[0]) != len(self.new_years[1]):
            shown = [", ".join(map(str, days)) for days in self.new_years]
            zh.append(f"春节不同（本期 {shown[0] or '无'}，基期 {shown[1] or '无'}）")
            en.append(f"lunar new year differs (period: {shown[0] or 'none'}, base: {shown[1] or 'none'})")
        said = Label("；".join([*zh, "直接比较会误导"]), "; ".join([*en, "the plain comparison misleads"]))
        if self.remedy is None:
            return said
        ask, sides = _ASK[self.remedy.kind], (self.remedy.days, self.remedy.base)
        return Label(
            f"{said.zh}。建议{ask.zh}（{sides[0]} 对 {sides[1]}）",
            f"{said.en}. Ask {ask.en} ({sides[0]} against {sides[1]})",
        )


def caution(
    rule: Comparison, days: DayRange, base: DayRange, market: Market, last_stored: date | None = None
) -> Caution | None:
    """The caution that a comparison needs; None where both sides have as many closed days and lunar new years.

    Per open day, closed days are already accounted for, so there only the new year counts. A remedy that reaches beyond
    `last_stored` is not offered.
    """
    sides = Remedy(Better.OPEN_DAY, days, base)
    if _even_new_years(sides, market) and (rule is Comparison.OPEN_DAY or _even_closed_days(sides, market)):
        return None
    remedies = (found for found in _remedies(rule, days, base, market) if _askable(found, last_stored))
    return Caution(
        rule=rule,
        closed_days=(market.closed_days(days), market.closed_days(base)),
        new_years=(tuple(market.new_years_in(days)), tuple(market.new_years_in(base))),
        remedy=next(remedies, None),
    )


def _remedies(rule: Comparison, days: DayRange, base: DayRange, market: Market) -> Iterator[Remedy]:
    """Better questions, best first: even ones; per open day; and those in which closed days, but not new years, differ.

    Whole months are rather put together, other stretches rather aligned; but only around lunar new year: what differs
    in October is no matter of the moon.
    """
    aligned = None if rule is Comparison.LUNAR or not _is_spring(days, base, market) else _aligned(days, market)
    pair = (_together(days), aligned) if whole_months(days) else (aligned, _together(days))
    level = [found for found in pair if found is not None and _even_new_years(found, market)]
    yield from (found for found in level if _even_closed_days(found, market))
    before = None if rule is Comparison.OPEN_DAY else year_before(days)
    if before is not None and market.open_days(days) and market.open_days(before):
        averaged = Remedy(Better.OPEN_DAY, days, before)
        if _even_new_years(averaged, market):
            yield averaged
    yield from level


def _is_spring(days: DayRange, base: DayRange, market: Market) -> bool:
    """Whether a new year lies in either side or near it, and the period is a season at most or new years differ."""
    if len(market.new_years_in(days)) != len(market.new_years_in(base)):
        return True
    sides = [DayRange(max(side.first, FIRST_DAY + _NEAR) - _NEAR, side.last + _NEAR) for side in (days, base)]
    return days.days <= _SEASON_DAYS and any(market.new_years_in(side) for side in sides)


def _together(days: DayRange) -> Remedy | None:
    """January and February of the year that the days lie in, unless they are these already, or lie elsewhere."""
    both = DayRange(date(days.first.year, 1, 1), date(days.first.year, 3, 1) - timedelta(days=1))
    before = year_before(both)
    if before is None or days.last not in both or days == both:
        return None
    return Remedy(Better.JANUARY_FEBRUARY, both, before)


def _aligned(days: DayRange, market: Market) -> Remedy | None:
    try:
        return Remedy(Better.LUNAR, days, days.shifted(-lunar_shift(days, market.new_years)))
    except MissingNewYearError:
        return None


def _even_closed_days(sides: Remedy, market: Market) -> bool:
    return market.closed_days(sides.days) == market.closed_days(sides.base)


def _even_new_years(sides: Remedy, market: Market) -> bool:
    return len(market.new_years_in(sides.days)) == len(market.new_years_in(sides.base))


def _askable(remedy: Remedy, last_stored: date | None) -> bool:
    return remedy.base.first >= FIRST_DAY and (last_stored is None or remedy.days.last <= last_stored)
