"""Populations and moves: every outlet is counted where it sold, and moves of a whole are none."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.decomposition import Row
from fucai.domain.sellers import Population, sellers

AMOUNT = st.integers(-1_000, 10_000)
ROWS = st.lists(
    st.tuples(
        st.tuples(st.sampled_from("AB"), st.sampled_from("xy")),
        st.sampled_from(["1", "2", "3", "4"]),
        AMOUNT,
        AMOUNT,
        AMOUNT,
        AMOUNT,
    ),
    max_size=30,
)


def test_an_outlet_that_moved_leaves_one_group_and_comes_to_another() -> None:
    """Its base leaves the old zone, its sales come to the new one; the city and an outlet that stayed know no move."""
    rows = [(("A",), "1", 500, 0, 5, 0), (("B",), "1", 0, 800, 0, 4), (("B",), "2", 100, 200, 1, 2)]
    found = sellers(rows)
    assert (found["A",].moved_fen, found["A",].moved_outlets) == (-500, 1)
    assert (found["B",].moved_fen, found["B",].moved_outlets) == (800, 1)
    assert (found[()].moved_fen, found[()].moved_outlets) == (0, 0)
    assert (found[()].base, found[()].value) == (Population(2, 6, 600), Population(2, 6, 1_000))
    assert found["A",].value == Population()


def test_a_new_outlet_did_not_move() -> None:
    """Without sales in the base anywhere, selling in a group in one period only is no move."""
    assert sellers([(("A",), "1", 0, 800, 0, 4)])["A",].moved_outlets == 0
    assert sellers([]).keys() == {()}


@given(ROWS)
def test_populations_are_those_of_the_outlets_with_sales(rows: list[Row]) -> None:
    """Each group's population is that of its outlets with sums above zero, and nobody moved for the whole."""
    found = sellers(rows)
    assert found[()].moved_outlets == 0
    for group, one in found.items():
        sums: dict[str, list[int]] = {}
        for place, outlet, *amounts in rows:
            if place[: len(group)] == group:
                sums[outlet] = [a + b for a, b in zip(sums.get(outlet, [0] * 4), amounts, strict=True)]
        sold = [amounts for amounts in sums.values() if amounts[0] > 0]
        assert one.base == Population(len(sold), sum(a[2] for a in sold), sum(a[0] for a in sold))
        assert one.value.outlets == sum(amounts[1] > 0 for amounts in sums.values())
