"""The rules of a change: ratio, marks, excess."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.growth import Coverage, Growth, Mark, excess_points, grow, grow_per_open_day
from fucai.v1.analytics_pb2 import GrowthMark

FEN = st.integers(min_value=-(10**15), max_value=10**15)


@pytest.mark.parametrize(
    ("value", "base", "coverage", "expected"),
    [
        (107, 100, Coverage.FULL, Growth(0.07, Mark.RATIO)),
        (0, 100, Coverage.FULL, Growth(-1.0, Mark.RATIO)),
        (-50, 100, Coverage.FULL, Growth(-1.5, Mark.RATIO)),
        (5, 0, Coverage.FULL, Growth(None, Mark.NEW)),
        (0, 0, Coverage.FULL, Growth(None, Mark.BOTH_ZERO)),
        (5, -1, Coverage.FULL, Growth(None, Mark.NEGATIVE_BASE)),
        (107, 100, Coverage.PARTIAL, Growth(0.07, Mark.PARTIAL_BASE)),
        (5, 0, Coverage.PARTIAL, Growth(None, Mark.NO_BASE)),
        (5, -1, Coverage.PARTIAL, Growth(None, Mark.NEGATIVE_BASE)),
        (107, 100, Coverage.NONE, Growth(None, Mark.NO_BASE)),
    ],
)
def test_each_base_has_its_mark(value: int, base: int, coverage: Coverage, expected: Growth) -> None:
    """A plain base gives a ratio; zero, negative, partly stored and missing bases give their mark instead."""
    assert grow(value, base, coverage) == expected


@given(FEN, FEN, st.sampled_from(Coverage))
def test_ratio_is_exact_or_absent(value: int, base: int, coverage: Coverage) -> None:
    """A ratio stands only with the marks that carry one, and is the exact quotient rounded once."""
    growth = grow(value, base, coverage)
    assert (growth.ratio is not None) == (growth.mark in {Mark.RATIO, Mark.PARTIAL_BASE})
    if growth.ratio is not None:
        assert growth.ratio == float(Fraction(value - base, base))


@given(FEN, FEN, st.sampled_from(Coverage), st.integers(0, 10**15))
def test_a_least_base_only_takes_ratios_away(value: int, base: int, coverage: Coverage, least: int) -> None:
    """A ratio becomes SMALL_BASE exactly where the base is below the least one; every other mark stays."""
    without, with_least = grow(value, base, coverage), grow(value, base, coverage, least)
    small = without.ratio is not None and base < least
    assert with_least == (Growth(None, Mark.SMALL_BASE) if small else without)


@given(FEN, FEN, st.integers(0, 400), st.integers(0, 400), st.sampled_from(Coverage))
def test_growth_per_open_day_is_that_of_the_averages(
    value: int, base: int, days: int, base_days: int, coverage: Coverage
) -> None:
    """Per open day, the ratio is that of the two exact averages, under the mark of the sums; without days none."""
    found = grow_per_open_day(value, base, (days, base_days), coverage)
    if not days or not base_days:
        assert found == Growth(None, Mark.NO_BASE)
        return
    plain = grow(value, base, coverage)
    assert found.mark is plain.mark
    averages = Fraction(value, days), Fraction(base, base_days)
    assert found.ratio == (None if plain.ratio is None else float((averages[0] - averages[1]) / averages[1]))


def test_marks_are_those_of_the_contract() -> None:
    """Every mark has the number and name that goes over the wire."""
    assert {f"GROWTH_MARK_{mark.name}": int(mark) for mark in Mark} | {"GROWTH_MARK_UNSPECIFIED": 0} == dict(
        GrowthMark.items()
    )


def test_excess_needs_two_plain_ratios() -> None:
    """7 % against 3 % is 4 points ahead; without a benchmark, or with a misleading ratio, there is no excess."""
    assert excess_points(Growth(0.07, Mark.RATIO), 0.03) == pytest.approx(4.0)
    assert excess_points(Growth(0.07, Mark.RATIO), None) is None
    assert excess_points(Growth(0.07, Mark.PARTIAL_BASE), 0.03) is None
    assert excess_points(Growth(None, Mark.NEW), 0.03) is None
