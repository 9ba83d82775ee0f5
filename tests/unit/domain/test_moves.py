"""Moves: they are told from openings, and a whole knows none."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.decomposition import Row, decompose
from fucai.domain.moves import Moved, moves

AMOUNT = st.integers(-1_000, 10_000)
ROWS = st.lists(
    st.tuples(
        st.tuples(st.sampled_from("AB"), st.sampled_from("xy")), st.sampled_from(["1", "2", "3", "4"]), *[AMOUNT] * 4
    ),
    max_size=30,
)


def test_an_outlet_that_moved_leaves_one_group_and_comes_to_another() -> None:
    """Its base leaves the old zone, its sales come to the new one; the city and an outlet that stayed know no move."""
    rows = [(("A",), "1", 500, 0, 5, 0), (("B",), "1", 0, 800, 0, 4), (("B",), "2", 100, 200, 1, 2)]
    assert moves(rows) == {("A",): Moved(-500, 1), ("B",): Moved(800, 1), (): Moved()}


def test_a_new_outlet_did_not_move() -> None:
    """Without sales in the base anywhere, selling in a group in one period only is no move."""
    assert moves([(("A",), "1", 0, 800, 0, 4)]) == {("A",): Moved(), (): Moved()}
    assert moves([]) == {(): Moved()}


@given(ROWS)
def test_moves_are_of_same_outlets(rows: list[Row]) -> None:
    """Nobody moved for the whole; no group has more movers than same outlets, and none has a change without them."""
    found, lines = moves(rows), decompose(rows)
    assert found[()] == Moved()
    assert found.keys() == lines.keys()
    for group, moved in found.items():
        assert moved.outlets <= lines[group].same_outlets
        assert moved.outlets or not moved.fen
