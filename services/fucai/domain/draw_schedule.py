"""When a game's draws are by its catalogue, and which numbers they have. Pure; knows no draw that was really held."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from fucai.domain.calendar import DrawNumber, business_day, instant_ms
from fucai.v1.registry_pb2 import Draw, Game

CLOSE_BEFORE_DRAW = timedelta(minutes=75)
"""Sales close this long before the draw (20:00 for 21:15); not verified, so a registered draw's own close wins."""
USUAL_DRAW_TIME = time(21, 15)
"""Where the catalogue names no time."""

_EVERY_DAY = frozenset(range(1, 8))
_DAY = timedelta(days=1)


class DrawSchedule:
    """The draws of one game: on its weekdays, except on closed days (ordinals), numbered from 1 in each year.

    `versions` are the game's rules by valid_from; before the first one its weekdays count, so that numbers do not
    depend on when a game was registered. Days are ordinals.
    """

    def __init__(self, versions: Sequence[Game], closed: Collection[int]) -> None:
        self._versions = versions
        self._since = [date.fromisoformat(version.valid_from).toordinal() for version in versions]
        self._weekdays = [frozenset(version.draw_weekdays) or _EVERY_DAY for version in versions]
        self._closed = frozenset(closed)
        self._years: dict[int, list[int]] = {}

    def weekdays(self, day: int) -> frozenset[int]:
        """Weekdays of the draws by the rules of the day, 1 for Monday; all where the catalogue names none."""
        return self._weekdays[self._place(day)]

    def is_draw_day(self, day: int) -> bool:
        """Whether a draw is held on the day."""
        return day not in self._closed and date.fromordinal(day).isoweekday() in self.weekdays(day)

    def days_of(self, year: int) -> Sequence[int]:
        """The days of a calendar year on which draws are held, in order."""
        found = self._years.get(year)
        if found is None:
            first, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
            found = self._years[year] = [day for day in range(first, last + 1) if self.is_draw_day(day)]
        return found

    def draw_no(self, day: int) -> str:
        """The number YYYYNNN of the draw held on the day."""
        year = date.fromordinal(day).year
        return str(DrawNumber(year, bisect_right(self.days_of(year), day)))

    def drawn(self, day: int, zone: tzinfo | None) -> datetime:
        """When the draw held on the day is drawn."""
        text = self._rules(day).draw_time
        return datetime.combine(date.fromordinal(day), time.fromisoformat(text) if text else USUAL_DRAW_TIME, zone)

    def sales_close(self, day: int, zone: tzinfo | None) -> datetime:
        """When sales for the draw held on the day close."""
        return self.drawn(day, zone) - CLOSE_BEFORE_DRAW

    def draws(self, first: date, last: date, zone: ZoneInfo) -> Iterator[Draw]:
        """The draws held from one day to another, both included, as records without an end.

        Days before the game's first version and days for which the catalogue names no time have none.
        """
        for day in range(max(first.toordinal(), self._since[0]), last.toordinal() + 1):
            if self._rules(day).draw_time and self._rules(day).has_draws and self.is_draw_day(day):
                close_ms = instant_ms(self.sales_close(day, zone))
                yield Draw(game=self._versions[0].game, draw_no=self.draw_no(day), sales_close_ms=close_ms)

    def scheduled_ms(self, sales_close_ms: int, zone: ZoneInfo) -> int:
        """When the draw whose sales close then is drawn by the catalogue, Unix ms; 0 where that names no time.

        It is the next time of day that the rules of the closing day name.
        """
        day = business_day(sales_close_ms, zone).toordinal()
        if not self._rules(day).draw_time:
            return 0
        drawn = self.drawn(day, zone)
        at_ms = instant_ms(drawn)
        return at_ms if at_ms >= sales_close_ms else instant_ms(drawn + _DAY)

    def _rules(self, day: int) -> Game:
        return self._versions[self._place(day)]

    def _place(self, day: int) -> int:
        return max(0, bisect_right(self._since, day) - 1)
