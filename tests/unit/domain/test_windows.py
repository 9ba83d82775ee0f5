"""Ends of windows by number: a sale's run of ends is what counting day by day gives."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.periods import DayRange, open_window
from fucai.domain.windows import windows

FIRST = date(2024, 1, 1)


def _day(number: int) -> date:
    return FIRST + timedelta(days=number)


CLOSURES = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 9)).map(lambda at: DayRange(_day(at[0]), _day(at[0] + at[1]))),
    max_size=4,
)


@given(st.sets(st.integers(20, 60), min_size=1, max_size=12), st.integers(1, 9), CLOSURES)
def test_a_day_lies_in_the_windows_of_a_run_of_ends(numbers: set[int], length: int, closures: list[DayRange]) -> None:
    """For every end the window is that of `open_window`, and the numbers of a day name exactly the windows it is in."""
    ends = sorted(_day(number) for number in numbers)
    found = windows(ends, length, closures)
    by_end = {end: open_window(end, length, closures) for end in ends}
    assert found.ends == tuple(ends)
    assert found.firsts == tuple(by_end[end][0] for end in ends)
    assert set(found.days) == {day for window in by_end.values() for day in window}
    assert len(found.next_ends) == len(found.last_ends) == (ends[-1] - found.first_day).days + 2
    for day in found.days:
        at = (day - found.first_day).days
        run = range(found.next_ends[at], found.last_ends[at] + 1)
        assert {ends[number - 1] for number in run} == {end for end in ends if day in by_end[end]}


def test_places_and_windows_go_by_the_end() -> None:
    """An end has its number, and its window begins with its first open day; another day is no end."""
    found = windows([_day(20), _day(10)], 3, [DayRange(_day(9), _day(9))])
    assert (found.place(_day(10)), found.place(_day(20))) == (1, 2)
    assert found.window(_day(10)) == DayRange(_day(7), _day(10))
    with pytest.raises(KeyError, match="no end"):
        found.place(_day(11))


@pytest.mark.parametrize(("ends", "length"), [([], 7), ([FIRST], 0)])
def test_nothing_to_count_is_refused(ends: list[date], length: int) -> None:
    """Without an end, or with windows of no day, there is nothing to number."""
    with pytest.raises(ValueError, match="at least one of each"):
        windows(ends, length, [])


@given(st.sets(st.integers(20, 60), min_size=1, max_size=12), st.integers(1, 9), CLOSURES)
def test_months_have_a_bit_for_each_day(numbers: set[int], length: int, closures: list[DayRange]) -> None:
    """Read back, the bits are the days."""
    found = windows([_day(number) for number in numbers], length, closures)
    days = [first.replace(day=nth) for first, bits in found.months.items() for nth in range(1, 32) if bits >> nth & 1]
    assert tuple(sorted(days)) == found.days
