"""Curves of whole fen or counts: moving average, base index, running sum, change by step.

A value of None is missing, and never zero. Averages and indices are exact fractions; whoever shows them rounds.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction

from fucai.domain.growth import Coverage, Growth, Mark, grow
from fucai.domain.periods import DayRange, open_window

INDEX_BASE = 100


def moving_average(values: Sequence[int | None], length: int) -> list[Fraction | None]:
    """For each place, the mean of the last `length` values up to and with it, in their unit.

    None where there are not so many values yet, or one of them is missing.

    Raises:
        ValueError: `length` is below 1.
    """
    if length < 1:
        raise ValueError(f"moving average over {length} values: choose 1 or more")
    averages: list[Fraction | None] = []
    total = known = 0
    for place, value in enumerate(values):
        total, known = total + (value or 0), known + (value is not None)
        if place >= length:
            gone = values[place - length]
            total, known = total - (gone or 0), known - (gone is not None)
        averages.append(Fraction(total, length) if known == length else None)
    return averages


def moving_average_of_open_days(
    values: Mapping[date, int], days: DayRange, length: int, closures: Iterable[DayRange]
) -> dict[date, Fraction | None]:
    """For each of `days`, the mean of the last `length` open days up to and with it; None where one is not in `values`.

    `values` reaches back beyond `days` where it can. A closed day has the mean of the open days before it; what was
    sold on closed days is in no mean.

    Raises:
        ValueError: `length` is below 1.
    """
    closed = list(closures)
    opened = open_window(days.first, length, closed)
    opened += [day for day in days if day > days.first and not any(day in closure for closure in closed)]
    means = dict(zip(opened, moving_average([values.get(day) for day in opened], length), strict=True))
    found: dict[date, Fraction | None] = {}
    latest = means[max(day for day in opened if day <= days.first)]
    for day in days:
        latest = means.get(day, latest)
        found[day] = latest
    return found


def base_index(values: Sequence[int | None], base: int) -> list[Fraction | None]:
    """Each value as a share of `base`, which is 100; None where the value is missing or the base is not positive."""
    return [None if value is None or base <= 0 else Fraction(value * INDEX_BASE, base) for value in values]


def cumulative(values: Iterable[int | None]) -> list[int | None]:
    """The sum of all values up to and with each; None from the first missing one on."""
    total: int | None = 0
    sums: list[int | None] = []
    for value in values:
        total = None if total is None or value is None else total + value
        sums.append(total)
    return sums


def step_growth(values: Sequence[int | None], least_base: int = 0) -> list[Growth]:
    """The change of each value against the one before (环比); NO_BASE for the first, and beside a missing value."""
    changes = [Growth(None, Mark.NO_BASE)] if values else []
    for before, value in itertools.pairwise(values):
        missing = before is None or value is None
        changes.append(grow(value or 0, before or 0, Coverage.NONE if missing else Coverage.FULL, least_base))
    return changes
