"""Which published period of a benchmark series is shown, and its growth."""

from __future__ import annotations

from datetime import date

import pytest

from fucai.domain.benchmarks import Match, Published, match, period_days
from fucai.domain.periods import DayRange

# 100 million yuan in fen; the national welfare series as published, yearly and by month.
YI = 10**10
NATIONAL = {
    "2019": Published(round(1912.38 * YI), -14.8),
    "2020": Published(round(1444.88 * YI), -24.4),
    "2021": Published(round(1422.55 * YI), -1.5),
    "2022": Published(round(1481.31 * YI), 4.1),
    "2023": Published(round(1944.41 * YI), 31.3),
    "2022-06": Published(round(130.79 * YI)),
    "2022-08": Published(round(126.71 * YI)),
    "2022-09": Published(round(123.19 * YI)),
    "2023-06": Published(round(180.36 * YI), 37.9),
    "2023-07": Published(round(178.66 * YI), 44.3),
    "2023-08": Published(round(186.43 * YI), 47.1),
    "2023-09": Published(round(182.13 * YI), 47.9),
}


def asked(first: str, last: str) -> DayRange:
    """A question's days."""
    return DayRange(date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize(("year", "published"), [("2020", -24.4), ("2021", -1.5), ("2022", 4.1), ("2023", 31.3)])
def test_years_come_out_as_published(year: str, published: float) -> None:
    """Growth computed from the yearly amounts is the percentage that the ministry printed."""
    found = match(NATIONAL, asked(f"{year}-01-01", f"{year}-12-31"))
    assert found.published
    assert found.period == year
    assert found.growth is not None
    assert round(100 * found.growth, 1) == published


@pytest.mark.parametrize(("month", "published"), [("06", 37.9), ("07", 44.3), ("08", 47.1), ("09", 47.9)])
def test_months_come_out_as_published(month: str, published: float) -> None:
    """A month is computed from two amounts, or where one is missing is the published percentage."""
    found = match(NATIONAL, DayRange(*_month(month)))
    assert found.published
    assert found.growth is not None
    assert abs(100 * found.growth - published) <= 0.1


def test_several_months_are_summed() -> None:
    """August and September together are the growth of their sums, labelled with both."""
    found = match(NATIONAL, asked("2023-08-01", "2023-09-30"))
    assert found.published
    assert found.period == "2023-08..2023-09"
    assert found.growth == pytest.approx((186.43 + 182.13) / (126.71 + 123.19) - 1)


def test_a_missing_month_is_named_not_interpolated() -> None:
    """Without July 2022 the third quarter has no growth: the newest month is shown, labelled, and July is named."""
    found = match(NATIONAL, asked("2023-07-01", "2023-09-30"))
    assert not found.published
    assert found.period == "2023-09"
    assert found.missing == ("2022-07",)


def test_odd_periods_show_the_newest_of_their_kind() -> None:
    """28 days are no published period: the newest month is shown; an unpublished year shows the newest year."""
    days = match(NATIONAL, asked("2023-08-05", "2023-09-01"))
    assert (days.published, days.period, days.missing) == (False, "2023-09", ())
    year = match(NATIONAL, asked("2024-01-01", "2024-12-31"))
    assert (year.published, year.period) == (False, "2023")
    assert "2024" in year.missing or "2024-01" in year.missing


def test_two_years_are_summed() -> None:
    """Two whole years are compared with the two shifted by one year, as our own figures are."""
    found = match(NATIONAL, asked("2022-01-01", "2023-12-31"))
    assert found.published
    assert found.period == "2022..2023"
    assert found.growth == pytest.approx((1481.31 + 1944.41) / (1422.55 + 1481.31) - 1)


def test_nothing_published_has_no_growth() -> None:
    """An empty series, or one value without a base, has nothing to show."""
    year = asked("2023-01-01", "2023-12-31")
    assert match({}, year).growth is None
    assert match({"2023": Published(5)}, year) == Match(
        published=False, period="", growth=None, missing=match({"2023": Published(5)}, year).missing
    )


@pytest.mark.parametrize("period", ["2023-13", "23", "2023-1", "2023Q1", ""])
def test_other_periods_are_refused(period: str) -> None:
    """Only YYYY and YYYY-MM are periods."""
    with pytest.raises(ValueError, match="YYYY"):
        period_days(period)


def _month(month: str) -> tuple[date, date]:
    days = period_days(f"2023-{month}")
    return days.first, days.last
