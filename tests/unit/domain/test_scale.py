"""The rules of channel scale: active, installed, opened, closed, sales per outlet, same outlets."""

from __future__ import annotations

import random
from datetime import date, timedelta
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.growth import Mark
from fucai.domain.scale import (
    Average,
    Penetration,
    Stay,
    active_outlets,
    installed_outlets,
    open_throughout,
    penetration,
    sales_per_outlet,
    sales_per_terminal_week,
    same_outlets,
    turnover,
)

DAY = timedelta(days=1)
DAYS = st.dates(date(2024, 1, 1), date(2024, 3, 1))
OUTLETS = st.sampled_from([f"{number:03}" for number in range(20)])
SALES = st.lists(st.tuples(OUTLETS, DAYS, st.integers(0, 4)), max_size=40)
STAYS = st.dictionaries(OUTLETS, st.tuples(DAYS, st.none() | DAYS))
TOTALS = st.dictionaries(OUTLETS, st.integers(-100, 10**6))


@given(SALES, st.sets(DAYS, max_size=20), st.integers(1, 5), st.randoms())
def test_active_outlets_are_those_of_a_plain_count(
    sales: list[tuple[str, date, int]], window: set[date], least: int, order: random.Random
) -> None:
    """Counted again with polars, and in another order, the same outlets are active; asking for more leaves fewer."""
    schema = {"outlet": pl.String, "day": pl.Date, "number": pl.Int64}
    frame = pl.DataFrame(sales, schema=schema, orient="row").filter(pl.col("day").is_in(list(window)))
    counted = frame.group_by("outlet").agg(pl.col("number").sum()).filter(pl.col("number") >= least)
    found = active_outlets(sales, window, least)
    assert found == set(counted["outlet"])
    order.shuffle(sales)
    assert active_outlets(iter(sales), window, least) == found
    assert active_outlets(sales, window, least + 1) <= found


def test_an_active_outlet_sells_something() -> None:
    """With no sale needed every outlet would be active, so that is refused."""
    with pytest.raises(ValueError, match="least sales 0"):
        active_outlets([], [], 0)


@given(STAYS, DAYS, st.integers(0, 40))
def test_opened_and_closed_explain_the_change_of_installed(stays: dict[str, Stay], first: date, length: int) -> None:
    """Installed the day before, plus opened, less closed, is installed on the last day."""
    last = first + length * DAY
    moved = turnover(stays, first, last)
    before, after = installed_outlets(stays, first - DAY), installed_outlets(stays, last)
    assert len(before) + len(moved.opened) - len(moved.closed) == len(after)
    assert after - before <= moved.opened
    assert before - after <= moved.closed


def test_the_day_of_closing_is_the_first_without_sales() -> None:
    """Opened on the 3rd and closed on the 5th, it is installed on the 3rd and 4th; closed at once, it never was."""
    stays = {"1": (date(2024, 1, 3), date(2024, 1, 5)), "2": (date(2024, 1, 3), date(2024, 1, 3))}
    installed = [len(installed_outlets(stays, date(2024, 1, day))) for day in range(2, 7)]
    assert installed == [0, 1, 1, 0, 0]
    moved = turnover(stays, date(2024, 1, 1), date(2024, 1, 31))
    assert moved.opened == moved.closed == {"1"}


@given(st.sets(OUTLETS), st.sets(OUTLETS), st.integers(0, 10_000))
def test_penetration_counts_each_outlet_once(active: set[str], installed: set[str], least_bp: int) -> None:
    """The ratio is within 0 and 1 however many unknown outlets sell, and the rule compares it exactly."""
    found = penetration(sorted(active) * 2, installed)
    assert found.active + found.active_unregistered == len(active)
    assert found.ratio is None if not installed else 0 <= Fraction(found.active, found.installed) <= 1
    if installed:
        assert found.is_degraded(least_bp) == (Fraction(found.active, found.installed) < Fraction(least_bp, 10_000))
    else:
        assert not found.is_degraded(least_bp)


def test_under_96_of_100_is_degraded() -> None:
    """96 of 100 will do, 95 will not."""
    assert not Penetration(installed=100, active=96).is_degraded()
    assert Penetration(installed=100, active=95).is_degraded()
    assert Penetration(installed=100, active=96).ratio == pytest.approx(0.96)


def test_sales_per_outlet_is_exact_and_rounded_once() -> None:
    """10.05 yuan over two outlets are 5.025, shown as 502 fen; over three open days too; over nothing there is none."""
    assert sales_per_outlet(1_005, 2) == Average(1_005, 2)
    assert (sales_per_outlet(1_005, 2).exact, sales_per_outlet(1_005, 2).fen) == (Fraction(1005, 2), 502)
    assert sales_per_outlet(1_005, 2, open_days=3).exact == Fraction(1005, 6)
    assert (sales_per_outlet(1_005, 0).exact, sales_per_outlet(1_005, 0).fen) == (None, None)
    assert sales_per_outlet(-3, 2).fen == -2


def test_sales_per_terminal_are_those_of_seven_days() -> None:
    """28 days of two terminals are eight terminal weeks; two days of one are less than one; none without terminals."""
    assert sales_per_terminal_week(8_004, 2, 28).exact == Fraction(8_004, 8)
    assert sales_per_terminal_week(200, 1, 2).fen == 700
    assert sales_per_terminal_week(200, 0, 28).fen is None


@given(TOTALS, TOTALS, st.none() | st.sets(OUTLETS))
def test_same_outlets_have_sales_in_both_periods(
    base: dict[str, int], value: dict[str, int], eligible: set[str] | None
) -> None:
    """Joined again with polars, the same outlets and sums; nothing below zero or one-sided is among them."""
    schema = {"outlet": pl.String, "fen": pl.Int64}
    left, right = (pl.DataFrame(list(side.items()), schema=schema, orient="row") for side in (base, value))
    joined = left.join(right, on="outlet").filter(pl.col("fen") > 0, pl.col("fen_right") > 0)
    if eligible is not None:
        joined = joined.filter(pl.col("outlet").is_in(list(eligible)))
    found = same_outlets(base, value, eligible)
    assert found.outlets == set(joined["outlet"])
    assert (found.base_fen, found.value_fen) == (joined["fen"].sum(), joined["fen_right"].sum())
    assert found.growth.mark is (Mark.RATIO if found.outlets else Mark.BOTH_ZERO)


@given(STAYS, st.sets(DAYS, min_size=1, max_size=10))
def test_open_throughout_means_on_each_day(stays: dict[str, Stay], days: set[date]) -> None:
    """An outlet open on the first and the last day was open on all between; without days there is no condition."""
    each = [installed_outlets(stays, day) for day in days]
    assert open_throughout(stays, days) == frozenset.intersection(*each)
    assert open_throughout(stays, []) == frozenset(stays)
