"""The simulated market against its calibration: volume, instant share, hours, draw days, closures, determinism."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.terminal.model_draws import DrawCalendar
from fucai.terminal.model_market import Market
from fucai.terminal.spool import HistoryRow
from fucai.v1.registry_pb2 import Closure, Draw, Outlet, RegistryRecord, Terminal
from tests.unit.terminal import town

FIRST, LAST = date(2025, 1, 1).toordinal(), date(2025, 12, 31).toordinal()
CLOSED = range(date(2025, 1, 27).toordinal(), date(2025, 2, 5).toordinal() + 1)
KNOWN = town.known()


@pytest.fixture(scope="module")
def year() -> list[HistoryRow]:
    """A year of 54 outlets."""
    return list(Market(KNOWN, seed=1).history(FIRST, LAST))


def test_an_outlet_sells_about_ten_thousand_yuan_a_month(year: list[HistoryRow]) -> None:
    """The mean is within 12 % of the calibration, and outlets differ."""
    by_outlet: Counter[str] = Counter()
    for row in year:
        by_outlet[row.outlet_id] += row.amount_fen
    monthly = sorted(amount / 100 / 365 * 30 for amount in by_outlet.values())
    assert 8_800 < sum(monthly) / len(monthly) < 11_200
    assert monthly[0] < 7_500
    assert monthly[-1] > 13_000


def test_most_sales_are_instant_tickets_and_most_of_all_in_malls(year: list[HistoryRow]) -> None:
    """Shares lie between 70 and 90 % at each outlet, give or take the noise, near 88 % in malls and 75 % in shops."""
    total: Counter[str] = Counter()
    instant: Counter[str] = Counter()
    by_format: Counter[tuple[str, bool]] = Counter()
    for row in year:
        is_instant = row.game == "instant"
        total[row.outlet_id] += row.amount_fen
        instant[row.outlet_id] += row.amount_fen * is_instant
        by_format[KNOWN.outlets[row.outlet_id][0].format, is_instant] += row.amount_fen
    shares = [instant[outlet_id] / total[outlet_id] for outlet_id in total]
    assert min(shares) > 0.68
    assert max(shares) < 0.92
    for trade_format, expected in (("commercial_complex", 0.88), ("convenience_store", 0.75)):
        sold = {is_instant: by_format[trade_format, is_instant] for is_instant in (True, False)}
        assert sold[True] / sum(sold.values()) == pytest.approx(expected, abs=0.04)


def test_draw_games_stand_still_while_the_market_is_closed(year: list[HistoryRow]) -> None:
    """In the spring closure instant tickets are all that is sold; outside it every game is."""
    inside = {row.game for row in year if row.day in CLOSED}
    outside = {row.game for row in year if row.day not in CLOSED}
    assert inside == {"instant"}
    assert outside == {"instant", "ssq", "3d", "qlc", "kl8"}


def test_a_closure_of_everything_stops_everything() -> None:
    """With scope `all` not a row is written."""
    closure = Closure(first_day="2025-03-01", last_day="2025-03-02", scope="all", name="audit")
    market = Market(town.known([RegistryRecord(closure=closure)], outlets=3), seed=1)
    days = {row.day for row in market.history(date(2025, 2, 27).toordinal(), date(2025, 3, 3).toordinal())}
    assert days == {date(2025, month, day).toordinal() for month, day in ((2, 27), (2, 28), (3, 3))}


def test_a_game_sells_more_on_its_draw_days(year: list[HistoryRow]) -> None:
    """Of ssq, the mean draw day sells at least twice the mean other day."""
    sold = Counter({True: 0, False: 0})
    days: dict[bool, set[int]] = {True: set(), False: set()}
    for row in year:
        if row.game == "ssq":
            drawn = date.fromordinal(row.day).isoweekday() in {2, 4, 7}
            sold[drawn] += row.amount_fen
            days[drawn].add(row.day)
    assert sold[True] / len(days[True]) > 2 * sold[False] / len(days[False])


def test_a_high_jackpot_draws_customers() -> None:
    """Sales of a lotto rise with the jackpot on offer, those of other games do not."""
    market = Market(KNOWN, seed=1)
    outlet = market.profile_on("0001", FIRST)
    assert outlet is not None
    for code, follows in (("ssq", True), ("3d", False)):
        tuesdays = [day for day in range(FIRST, LAST) if day not in CLOSED and date.fromordinal(day).isoweekday() == 2]
        play = next(play for play in market.plays_on(tuesdays[0]) if play.game.game == code)
        assert play.draws is not None
        tuesdays.sort(key=play.draws.jackpot)
        low, high = (
            sum(market.expected_fen(outlet, play, day) for day in half) for half in (tuesdays[:10], tuesdays[-10:])
        )
        assert (high > 1.3 * low) is follows


def test_night_markets_peak_in_the_evening() -> None:
    """More than half of a night market's day is sold from 18 to 22 o'clock, less than 40 % elsewhere."""
    market = Market(KNOWN, seed=1)
    day = date(2025, 6, 3).toordinal()
    for outlet_id in KNOWN.outlets:
        outlet = market.profile_on(outlet_id, day)
        assert outlet is not None
        for play in market.plays_on(day):
            shares = market.hour_shares(outlet, play, day)
            assert sum(shares) == pytest.approx(1)
            if play.draws is None:
                evening = sum(shares[18:22])
                assert evening > 0.5 if outlet.zone_type == "night_market" else evening < 0.4


def test_the_same_seed_gives_the_same_past_wherever_it_begins(year: list[HistoryRow]) -> None:
    """A day's rows depend on seed, outlet and day alone, so that a later run goes on where the first ended."""
    later = list(Market(KNOWN, seed=1).history(LAST - 30, LAST))
    assert later == [row for row in year if row.day >= LAST - 30]
    assert later != list(Market(KNOWN, seed=2).history(LAST - 30, LAST))


