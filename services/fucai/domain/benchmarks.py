"""Which published period of a benchmark series answers a question, and its growth. Interpolates nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from fucai.domain.periods import DayRange, Grain, whole

_PERIOD = re.compile(r"(\d{4})(?:-(0[1-9]|1[0-2]))?")
_PERCENT = 100.0


@dataclass(frozen=True, slots=True)
class Published:
    """One value of a series: amount in fen, and the growth on the year before in percent where it was published."""

    amount_fen: int
    yoy_pct: float | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """What a series says about a question.

    Attributes:
        published: the series has growth for the very period.
        period: the period shown: YYYY, YYYY-MM, first..last; empty where the series has no growth at all.
        growth: 0.07 for 7 %; None where the series has no growth at all.
        missing: the values that the very period would need; empty where published, or where it is no whole months.
    """

    published: bool
    period: str
    growth: float | None
    missing: tuple[str, ...] = ()


def match(series: Mapping[str, Published], asked: DayRange) -> Match:
    """The growth of `series` (period to value) over `asked`, else its newest growth, labelled with its period.

    Comparable are whole calendar years and whole months, several ones summed. Growth is computed from the amounts where
    both years are published; for a single period the published percentage stands in.
    """
    missing: tuple[str, ...] = ()
    for units in (_whole_years(asked), _whole_months(asked)):
        if units and (growth := _growth(series, units)) is not None:
            return Match(published=True, period=_label(units), growth=growth)
        missing = tuple(name for unit in units for name in (_year_before(unit), unit) if name not in series) or missing
    newest = _newest(series, like_years=bool(_whole_years(asked)))
    if newest is None:
        return Match(published=False, period="", growth=None, missing=missing)
    return Match(published=False, period=newest, growth=_growth(series, [newest]), missing=missing)


def period_days(period: str) -> DayRange:
    """The days of YYYY or YYYY-MM.

    Raises:
        ValueError: the text is neither.
    """
    parsed = _PERIOD.fullmatch(period)
    if parsed is None:
        raise ValueError(f"period {period!r}: write YYYY or YYYY-MM")
    year, month = int(parsed[1]), parsed[2]
    return whole(Grain.MONTH, date(year, int(month), 1)) if month else whole(Grain.YEAR, date(year, 1, 1))


def _growth(series: Mapping[str, Published], units: list[str]) -> float | None:
    values = [series.get(unit) for unit in units]
    bases = [series.get(_year_before(unit)) for unit in units]
    if all(values) and all(bases):
        base = sum(found.amount_fen for found in bases if found)
        if base > 0:
            return (sum(found.amount_fen for found in values if found) - base) / base
    if len(units) == 1 and values[0] is not None and values[0].yoy_pct is not None:
        return values[0].yoy_pct / _PERCENT
    return None


def _newest(series: Mapping[str, Published], *, like_years: bool) -> str | None:
    """The newest period with growth: of the question's kind (years or months) first."""
    known = [period for period in series if _growth(series, [period]) is not None]
    return max(known, key=lambda period: ((len(period) == len("YYYY")) == like_years, period), default=None)


def _whole_years(asked: DayRange) -> list[str]:
    if asked.first != whole(Grain.YEAR, asked.first).first or asked.last != whole(Grain.YEAR, asked.last).last:
        return []
    return [f"{year:04}" for year in range(asked.first.year, asked.last.year + 1)]


def _whole_months(asked: DayRange) -> list[str]:
    if asked.first.day != 1 or asked.last != whole(Grain.MONTH, asked.last).last:
        return []
    first, last = asked.first.year * 12 + asked.first.month - 1, asked.last.year * 12 + asked.last.month - 1
    return [f"{number // 12:04}-{number % 12 + 1:02}" for number in range(first, last + 1)]


def _year_before(unit: str) -> str:
    return f"{int(unit[:4]) - 1:04}{unit[4:]}"


def _label(units: list[str]) -> str:
    return units[0] if len(units) == 1 else f"{units[0]}..{units[-1]}"
