"""Which days a bulletin is about."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.cli.report.span import last_month, last_week, read_month, read_week
from fucai.domain.periods import Comparison

DAYS = st.dates(date(1990, 1, 1), date(2100, 1, 1))


@given(DAYS)
def test_the_last_week_is_the_latest_monday_to_sunday_that_is_over(until: date) -> None:
    """It ends on a Sunday at most six days before, has seven days, and its name reads back to the same span."""
    span = last_week(until)
    assert span.days.last.isoweekday() == 7
    assert span.days.days == 7
    assert timedelta() <= until - span.days.last < timedelta(days=7)
    assert read_week(span.name) == span
    assert span.rule is Comparison.WEEKDAY


@given(DAYS)
def test_the_last_month_is_the_latest_one_that_is_over(until: date) -> None:
    """It begins on a first, the day after it is the next first and no whole month lies between it and the day."""
    span = last_month(until)
    assert span.days.first.day == 1
    following = span.days.last + timedelta(days=1)
    assert following.day == 1
    assert span.days.last <= until < (following + timedelta(days=31)).replace(day=1)
    assert (span.days.last.year, span.days.last.month) == (span.days.first.year, span.days.first.month)
    assert read_month(span.name) == span
    assert span.rule is Comparison.YOY


def test_a_year_of_53_weeks_has_its_last() -> None:
    """2026 has a week 53, which ends in 2027."""
    span = read_week("2026-W53")
    assert (span.days.first, span.days.last) == (date(2026, 12, 28), date(2027, 1, 3))


@pytest.mark.parametrize("text", ["2025-W53", "2026-W00", "2026-47", "W47", "", "2026-W4７"])
def test_what_is_no_week_is_refused_with_the_form(text: str) -> None:
    """The message says how weeks are written or numbered."""
    with pytest.raises(ValueError, match=r"YYYY-Www|ISO 8601"):
        read_week(text)


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "202610", "October", "0000-01"])
def test_what_is_no_month_is_refused_with_the_form(text: str) -> None:
    """The message says how months are written or numbered."""
    with pytest.raises(ValueError, match=r"YYYY-MM|01 to 12"):
        read_month(text)
