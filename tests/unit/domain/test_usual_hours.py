"""The rules of silence in usual hours."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.usual_hours import Quiet, SilenceRule, quiet_since, quiet_today, usual_hours

DAY = timedelta(days=1)
TUESDAY = date(2024, 6, 4)
LONG_AGO = date(2020, 1, 1)
SOLD = st.dictionaries(
    st.integers(0, 80).map(lambda back: TUESDAY - back * DAY),
    st.dictionaries(st.integers(0, 23), st.integers(-100, 10_000), max_size=8),
    max_size=60,
)
CLOSED = st.frozensets(st.integers(0, 80).map(lambda back: TUESDAY - back * DAY), max_size=10)


def shop(days: int = 70, hours: range = range(9, 18), fen: int = 1_000) -> dict[date, dict[int, int]]:
    """Sales in each of the hours of each of the days before."""
    return {TUESDAY - back * DAY: dict.fromkeys(hours, fen) for back in range(1, days + 1)}


def test_a_shop_without_a_sale_in_the_morning_is_silent() -> None:
    """It usually sells from 9 to 18: nothing by noon are three usual hours and their usual sales; one sale ends it."""
    sold = shop()
    assert quiet_today(sold, TUESDAY, range(12), since=LONG_AGO) == Quiet(3, 3_000)
    assert quiet_today(sold | {TUESDAY: {10: 0}}, TUESDAY, range(12), since=LONG_AGO) is None
    assert quiet_today(sold | {TUESDAY: {14: 9}}, TUESDAY, range(12), since=LONG_AGO) == Quiet(3, 3_000)
    assert usual_hours(sold, TUESDAY, since=LONG_AGO) == dict.fromkeys(range(9, 18), 1_000)


def test_nobody_is_silent_who_need_not_sell() -> None:
    """At night, on a closed day, on the weekly day of rest, or as a new outlet, no sale is no silence."""
    sold = shop()
    assert quiet_today(sold, TUESDAY, range(9), since=LONG_AGO) is None
    assert quiet_today(sold, TUESDAY, range(12), since=LONG_AGO, closed=[TUESDAY]) is None
    assert quiet_today(sold, TUESDAY, range(12), since=TUESDAY - 21 * DAY) is None
    resting = {day: hours for day, hours in sold.items() if day.weekday() != TUESDAY.weekday()}
    assert quiet_today(resting, TUESDAY, range(12), since=LONG_AGO) is None


@pytest.mark.parametrize(("selling", "silent"), [(6, False), (7, True)])
def test_usual_is_a_share_of_the_same_weekdays(selling: int, *, silent: bool) -> None:
    """With 80 % asked for, 6 of 8 Tuesdays are not usual, 7 are."""
    sold = {TUESDAY - weeks * 7 * DAY: {10: 500} for weeks in range(1, selling + 1)}
    found = quiet_today(sold, TUESDAY, range(9, 12), since=LONG_AGO)
    assert (found == Quiet(1, 500)) == silent
    assert (found is None) != silent
    of_five = {TUESDAY - weeks * 7 * DAY: {10: 500} for weeks in range(1, 5)}
    assert quiet_today(of_five, TUESDAY, range(9, 12), since=TUESDAY - 35 * DAY) == Quiet(1, 500)


def test_silence_is_counted_back_to_the_last_sale() -> None:
    """The last sale was on Sunday at 16: one usual hour is left of it, nine on Monday, three by noon of Tuesday."""
    sold = shop()
    sold[TUESDAY - DAY] = {}
    sold[TUESDAY - 2 * DAY] = dict.fromkeys(range(9, 17), 1_000)
    assert quiet_since(sold, TUESDAY, 12, since=LONG_AGO) == Quiet(13, 13_000)
    assert quiet_since(sold, TUESDAY, 12, since=LONG_AGO, closed=[TUESDAY - DAY]) == Quiet(4, 4_000)
    assert quiet_since(sold | {TUESDAY: {11: 5}}, TUESDAY, 12, since=LONG_AGO) == Quiet(0, 0)
    assert quiet_since(sold, TUESDAY, 12, since=LONG_AGO, rule=SilenceRule(reach_days=1)) == Quiet(3, 3_000)


@given(SOLD, CLOSED, st.integers(0, 23), st.integers(0, 24))
def test_silence_never_has_hours_with_a_sale(
    sold: dict[date, dict[int, int]], closed: frozenset[date], first: int, last: int
) -> None:
    """Whatever was sold: today's silence has no sale in its hours and a usual pattern; nothing is counted twice."""
    hours = range(first, last)
    found = quiet_today(sold, TUESDAY, hours, since=LONG_AGO, closed=closed)
    days = [TUESDAY - n * 7 * DAY for n in range(1, 17) if TUESDAY - n * 7 * DAY not in closed][:8]
    selling = [day for day in days if set(sold.get(day, {})) & set(hours)]
    silent = TUESDAY not in closed and not set(sold.get(TUESDAY, {})) & set(hours)
    assert (found is not None) == (silent and len(days) >= 4 and 5 * len(selling) >= 4 * len(days))
    assert found is None or 0 < found.hours <= len(hours)
    since = quiet_since(sold, TUESDAY, last, since=TUESDAY - 10 * DAY, closed=closed)
    assert 0 <= since.hours <= 10 * 24 + last
