"""The rules of why sales changed: waterfall and LMDI, exact at every level."""

from __future__ import annotations

import random
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.decomposition import (
    Averages,
    Group,
    Line,
    Row,
    by_averages,
    children,
    decompose,
    log_ratio,
    logarithmic_mean,
)

FEN = st.one_of(st.integers(-(10**6), 10**12), st.sampled_from([0, 1, -1]))
BETS = st.one_of(st.integers(-100, 10**9), st.sampled_from([0, 1]))
ABOVE_ZERO = st.integers(1, 10**14)
ADDITIVE = (
    "base_fen",
    "value_fen",
    "new_fen",
    "opened_fen",
    "first_sales_fen",
    "closed_fen",
    "same_fen",
    "scale_effect_fen",
    "intensity_effect_fen",
    "price_effect_fen",
    "other_effect_fen",
    "base_bets",
    "value_bets",
)
NAMES = st.sampled_from(["", "a", "b", "c"])
OUTLETS = st.sampled_from([f"{number:04}" for number in range(12)])
ROWS = st.lists(st.tuples(st.tuples(NAMES, NAMES), OUTLETS, FEN, FEN, BETS, BETS), max_size=25)


BOTH = {"same_outlets": 1, "base_outlets": 1, "value_outlets": 1}


def line_of(base: int, value: int, base_bets: int = 1, bets: int = 1) -> Line:
    """The whole of a channel of one outlet."""
    return decompose([((), "001", base, value, base_bets, bets)])[()]


def test_a_worked_example() -> None:
    """100,000 yuan grow to 118,000: one outlet opens, one sells for the first time, one closes, two go on."""
    rows: list[Row] = [
        (("河西",), "001", 4_000_000, 4_400_000, 20_000, 22_000),
        (("河西",), "002", 3_000_000, 0, 15_000, 0),
        (("南开",), "003", 3_000_000, 3_000_000, 15_000, 12_000),
        (("南开",), "004", 0, 2_400_000, 0, 12_000),
        (("南开",), "005", 0, 2_000_000, 0, 10_000),
    ]
    lines = decompose(rows, opened=["004"])
    whole = lines[()]
    assert (whole.base_fen, whole.value_fen, whole.change_fen) == (10_000_000, 11_800_000, 1_800_000)
    assert (whole.opened_fen, whole.first_sales_fen, whole.closed_fen) == (2_400_000, 2_000_000, -3_000_000)
    assert (whole.same_fen, whole.scale_effect_fen, whole.other_effect_fen) == (400_000, 1_400_000, 0)
    # 001 sells 10 % more bets at the same price; 003 as much as before with a fifth less bets: 3,000,000 x ln 1.25.
    assert (whole.intensity_effect_fen, whole.price_effect_fen) == (400_000 - 669_431, 669_431)
    assert (whole.new_outlets, whole.closed_outlets, whole.same_outlets) == (2, 1, 2)
    assert [line.group for line in children(lines)] == [("南开",), ("河西",)]


@given(ROWS, st.sets(OUTLETS))
def test_parts_sum_to_the_whole_and_children_to_their_group(rows: list[Row], opened: set[str]) -> None:
    """Base and parts give the value, base and effects give it, and children sum to their group: all to the last fen."""
    lines = decompose(rows, opened)
    assert lines[()].base_fen == sum(row[2] for row in rows)
    assert lines[()].value_fen == sum(row[3] for row in rows)
    for group, line in lines.items():
        assert line.group == group
        assert line.base_fen + line.new_fen + line.closed_fen + line.same_fen == line.value_fen
        effects = line.scale_effect_fen + line.intensity_effect_fen + line.price_effect_fen + line.other_effect_fen
        assert line.base_fen + effects == line.value_fen
        below = children(lines, group)
        for name in ADDITIVE if below else ():
            assert sum(getattr(child, name) for child in below) == getattr(line, name)


@given(ROWS)
def test_the_waterfall_of_the_whole_knows_no_grouping(rows: list[Row]) -> None:
    """Grouped by other dimensions, or not at all, the whole has the same new, closed and same outlets and amounts."""
    by_two = decompose(rows)[()]
    by_one = decompose([(row[0][1:], *row[1:]) for row in rows])[()]
    plain = decompose([((), *row[1:]) for row in rows])[()]
    for name in ("new_fen", "closed_fen", "same_fen", "scale_effect_fen"):
        assert getattr(by_two, name) == getattr(by_one, name) == getattr(plain, name)


