"""A drill: each group followed by its own, the largest change first, and others that sum exactly."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from fucai.analytics.drill import OTHERS, Drilled, drill
from fucai.domain.decomposition import Group, Row

AMOUNT = st.integers(-500, 10_000)
ROWS = st.lists(
    st.tuples(
        st.tuples(st.sampled_from("ABC"), st.sampled_from("uvxyz")),
        st.sampled_from(["1", "2", "3", "4", "5"]),
        *[AMOUNT] * 4,
    ),
    max_size=40,
)
PARTS = (
    *("base_fen", "value_fen", "new_fen", "opened_fen", "closed_fen", "same_fen"),
    *("scale_effect_fen", "intensity_effect_fen", "price_effect_fen", "other_effect_fen"),
)


def test_the_rest_stands_in_one_line_in_which_an_outlet_counts_once() -> None:
    """Of three zones one is shown; an outlet that sold in both of the others is one of the others' outlets."""
    rows: list[Row] = [
        (("A",), "1", 100, 900, 1, 9),
        (("B",), "2", 10, 20, 1, 2),
        (("C",), "2", 10, 30, 1, 2),
        (("C",), "3", 0, 5, 0, 1),
    ]
    whole, first, others = drill(rows, {"3"}, top=1)
    assert (whole.line.group, first.line.group, others.line.group) == ((), ("A",), (OTHERS,))
    assert (first.others, others.others) == (0, 2)
    assert (others.line.base_fen, others.line.value_fen, others.line.opened_fen) == (20, 55, 5)
    assert (others.line.same_outlets, others.line.new_outlets) == (1, 1)
    assert others.line.value_outlets == 2


def test_without_groups_there_is_the_whole_alone() -> None:
    """A question without dimensions, or without sales, has one line."""
    assert [one.line.group for one in drill([((), "1", 5, 6, 1, 1)])] == [()]
    assert [one.line.value_fen for one in drill([])] == [0]


@given(ROWS, st.integers(0, 3))
def test_every_level_sums_to_the_one_above_whatever_the_top(rows: list[Row], top: int) -> None:
    """Parts of the shown groups and the others are those of the group above; the top changes no other line."""
    found = drill(rows, {"1"}, top)
    below: defaultdict[Group, list[Drilled]] = defaultdict(list)
    for one in found[1:]:
        below[one.line.group[:-1]].append(one)
    for one in found:
        assert one.line.base_fen + one.line.new_fen + one.line.closed_fen + one.line.same_fen == one.line.value_fen
        children = below.get(one.line.group, [])
        for part in PARTS if children else ():
            assert sum(getattr(child.line, part) for child in children) == getattr(one.line, part)
        changes = [abs(child.line.change_fen) for child in children if not child.others]
        assert changes == sorted(changes, reverse=True)
        assert len(changes) <= (top or len(changes))
    everything = {one.line.group: one.line for one in drill(rows, {"1"})}
    assert all(everything[one.line.group] == one.line for one in found if not one.others)
