"""How exact amounts become whole fen or basis points: half to even, and by largest remainder. Sums no floats."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

BASIS_POINTS = 10_000
"""The whole, in basis points."""


def half_even(numerator: int, denominator: int) -> int:
    """`numerator` / `denominator` as the nearest integer; a tie goes to the even one (IEEE 754 roundTiesToEven).

    Raises:
        ValueError: the denominator is not above zero.
    """
    if denominator <= 0:
        raise ValueError(f"denominator {denominator}: must be above zero")
    return round(Fraction(numerator, denominator))


def largest_remainder(parts: Sequence[int | float | Fraction], total: int) -> list[int]:
    """The parts as integers that sum to `total`: each is rounded down, what is left goes to the largest remainders.

    Ties go to the earlier part (Hamilton's method). `parts` must sum to `total` but for the error of their arithmetic.

    Raises:
        ValueError: the parts are so far from `total` that one would have to move by more than a unit.
    """
    exact = [Fraction(part) for part in parts]
    floors = [part.numerator // part.denominator for part in exact]
    left = total - sum(floors)
    if not 0 <= left <= len(exact):
        raise ValueError(f"parts sum to {float(sum(exact)):g}, not to the total {total}: give parts of that total")
    order = sorted(range(len(exact)), key=lambda index: floors[index] - exact[index])
    for index in order[:left]:
        floors[index] += 1
    return floors


def apportion(weights: Sequence[int], total: int = BASIS_POINTS) -> list[int]:
    """`total` shared out in proportion to weights, by largest remainder; sums to `total` exactly.

    A weight below zero counts as zero, for nothing has a negative share; without one above zero all shares are zero.
    """
    positive = [max(weight, 0) for weight in weights]
    whole = sum(positive)
    if not whole:
        return [0] * len(positive)
    shares, remainders = [], []
    for weight in positive:
        share, remainder = divmod(weight * total, whole)
        shares.append(share)
        remainders.append(remainder)
    left = total - sum(shares)
    for index in sorted(range(len(positive)), key=lambda index: -remainders[index])[:left]:
        shares[index] += 1
    return shares
