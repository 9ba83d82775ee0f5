"""The caution that a moving closure needs, held against a published case."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.caution import Better, caution
from fucai.domain.comparison import pair
from fucai.domain.market import Closure, Market, Scope
from fucai.domain.periods import Comparison, DayRange

STORED = DayRange(date(2016, 1, 1), date(2018, 12, 31))
NEW_YEARS = {2016: date(2016, 2, 8), 2017: date(2017, 1, 28), 2018: date(2018, 2, 16), 2019: date(2019, 2, 5)}
# The usual seven days around each new year; that these were the closures of 2017 and 2018 is not verified.
CLOSURES = (
    Closure(DayRange(date(2018, 2, 15), date(2018, 2, 21)), Scope.DRAW_GAMES),
    Closure(DayRange(date(2017, 1, 27), date(2017, 2, 2)), Scope.DRAW_GAMES),
)
MARKET = Market(CLOSURES, NEW_YEARS)
FEBRUARY = DayRange(date(2018, 2, 1), date(2018, 2, 28))
TOGETHER = DayRange(date(2018, 1, 1), date(2018, 2, 28))
# Growth that the Ministry of Finance published for all lotteries: 2018-02, and 2018-01 with 2018-02.
PUBLISHED = {FEBRUARY: -0.089, TOGETHER: 0.116}


def test_february_2018_misleads_and_says_what_to_ask() -> None:
    """A fall of 8.9 % in February stands beside a rise of 11.6 % in January and February; only the first warns."""
    signs = {days: growth > 0 for days, growth in PUBLISHED.items()}
    assert signs == {FEBRUARY: False, TOGETHER: True}
    warned = pair(FEBRUARY, Comparison.YOY, STORED, MARKET).caution
    assert warned is not None
    assert warned.closed_days == (7, 2)
    assert warned.new_years == ((date(2018, 2, 16),), ())
    assert warned.remedy is not None
    assert (warned.remedy.kind, warned.remedy.days) == (Better.JANUARY_FEBRUARY, TOGETHER)
    assert pair(warned.remedy.days, Comparison.YOY, STORED, MARKET).caution is None
    assert warned.text().zh == (
        "休市天数不同（本期 7 天，基期 2 天）；春节不同（本期 2018-02-16，基期 无）；直接比较会误导。"
        "建议一、二月合并比较（2018-01-01…2018-02-28 对 2017-01-01…2017-02-28）"
    )
    assert warned.text().en == (
        "closed days differ (7 in the period, 2 in the base); lunar new year differs (period: 2018-02-16, base: none); "
        "the plain comparison misleads. Ask for January and February together "
        "(2018-01-01…2018-02-28 against 2017-01-01…2017-02-28)"
    )


def test_january_2018_misleads_the_other_way() -> None:
    """January 2018 has no closure and no new year where January 2017 has both."""
    warned = pair(DayRange(date(2018, 1, 1), date(2018, 1, 31)), Comparison.YOY, STORED, MARKET).caution
    assert warned is not None
    assert (warned.closed_days, warned.new_years) == ((0, 5), ((), (date(2017, 1, 28),)))


def test_what_is_not_stored_is_not_advised() -> None:
    """At the end of January, January and February together cannot be asked for; aligned days can."""
    stored = DayRange(STORED.first, date(2018, 1, 31))
    warned = pair(DayRange(date(2018, 1, 1), date(2018, 1, 31)), Comparison.YOY, stored, MARKET).caution
    assert warned is not None
    assert warned.remedy is not None
    assert warned.remedy.kind is Better.LUNAR


def test_the_festival_week_is_better_aligned() -> None:
    """The week after new year is compared with the week after the new year before, not with two whole months."""
    week = DayRange(date(2018, 2, 16), date(2018, 2, 22))
    warned = pair(week, Comparison.YOY, STORED, MARKET).caution
    assert warned is not None
    assert warned.remedy is not None
    assert (warned.remedy.kind, warned.remedy.base.first) == (Better.LUNAR, date(2017, 1, 28))
    assert pair(week, Comparison.LUNAR, STORED, MARKET).caution is None


def test_a_longer_closure_is_better_averaged() -> None:
    """In autumn, where the closure has another length and no new year is near, the average per open day helps."""
    october = DayRange(date(2018, 10, 1), date(2018, 10, 31))
    market = Market((Closure(DayRange(date(2018, 10, 1), date(2018, 10, 4)), Scope.DRAW_GAMES),), NEW_YEARS)
    warned = pair(october, Comparison.YOY, STORED, market).caution
    assert warned is not None
    assert warned.remedy is not None
    assert warned.remedy.kind is Better.OPEN_DAY
    assert pair(october, Comparison.OPEN_DAY, STORED, market).caution is None


def test_national_day_is_no_matter_of_the_moon() -> None:
    """Aligned, October 2026 would meet days without a closure, and still the average per open day is advised."""
    october = DayRange(date(2026, 10, 1), date(2026, 10, 31))
    closed = Closure(DayRange(date(2025, 10, 1), date(2025, 10, 4)), Scope.DRAW_GAMES)
    market = Market((closed,), {2025: date(2025, 1, 29), 2026: date(2026, 2, 17), 2027: date(2027, 2, 6)})
    stored = DayRange(date(2025, 1, 1), date(2026, 11, 23))
    warned = pair(october, Comparison.YOY, stored, market).caution
    assert warned is not None
    assert warned.remedy is not None
    assert warned.remedy.kind is Better.OPEN_DAY


def test_averages_do_not_warn_of_closures_but_of_the_festival() -> None:
    """Per open day, closed days are accounted for and not named; a new year on one side still is."""
    warned = pair(FEBRUARY, Comparison.OPEN_DAY, STORED, MARKET).caution
    assert warned is not None
    assert "休市" not in warned.text().zh
    assert "closed" not in warned.text().en


def test_without_a_better_question_only_the_caution_stands() -> None:
    """Where neither the calendar nor the averages help, no advice is made up."""
    market = Market(CLOSURES, {2018: date(2018, 2, 16)})
    day = DayRange(date(2018, 3, 1), date(2018, 3, 1))
    warned = caution(Comparison.OPEN_DAY, day, DayRange(date(2018, 2, 16), date(2018, 2, 16)), market)
    assert warned is not None
    assert warned.remedy is None
    assert warned.text().zh == "春节不同（本期 无，基期 2018-02-16）；直接比较会误导"


@given(
    st.dates(date(2017, 1, 1), date(2018, 12, 31)),
    st.integers(0, 80),
    st.sampled_from([Comparison.YOY, Comparison.WEEKDAY, Comparison.OPEN_DAY, Comparison.LUNAR, Comparison.PREVIOUS]),
    st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 9)), max_size=4),
)
def test_advice_is_never_worse_than_the_question(
    first: date, longer: int, rule: Comparison, closed: list[tuple[int, int]]
) -> None:
    """A better question has as many new years on both sides, lies within the stored days, and has another form."""
    begin = date(2016, 1, 1)
    closures = tuple(
        Closure(DayRange(begin + timedelta(days=at), begin + timedelta(days=at + more)), Scope.ALL)
        for at, more in closed
    )
    market = Market(closures, {2015: date(2015, 2, 19), **NEW_YEARS})
    days = DayRange(first, min(STORED.last, first + timedelta(days=longer)))
    found = pair(days, rule, STORED, market).caution
    if found is None or found.remedy is None:
        return
    remedy = found.remedy
    assert len(market.new_years_in(remedy.days)) == len(market.new_years_in(remedy.base))
    assert remedy.days.last <= STORED.last
    assert remedy.base.last < remedy.days.first
    asked_again = {Better.LUNAR: Comparison.LUNAR, Better.OPEN_DAY: Comparison.OPEN_DAY}.get(remedy.kind)
    assert (remedy.days, asked_again) != (days, rule)


@pytest.mark.parametrize("day", ["2018-02-15", "2018-02-21"])
def test_a_day_in_two_closures_counts_once(day: str) -> None:
    """Overlapping closures close a day once, at either end of what they cover."""
    twice = Market((*CLOSURES, Closure(DayRange(date(2018, 2, 10), date(2018, 2, 18)), Scope.ALL)))
    assert twice.closed_days(FEBRUARY) == 12
    only = DayRange(date.fromisoformat(day), date.fromisoformat(day))
    assert (twice.closed_days(only), twice.open_days(only)) == (1, 0)
