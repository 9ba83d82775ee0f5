"""The rules of where sales go: rates by game and day, exact sums, missing rates named."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.funds import Fund, GameRates, Raised, build_rates, raised, rates_of
from fucai.v1.registry_pb2 import Game, Outlet, RegistryRecord

START = date(2024, 1, 1)
GAMES = st.sampled_from(["ssq", "3d", "kl8", "instant", "unknown"])
SALES = st.lists(
    st.tuples(GAMES, st.integers(-5, 40).map(lambda n: START + timedelta(days=n)), st.integers(-(10**6), 10**9)),
    max_size=40,
)
CATALOGUE = [
    ("ssq", "2024-01-01", 5_100, 1_300, 3_600, 780),
    ("ssq", "2024-01-20", 5_000, 1_250, 3_750, 800),
    ("3d", "2024-01-01", 5_300, 1_300, 3_400, 0),
    ("kl8", "2024-01-10", 5_800, 1_200, 3_000, 780),
    ("instant", "2024-01-01", 0, 0, 0, 850),
]
RATES = build_rates(
    [
        RegistryRecord(outlet=Outlet(outlet_id="001", valid_from="2024-01-01")),
        *(
            RegistryRecord(
                game=Game(
                    game=game,
                    valid_from=first,
                    prize_bp=prize,
                    issuing_fee_bp=fee,
                    welfare_fund_bp=fund,
                    commission_bp=commission,
                )
            )
            for game, first, prize, fee, fund, commission in CATALOGUE
        ),
    ]
)
COLUMNS = {Fund.PRIZE_POOL: 0, Fund.ISSUING_FEE: 1, Fund.WELFARE_FUND: 2, Fund.COMMISSION: 3}


def rate_on(game: str, day: date, fund: Fund) -> int | None:
    """The rate straight from the rows: the newest that had begun; 0 stands for none here."""
    rows = [rates for name, first, *rates in CATALOGUE if name == game and first <= day.isoformat()]
    return rows[-1][COLUMNS[fund]] or None if rows else None


def test_a_worked_example() -> None:
    """100 yuan of 双色球 raise 36 before the rates change and 37.5 after; 刮刮乐 has no rate and is named, not zero."""
    sales = [("ssq", date(2024, 1, 19), 10_000), ("ssq", date(2024, 1, 20), 10_000), ("instant", START, 500)]
    found = raised(Fund.WELFARE_FUND, sales, RATES)
    assert found == Raised(Fund.WELFARE_FUND, 73_500_000, ("instant",), 500)
    assert (found.fen, found.is_complete) == (7_350, False)
    assert raised(Fund.COMMISSION, sales, RATES).fen == 780 + 800 + 42  # 42.5 fen go to the even one
    assert raised(Fund.COMMISSION, sales, RATES).is_complete


@given(SALES, st.sampled_from(Fund), st.randoms())
def test_sums_are_exact_and_rounded_once(sales: list[tuple[str, date, int]], fund: Fund, order: random.Random) -> None:
    """The amount is the exact sum of amount times rate; order and splitting change nothing; missing rates are named."""
    found = raised(fund, sales, RATES)
    with_rates = [(fen, rate_on(game, day, fund)) for game, day, fen in sales]
    exact = sum((Fraction(fen * rate, 10_000) for fen, rate in with_rates if rate is not None), Fraction(0))
    assert Fraction(found.numerator, 10_000) == exact
    assert found.fen == round(exact)
    assert found.missing_fen == sum(fen for fen, rate in with_rates if rate is None)
    without: Counter[tuple[str, date]] = Counter()
    for game, day, fen in sales:
        without[game, day] += fen if rate_on(game, day, fund) is None else 0
    assert set(found.missing) == {game for (game, _), fen in without.items() if fen}
    split = [(game, day, part) for game, day, fen in sales for part in (fen - fen // 3, fen // 3)]
    order.shuffle(split)
    assert raised(fund, split, RATES) == found


@given(SALES)
def test_prizes_fee_and_welfare_fund_are_the_whole(sales: list[tuple[str, date, int]]) -> None:
    """Where rates are known the three parts sum to the sales, exactly."""
    parts = [raised(fund, sales, RATES) for fund in (Fund.PRIZE_POOL, Fund.ISSUING_FEE, Fund.WELFARE_FUND)]
    whole = sum(fen for *_, fen in sales)
    assert sum(part.numerator for part in parts) == (whole - parts[0].missing_fen) * 10_000
    assert {part.missing for part in parts} == {parts[0].missing}


def test_what_the_catalogue_does_not_know_is_none() -> None:
    """Three zeros are unknown rates, one zero beside others is a rate, and a commission of zero is unknown."""
    unknown = rates_of(prize_bp=0, issuing_fee_bp=0, welfare_fund_bp=0, commission_bp=0)
    assert unknown == GameRates(None, None, None, None)
    free = rates_of(prize_bp=6_500, issuing_fee_bp=0, welfare_fund_bp=3_500, commission_bp=0)
    assert free == GameRates(6_500, 0, 3_500, None)
    assert [free.of(fund) for fund in Fund] == [6_500, 0, 3_500, None]
    with pytest.raises(ValueError, match="Invalid isoformat"):
        build_rates([RegistryRecord(game=Game(game="ssq", valid_from="soon"))])


def test_sales_that_cancel_need_no_rate() -> None:
    """A sale and its void on one day leave nothing to be raised, so no rate is missed."""
    assert raised(Fund.WELFARE_FUND, [("unknown", START, 5), ("unknown", START, -5)], RATES).is_complete
