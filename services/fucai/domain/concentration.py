"""How unequally sales are spread over outlets: share of the largest, Gini coefficient. Ranks nobody."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from fucai.domain.rounding import BASIS_POINTS

TOP_BP = 1_000
"""The largest 10 %."""


@dataclass(frozen=True, slots=True)
class Concentration:
    """How sales are spread.

    Attributes:
        outlets: outlets with sales above zero; the others stand in no figure.
        top_outlets: how many of them are the largest: 10 % rounded up, so at least one where there are any.
        top_share: their share of the sales, exactly; None without sales.
        gini: 0 where all sell the same, nearing 1 where one sells everything; None without sales.
    """

    outlets: int
    top_outlets: int
    top_share: Fraction | None
    gini: Fraction | None


def concentration(values: Iterable[int], top_bp: int = TOP_BP) -> Concentration:
    """How the values (fen by outlet) are spread; those not above zero are left out.

    Gini = 2 sum(i x_i) / (n sum(x_i)) - (n + 1) / n over x in ascending order with i from 1: half the relative mean
    absolute difference (Gini 1912; the form of Sen 1973).

    Raises:
        ValueError: `top_bp` is not from 1 to 10,000.
    """
    if not 1 <= top_bp <= BASIS_POINTS:
        raise ValueError(f"top share of {top_bp} basis points: must be 1 to {BASIS_POINTS}")
    ascending = sorted(value for value in values if value > 0)
    count, whole = len(ascending), sum(ascending)
    if not count:
        return Concentration(0, 0, None, None)
    largest = -(-count * top_bp // BASIS_POINTS)
    weighted = sum(place * value for place, value in enumerate(ascending, 1))
    gini = Fraction(2 * weighted, count * whole) - Fraction(count + 1, count)
    return Concentration(count, largest, Fraction(sum(ascending[-largest:]), whole), gini)
