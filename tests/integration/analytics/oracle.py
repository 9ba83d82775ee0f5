"""Figures by brute force with polars, written from docs/definitions.md; shares no code with the suite."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

DAY = timedelta(days=1)
Part = tuple[Sequence[date], int | None]
"""Days, and one hour of them or all."""


@dataclass(frozen=True)
class Expected:
    """A row of a trend: figures are sales, bets, events, payouts; base None where there is none."""

    bucket: str
    group: tuple[str, ...]
    first: date
    last: date
    figures: tuple[int, int, int, int]
    base: tuple[int, int, int, int] | None
    base_days: tuple[date, date] | None
    mark: str
    ratio: float | None


def days_between(first: date, last: date) -> list[date]:
    """All days from first to last."""
    return [first + DAY * number for number in range((last - first).days + 1)]


def year_later(day: date) -> date:
    """The same calendar day a year later, 28 February for 29 February."""
    return day.replace(year=day.year + 1, day=min(day.day, calendar.monthrange(day.year + 1, day.month)[1]))


def bucket_key(grain: str, day: date) -> date:
    """First day of the whole bucket."""
    if grain == "week":
        return day - DAY * day.weekday()
    if grain == "month":
        return day.replace(day=1)
    return day.replace(month=1, day=1) if grain == "year" else day


def base_days(grain: str, compare: str, days: Sequence[date]) -> list[date]:
    """The days that a bucket, cut to `days`, is compared with."""
    wanted = set(days)
    if compare == "yoy" or grain == "year":
        if grain == "week":
            return [day - DAY * 364 for day in days]
        near = days_between(days[0] - DAY * 370, days[-1] - DAY * 360)
        found = [day for day in near if year_later(day) in wanted]
        if grain in {"day", "hour"}:
            return [day for day in found if (day.month, day.day) != (2, 29)]
        return found
    start = bucket_key(grain, days[0])
    before = bucket_days(grain, start - DAY)
    whole = bucket_days(grain, start)
    places = [whole.index(day) for day in days]
    if days[-1] == whole[-1]:
        return before[places[0] :]
    return [before[place] for place in places if place < len(before)]


def bucket_days(grain: str, day: date) -> list[date]:
    """All days of the bucket of a day; not for years."""
    return [
        near
        for near in days_between(day - DAY * 31, day + DAY * 31)
        if bucket_key(grain, near) == bucket_key(grain, day)
    ]


class Oracle:
    """Answers from a frame with a row for each event: day, hour, kind, fen, bets, summary, and a column a dimension."""

    def __init__(self, events: Sequence[Mapping[str, Any]]) -> None:
        self.frame = pl.DataFrame(list(events))
        self.first: date = min(event["day"] for event in events)
        self.last: date = max(event["day"] for event in events)

    def cells(self, frame: pl.DataFrame, by: Sequence[str]) -> dict[tuple[str, ...], tuple[int, int, int, int]]:
        """Figures by group."""
        found = {}
        for group, rows in frame.group_by(list(by)) if by else [((), frame)]:
            sale, void, payout = (rows.filter(pl.col("kind") == kind) for kind in ("sale", "void", "payout"))
            found[tuple(str(value) for value in group)] = (
                int(sale["fen"].sum()) - int(void["fen"].sum()),
                int(sale["bets"].sum()) - int(void["bets"].sum()),
                rows.height,
                int(payout["fen"].sum()),
            )
        return found

    def trend(self, first: date, last: date, grain: str, by: Sequence[str], compare: str) -> list[Expected]:
        """Every row of an answer."""
        asked = [day for day in days_between(first, last) if self.first <= day <= self.last]
        rows: list[Expected] = []
        for key in sorted({bucket_key(grain, day) for day in asked}):
            days = [day for day in asked if bucket_key(grain, day) == key]
            base = base_days(grain, compare, days) if compare else []
            if grain != "hour":
                rows += self._bucket(by, compare, (days, None), (base, None))
                continue
            for hour in range(self.last_hour + 1 if key == self.last else 24):
                hour_base = (base, hour)
                if compare == "previous":
                    hour_base = (days, hour - 1) if hour else ([key - DAY], 23)
                rows += self._bucket(by, compare, (days, hour), hour_base)
        return rows

    @property
    def last_hour(self) -> int:
        """The last hour of the last day that has events of its own."""
        hours = self.frame.filter((pl.col("day") == self.last) & ~pl.col("summary"))["hour"].to_list()
        return max(int(hour) for hour in hours)

    def _cut(self, part: Part) -> pl.DataFrame:
        days, hour = part
        found = self.between(days)
        return found if hour is None else found.filter((pl.col("hour") == hour) & ~pl.col("summary"))

    def _bucket(self, by: Sequence[str], compare: str, now: Part, before: Part) -> Iterator[Expected]:
        none = (0, 0, 0, 0)
        (days, hour), (base, _) = now, before
        values = self.cells(self._cut(now), by)
        bases = self.cells(self._cut(before), by) if base else {}
        stored = [day for day in base if day >= self.first]
        for group in sorted({*values, *bases}):
            value, base_value = values.get(group, none), bases.get(group, none)
            mark, ratio = self.mark(value[0], base_value[0], len(stored), len(base)) if compare else ("", None)
            yield Expected(
                days[0].isoformat() + ("" if hour is None else f"T{hour:02}"),
                group,
                days[0],
                days[-1],
                value,
                base_value if stored else None,
                (base[0], base[-1]) if base else None,
                mark,
                ratio,
            )

    @staticmethod
    def mark(value: int, base: int, stored: int, days: int) -> tuple[str, float | None]:
        """The table of marks."""
        if stored == 0:
            return "NO_BASE", None
        if base < 0:
            return "NEGATIVE_BASE", None
        if stored < days:
            return ("PARTIAL_BASE", (value - base) / base) if base else ("NO_BASE", None)
        if base == 0:
            return ("NEW" if value else "BOTH_ZERO"), None
        return "RATIO", (value - base) / base

    def between(self, days: Sequence[date]) -> pl.DataFrame:
        """The events of some days."""
        return self.frame.filter(pl.col("day").is_in(list(days)))

    def curve(self, days: Sequence[date], by: str, group: tuple[str, ...]) -> list[int]:
        """Sales by day of one group."""
        part = self.between(days)
        if by:
            part = part.filter(pl.col(by) == group[0])
        by_day = {key: figures[0] for (key,), figures in self.cells(part, ["day"]).items()}
        return [by_day.get(day.isoformat(), 0) for day in days]

    def active(
        self,
        last: date,
        by: str,
        least: int,
        open_days: int,
        closed: set[date],
        where: Callable[[str, str, date], str],
    ) -> tuple[dict[tuple[str, ...], int], list[date]]:
        """Active outlets by group at the end of `last`, and the window's days; `where` places an outlet on a day."""
        window: list[date] = []
        day = last
        while len(window) < open_days:
            if day not in closed:
                window.insert(0, day)
            day -= DAY
        sales = self.between(window).filter(pl.col("kind") == "sale")
        found: dict[tuple[str, ...], int] = {}
        for (outlet, *game), rows in sales.group_by(["outlet", "game"] if by == "game" else ["outlet"]):
            summaries = rows.filter(pl.col("summary") & (pl.col("bets") > 0)).height
            if rows.filter(~pl.col("summary")).height < least and not summaries:
                continue
            counted = rows.filter(~pl.col("summary") | (pl.col("bets") > 0))["day"].to_list()
            place = tuple(game) if by == "game" else (where(by, str(outlet), max(counted)),) if by else ()
            found[place] = found.get(place, 0) + 1
        return found, window
