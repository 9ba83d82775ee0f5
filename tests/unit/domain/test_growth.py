"""The rules of a change: ratio, marks, excess."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.growth import Coverage, Growth, Mark, excess_points, grow
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