def test_amounts_of_draw_games_are_prices_of_bets(year: list[HistoryRow]) -> None:
    """Summaries have no price rule, and keep it all the same where a game has a price."""
    assert all(row.amount_fen == 200 * row.bets for row in year if row.game != "instant")
    assert all(row.amount_fen >= 200 * row.bets > 0 for row in year if row.game == "instant")


def test_an_outlet_has_no_sales_before_it_opened_or_after_it_closed() -> None:
    """History begins and ends with the outlet."""
    outlet = Outlet(outlet_id="new", valid_from="2025-06-01", opened="2025-06-01", closed="2025-06-11")
    till = Terminal(terminal_id="Tnew", valid_from="2025-06-01", outlet_id="new", kind="till")
    market = Market(town.known([RegistryRecord(outlet=outlet), RegistryRecord(terminal=till)], outlets=1), seed=1)
    days = sorted({row.day for row in market.history(FIRST, LAST) if row.outlet_id == "new"})
    assert days == list(range(date(2025, 6, 1).toordinal(), date(2025, 6, 11).toordinal()))


def test_outlets_known_by_imports_only_are_not_played() -> None:
    """An outlet that never had a till keeps the history that it was given."""
    outlet = Outlet(outlet_id="M1B", valid_from="2014-01-01", opened="2014-01-01")
    market = Market(town.known([RegistryRecord(outlet=outlet)], outlets=2), seed=1)
    assert {row.outlet_id for row in market.history(LAST - 5, LAST)} == {"0001", "0002"}


def calendar(code: str, closes: dict[str, int] | None = None) -> DrawCalendar:
    """The calendar of one of the town's games."""
    game = next(game for game in town.GAMES if game.game == code)
    return DrawCalendar([game], CLOSED, closes or {}, seed=1)


@given(day=st.integers(FIRST, LAST), minute=st.integers(0, 1_439), code=st.sampled_from(["ssq", "3d", "qlc", "kl8"]))
def test_a_ticket_takes_part_in_the_next_draw_that_is_open(day: int, minute: int, code: str) -> None:
    """It is drawn on a draw day outside closures, closes after the sale, and no draw between would still be open."""
    draws = calendar(code)
    at = datetime.fromordinal(day).replace(tzinfo=Market(KNOWN, 1).zone) + timedelta(minutes=minute)
    drawn = draws.open_draw(at)
    assert draws.is_draw_day(drawn)
    assert at < draws.sales_close(drawn, at)
    assert not [
        between for between in range(day, drawn) if draws.is_draw_day(between) and at < draws.sales_close(between, at)
    ]
    last = draws.last_draw(at)
    assert draws.is_draw_day(last)
    assert last < day


def test_draws_are_numbered_through_the_year_past_closures() -> None:
    """3d: the 26 days before the closure, then on; ssq: three a week."""
    daily = calendar("3d")
    numbers = [daily.draw_no(day) for day in range(FIRST, LAST + 1) if daily.is_draw_day(day)]
    assert numbers == [f"2025{number:03}" for number in range(1, 356)]
    assert daily.draw_no(date(2025, 2, 6).toordinal()) == "2025027"
    assert calendar("ssq").draw_no(date(2025, 1, 2).toordinal()) == "2025001"
    assert daily.draw_no(date(2026, 1, 1).toordinal()) == "2026001"


def test_a_registered_close_of_sales_wins() -> None:
    """Where the registry knows a draw, its close decides."""
    day = date(2025, 3, 4).toordinal()
    zone = Market(KNOWN, 1).zone
    at = datetime(2025, 3, 4, 19, 30, tzinfo=zone)
    usual = calendar("ssq")
    early = calendar("ssq", {usual.draw_no(day): int(datetime(2025, 3, 4, 19, tzinfo=zone).timestamp() * 1000)})
    assert usual.open_draw(at) == day
    assert early.open_draw(at) == date(2025, 3, 6).toordinal()


def test_registered_draws_reach_the_calendar() -> None:
    """The market hands the registry's draws on."""
    draw = Draw(game="3d", draw_no="2025003", sales_close_ms=1_735_862_400_000)
    market = Market(town.known([RegistryRecord(draw=draw)], outlets=1), seed=1)
    play = next(play for play in market.plays_on(FIRST) if play.game.game == "3d")
    assert play.draws is not None
    close = play.draws.sales_close(FIRST + 2, datetime(2025, 1, 3, tzinfo=market.zone))
    assert close.timestamp() * 1000 == draw.sales_close_ms
