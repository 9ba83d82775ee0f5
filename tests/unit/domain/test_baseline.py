"""The rules of sharp falls and rises: same weekdays, median and MAD, thresholds."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.baseline import NORMAL_SCALE, Outcome, SwingRule, same_weekdays, spread, swing

DAY = timedelta(days=1)
TUESDAY = date(2024, 6, 4)
LONG_AGO = date(2020, 1, 1)
SALES = st.dictionaries(
    st.integers(0, 20 * 7).map(lambda back: TUESDAY - back * DAY), st.integers(-(10**6), 10**9), max_size=60
)
CLOSED = st.frozensets(st.integers(0, 20).map(lambda weeks: TUESDAY - weeks * 7 * DAY), max_size=8)


def tuesdays(*fen: int) -> dict[date, int]:
    """Sales of the Tuesdays before, the newest first."""
    return {TUESDAY - (weeks + 1) * 7 * DAY: amount for weeks, amount in enumerate(fen)}


def plain_median(values: list[int]) -> Fraction:
    """The middle of the ordered values, or of the middle two."""
    ordered = sorted(values)
    return Fraction(ordered[len(ordered) // 2] + ordered[(len(ordered) - 1) // 2], 2)


@pytest.mark.parametrize(
    ("today", "outcome"),
    [
        (100_000, Outcome.USUAL),
        (70_001, Outcome.USUAL),
        (65_001, Outcome.USUAL),
        (65_000, Outcome.FALL),
        (50_000, Outcome.FALL),
        (0, Outcome.FALL),
        (150_000, Outcome.RISE),
    ],
)
def test_a_worked_example(today: int, outcome: Outcome) -> None:
    """Eight Tuesdays around 1,000 yuan, one of them a feast: the median is 1,000, and half of that is a sharp fall."""
    sales = tuesdays(100_000, 98_000, 102_000, 100_000, 101_000, 99_000, 900_000, 100_000) | {TUESDAY: today}
    found = swing(sales, TUESDAY, since=LONG_AGO)
    assert (found.outcome, found.actual_fen, found.expected_fen, found.weeks) == (outcome, today, 100_000, 8)
    # The MAD is 1,000 fen, so the floor of 10 % holds.
    assert found.z == pytest.approx((today - 100_000) / 10_000)
    assert found.change == pytest.approx(today / 100_000 - 1)


def test_without_a_pattern_there_is_no_judgement() -> None:
    """A closed day, three Tuesdays only, an outlet that sells next to nothing: each is told apart and no alarm."""
    steady = tuesdays(*[100_000] * 8)
    assert swing(steady, TUESDAY, since=LONG_AGO, closed=[TUESDAY]).outcome is Outcome.CLOSED
    assert swing(steady, TUESDAY, since=TUESDAY - 21 * DAY).outcome is Outcome.TOO_FEW_WEEKS
    assert swing(steady, TUESDAY, since=TUESDAY - 28 * DAY).outcome is Outcome.FALL
    assert swing(steady, TUESDAY, since=TUESDAY).outcome is Outcome.TOO_FEW_WEEKS
    assert swing({}, TUESDAY, since=LONG_AGO, rule=SwingRule(least_base_fen=0)).outcome is Outcome.SMALL_BASE
    assert swing(tuesdays(*[500] * 8), TUESDAY, since=LONG_AGO).outcome is Outcome.SMALL_BASE
    assert not Outcome.SMALL_BASE.is_judged
    assert Outcome.USUAL.is_judged


def test_closed_weeks_are_left_out_and_older_ones_stand_in() -> None:
    """Two closed Tuesdays with nothing sold do not make the outlet look small: the pattern reaches back further."""
    sales = tuesdays(100_000, 0, 0, *[100_000] * 6)
    closed = {TUESDAY - 14 * DAY, TUESDAY - 21 * DAY}
    found = swing(sales | {TUESDAY: 10_000}, TUESDAY, since=LONG_AGO, closed=closed, rule=SwingRule(weeks=7))
    assert (found.outcome, found.expected_fen, found.weeks) == (Outcome.FALL, 100_000, 7)


@given(st.integers(1, 12), st.integers(0, 25), CLOSED, st.integers(0, 150))
def test_same_weekdays_are_the_newest_open_ones(weeks: int, reach: int, closed: frozenset[date], age: int) -> None:
    """Each lies whole weeks before the day, in reach, not before `since` and not closed; none newer is missing."""
    since = TUESDAY - age * DAY
    found = same_weekdays(TUESDAY, weeks, since=since, closed=closed, reach_weeks=reach)
    everything = [TUESDAY - n * 7 * DAY for n in range(1, reach + 1)]
    assert found == [day for day in everything if day >= since and day not in closed][:weeks]


@given(SALES, CLOSED, st.integers(1, 9), st.integers(2, 1000))
def test_a_swing_is_that_of_plain_arithmetic(
    sales: dict[date, int], closed: frozenset[date], weeks: int, factor: int
) -> None:
    """Expectation and distance are those of fractions; a smaller unit of money changes neither distance nor outcome."""
    rule = SwingRule(weeks=weeks, least_base_fen=1)
    found = swing(sales, TUESDAY, since=LONG_AGO, closed=closed, rule=rule)
    days = [TUESDAY - n * 7 * DAY for n in range(1, 17) if TUESDAY - n * 7 * DAY not in closed][:weeks]
    assert found.outcome is Outcome.CLOSED or found.weeks == len(days)
    if found.outcome is not Outcome.CLOSED and days:
        values = [sales.get(day, 0) for day in days]
        middle = plain_median(values)
        away = sorted(abs(value - middle) for value in values)
        deviation = (away[len(away) // 2] + away[(len(away) - 1) // 2]) / 2 * Fraction("1.4826")
        scale = max(deviation, abs(middle) / 10)
        assert found.expected_fen == round(middle)
        assert found.z == pytest.approx(float((found.actual_fen - middle) / scale) if scale else 0.0)
    larger = swing(
        {day: fen * 1000 * factor for day, fen in sales.items()},
        TUESDAY,
        since=LONG_AGO,
        closed=closed,
        rule=SwingRule(weeks=weeks, least_base_fen=1000 * factor),
    )
    assert larger.z == pytest.approx(found.z)


@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=20), st.permutations(range(20)))
def test_a_single_outlier_moves_no_spread_without_bound(values: list[int], order: list[int]) -> None:
    """Order does not matter, and the median stays within the values of which at least half lie at most a MAD away."""
    middle, deviation = spread(values)
    shuffled = [values[index] for index in order if index < len(values)]
    assert spread(shuffled) == (middle, deviation)
    assert min(values) <= middle <= max(values)
    near = [value for value in values if abs(value - middle) <= deviation / NORMAL_SCALE * (1 + 1e-12)]
    assert 2 * len(near) >= len(values)
