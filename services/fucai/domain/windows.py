"""Days at which active outlets are counted, each with its window of open days, by number. Counts no outlet."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from fucai.domain.periods import DayRange, open_window

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Windows:
    """Ends of windows, numbered from 1 in order.

    A sale on one of `days` lies in the windows of the ends number `next_ends` to `last_ends` of that day. They are
    a run, for a window that ends later does not begin earlier.

    Attributes:
        ends: the days at which windows end, ascending, each once.
        firsts: the first open day of each window.
        days: the days of all windows, ascending, each once.
    """

    ends: tuple[date, ...]
    firsts: tuple[date, ...]
    days: tuple[date, ...]

    @property
    def first_day(self) -> date:
        """The first day of all windows, where `next_ends` and `last_ends` begin."""
        return self.firsts[0]

    @property
    def next_ends(self) -> list[int]:
        """For each day from `first_day` to the one after the last end: number of the first end on it or later.

        After the last end that is one more than there are.
        """
        return [bisect_left(self.ends, day) + 1 for day in self._span()]

    @property
    def last_ends(self) -> list[int]:
        """For the same days: number of the last end whose window begins on it or earlier."""
        return [bisect_right(self.firsts, day) for day in self._span()]

    @property
    def months(self) -> dict[date, int]:
        """The months of `days` by their first day; bit number n of each stands for its nth day."""
        found: dict[date, int] = {}
        for day in self.days:
            month = day.replace(day=1)
            found[month] = found.get(month, 0) | 1 << day.day
        return found

    def place(self, end: date) -> int:
        """The number of an end.

        Raises:
            KeyError: no window ends on that day.
        """
        found = bisect_left(self.ends, end)
        if found == len(self.ends) or self.ends[found] != end:
            raise KeyError(f"{end} is no end of a window")
        return found + 1

    def window(self, end: date) -> DayRange:
        """From the first open day of the window that ends on `end`, to `end`."""
        return DayRange(self.firsts[self.place(end) - 1], end)

    def _span(self) -> Iterable[date]:
        return DayRange(self.first_day, self.ends[-1] + _DAY)


def windows(ends: Iterable[date], open_days: int, closures: Iterable[DayRange]) -> Windows:
    """The last `open_days` open days up to and with each of `ends`; a day within a closure is not open.

    Raises:
        ValueError: there is no end, or a window would have no day.
    """
    ordered = sorted(set(ends))
    if not ordered or open_days < 1:
        raise ValueError(f"{len(ordered)} ends, {open_days} open days: give at least one of each")
    closed = {day for closure in closures for day in closure.overlap(DayRange(ordered[0], ordered[-1])) or ()}
    known = open_window(ordered[0], open_days, closures)
    known += [day for day in DayRange(ordered[0], ordered[-1]) if day > ordered[0] and day not in closed]
    firsts, used = [], set[date]()
    for end in ordered:
        last = bisect_right(known, end)
        window = known[last - open_days : last]
        firsts.append(window[0])
        used.update(window)
    return Windows(tuple(ordered), tuple(firsts), tuple(sorted(used)))
