"""A period beside the period that it is compared with, and the rule between them. Knows no figures and no store."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from fucai.domain.calendar import FIRST_DAY, LAST_DAY
from fucai.domain.caution import Caution, caution
from fucai.domain.growth import Coverage, Growth, grow, grow_per_open_day
from fucai.domain.labels import Label
from fucai.domain.lunar import MissingNewYearError, lunar_shift
from fucai.domain.market import Market
from fucai.domain.periods import Comparison, DayRange, Grain, base_of, coverage, stretch_before, whole

RULES: Mapping[Comparison, Label] = {
    Comparison.NONE: Label("不作比较", "no comparison"),
    Comparison.YOY: Label("同比（按日历）", "year on year (calendar)"),
    Comparison.PREVIOUS: Label("环比", "against the period before"),
    Comparison.WEEKDAY: Label("同比（按星期，前推 364 天）", "year on year (same weekdays, 364 days before)"),
    Comparison.OPEN_DAY: Label("同比（开市日均）", "year on year (per open day)"),
    Comparison.LUNAR: Label("同比（按春节对齐）", "year on year (aligned on lunar new year)"),
    Comparison.BASE_PERIOD: Label("与指定基期比较", "against the base period given"),
}


class Why(enum.Enum):
    """Why a period is compared with nothing."""

    NOT_ASKED = enum.auto()
    NOT_BEGUN = enum.auto()
    LEAP_DAY = enum.auto()
    NO_SUCH_DAYS = enum.auto()
    NO_NEW_YEAR = enum.auto()
    NO_OPEN_DAY = enum.auto()
    BEFORE_CALENDAR = enum.auto()
    BASE_NOT_STORED = enum.auto()


@dataclass(frozen=True, slots=True)
class Gap:
    """Why a period is compared with nothing, and the same for people."""

    why: Why
    text: Label


_NOT_ASKED = Gap(Why.NOT_ASKED, Label("未要求比较", "none was asked for"))
_NOT_BEGUN = Gap(Why.NOT_BEGUN, Label("本期尚无数据", "nothing of the period is stored yet"))
_LEAP_DAY = Gap(Why.LEAP_DAY, Label("2 月 29 日在上年无对应日", "29 February has no counterpart in the year before"))
_NO_SUCH_DAYS = Gap(Why.NO_SUCH_DAYS, Label("上一期没有这些日子", "the period before has no such days"))
_NO_OPEN_DAY = Gap(Why.NO_OPEN_DAY, Label("本期或基期没有开市日", "the period or its base has no open day"))
_BEFORE_CALENDAR = Gap(
    Why.BEFORE_CALENDAR, Label(f"基期早于 {FIRST_DAY}", f"the base begins before {FIRST_DAY}, the first day there is")
)
_BASE_NOT_STORED = Gap(Why.BASE_NOT_STORED, Label("基期早于最早的数据", "the base ends before the first stored day"))


@dataclass(frozen=True, slots=True)
class Pairing:
    """A period and its base.

    Attributes:
        asked: the period asked for.
        days: what counts of it: to its last stored day.
        base: the days it is compared with: the same elapsed part of the base; None where the calendar has none.
        rule: the rule used; a week year on year is WEEKDAY.
        coverage: how much of the base is stored.
        open_days: open days of `days` and of `base`, 0 without base.
        gap: why there is nothing to compare with; None where there is.
        caution: why the comparison misleads; None where it does not.
    """

    asked: DayRange
    days: DayRange
    base: DayRange | None
    rule: Comparison
    coverage: Coverage
    open_days: tuple[int, int]
    gap: Gap | None
    caution: Caution | None

    @property
    def as_of(self) -> date | None:
        """The last day that counts of a period that is not over; None where it is."""
        return self.days.last if self.days.last < self.asked.last else None

    @property
    def overlaps(self) -> bool:
        """Whether days stand on both sides, as where more than a year is compared with the days a year before."""
        return self.base is not None and self.base.last >= self.days.first

    def grow(self, value: int, base: int, least_base: int = 0) -> Growth:
        """The change from `base` to `value`, the whole figures of both sides in one unit; of averages by OPEN_DAY."""
        if self.gap is not None:
            return grow(value, base, Coverage.NONE)
        if self.rule is Comparison.OPEN_DAY:
            return grow_per_open_day(value, base, self.open_days, self.coverage, least_base)
        return grow(value, base, self.coverage, least_base)

    def line(self) -> Label:
        """Both exact ranges and the rule, one line each in Chinese and English."""
        zh, en = RULES[self.rule].zh, RULES[self.rule].en
        if self.rule is Comparison.OPEN_DAY and self.base is not None:
            here, there = self.open_days
            zh, en = f"{zh}：{here} 天对 {there} 天", f"{en}: {here} days against {there}"
        if self.rule is Comparison.LUNAR and self.base is not None:
            back = (self.days.first - self.base.first).days
            zh, en = f"{zh}：前推 {back} 天", f"{en}: {back} days before"
        if self.as_of is not None:
            zh = f"{zh}，截至 {self.as_of}（所问至 {self.asked.last}）"
            en = f"{en}, as of {self.as_of} (asked to {self.asked.last})"
        if self.gap is not None and self.gap.why is not Why.NOT_ASKED:
            zh, en = f"{zh}；无可比：{self.gap.text.zh}", f"{en}; not comparable: {self.gap.text.en}"
        if self.base is None:
            return Label(f"{self.days}，{zh}", f"{self.days}, {en}")
        return Label(f"{self.days} 对 {self.base}，{zh}", f"{self.days} against {self.base}, {en}")


def whole_days(stored: DayRange | None, today: date) -> DayRange | None:
    """The stored days that are over; None where there are none."""
    if stored is None or stored.first >= today:
        return None
    return DayRange(stored.first, min(stored.last, today - timedelta(days=1)))


def pair(
    asked: DayRange,
    rule: Comparison,
    stored: DayRange | None,
    market: Market,
    *,
    grain: Grain | None = None,
    given: DayRange | None = None,
) -> Pairing:
    """The period `asked` for and its base by `rule`; docs/definitions.md has the rules.

    Of a period that is not over, and that ends beyond the last of the `stored` days, the part up to it is compared with
    the same part of the base. `stored` is None for an empty store; leave out a day that still runs (`whole_days`).

    Args:
        asked: any days within FIRST_DAY..LAST_DAY.
        rule: how to find the base.
        stored: first and last stored day.
        market: closures and lunar new years.
        grain: of which the period is a bucket or a part of one; None for a stretch of any length.
        given: the base for BASE_PERIOD, else unused.

    Raises:
        ValueError: the days lie outside FIRST_DAY..LAST_DAY, or in no one bucket of the grain; or by BASE_PERIOD no
            base is given, or one that is not wholly before the period.
    """
    _check(asked, rule, grain, given)
    if grain is Grain.WEEK and rule is Comparison.YOY:
        rule = Comparison.WEEKDAY
    if stored is None or stored.last < asked.first:
        return Pairing(asked, asked, None, rule, Coverage.NONE, (market.open_days(asked), 0), _NOT_BEGUN, None)
    days = DayRange(asked.first, min(asked.last, stored.last))
    base = _base(asked, days, rule, market, grain, given)
    if isinstance(base, DayRange) and base.first < FIRST_DAY:
        base = _BEFORE_CALENDAR
    if isinstance(base, Gap):
        return Pairing(asked, days, None, rule, Coverage.NONE, (market.open_days(days), 0), base, None)
    covered = coverage(base, stored.first)
    open_days = market.open_days(days), market.open_days(base)
    gap = _BASE_NOT_STORED if covered is Coverage.NONE else None
    if gap is None and rule is Comparison.OPEN_DAY and not all(open_days):
        gap = _NO_OPEN_DAY
    warned = None if gap else caution(rule, days, base, market, stored.last)
    return Pairing(asked, days, base, rule, covered, open_days, gap, warned)


def _check(asked: DayRange, rule: Comparison, grain: Grain | None, given: DayRange | None) -> None:
    if asked.first < FIRST_DAY or asked.last > LAST_DAY:
        raise ValueError(f"period {asked}: choose days from {FIRST_DAY} to {LAST_DAY}")
    if grain is not None and asked.last not in whole(grain, asked.first):
        raise ValueError(f"period {asked}: lies in more than one {grain.name.lower()}; ask for each by itself")
    if rule is not Comparison.BASE_PERIOD:
        return
    if given is None:
        raise ValueError("base period: none is given; give its first and last day")
    if given.last >= asked.first:
        raise ValueError(f"base period {given}: is not wholly before {asked}; give days that end before {asked.first}")


def _base(
    asked: DayRange, days: DayRange, rule: Comparison, market: Market, grain: Grain | None, given: DayRange | None
) -> DayRange | Gap:
    """The base of `days`, which are the elapsed part of `asked`."""
    if rule is Comparison.NONE:
        return _NOT_ASKED
    if rule is Comparison.LUNAR:
        return _aligned(asked, days, market)
    if rule is Comparison.BASE_PERIOD and given is not None:
        return given if days == asked else _start_of(given, days.days)
    if rule is not Comparison.PREVIOUS:
        return base_of(grain or (Grain.DAY if asked.days == 1 else Grain.MONTH), days, rule) or _LEAP_DAY
    if grain is None:
        return stretch_before(asked, days)
    return base_of(grain, days, rule) or (_LEAP_DAY if grain is Grain.YEAR else _NO_SUCH_DAYS)


def _start_of(base: DayRange, days: int) -> DayRange:
    """The first days of a base, at most all of it."""
    return DayRange(base.first, min(base.last, base.first + timedelta(days=days - 1)))


def _aligned(asked: DayRange, days: DayRange, market: Market) -> DayRange | Gap:
    """The days that lie to the new year before as `days` lie to the one that the whole period belongs to."""
    try:
        return days.shifted(-lunar_shift(asked, market.new_years))
    except MissingNewYearError as missing:
        zh, en = f"没有 {missing.year} 年春节的日期", f"the date of lunar new year {missing.year} is not known"
        return Gap(Why.NO_NEW_YEAR, Label(zh, en))