@given(st.lists(st.tuples(OUTLETS, ABOVE_ZERO, ABOVE_ZERO, ABOVE_ZERO, ABOVE_ZERO), unique_by=lambda row: row[0]))
def test_effects_of_outlets_that_stay_in_their_group_know_no_grouping(
    rows: list[tuple[str, int, int, int, int]],
) -> None:
    """Drilling from the city to the outlet changes no effect of the whole, to the last fen."""
    plain = decompose([((), *row) for row in rows])[()]
    drilled = decompose([((row[0][-1], row[0]), *row) for row in rows])[()]
    assert plain == drilled


@given(ROWS, st.randoms())
def test_order_does_not_matter(rows: list[Row], order: random.Random) -> None:
    """Rows in any order, and amounts in several rows, give the same lines."""
    shuffled = rows + [(group, outlet, 0, 0, 0, 0) for group, outlet, *_ in rows]
    order.shuffle(shuffled)
    assert decompose(shuffled) == decompose(rows)


@given(ABOVE_ZERO, ABOVE_ZERO, ABOVE_ZERO, ABOVE_ZERO)
def test_time_reversed_effects_change_their_sign(base: int, value: int, base_bets: int, bets: int) -> None:
    """From the value back to the base each effect is the same with a minus: LMDI's time reversal."""
    there, back = line_of(base, value, base_bets, bets), line_of(value, base, bets, base_bets)
    assert there.intensity_effect_fen == -back.intensity_effect_fen
    assert there.price_effect_fen == -back.price_effect_fen


@given(st.integers(1, 10**9), st.integers(1, 10**9), ABOVE_ZERO, ABOVE_ZERO, st.integers(2, 1000))
def test_effects_know_no_unit(base: int, value: int, base_bets: int, bets: int, factor: int) -> None:
    """Amounts in a smaller unit give effects larger by that factor, but for rounding; a unit of bets does nothing."""
    line, larger = line_of(base, value, base_bets, bets), line_of(base * factor, value * factor, base_bets, bets)
    assert abs(larger.intensity_effect_fen - factor * line.intensity_effect_fen) <= factor
    assert line_of(base, value, base_bets * factor, bets * factor).intensity_effect_fen == pytest.approx(
        line.intensity_effect_fen, abs=1
    )


@given(st.integers(1, 10**12), st.integers(1, 10**12), st.integers(1, 10**9), st.integers(1, 10**9))
def test_effects_are_those_of_the_formula(base: int, value: int, base_bets: int, bets: int) -> None:
    """Computed again with 60 decimal digits, straight from Ang (2015), each effect is the same to a fen."""
    line = line_of(base, value, base_bets, bets)
    with localcontext() as context:
        context.prec = 60
        v1, v0, b1, b0 = (Decimal(number) for number in (value, base, bets, base_bets))
        weight = v0 if value == base else (v1 - v0) / (v1 / v0).ln()
        intensity = weight * (b1 / b0).ln()
        price = weight * ((v1 / b1) / (v0 / b0)).ln()
    assert abs(line.intensity_effect_fen - intensity) < 1
    assert abs(line.price_effect_fen - price) < 1


@given(st.integers(1, 10**12), st.integers(1, 10**12))
def test_the_mean_lies_between_the_geometric_and_the_arithmetic(left: int, right: int) -> None:
    """The logarithmic mean lies where the inequality of means has it, is symmetric, and keeps its scale."""
    mean = logarithmic_mean(left, right)
    slack = 1 + 1e-9
    assert (left * right) ** 0.5 <= mean * slack
    assert mean <= (left + right) / 2 * slack
    assert mean == logarithmic_mean(right, left)
    assert logarithmic_mean(left * 7, right * 7) == pytest.approx(7 * mean, rel=1e-9)
    assert log_ratio(left, right) == -log_ratio(right, left)


