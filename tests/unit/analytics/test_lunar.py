"""The library's dates of lunar new year."""

from __future__ import annotations

import itertools
from datetime import date

import pytest

from fucai.analytics.lunar import new_years
from fucai.domain.calendar import FIRST_DAY


@pytest.mark.parametrize(
    "day",
    [
        "1985-02-20",
        "2000-02-05",
        "2005-02-09",
        "2010-02-14",
        "2011-02-03",
        "2012-01-23",
        "2013-02-10",
        "2014-01-31",
        "2015-02-19",
        "2016-02-08",
        "2017-01-28",
        "2018-02-16",
        "2019-02-05",
        "2020-01-25",
        "2021-02-12",
        "2022-02-01",
        "2023-01-22",
        "2024-02-10",
        "2025-01-29",
        "2026-02-17",
        "2027-02-06",
        "2033-01-31",
    ],
)
def test_new_year_is_the_published_day(day: str) -> None:
    """Lunar new year falls on the day that calendars print, also beside a late leap month (2033)."""
    expected = date.fromisoformat(day)
    assert new_years(expected.year, expected.year) == {expected.year: expected}


def test_every_year_has_one_new_year_of_a_whole_number_of_months() -> None:
    """From the first storable year to 2100, new years lie in January or February, 12 or 13 lunar months apart."""
    found = new_years(FIRST_DAY.year - 1, 2100)
    assert list(found) == list(range(1969, 2101))
    assert all(date(year, 1, 20) < day < date(year, 2, 22) for year, day in found.items())
    lengths = {(after - before).days for before, after in itertools.pairwise(found.values())}
    assert lengths <= {353, 354, 355, 383, 384, 385}


def test_years_that_are_not_known_are_left_out() -> None:
    """Beyond the last year that the library knows there is no date, rather than a guess or a failure."""
    assert list(new_years(2099, 2150)) == [2099, 2100]
    assert new_years(2101, 2150) == {}
