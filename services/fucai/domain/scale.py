"""Channel scale (渠道规模): outlets installed, active, opened and closed, sales per outlet, same-outlet growth.

Knows outlets by id and days as dates; which days are open is said by `periods.open_window` and the caller.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from fucai.domain.growth import Growth, grow
from fucai.domain.rounding import BASIS_POINTS, half_even

LEAST_ACTIVE_BP = 9_600
"""Under this share of active ones a system counts as degraded (a contract elsewhere has 96 %)."""

DAYS_OF_A_WEEK = 7

Stay = tuple[date, date | None]
"""The day an outlet opened, and the first day it was closed for good; None while it is open."""


@dataclass(frozen=True, slots=True)
class Turnover:
    """Outlets that opened and that closed in a period; one that did both stands in both."""

    opened: frozenset[str]
    closed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Penetration:
    """Active outlets over installed ones. Active ones that are not installed are told apart and not in the ratio."""

    installed: int
    active: int
    active_unregistered: int = 0

    @property
    def ratio(self) -> float | None:
        """0.96 for 96 %; None without installed outlets."""
        return self.active / self.installed if self.installed else None

    def is_degraded(self, least_bp: int = LEAST_ACTIVE_BP) -> bool:
        """Whether fewer than `least_bp` basis points are active, compared exactly; never without installed outlets."""
        return self.active * BASIS_POINTS < least_bp * self.installed


@dataclass(frozen=True, slots=True)
class Average:
    """An amount over a number of outlets, or of outlets and days: 站均销量 and its like."""

    total_fen: int
    over: int

    @property
    def exact(self) -> Fraction | None:
        """The quotient in fen; None over nothing."""
        return Fraction(self.total_fen, self.over) if self.over > 0 else None

    @property
    def fen(self) -> int | None:
        """The quotient in whole fen, rounded half to even; None over nothing."""
        return half_even(self.total_fen, self.over) if self.over > 0 else None


@dataclass(frozen=True, slots=True)
class SameOutlets:
    """Outlets with sales in both periods, and what they sold: same-outlet growth (同店增长)."""

    outlets: frozenset[str]
    base_fen: int
    value_fen: int

    @property
    def growth(self) -> Growth:
        """Change of their sales; with no such outlet mark BOTH_ZERO."""
        return grow(self.value_fen, self.base_fen)


def active_outlets(sales: Iterable[tuple[str, date, int]], window: Collection[date], least: int = 1) -> frozenset[str]:
    """The outlets with at least `least` sales on the days of `window`.

    `sales` has outlet id, business day and number of sales, in any order and any number of rows; a day outside the
    window counts for nothing.

    Raises:
        ValueError: `least` is below 1: everything would be active.
    """
    if least < 1:
        raise ValueError(f"least sales {least}: an active outlet has at least 1")
    days = frozenset(window)
    counted: Counter[str] = Counter()
    for outlet_id, day, number in sales:
        if day in days:
            counted[outlet_id] += number
    return frozenset(outlet_id for outlet_id, number in counted.items() if number >= least)


def installed_outlets(stays: Mapping[str, Stay], day: date) -> frozenset[str]:
    """The outlets opened on that day or before, and not closed by then."""
    return frozenset(outlet_id for outlet_id, stay in stays.items() if _is_open(stay, day))


def turnover(stays: Mapping[str, Stay], first: date, last: date) -> Turnover:
    """Which outlets opened and closed from `first` to `last`, both included.

    Installed before + opened - closed = installed on `last`. One closed on its opening day, or before, never was.
    """
    real = {outlet_id: stay for outlet_id, stay in stays.items() if stay[1] is None or stay[0] < stay[1]}
    return Turnover(
        frozenset(outlet_id for outlet_id, (opened, _) in real.items() if first <= opened <= last),
        frozenset(outlet_id for outlet_id, (_, closed) in real.items() if closed and first <= closed <= last),
    )


def penetration(active: Collection[str], installed: Collection[str]) -> Penetration:
    """How many of the installed outlets (or terminals) are active, each counted once."""
    selling, registered = frozenset(active), frozenset(installed)
    return Penetration(len(registered), len(selling & registered), len(selling - registered))


def sales_per_outlet(sales_fen: int, outlets: int, open_days: int = 1) -> Average:
    """站均销量: sales per outlet, and per open day where `open_days` are given.

    The variant is named by what `outlets` counts: active ones (the figure without further words), or installed ones.
    """
    return Average(sales_fen, outlets * open_days)


def sales_per_terminal_week(sales_fen: int, terminals: int, days: int) -> Average:
    """单机周销量: sales per terminal and week, of sales made in `days` days, closed ones among them."""
    return Average(sales_fen * DAYS_OF_A_WEEK, terminals * days)


def open_throughout(stays: Mapping[str, Stay], days: Iterable[date]) -> frozenset[str]:
    """The outlets that were open on each of these days; give the open days of both periods. All, without days."""
    span = sorted(days)
    if not span:
        return frozenset(stays)
    return installed_outlets(stays, span[0]) & installed_outlets(stays, span[-1])


def same_outlets(
    base: Mapping[str, int], value: Mapping[str, int], eligible: Collection[str] | None = None
) -> SameOutlets:
    """Same-outlet sales from the sales in fen by outlet of both periods: those above zero in both.

    `eligible` narrows them, such as to `open_throughout`; None for no such condition.
    """
    both = {outlet_id for outlet_id in base.keys() & value.keys() if base[outlet_id] > 0 and value[outlet_id] > 0}
    if eligible is not None:
        both &= frozenset(eligible)
    return SameOutlets(
        frozenset(both), sum(base[outlet_id] for outlet_id in both), sum(value[outlet_id] for outlet_id in both)
    )


def _is_open(stay: Stay, day: date) -> bool:
    opened, closed = stay
    return opened <= day and (closed is None or day < closed)
