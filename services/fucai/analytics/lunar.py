"""The dates of lunar new year (春节), from a library. What they are for stands in `domain/lunar.py`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from borax.calendars.lunardate import MAX_LUNAR_YEAR, MIN_LUNAR_YEAR, LunarDate


def new_years(first_year: int, last_year: int) -> Mapping[int, date]:
    """The day of lunar new year in each calendar year from `first_year` to `last_year` that is known: 1900 to 2100.

    Others are left out; a comparison that needs one then says so.
    """
    known = range(max(first_year, MIN_LUNAR_YEAR), min(last_year, MAX_LUNAR_YEAR) + 1)
    return {year: LunarDate(year, 1, 1).to_solar_date() for year in known}
