"""The rules of concentration: share of the largest, Gini."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.concentration import Concentration, concentration

VALUES = st.lists(st.integers(-100, 10**9), max_size=25)


@given(VALUES, st.randoms(), st.integers(2, 1000))
def test_concentration_is_that_of_its_definition(values: list[int], order: random.Random, factor: int) -> None:
    """Gini is half the mean difference of all pairs over the mean; neither order nor unit nor zeros change a figure."""
    found = concentration(values)
    selling = [value for value in values if value > 0]
    assert found.outlets == len(selling)
    if not selling:
        assert found == Concentration(0, 0, None, None)
        return
    pairs = sum(abs(left - right) for left in selling for right in selling)
    assert found.gini == Fraction(pairs, 2 * len(selling) * sum(selling))
    assert found.top_outlets == math.ceil(Fraction(found.outlets, 10))
    assert found.top_share == Fraction(sum(sorted(selling, reverse=True)[: found.top_outlets]), sum(selling))
    order.shuffle(values)
    assert concentration([*(value * factor for value in values), 0, 0]) == found


def test_a_worked_example() -> None:
    """Nineteen outlets sell 1 and one sells 81: the top 2 of 20 have 82 %, Gini is 0.76; equals have 0."""
    assert concentration([1] * 19 + [81]) == Concentration(20, 2, Fraction(82, 100), Fraction(76, 100))
    assert concentration([7, 7, 7]).gini == 0
    assert concentration([7, 7, 7, 7], top_bp=5_000).top_share == Fraction(1, 2)
    with pytest.raises(ValueError, match="0 basis points"):
        concentration([1], top_bp=0)
