"""What a comparison must be, worked out day by day on ordinals; shares nothing with the rules but their names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from fucai.domain.calendar import FIRST_DAY
from fucai.domain.comparison import Why
from fucai.domain.growth import Coverage, Growth, Mark
from fucai.domain.periods import Comparison, Grain


@dataclass(frozen=True)
class Case:
    """A question and a calendar; days are ordinals, `closed` has every closed day, `shut` those that count."""

    asked: list[int]
    rule: Comparison
    grain: Grain | None
    stored: tuple[int, int] | None
    shut: frozenset[int]
    new_years: dict[int, int]
    missing_year: int
    given: list[int]


@dataclass(frozen=True)
class Expected:
    """What must come out; `base` is empty where there is none."""

    days: list[int]
    base: list[int]
    why: Why | None
    coverage: Coverage
    open_days: tuple[int, int]
    warns: bool


class NoBase(Exception):  # noqa: N818  an outcome, not an error
    """There is no base, and why."""

    def __init__(self, why: Why) -> None:
        self.why = why


def expected(case: Case) -> Expected:
    """The outcome, from days alone."""
    elapsed = [day for day in case.asked if case.stored is not None and day <= case.stored[1]]
    days = elapsed or case.asked
    opened = sum(day not in case.shut for day in days)
    try:
        base = _base(case, elapsed) if elapsed else []
        why = Why.BEFORE_CALENDAR if elapsed else Why.NOT_BEGUN
    except NoBase as none:
        base, why = [], none.why
    if not base or base[0] < FIRST_DAY.toordinal():
        return Expected(days, [], why, Coverage.NONE, (opened, 0), warns=False)
    assert case.stored is not None
    stored = sum(day >= case.stored[0] for day in base)
    coverage = {0: Coverage.NONE, len(base): Coverage.FULL}.get(stored, Coverage.PARTIAL)
    open_days = opened, sum(day not in case.shut for day in base)
    gap = Why.BASE_NOT_STORED if not stored else None
    if gap is None and case.rule is Comparison.OPEN_DAY and 0 in open_days:
        gap = Why.NO_OPEN_DAY
    return Expected(days, base, gap, coverage, open_days, warns=gap is None and _warns(case, days, base))


def growth(case: Case, found: Expected, value: int, base: int, least: int) -> Growth:
    """How the change must read, in exact fractions."""
    if found.why is not None or (base == 0 and found.coverage is Coverage.PARTIAL):
        return Growth(None, Mark.NO_BASE)
    if base <= 0:
        zero = Mark.NEW if value else Mark.BOTH_ZERO
        return Growth(None, zero if base == 0 else Mark.NEGATIVE_BASE)
    if base < least:
        return Growth(None, Mark.SMALL_BASE)
    days, base_days = found.open_days if case.rule is Comparison.OPEN_DAY else (1, 1)
    ratio = Fraction(value, days) / Fraction(base, base_days) - 1
    return Growth(float(ratio), Mark.RATIO if found.coverage is Coverage.FULL else Mark.PARTIAL_BASE)


def _base(case: Case, elapsed: list[int]) -> list[int]:
    match case.rule:
        case Comparison.NONE:
            raise NoBase(Why.NOT_ASKED)
        case Comparison.WEEKDAY:
            return [day - 7 * 52 for day in elapsed]
        case Comparison.YOY if case.grain is Grain.WEEK:
            return [day - 7 * 52 for day in elapsed]
        case Comparison.YOY | Comparison.OPEN_DAY:
            return _year_ago(case, elapsed)
        case Comparison.LUNAR:
            return _lunar(case, elapsed)
        case Comparison.BASE_PERIOD:
            return case.given if elapsed == case.asked else case.given[: len(elapsed)]
        case _:
            return _before(case, elapsed)


def _later(day: int) -> int:
    """The ordinal one calendar year later; 29 February becomes the 28th."""
    then = date.fromordinal(day)
    leap = (then.month, then.day) == (2, 29)
    return date(then.year + 1, then.month, 28 if leap else then.day).toordinal()


def _year_ago(case: Case, elapsed: list[int]) -> list[int]:
    wanted = set(elapsed)
    found = [day for day in range(elapsed[0] - 368, elapsed[-1] - 363) if _later(day) in wanted]
    if case.grain in (Grain.DAY, Grain.HOUR) or (case.grain is None and len(case.asked) == 1):
        name = f"{date.fromordinal(elapsed[0]):%m-%d}"
        found = [day for day in found if f"{date.fromordinal(day):%m-%d}" == name]
    if not found:
        raise NoBase(Why.LEAP_DAY)
    return found


def _before(case: Case, elapsed: list[int]) -> list[int]:
    match case.grain:
        case Grain.HOUR | Grain.DAY | Grain.WEEK:
            return [day - (7 if case.grain is Grain.WEEK else 1) for day in elapsed]
        case Grain.YEAR:
            return _year_ago(case, elapsed)
        case Grain.MONTH:
            return _month_before(elapsed)
        case None:
            return _stretch_before(case, elapsed)


def _stretch_before(case: Case, elapsed: list[int]) -> list[int]:
    months = {(date.fromordinal(day).year, date.fromordinal(day).month) for day in case.asked}
    if date.fromordinal(case.asked[0]).day != 1 or date.fromordinal(case.asked[-1] + 1).day != 1:
        return [day - len(case.asked) for day in elapsed]
    if len(months) % 12 == 0:
        for _ in range(len(months) // 12):
            wanted = set(elapsed)
            elapsed = [day for day in range(elapsed[0] - 368, elapsed[-1] - 363) if _later(day) in wanted]
        return elapsed
    start = case.asked[0]
    for _ in months:
        start -= 1
        start -= date.fromordinal(start).day - 1
    whole = list(range(start, case.asked[0]))
    return whole if elapsed == case.asked else whole[: len(elapsed)]


def _month_before(elapsed: list[int]) -> list[int]:
    here = [date.fromordinal(day).day for day in elapsed]
    end = elapsed[0] - here[0]
    before = range(end - date.fromordinal(end).day + 1, end + 1)
    to_the_end = date.fromordinal(elapsed[-1] + 1).day == 1
    found = [
        day
        for day in before
        if date.fromordinal(day).day >= here[0] and (to_the_end or date.fromordinal(day).day <= here[-1])
    ]
    if not found:
        raise NoBase(Why.NO_SUCH_DAYS)
    return found


def _lunar(case: Case, elapsed: list[int]) -> list[int]:
    first, last = case.asked[0], case.asked[-1]
    years = range(date.fromordinal(first).year, date.fromordinal(last).year + 1)
    inside = [year for year in years if first <= case.new_years[year] <= last]
    if inside:
        anchor = inside[0]
        needed = {*range(years[0], anchor + 1)}
    else:
        before = max(year for year, day in case.new_years.items() if day < first)
        after = min(year for year, day in case.new_years.items() if day > last)
        nearer = first - case.new_years[before] <= case.new_years[after] - last
        anchor = before if nearer else after
        needed = {*years, before, after}
    if case.missing_year in {*needed, anchor - 1}:
        raise NoBase(Why.NO_NEW_YEAR)
    return [case.new_years[anchor - 1] + (day - case.new_years[anchor]) for day in elapsed]


def _warns(case: Case, days: list[int], base: list[int]) -> bool:
    festivals = {day for year, day in case.new_years.items() if year != case.missing_year}
    if len(festivals.intersection(days)) != len(festivals.intersection(base)):
        return True
    closed = len(case.shut.intersection(days)), len(case.shut.intersection(base))
    return case.rule is not Comparison.OPEN_DAY and closed[0] != closed[1]
