"""Silence in open time, by the scope of closures."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.market import Closure, Scope
from fucai.domain.open_time import ClosedDays, Trade, closed_days, expected_hours, has_pattern, silence
from fucai.domain.periods import DayRange
from fucai.domain.usual_hours import Quiet, SilenceRule, quiet_since

DAY = timedelta(days=1)
TUESDAY = date(2024, 6, 4)
LONG_AGO = date(2020, 1, 1)
RULE = SilenceRule()
NEAR = st.integers(0, 60).map(lambda back: TUESDAY - back * DAY)
SOLD = st.dictionaries(NEAR, st.dictionaries(st.integers(8, 12), st.integers(1, 900), max_size=5), max_size=60)
DAYS = st.frozensets(NEAR, max_size=8)


def mixed(since_days: int) -> Trade:
    """Draw games at 9 and 10, instant tickets at 10, on every day up to `since_days` ago, at 1 and 2 yuan."""
    days = [TUESDAY - DAY * back for back in range(since_days, 160)]
    return Trade(
        {day: {9, 10} for day in days},
        {day: {9: 100, 10: 300} for day in days},
        {day: {10: 200} for day in days},
    )


def test_a_closure_of_the_draw_games_leaves_the_instant_tickets_to_be_sold() -> None:
    """Three days silent: six hours; where draws rested on one of them five; where all rested four."""
    monday = frozenset({TUESDAY - DAY})
    for closed, hours, fen in (
        (ClosedDays(), 6, 1_200),
        (ClosedDays(for_draws=monday), 5, 1_000),
        (ClosedDays(wholly=monday), 4, 800),
        (ClosedDays(wholly=monday, for_draws=monday), 4, 800),
    ):
        assert silence(mixed(3), TUESDAY, 12, since=LONG_AGO, closed=closed, rule=RULE) == Quiet(hours, fen)


def test_who_sells_draw_games_only_rests_with_them() -> None:
    """Without instant tickets no hour of a draw closure is expected, and none was missed."""
    trade = Trade(mixed(3).selling, mixed(3).sold, {})
    closed = ClosedDays(for_draws=frozenset(TUESDAY - DAY * back for back in range(3)))
    assert silence(trade, TUESDAY, 12, since=LONG_AGO, closed=closed, rule=RULE) == Quiet(0, 0)
    assert expected_hours(trade, TUESDAY, since=LONG_AGO, closed=closed, rule=RULE) == {}
    assert has_pattern(trade, TUESDAY, since=LONG_AGO, closed=closed, rule=RULE)
    assert not has_pattern(trade, TUESDAY, since=TUESDAY - 3 * 7 * DAY, closed=closed, rule=RULE)


def test_any_sale_ends_a_silence() -> None:
    """A sale that makes no pattern, as of a game that is left out, is a sale: the outlet is there."""
    trade = mixed(3)
    seen = Trade({**trade.selling, TUESDAY - DAY: {9}}, trade.sold, trade.drawless)
    assert silence(seen, TUESDAY, 12, since=LONG_AGO, closed=ClosedDays(), rule=RULE) == Quiet(3, 700)


def test_closures_are_parted_by_scope_and_cut_to_the_days() -> None:
    """Only days asked about; overlapping closures are days once."""
    span = DayRange(date(2024, 2, 1), date(2024, 2, 29))
    closures = [
        Closure(DayRange(date(2024, 1, 28), date(2024, 2, 2)), Scope.DRAW_GAMES),
        Closure(DayRange(date(2024, 2, 2), date(2024, 2, 3)), Scope.DRAW_GAMES),
        Closure(DayRange(date(2024, 2, 29), date(2024, 3, 3)), Scope.ALL),
        Closure(DayRange(date(2025, 2, 1), date(2025, 2, 1)), Scope.ALL),
    ]
    found = closed_days(closures, span)
    assert found.for_draws == {date(2024, 2, day) for day in (1, 2, 3)}
    assert found.wholly == {date(2024, 2, 29)}
    assert found.all == found.for_draws | found.wholly


@given(SOLD, DAYS, st.integers(0, 24))
def test_without_scopes_it_is_silence_in_usual_hours(
    sold: dict[date, dict[int, int]], closed: frozenset[date], hour: int
) -> None:
    """Where all closures close everything, it is `quiet_since` to the hour and the fen."""
    found = silence(Trade(sold, sold, {}), TUESDAY, hour, since=LONG_AGO, closed=ClosedDays(wholly=closed), rule=RULE)
    assert found == quiet_since(sold, TUESDAY, hour, since=LONG_AGO, closed=closed)


@given(SOLD, DAYS, DAYS)
def test_more_sales_never_make_a_silence_longer(
    sold: dict[date, dict[int, int]], wholly: frozenset[date], more: frozenset[date]
) -> None:
    """Sales that make no pattern only shorten a silence."""
    closed = ClosedDays(wholly)
    one = silence(Trade(sold, sold, {}), TUESDAY, 20, since=LONG_AGO, closed=closed, rule=RULE)
    seen = {**sold, **{day: {*sold.get(day, {}), 19} for day in more}}
    other = silence(Trade(seen, sold, {}), TUESDAY, 20, since=LONG_AGO, closed=closed, rule=RULE)
    assert (other.hours, other.usual_fen) <= (one.hours, one.usual_fen)
