"""Alignment on lunar new year (春节): how far back days at the same distance from it lie. Computes no lunar date."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from fucai.domain.periods import DayRange


class MissingNewYearError(LookupError):
    """The lunar new year of calendar year `year` is needed and not known."""

    def __init__(self, year: int) -> None:
        self.year = year
        super().__init__(f"lunar new year of {year} is not known: give its date")


def lunar_shift(days: DayRange, new_years: Mapping[int, date]) -> int:
    """How many days before `days` lie those at the same distance from the new year before; 353 to 385.

    `days` belong to the first lunar new year among them, else to the nearest one, the earlier of two equally near: so
    the weeks before a festival meet the weeks before a festival. `new_years` is by calendar year.

    Raises:
        MissingNewYearError: a year that decides is not among `new_years`.
    """
    year = _anchor(days, new_years)
    return (_known(year, new_years) - _known(year - 1, new_years)).days


def _anchor(days: DayRange, new_years: Mapping[int, date]) -> int:
    """The calendar year of the new year that the days belong to."""
    for year in range(days.first.year, days.last.year + 1):
        if _known(year, new_years) in days:
            return year
    after = days.last.year if _known(days.last.year, new_years) > days.last else days.last.year + 1
    since, until = days.first - _known(after - 1, new_years), _known(after, new_years) - days.last
    return after - 1 if since <= until else after


def _known(year: int, new_years: Mapping[int, date]) -> date:
    try:
        return new_years[year]
    except KeyError:
        raise MissingNewYearError(year) from None