@given(st.integers(1, 10**12))
def test_a_new_outlet_is_the_limit_of_an_outlet_that_grows_from_nothing(value: int) -> None:
    """As the base goes to zero with the number of outlets, all of the change is that number's (Ang, Liu 2007)."""
    tiny = Decimal(10) ** -400
    with localcontext() as context:
        context.prec = 60
        weight = (value - value * tiny) / (1 / tiny).ln()
        limit = weight * (1 / tiny).ln()
    assert abs(line_of(0, value).scale_effect_fen - limit) < Decimal("1e-40")


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ((0, 0, 0, 0), {}),
        ((-5, 9, 0, 1), {"first_sales_fen": 14, "new_outlets": 1, "value_outlets": 1}),
        ((9, -5, 1, 0), {"closed_fen": -14, "closed_outlets": 1, "base_outlets": 1}),
        ((-5, -7, 0, 0), {"closed_fen": -2}),
        ((0, -7, 0, 0), {"closed_fen": -7}),
        ((5, 7, 0, 3), {"same_fen": 2, "other_effect_fen": 2, **BOTH}),
        ((5, 7, 3, -1), {"same_fen": 2, "other_effect_fen": 2, **BOTH}),
        ((5, 5, 3, 3), BOTH),
    ],
)
def test_zero_and_below_stand_in_no_logarithm(row: tuple[int, int, int, int], expected: dict[str, int]) -> None:
    """Nothing, voids only, sales without bets: each has its place, and only outlets with sales are counted."""
    base, value, base_bets, bets = row
    assert line_of(*row) == Line((), base, value, base_bets=base_bets, value_bets=bets, **expected)


def test_an_outlet_that_moved_is_the_same_outlet() -> None:
    """Its sales leave one zone and come to another as change of the same outlet that no factor explains."""
    rows: list[Row] = [(("east",), "001", 500, 0, 5, 0), (("west",), "001", 0, 700, 0, 7)]
    lines = decompose(rows)
    east, west, whole = lines["east",], lines["west",], lines[()]
    assert (east.same_fen, east.other_effect_fen, east.same_outlets) == (-500, -500, 1)
    assert (west.same_fen, west.other_effect_fen, west.same_outlets) == (700, 700, 1)
    assert (east.base_outlets, east.value_outlets, west.base_outlets, west.value_outlets) == (1, 0, 0, 1)
    assert (whole.same_fen, whole.same_outlets, whole.closed_outlets) == (200, 1, 0)


def test_groups_of_different_length_are_refused() -> None:
    """A row without the second dimension is a mistake of the caller, and named."""
    rows: list[Row] = [(("a",), "001", 1, 1, 1, 1), (("a", "b"), "002", 1, 1, 1, 1)]
    with pytest.raises(ValueError, match=r"groups of \[1, 2\] values"):
        decompose(rows)


def test_without_rows_there_is_an_empty_whole() -> None:
    """A selection that nothing falls into changed by nothing."""
    empty: dict[Group, Line] = {(): Line(())}
    assert decompose([]) == empty
    with pytest.raises(ValueError, match="must be above zero"):
        logarithmic_mean(0, 5)


@given(st.tuples(ABOVE_ZERO, ABOVE_ZERO, ABOVE_ZERO), st.tuples(ABOVE_ZERO, ABOVE_ZERO, ABOVE_ZERO))
def test_averages_are_exact_too(base: tuple[int, int, int], value: tuple[int, int, int]) -> None:
    """The three effects of the averages sum to the change, and without a side above zero there are none."""
    found = by_averages(base, value)
    assert found is not None
    assert found.scale_effect_fen + found.intensity_effect_fen + found.price_effect_fen == value[2] - base[2]
    assert by_averages((0, 0, 0), value) is None
    assert by_averages(base, (value[0], value[1], 0)) is None


def test_averages_of_more_outlets_at_the_same_average_are_scale_alone() -> None:
    """Ten outlets more, each with as many bets at the same price: all of the change is the number of outlets."""
    assert by_averages((100, 5_000, 1_000_000), (110, 5_500, 1_100_000)) == Averages(100_000, 0, 0)
    rows: list[Row] = [(("a",), "1", 800, 800, 8, 8), (("a",), "2", 0, 800, 0, 8), (("b",), "3", 0, 5, 0, 1)]
    lines = decompose(rows)
    assert lines["a",].averages == Averages(800, 0, 0)
    assert lines["b",].averages is None
