"""Which draw a ticket gets, and the jackpots on offer. Pure; a simulation's calendar, no record of real draws."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from random import Random

from fucai.domain.draw_schedule import DrawSchedule
from fucai.v1.registry_pb2 import Game

_JACKPOT_WON = 0.25
_JACKPOT_GROWTH = 1.12
_JACKPOT_LEAST, _JACKPOT_MOST = 0.55, 1.8


class DrawCalendar:
    """The draws of one game as `domain.draw_schedule` has them, and which of them is open at a moment.

    `versions` are the game's rules by valid_from; `closed` are ordinals of days without draws; `closes` gives
    registered closes of sales by draw number, Unix ms. Instants are aware, in the business zone.
    """

    def __init__(self, versions: Sequence[Game], closed: Collection[int], closes: Mapping[str, int], seed: int) -> None:
        self._game = versions[0].game
        self._schedule = DrawSchedule(versions, closed)
        self._closes = closes
        self._seed = seed
        self._jackpots: dict[int, list[float]] = {}

    def weekdays(self, day: int) -> frozenset[int]:
        """Weekdays of the draws by the rules of the day (an ordinal), 1 for Monday."""
        return self._schedule.weekdays(day)

    def is_draw_day(self, day: int) -> bool:
        """Whether a draw is held on the day (an ordinal)."""
        return self._schedule.is_draw_day(day)

    def draw_no(self, day: int) -> str:
        """The number YYYYNNN of the draw held on the day."""
        return self._schedule.draw_no(day)

    def sales_close(self, day: int, at: datetime) -> datetime:
        """When sales for the draw held on the day close, in the time zone of `at`."""
        known_ms = self._closes.get(self.draw_no(day))
        if known_ms:
            return datetime.fromtimestamp(known_ms / 1000, at.tzinfo)
        return self._schedule.sales_close(day, at.tzinfo)

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
        days = self._schedule.days_of(year)
        if year not in self._jackpots:
            random = Random(f"{self._seed}/jackpot/{self._game}/{year}")
            self._jackpots[year] = _jackpots(len(days), random)
        return self._jackpots[year][bisect_left(days, draw)]

    def _next(self, day: int) -> int:
        while not self.is_draw_day(day):
            day += 1
        return day


def _jackpots(count: int, random: Random) -> list[float]:
    jackpots = []
    jackpot = random.uniform(0.8, 1.2)
    for _ in range(count):
        jackpots.append(jackpot)
        grown = jackpot * _JACKPOT_GROWTH
        jackpot = jackpot * random.uniform(0.55, 0.75) if random.random() < _JACKPOT_WON else grown
        jackpot = min(_JACKPOT_MOST, max(_JACKPOT_LEAST, jackpot))
    return jackpots
