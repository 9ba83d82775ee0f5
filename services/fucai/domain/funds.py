"""What of the sales goes where: prizes, issuing fee, welfare fund, commission, by the rates of the game on the day.

Computed from sales, not from the books: what is really remitted is the settlement's business, not this suite's.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from fucai.domain.catalogue import History
from fucai.domain.rounding import BASIS_POINTS, half_even
from fucai.v1 import registry_pb2


class Fund(enum.Enum):
    """Where a part of the sales goes, by the names of the measures."""

    PRIZE_POOL = "prize_pool"
    ISSUING_FEE = "issuing_fee"
    WELFARE_FUND = "welfare_fund"
    COMMISSION = "commission"
    """The agent's; paid out of the issuing fee, so it is no fourth part."""


@dataclass(frozen=True, slots=True)
class GameRates:
    """Rates of one version of a game in basis points; None where the catalogue has none."""

    prize_bp: int | None
    issuing_fee_bp: int | None
    welfare_fund_bp: int | None
    commission_bp: int | None

    def of(self, fund: Fund) -> int | None:
        """The rate of one fund."""
        match fund:
            case Fund.PRIZE_POOL:
                return self.prize_bp
            case Fund.ISSUING_FEE:
                return self.issuing_fee_bp
            case Fund.WELFARE_FUND:
                return self.welfare_fund_bp
            case Fund.COMMISSION:
                return self.commission_bp


Rates = Mapping[str, History[GameRates]]
"""By game; the versions by the ordinal of their first day."""


@dataclass(frozen=True, slots=True)
class Raised:
    """What sales raised for one fund.

    Attributes:
        fund: which.
        numerator: the amount in fen times 10,000, exactly.
        missing: games that have sales on days without a rate; their sales are in `missing_fen` and raise nothing here.
        missing_fen: those sales, so that nobody takes the amount for the whole.
    """

    fund: Fund
    numerator: int
    missing: tuple[str, ...] = ()
    missing_fen: int = 0

    @property
    def fen(self) -> int:
        """The amount in whole fen, rounded half to even, once."""
        return half_even(self.numerator, BASIS_POINTS)

    @property
    def is_complete(self) -> bool:
        """Whether every sale had a rate."""
        return not self.missing


def build_rates(records: Iterable[registry_pb2.RegistryRecord]) -> dict[str, History[GameRates]]:
    """The rates of all versions of all games; records of other tables are passed over.

    Where prizes, fee and welfare fund are all 0 the catalogue does not know them, and so with a commission of 0.

    Raises:
        ValueError: a valid_from is not a day of the form YYYY-MM-DD.
    """
    games: defaultdict[str, dict[int, GameRates]] = defaultdict(dict)
    for record in records:
        if record.HasField("game"):
            game = record.game
            rates = rates_of(
                prize_bp=game.prize_bp,
                issuing_fee_bp=game.issuing_fee_bp,
                welfare_fund_bp=game.welfare_fund_bp,
                commission_bp=game.commission_bp,
            )
            games[game.game][date.fromisoformat(game.valid_from).toordinal()] = rates
    return {game: History(versions) for game, versions in games.items()}


def rates_of(*, prize_bp: int, issuing_fee_bp: int, welfare_fund_bp: int, commission_bp: int) -> GameRates:
    """The rates as the catalogue has them, with what it does not know as None."""
    commission = commission_bp or None
    if prize_bp or issuing_fee_bp or welfare_fund_bp:
        return GameRates(prize_bp, issuing_fee_bp, welfare_fund_bp, commission)
    return GameRates(None, None, None, commission)


def raised(fund: Fund, sales: Iterable[tuple[str, date, int]], rates: Rates) -> Raised:
    """What `sales` (game, business day, fen; voids are below zero) raised for one fund, at the rates of each day.

    Sums of zero need no rate. Order does not matter, and rows of one game and day may be split or summed.
    """
    days: defaultdict[tuple[str, int], int] = defaultdict(int)
    for game, day, fen in sales:
        days[game, day.toordinal()] += fen
    numerator = missing_fen = 0
    missing = set()
    for (game, ordinal), fen in days.items():
        versions = rates.get(game)
        version = versions.on(ordinal) if versions is not None else None
        rate = version.of(fund) if version is not None else None
        if rate is not None:
            numerator += fen * rate
        elif fen:
            missing.add(game)
            missing_fen += fen
    return Raised(fund, numerator, tuple(sorted(missing)), missing_fen)
