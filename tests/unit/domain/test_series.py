"""Moving averages, indices, running sums and steps."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.growth import Growth, Mark, grow
from fucai.domain.periods import DayRange
from fucai.domain.series import (
    base_index,
    cumulative,
    moving_average,
    moving_average_of_open_days,
    step_growth,
)

DAY = timedelta(days=1)
START = date(2025, 1, 1)
VALUES = st.lists(st.none() | st.integers(-(10**12), 10**12), max_size=40)


@given(VALUES, st.integers(1, 12))
def test_an_average_needs_a_full_window(values: list[int | None], length: int) -> None:
    """Each average is the exact mean of the last values, and absent where one of them is, or with too few of them."""
    found = moving_average(values, length)
    assert len(found) == len(values)
    for place, average in enumerate(found):
        window = values[max(0, place + 1 - length) : place + 1]
        known = [value for value in window if value is not None]
        assert average == (Fraction(sum(known), length) if len(known) == length else None)


@given(
    st.dictionaries(st.integers(-30, 30), st.integers(-(10**9), 10**9), max_size=50),
    st.lists(st.tuples(st.integers(-40, 30), st.integers(0, 9)), max_size=3),
    st.integers(0, 30),
    st.integers(1, 9),
)
def test_closed_days_are_in_no_average(
    sold: dict[int, int], closed: list[tuple[int, int]], last: int, length: int
) -> None:
    """The mean of a day is that of the last open days, found day by day, and absent where one of them is missing."""
    values = {START + n * DAY: value for n, value in sold.items()}
    closures = [DayRange(START + n * DAY, START + (n + more) * DAY) for n, more in closed]
    shut = {n + k for n, more in closed for k in range(more + 1)}
    found = moving_average_of_open_days(values, DayRange(START, START + last * DAY), length, closures)
    assert list(found) == [START + n * DAY for n in range(last + 1)]
    for n in range(last + 1):
        window = [m for m in range(n, -200, -1) if m not in shut][:length]
        whole = all(m in sold for m in window)
        assert found[START + n * DAY] == (Fraction(sum(sold[m] for m in window), length) if whole else None)


def test_a_missing_day_is_not_zero() -> None:
    """A day without a value leaves three windows of three without an average; a day that sold nothing does not."""
    assert moving_average([3, 3, None, 3, 3, 3], 3) == [None, None, None, None, None, 3]
    assert moving_average([3, 3, 0, 3], 3) == [None, None, 2, 2]


def test_a_window_of_no_length_is_refused() -> None:
    """A window below one value is named, in both forms."""
    with pytest.raises(ValueError, match="over 0 values: choose 1 or more"):
        moving_average([1], 0)
    with pytest.raises(ValueError, match="over 0 values: choose 1 or more"):
        moving_average_of_open_days({}, DayRange(START, START), 0, [])


@given(VALUES, st.integers(-(10**12), 10**12))
def test_an_index_is_a_share_of_its_base(values: list[int | None], base: int) -> None:
    """The base itself is 100, values keep their exact ratio to it, and a base that is not positive gives no index."""
    found = base_index([*values, base], base)
    assert found[-1] == (100 if base > 0 else None)
    for value, index in zip(values, found, strict=False):
        assert (index is None) == (value is None or base <= 0)
        assert index is None or index * base == 100 * (value or 0)


@given(VALUES)
def test_a_running_sum_ends_where_a_value_is_missing(values: list[int | None]) -> None:
    """Each sum is that of all values so far; from the first missing one on nothing is known."""
    for place, total in enumerate(cumulative(values)):
        so_far = values[: place + 1]
        assert total == (None if None in so_far else sum(value or 0 for value in so_far))


@given(VALUES, st.integers(0, 1000))
def test_a_step_is_against_the_value_before(values: list[int | None], least: int) -> None:
    """Each step is the growth on the value before; the first, and those beside a hole, have no base."""
    found = step_growth(values, least)
    assert len(found) == len(values)
    for place, growth in enumerate(found):
        before, value = values[place - 1] if place else None, values[place]
        known = before is not None and value is not None
        expected = grow(value or 0, before or 0, least_base=least) if known else Growth(None, Mark.NO_BASE)
        assert growth == expected
