"""The axis of a plot has round amounts, and its lines can be told apart on paper without colours."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from fucai.cli.numbers import money_unit
from fucai.cli.out.plot import Line, axis_of, drawn
from fucai.cli.output import Lang

_FEN = st.integers(-(10**14), 10**14)


@given(_FEN, st.integers(1, 10**14))
def test_an_axis_holds_all_amounts_in_a_few_round_steps(low: int, span: int) -> None:
    """Steps of 1, 2 or 5 times a power of ten, never more than one step beyond either end."""
    axis = axis_of(low, low + span)
    assert axis[0] <= low < axis[0] + axis.step
    assert axis[-1] - axis.step < low + span <= axis[-1]
    assert str(axis.step).rstrip("0") in {"1", "2", "5"}
    assert 2 <= len(axis) <= 7


def test_the_labels_stand_at_their_amounts() -> None:
    """Zero at the foot, round amounts above it, the highest at the head."""
    unit = money_unit([67_586_600], "CNY", Lang.ZH)
    rows = drawn(["1", "2"], [Line("a", [67_586_600, 0])], unit, 60).plain.splitlines()
    labels = {number: row.partition("┤")[0].strip() for number, row in enumerate(rows) if "┤" in row}
    assert (labels[0], labels[13]) == ("800,000.00", "0.00")
    assert set(labels.values()) == {"800,000.00", "600,000.00", "400,000.00", "200,000.00", "0.00"}


def test_each_line_has_a_stroke_of_its_own() -> None:
    """Six lines alike, each drawn alone in its place, leave six different pictures."""
    unit = money_unit([100], "CNY", Lang.ZH)
    nothing = Line("", [None, None])
    flat = Line("a", [100, 100])
    seen = [drawn(["1", "2"], [*[nothing] * place, flat], unit, 60).plain for place in range(6)]
    assert all(one != other for one, other in itertools.combinations(seen, 2))
