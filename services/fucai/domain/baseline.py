"""What an outlet was to be expected to sell on a day, by its own weekday pattern, and how far it is from that.

Median and median absolute deviation of the same weekday: a few lines of `statistics`. Libraries for seasonal
decomposition (statsmodels' STL, scipy) bring numpy and want long gapless series; here is an outlet's eight Tuesdays.
"""

from __future__ import annotations

import enum
import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from fucai.domain.rounding import BASIS_POINTS

NORMAL_SCALE = 1.4826
"""1 / the 75 % quantile of the normal distribution: makes a MAD comparable with a standard deviation."""

_WEEK = timedelta(days=7)


class Outcome(enum.Enum):
    """What came of a comparison."""

    FALL = "fall"
    RISE = "rise"
    USUAL = "usual"
    CLOSED = "closed"
    """The market, or the outlet, was closed on the day."""
    TOO_FEW_WEEKS = "too_few_weeks"
    SMALL_BASE = "small_base"

    @property
    def is_judged(self) -> bool:
        """Whether there was something to compare with."""
        return self in (Outcome.FALL, Outcome.RISE, Outcome.USUAL)


@dataclass(frozen=True, slots=True)
class SwingRule:
    """When a day's sales are a sharp fall or rise.

    Attributes:
        weeks: how many same weekdays, the newest first, make the pattern.
        reach_weeks: how many weeks back they are looked for, since closed days are left out.
        least_weeks: with fewer there is no judgement.
        least_base_fen: nor with an expectation below this.
        least_z: distance in robust standard deviations from which it is sharp (3.5: Iglewicz and Hoaglin 1993) ...
        least_change_bp: ... if it is this part of the expectation, too.
        floor_bp: the least spread, as a part of the expectation, for outlets that sell the same week after week.
    """

    weeks: int = 8
    reach_weeks: int = 16
    least_weeks: int = 4
    least_base_fen: int = 20_000
    least_z: float = 3.5
    least_change_bp: int = 3_000
    floor_bp: int = 1_000


@dataclass(frozen=True, slots=True)
class Swing:
    """A day beside its expectation: fen, robust standard deviations (below 0 for less), and the days looked at."""

    outcome: Outcome
    actual_fen: int
    expected_fen: int
    z: float
    weeks: int

    @property
    def change(self) -> float:
        """(actual - expected) / expected; 0 without an expectation above zero."""
        return (self.actual_fen - self.expected_fen) / self.expected_fen if self.expected_fen > 0 else 0.0


def same_weekdays(
    day: date, weeks: int, *, since: date, closed: Collection[date], reach_weeks: int | None = None
) -> list[date]:
    """The last `weeks` days of the same weekday before `day`, the newest first, none closed and none before `since`."""
    found: list[date] = []
    for back in range(1, (weeks if reach_weeks is None else reach_weeks) + 1):
        before = day - back * _WEEK
        if before < since or len(found) == weeks:
            break
        if before not in closed:
            found.append(before)
    return found


def spread(values: Sequence[int]) -> tuple[float, float]:
    """Median, and median absolute deviation from it times 1.4826, of at least one value (Rousseeuw and Croux 1993)."""
    middle = statistics.median(values)
    return float(middle), NORMAL_SCALE * statistics.median([abs(value - middle) for value in values])


def swing(
    sales: Mapping[date, int], day: date, *, since: date, closed: Collection[date] = (), rule: SwingRule | None = None
) -> Swing:
    """How the sales of `day` stand to the outlet's pattern.

    Args:
        sales: fen by business day; a day that is missing had none.
        day: the day to judge.
        since: the first day that says anything: the outlet's first, or the first stored one.
        closed: days on which it could not sell.
        rule: the parameters; None for the default ones.
    """
    rule = rule or SwingRule()
    actual = sales.get(day, 0)
    days = same_weekdays(day, rule.weeks, since=since, closed=closed, reach_weeks=rule.reach_weeks)
    if day in closed or not days:
        return Swing(Outcome.CLOSED if day in closed else Outcome.TOO_FEW_WEEKS, actual, 0, 0.0, len(days))
    middle, deviation = spread([sales.get(before, 0) for before in days])
    expected = round(middle)
    scale = max(deviation, abs(middle) * rule.floor_bp / BASIS_POINTS)
    z = (actual - middle) / scale if scale else 0.0
    if len(days) < rule.least_weeks:
        outcome = Outcome.TOO_FEW_WEEKS
    elif expected <= 0 or expected < rule.least_base_fen:
        outcome = Outcome.SMALL_BASE
    elif abs(z) < rule.least_z or abs(actual - middle) * BASIS_POINTS < rule.least_change_bp * middle:
        outcome = Outcome.USUAL
    else:
        outcome = Outcome.FALL if actual < middle else Outcome.RISE
    return Swing(outcome, actual, expected, z, len(days))
