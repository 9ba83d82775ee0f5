"""The sums that measures are made of, as fragments of SQL over sums by day, kind and key. Takes no input text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

_COLUMNS = {
    "fen": "sum(amount_fen)",
    "bet_count": "sum(bets)",
    "event_count": "count()",
    "companion_sum": "sum(companion_fen)",
    "visit_count": "countIf(NOT daily_summary)",
    "attached_count": "countIf(companion_fen > 0 AND NOT daily_summary)",
    "summary_count": "countIf(daily_summary AND bets > 0)",
}
_SIGNED = "multiIf(kind = 'SALE', toInt64({0}), kind = 'VOID', -toInt64({0}), 0)"
_OF = "if(kind = '{1}', toInt64({0}), 0)"
# Where the rates of a game on a day stand in the arrays of `rates.Rates`: a stretch of slots for each day of change, in
# it one for games without rates, then one for each game.
_SLOT = (
    "arrayCount(change -> change <= business_day, {rate_days:Array(Date)}) * (length({rate_games:Array(String)}) + 1)"
    " + indexOf({rate_games:Array(String)}, toString(game)) + 1"
)
RATES = ("prize_bp", "issuing_fee_bp", "welfare_fund_bp", "commission_bp")
KNOWN_RATES = {
    "unrated": "rated",
    "unrated_fen": "rated",
    "uncommissioned": "commissioned",
    "uncommissioned_fen": "commissioned",
}
"""Sums over events without a rate, and the parameter that says where there is one."""


class Sum(NamedTuple):
    """A sum: its term of each inner row, the columns and keys that the inner rows need for it."""

    term: str
    columns: tuple[str, ...]
    keys: frozenset[str] = frozenset()


def _rated(rate: str) -> Sum:
    """Sales times a rate of the game on the event's own day; the sum is in fen times 10,000, exactly."""
    term = f"toInt128({_SIGNED.format('fen')}) * arrayElement({{{rate}:Array(UInt32)}}, {_SLOT})"
    return Sum(term, ("fen",), frozenset({"game"}))


def _without(known: str) -> Sum:
    """Events that would need a rate which the game does not have on their day."""
    return Sum(f"if({_lacking(known)}, event_count, 0)", ("event_count",), frozenset({"game"}))


def _sales_without(known: str) -> Sum:
    """The sales of such events."""
    return Sum(f"if({_lacking(known)}, {_SIGNED.format('fen')}, 0)", ("fen",), frozenset({"game"}))


def _lacking(known: str) -> str:
    return f"kind IN ('SALE', 'VOID') AND NOT arrayElement({{{known}:Array(UInt8)}}, {_SLOT})"


SUMS: Mapping[str, Sum] = {
    "sales": Sum(_SIGNED.format("fen"), ("fen",)),
    "bets": Sum(_SIGNED.format("bet_count"), ("bet_count",)),
    "events": Sum("event_count", ("event_count",)),
    "payouts": Sum(_OF.format("fen", "PAYOUT"), ("fen",)),
    "sold": Sum(_OF.format("bet_count", "SALE"), ("bet_count",)),
    "tickets": Sum(
        f"if(has({{instant_games:Array(String)}}, toString(game)), {_SIGNED.format('bet_count')}, 0)",
        ("bet_count",),
        frozenset({"game"}),
    ),
    "companion": Sum(_OF.format("companion_sum", "SALE"), ("companion_sum",)),
    "visits": Sum(_OF.format("visit_count", "SALE"), ("visit_count",)),
    "attached": Sum(_OF.format("attached_count", "SALE"), ("attached_count",)),
    "prize_bp": _rated("prize_bp"),
    "issuing_fee_bp": _rated("issuing_fee_bp"),
    "welfare_fund_bp": _rated("welfare_fund_bp"),
    "commission_bp": _rated("commission_bp"),
    "unrated": _without("rated"),
    "unrated_fen": _sales_without("rated"),
    "uncommissioned": _without("commissioned"),
    "uncommissioned_fen": _sales_without("commissioned"),
}
"""By name. `sold` are bets of sales, voided or not; `unrated` and `uncommissioned` count events of games without such a
rate on their day, and those with `_fen` are their sales."""

OUTLETS = "outlets"
"""Outlets with at least one sale: no sum, but counted beside them."""
OPEN_DAYS = "open_days"
"""Days on which the market is open: no sum, and not of the store; the calendar knows them."""


def columns_of(names: Iterable[str]) -> list[str]:
    """The names of the inner columns that the sums need."""
    return sorted({column for name in names for column in SUMS[name].columns})


def texts_of(columns: Iterable[str]) -> str:
    """The inner columns, each with its name."""
    return ", ".join(f"{_COLUMNS[column]} AS {column}" for column in columns)


def keys_of(names: Iterable[str]) -> frozenset[str]:
    """The keys that the inner rows need for the sums."""
    return frozenset().union(*(SUMS[name].keys for name in names))
