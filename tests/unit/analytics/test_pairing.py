"""How the days of a request are read: defaults, what is refused and with which words. Asks no store."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from fucai.analytics.pairing import Begin, Period, read_period
from fucai.analytics.reach import Reach
from fucai.domain.periods import Comparison, DayRange
from fucai.runtime.errors import Violation
from fucai.v1 import analytics_pb2 as pb

TODAY = date(2025, 3, 11)
STORED = Reach(date(2021, 11, 17), date(2025, 3, 11), 1, 1)
STALE = Reach(date(2021, 11, 17), date(2024, 5, 20), 1, 1)


def days(first: str, last: str) -> DayRange:
    """The days from first to last."""
    return DayRange(date.fromisoformat(first), date.fromisoformat(last))


def read(request: Any, now: Reach = STORED, begin: Begin = Begin.MONTH) -> tuple[Period | None, list[Violation]]:
    """The period of a request and what is wrong with it."""
    bad: list[Violation] = []
    return read_period(request, now, TODAY, bad, begin=begin), bad


@pytest.mark.parametrize(
    ("request_", "now", "begin", "expected"),
    [
        (pb.GrowthRequest(), STORED, Begin.MONTH, days("2025-03-01", "2025-03-10")),
        (pb.GrowthRequest(), STALE, Begin.MONTH, days("2024-05-01", "2024-05-20")),
        (pb.ScaleRequest(), STORED, Begin.FOUR_WEEKS, days("2025-02-11", "2025-03-10")),
        (pb.GrowthRequest(to_day="2021-11-30"), STORED, Begin.MONTH, days("2021-11-17", "2021-11-30")),
        (pb.GrowthRequest(from_day="2025-03-11"), STORED, Begin.MONTH, days("2025-03-11", "2025-03-11")),
        (
            pb.GrowthRequest(from_day="2025-03-05", to_day="2025-03-31"),
            STORED,
            Begin.MONTH,
            days("2025-03-05", "2025-03-31"),
        ),
    ],
)
def test_days_left_open(request_: Any, now: Reach, begin: Begin, expected: DayRange) -> None:
    """To the last whole stored day; from the first of the month or four weeks; never before the first stored day."""
    period, bad = read(request_, now, begin)
    assert not bad
    assert period is not None
    assert (period.days, period.rule) == (
        expected,
        Comparison.NONE if request_.DESCRIPTOR.name == "ProfileRequest" else Comparison.YOY,
    )


def test_a_running_day_is_stored_only_for_a_period_that_begins_with_it() -> None:
    """The day that still runs stands on no side, unless it is all that was asked for."""
    until_now, _ = read(pb.GrowthRequest(from_day="2025-03-01", to_day="2025-03-11"))
    today, _ = read(pb.GrowthRequest(from_day="2025-03-11"))
    assert until_now is not None
    assert until_now.stored == days("2021-11-17", "2025-03-10")
    assert today is not None
    assert today.stored == days("2021-11-17", "2025-03-11")


BASE = pb.COMPARISON_BASE_PERIOD


@pytest.mark.parametrize(
    ("request_", "field", "told"),
    [
        (pb.GrowthRequest(from_day="2024-12-31", to_day="2024-01-01"), "to_day", "before from_day 2024-12-31: swap"),
        (pb.GrowthRequest(from_day="2030-01-01", to_day="2030-01-31"), "from_day", "after 2025-03-11, the last day"),
        (pb.GrowthRequest(to_day="2026-01-01"), "to_day", "in the future: choose up to 2025-12-31"),
        (
            pb.GrowthRequest(from_day="2019-01-01", to_day="2024-01-31"),
            "from_day",
            "before 2021-11-17, the first stored",
        ),
        (pb.GrowthRequest(from_day="2024-1-1"), "from_day", "'2024-1-1' is no day"),
        (pb.GrowthRequest(compare=9), "compare", "choose yoy, previous, weekday, open_day, lunar, base_period"),  # type: ignore[arg-type]
        (pb.GrowthRequest(compare=BASE), "base_from_day", "is empty"),
        (pb.GrowthRequest(base_from_day="2024-01-01"), "base_from_day", "the comparison is yoy: choose base_period"),
        (pb.GrowthRequest(compare=BASE, base_from_day="2024-02-01", base_to_day="2024-01-01"), "base_to_day", "swap"),
        (pb.GrowthRequest(compare=BASE, base_from_day="2025-02-25"), "base_from_day", "reaches into the period"),
        (pb.GrowthRequest(compare=BASE, base_from_day="2020-02-25"), "base_from_day", "ends before 2021-11-17"),
    ],
)
def test_wrong_days_are_named(request_: Any, field: str, told: str) -> None:
    """One violation with field, value and what to do."""
    period, bad = read(request_)
    assert period is None
    assert [told in one.description for one in bad if one.field == field] == [True]


def test_a_base_without_an_end_is_as_long_as_the_period() -> None:
    """Ten days against ten days."""
    period, bad = read(pb.GrowthRequest(compare=BASE, base_from_day="2024-02-01"))
    assert not bad
    assert period is not None
    assert period.given == days("2024-02-01", "2024-02-10")


def test_a_request_without_comparison_has_none() -> None:
    """A profile has no field for one."""
    period, _ = read(pb.ProfileRequest(), begin=Begin.FOUR_WEEKS)
    assert period is not None
    assert period.rule is Comparison.NONE
