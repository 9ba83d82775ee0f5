"""When a game's draws are and which number a ticket gets. Pure; a simulation's calendar, no record of real draws."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping
from datetime import date, datetime, time, timedelta
from functools import cached_property
from random import Random

from fucai.v1.registry_pb2 import Game

CLOSE_BEFORE_DRAW = timedelta(minutes=75)
"""Sales close this long before the draw (20:00 for 21:15); not verified, so a registered draw's own close wins."""

_JACKPOT_WON = 0.25
_JACKPOT_GROWTH = 1.12
_JACKPOT_LEAST, _JACKPOT_MOST = 0.55, 1.8
_START_OF_DAY = time()


class DrawCalendar:
    """The draws of one game: on its weekdays, except on closed days (ordinals), numbered from 1 in each year.

    `closes` gives registered closes of sales by draw number, Unix ms. Instants are aware, in the business zone.
    """

    def __init__(self, game: Game, closed: Collection[int], closes: Mapping[str, int], seed: int) -> None:
        self._game = game
        self._closed = frozenset(closed)
        self._closes = closes
        self._seed = seed
        self._years: dict[int, tuple[list[int], list[float]]] = {}

    @cached_property
    def weekdays(self) -> frozenset[int]:
        """Weekdays of the draws, 1 for Monday."""
        return frozenset(self._game.draw_weekdays) or frozenset(range(1, 8))

    def is_draw_day(self, day: int) -> bool:
        """Whether a draw is held on the day (an ordinal)."""
        return day not in self._closed and date.fromordinal(day).isoweekday() in self.weekdays

    def draw_no(self, day: int) -> str:
        """The number YYYYNNN of the draw held on the day."""
        year = date.fromordinal(day).year
        return f"{year}{bisect_right(self._year(year)[0], day):03}"

    def sales_close(self, day: int, at: datetime) -> datetime:
        """When sales for the draw held on the day close, in the time zone of `at`."""
        known_ms = self._closes.get(self.draw_no(day))
        if known_ms:
            return datetime.fromtimestamp(known_ms / 1000, at.tzinfo)
        drawn = time.fromisoformat(self._game.draw_time) if self._game.draw_time else time(21, 15)
        return datetime.combine(date.fromordinal(day), drawn, at.tzinfo) - CLOSE_BEFORE_DRAW

    def open_draw(self, at: datetime) -> int:
        """The day (an ordinal) of the draw that a ticket sold at `at` takes part in."""
        day = self._next(at.toordinal())
        return day if at < self.sales_close(day, at) else self._next(day + 1)

    def last_draw(self, at: datetime) -> int:
        """The day of the newest draw before the business day of `at`."""
        day = at.toordinal() - 1
        while not self.is_draw_day(day):
            day -= 1
        return day

    def jackpot(self, day: int) -> float:
        """The jackpot on offer on a day, where 1 is usual: it rolls from draw to draw until it is won."""
        draw = self._next(day)
        year = date.fromordinal(draw).year
        days, jackpots = self._year(year)
        return jackpots[bisect_left(days, draw)]

    def _next(self, day: int) -> int:
        while not self.is_draw_day(day):
            day += 1
        return day

    def _year(self, year: int) -> tuple[list[int], list[float]]:
        found = self._years.get(year)
        if found is None:
            first, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
            days = [day for day in range(first, last + 1) if self.is_draw_day(day)]
            random = Random(f"{self._seed}/jackpot/{self._game.game}/{year}")
            found = self._years[year] = (days, _jackpots(len(days), random))
        return found


def _jackpots(count: int, random: Random) -> list[float]:
    jackpots = []
    jackpot = random.uniform(0.8, 1.2)
    for _ in range(count):
        jackpots.append(jackpot)
        grown = jackpot * _JACKPOT_GROWTH
        jackpot = jackpot * random.uniform(0.55, 0.75) if random.random() < _JACKPOT_WON else grown
        jackpot = min(_JACKPOT_MOST, max(_JACKPOT_LEAST, jackpot))
    return jackpots
