"""Silence in open time: what an outlet need not sell on days of a closure, by scope, does not count against it.

Judges one outlet from its sales by hour; how an outlet is expected to sell is in `usual_hours`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from fucai.domain.market import Closure, Scope
from fucai.domain.periods import DayRange
from fucai.domain.usual_hours import Quiet, SilenceRule, Sold, quiet_back, usual_hours


@dataclass(frozen=True, slots=True)
class ClosedDays:
    """Days on which nothing is sold, and days on which no game with draws is; one may be both."""

    wholly: frozenset[date] = frozenset()
    for_draws: frozenset[date] = frozenset()

    @property
    def all(self) -> frozenset[date]:
        """The days on which the market as a whole is not open."""
        return self.wholly | self.for_draws


def closed_days(closures: Iterable[Closure], days: DayRange) -> ClosedDays:
    """The closed ones of `days`, by the scope of the closures."""
    found: dict[Scope, set[date]] = {scope: set() for scope in Scope}
    for closure in closures:
        if within := closure.days.overlap(days):
            found[closure.scope].update(within)
    return ClosedDays(frozenset(found[Scope.ALL]), frozenset(found[Scope.DRAW_GAMES]))


@dataclass(frozen=True, slots=True)
class Trade:
    """What one outlet sold by day and hour.

    Attributes:
        selling: hours with any sale that may be seen.
        sold: sales that make its pattern: those of games that are looked at on every day.
        drawless: those of them that are of games without draws.
    """

    selling: Mapping[date, Collection[int]]
    sold: Sold
    drawless: Sold


def expected_hours(trade: Trade, day: date, *, since: date, closed: ClosedDays, rule: SilenceRule) -> Mapping[int, int]:
    """The hours of `day` in which the outlet is expected to sell, with its usual sales in them, in fen.

    On a day closed to games with draws only those without draws are expected, by their own pattern; on a day closed
    to all nothing is. `since` is the first day that says anything.
    """
    if day in closed.for_draws:
        return usual_hours(trade.drawless, day, since=since, closed=closed.wholly, rule=rule)
    return usual_hours(trade.sold, day, since=since, closed=closed.all, rule=rule)


def silence(trade: Trade, day: date, hour: int, *, since: date, closed: ClosedDays, rule: SilenceRule) -> Quiet:
    """The outlet's expected hours without a sale, back from `hour` of `day` (that hour not with them) to its last sale.

    A sale of any kind ends the silence.
    """

    def usual(past: date) -> Mapping[int, int]:
        return expected_hours(trade, past, since=since, closed=closed, rule=rule)

    return quiet_back(trade.selling, usual, day, hour, since=since, reach_days=rule.reach_days)


def has_pattern(trade: Trade, day: date, *, since: date, closed: ClosedDays, rule: SilenceRule) -> bool:
    """Whether the outlet is expected to sell in any hour of the days that a silence is followed back to."""
    days = (day - timedelta(days=back) for back in range(rule.reach_days))
    return any(expected_hours(trade, past, since=since, closed=closed, rule=rule) for past in days if past >= since)
