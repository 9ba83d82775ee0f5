"""The rules of rounding: half to even, largest remainder, shares."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.rounding import BASIS_POINTS, apportion, half_even, largest_remainder

INTEGERS = st.integers(-(10**12), 10**12)


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"), [(5, 2, 2), (7, 2, 4), (-5, 2, -2), (1, 3, 0), (2, 3, 1), (0, 9, 0)]
)
def test_ties_go_to_the_even_one(numerator: int, denominator: int, expected: int) -> None:
    """2.5 is 2, 3.5 is 4, and everything else the nearest."""
    assert half_even(numerator, denominator) == expected


@given(INTEGERS, st.sampled_from([1, 2, 4, 5, 8, 100, 10_000]))
def test_half_even_is_that_of_decimal_arithmetic(numerator: int, denominator: int) -> None:
    """Where a quotient is a finite decimal, decimal arithmetic rounds it to the same integer."""
    quotient = Decimal(numerator) / denominator
    assert half_even(numerator, denominator) == int(quotient.quantize(Decimal(1), ROUND_HALF_EVEN))


def test_a_denominator_of_zero_is_refused() -> None:
    """Nothing is divided by zero or below; the message has the value."""
    with pytest.raises(ValueError, match="denominator 0"):
        half_even(1, 0)


@given(st.lists(st.fractions(-(10**9), 10**9, max_denominator=997), max_size=20))
def test_largest_remainder_sums_to_the_total_and_moves_less_than_a_unit(parts: list[Fraction]) -> None:
    """The integers sum to the total, each within one of its part, and a larger remainder is never passed over."""
    last = Fraction(round(sum(parts))) - sum(parts)
    exact = [*parts, last]
    total = int(sum(exact))
    rounded = largest_remainder(exact, total)
    assert sum(rounded) == total
    assert all(abs(whole - part) < 1 for whole, part in zip(rounded, exact, strict=True))
    ups = [part % 1 for whole, part in zip(rounded, exact, strict=True) if whole > part]
    downs = [part % 1 for whole, part in zip(rounded, exact, strict=True) if whole < part]
    assert not ups or not downs or min(ups) >= max(downs)


def test_equal_remainders_go_to_the_earlier_part() -> None:
    """Three thirds of one: the first gets it; floats with an error of their arithmetic still find their total."""
    assert largest_remainder([Fraction(1, 3)] * 3, 1) == [1, 0, 0]
    assert largest_remainder([0.1 + 0.2, 0.7], 1) == [0, 1]
    assert largest_remainder([], 0) == []


def test_parts_of_another_total_are_refused() -> None:
    """Parts that sum to 3 are no parts of 9."""
    with pytest.raises(ValueError, match="not to the total 9"):
        largest_remainder([1, 2], 9)


@given(st.lists(INTEGERS, max_size=30), st.integers(2, 50))
def test_shares_sum_to_the_whole_and_know_no_scale(weights: list[int], factor: int) -> None:
    """Shares sum to 10,000 (or all are 0), stay within one of the exact share, and multiplied weights have the same."""
    shares = apportion(weights)
    positive = sum(max(weight, 0) for weight in weights)
    assert sum(shares) == (BASIS_POINTS if positive else 0)
    for weight, share in zip(weights, shares, strict=True):
        exact = Fraction(max(weight, 0) * BASIS_POINTS, positive or 1)
        assert math.floor(exact) <= share <= math.ceil(exact)
    assert apportion([weight * factor for weight in weights]) == shares
    exact_parts = [Fraction(max(weight, 0) * BASIS_POINTS, positive or 1) for weight in weights]
    assert shares == largest_remainder(exact_parts, BASIS_POINTS if positive else 0)
