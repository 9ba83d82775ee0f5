"""Sequence sets against Python's own sets."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.sequences import SequenceSet

RANGES = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 12)).map(lambda pair: (pair[0], pair[0] + pair[1])))


def plain(ranges: list[tuple[int, int]]) -> set[int]:
    """Return the same numbers as a plain set."""
    return {number for first, last in ranges for number in range(first, last + 1)}


@given(RANGES)
def test_holds_exactly_what_was_added(ranges: list[tuple[int, int]]) -> None:
    """Membership, length and highest number are those of the plain set."""
    numbers, expected = SequenceSet(ranges), plain(ranges)
    assert {number for number in range(80) if number in numbers} == expected
    assert len(numbers) == len(expected)
    assert numbers.highest == max(expected, default=0)


@given(RANGES)
def test_ranges_are_fewest_and_rising(ranges: list[tuple[int, int]]) -> None:
    """No two ranges touch, so the order of arrival leaves no trace."""
    numbers = SequenceSet(ranges)
    listed = list(numbers.ranges())
    assert all(low <= high for low, high in listed)
    assert all(high + 1 < low for (_, high), (low, _) in pairwise(listed))
    assert numbers == SequenceSet(reversed(ranges))


@given(RANGES, st.integers(1, 70), st.integers(0, 20))
def test_within_and_missing_divide_a_range(ranges: list[tuple[int, int]], first: int, length: int) -> None:
    """What is within and what is missing are disjoint and make up the whole range."""
    numbers, last = SequenceSet(ranges), first + length
    within = plain(list(numbers.within(first, last)))
    missing = plain(list(numbers.missing(first, last)))
    assert within == plain(ranges) & set(range(first, last + 1))
    assert missing == set(range(first, last + 1)) - within
    assert numbers.overlap(first, last) == len(within)


@given(RANGES)
def test_gap_count_counts_missing_ranges(ranges: list[tuple[int, int]]) -> None:
    """Gaps are the missing ranges from 1 to the highest number."""
    numbers = SequenceSet(ranges)
    assert numbers.gap_count == (len(list(numbers.missing(1, numbers.highest))) if ranges else 0)


@pytest.mark.parametrize(("first", "last"), [(0, 3), (-1, -1), (5, 4)])
def test_refuses_what_is_no_range(first: int, last: int) -> None:
    """A range that is empty or starts below 1 is refused, not stored as something else."""
    with pytest.raises(ValueError, match="sequence range"):
        SequenceSet().add(first, last)
