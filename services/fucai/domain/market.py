"""What comparisons must know of the market: closures (休市), open days (开市日), lunar new years (春节)."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from fucai.domain.periods import DayRange


class Scope(enum.StrEnum):
    """What a closure closes; the values are those of the registry."""

    DRAW_GAMES = "draw_games"
    ALL = "all"


@dataclass(frozen=True, slots=True, order=True)
class Closure:
    """Days on which the draw games, or all games, are not sold."""

    days: DayRange
    scope: Scope


@dataclass(frozen=True, slots=True)
class Market:
    """The calendar of the market.

    Attributes:
        closures: the closures of the registry, in any order; they may overlap.
        new_years: the day of lunar new year by calendar year; a year may be missing, and then nothing is known of it.
        scopes: the closures that close the market in question: any, or only ALL where instant tickets alone are meant.
    """

    closures: tuple[Closure, ...] = ()
    new_years: Mapping[int, date] = field(default_factory=dict)
    scopes: frozenset[Scope] = frozenset(Scope)

    def closed(self) -> list[DayRange]:
        """The stretches that close the market in question, in order; they may overlap."""
        return sorted(closure.days for closure in self.closures if closure.scope in self.scopes)

    def closed_days(self, days: DayRange) -> int:
        """Number of `days` that lie in a closure; a day in several counts once."""
        count, begin = 0, days.first
        for closure in self.closed():
            first, last = max(closure.first, begin), min(closure.last, days.last)
            if first <= last:
                count += (last - first).days + 1
                begin = last + timedelta(days=1)
        return count

    def open_days(self, days: DayRange) -> int:
        """Number of `days` that lie in no closure."""
        return days.days - self.closed_days(days)

    def new_years_in(self, days: DayRange) -> list[date]:
        """The known lunar new years among `days`, in order."""
        years = range(days.first.year, days.last.year + 1)
        return [day for year in years if (day := self.new_years.get(year)) is not None and day in days]
