"""In which hours an outlet usually sells, and whether it is silent in them. Terminals that send nothing: `silence`."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from fucai.domain.baseline import same_weekdays
from fucai.domain.rounding import BASIS_POINTS

Sold = Mapping[date, Mapping[int, int]]
"""Fen by business day and hour of it; an hour without a sale is missing, one with sales and voids may have 0."""

_DAY = timedelta(days=1)
_HOURS = 24


@dataclass(frozen=True, slots=True)
class SilenceRule:
    """When hours without a sale are silence.

    Attributes:
        weeks: how many same weekdays, the newest first, make the pattern; `reach_weeks` how far back they lie.
        reach_weeks: closed days are left out, so they may lie further back.
        least_weeks: with fewer there is no judgement.
        least_share_bp: share of those days with a sale in the hours, from which it usually sells in them.
        reach_days: how many days back a silence is followed.
    """

    weeks: int = 8
    reach_weeks: int = 16
    least_weeks: int = 4
    least_share_bp: int = 8_000
    reach_days: int = 28


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours in which an outlet usually sells and did not; what it usually sells in them, in fen."""

    hours: int
    usual_fen: int


def usual_hours(
    sold: Sold, day: date, *, since: date, closed: Collection[date] = (), rule: SilenceRule | None = None
) -> dict[int, int]:
    """The hours of `day` in which the outlet usually sells, with the median of its sales in them, in fen.

    Empty on a closed day, and with fewer than the least number of weeks. `since` is the first day that says anything.
    """
    rule = rule or SilenceRule()
    days = _pattern(day, since, closed, rule)
    return {
        hour: round(statistics.median([sold.get(before, {}).get(hour, 0) for before in days]))
        for hour in range(_HOURS)
        if days and _is_usual(sum(hour in sold.get(before, {}) for before in days), len(days), rule)
    }


def quiet_today(
    sold: Sold,
    day: date,
    hours: range,
    *,
    since: date,
    closed: Collection[date] = (),
    rule: SilenceRule | None = None,
) -> Quiet | None:
    """Whether the outlet has no sale in `hours` (all of them over) of `day` although it usually has one in them.

    None where it has, or need not have. The hours counted are those with a sale on any day of the pattern.
    """
    rule = rule or SilenceRule()
    days = _pattern(day, since, closed, rule)
    if not days or any(hour in hours for hour in sold.get(day, {})):
        return None
    selling = [{hour: fen for hour, fen in sold.get(before, {}).items() if hour in hours} for before in days]
    if not _is_usual(sum(bool(sales) for sales in selling), len(days), rule):
        return None
    return Quiet(len(set().union(*selling)), round(statistics.median([sum(sales.values()) for sales in selling])))


def quiet_since(
    sold: Sold,
    day: date,
    hour: int,
    *,
    since: date,
    closed: Collection[date] = (),
    rule: SilenceRule | None = None,
) -> Quiet:
    """The outlet's usual hours without a sale, back from `hour` of `day` (that hour not with them) to its last sale.

    Followed for at most `reach_days` days and not beyond `since`. No hours where it sold in the last usual one.
    """
    rule = rule or SilenceRule()

    def usual(past: date) -> Mapping[int, int]:
        return usual_hours(sold, past, since=since, closed=closed, rule=rule)

    return quiet_back(sold, usual, day, hour, since=since, reach_days=rule.reach_days)


def quiet_back(
    selling: Mapping[date, Collection[int]],
    usual: Callable[[date], Mapping[int, int]],
    day: date,
    hour: int,
    *,
    since: date,
    reach_days: int,
) -> Quiet:
    """The hours that are `usual` on their day, back from `hour` of `day` to the last hour with a sale in `selling`.

    As `quiet_since`, for those whose pattern is not made of all that they sell; `usual` has fen by hour.
    """
    hours = usual_fen = 0
    for back in range(reach_days):
        past = day - back * _DAY
        if past < since:
            break
        sold, expected = selling.get(past, ()), usual(past)
        for before in range((hour if not back else _HOURS) - 1, -1, -1):
            if before in sold:
                return Quiet(hours, usual_fen)
            if before in expected:
                hours, usual_fen = hours + 1, usual_fen + expected[before]
    return Quiet(hours, usual_fen)


def _pattern(day: date, since: date, closed: Collection[date], rule: SilenceRule) -> list[date]:
    """The days that make the pattern; none where there is nothing to judge."""
    if day in closed:
        return []
    days = same_weekdays(day, rule.weeks, since=since, closed=closed, reach_weeks=rule.reach_weeks)
    return days if len(days) >= rule.least_weeks else []


def _is_usual(selling: int, days: int, rule: SilenceRule) -> bool:
    return selling > 0 and selling * BASIS_POINTS >= rule.least_share_bp * days
