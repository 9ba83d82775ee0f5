"""What a change is and how it may be read: ratio, mark, excess over a benchmark. Knows no period and no store."""

from __future__ import annotations

import enum
from dataclasses import dataclass

_POINTS = 100.0


class Mark(enum.IntEnum):
    """How a growth figure is to be read; the numbers are those of fucai.v1.GrowthMark."""

    RATIO = 1
    NEW = 2
    BOTH_ZERO = 3
    NEGATIVE_BASE = 4
    NO_BASE = 5
    PARTIAL_BASE = 6
    SMALL_BASE = 7


class Coverage(enum.Enum):
    """How much of a base period lies within the stored days."""

    NONE = enum.auto()
    PARTIAL = enum.auto()
    FULL = enum.auto()


@dataclass(frozen=True, slots=True)
class Growth:
    """Change against a base; `ratio` is (value - base) / base, 0.07 for 7 %, and None where there is none."""

    ratio: float | None
    mark: Mark


def grow(value: int, base: int, coverage: Coverage = Coverage.FULL, least_base: int = 0) -> Growth:
    """The change from `base` to `value`, both in the same unit; it never invents a ratio.

    A base of zero that is not wholly stored says nothing: what is missing may not be zero, so that is NO_BASE, not NEW.
    A positive base below `least_base` (same unit; 0 is off) is SMALL_BASE: a ratio would say more than it knows.
    """
    if coverage is Coverage.NONE:
        return Growth(None, Mark.NO_BASE)
    if base < 0:
        return Growth(None, Mark.NEGATIVE_BASE)
    if base == 0:
        if coverage is Coverage.PARTIAL:
            return Growth(None, Mark.NO_BASE)
        return Growth(None, Mark.BOTH_ZERO if value == 0 else Mark.NEW)
    if base < least_base:
        return Growth(None, Mark.SMALL_BASE)
    return Growth((value - base) / base, Mark.RATIO if coverage is Coverage.FULL else Mark.PARTIAL_BASE)


def grow_per_open_day(
    value: int,
    base: int,
    open_days: tuple[int, int],
    coverage: Coverage = Coverage.FULL,
    least_base: int = 0,
) -> Growth:
    """The change of the average per open day (开市日均): (value / days) against (base / base days), rounded once.

    `open_days` are those of the value and of the base; `least_base` is held against the whole base, as in `grow`.
    Where either side has no open day there is no average, so that is NO_BASE.
    """
    days, base_days = open_days
    if not days or not base_days:
        return Growth(None, Mark.NO_BASE)
    growth = grow(value, base, coverage, least_base)
    if growth.ratio is None:
        return growth
    return Growth((value * base_days - base * days) / (base * days), growth.mark)


def excess_points(growth: Growth, benchmark: float | None) -> float | None:
    """Our growth less the benchmark's, in percentage points; None unless both are plain ratios."""
    if benchmark is None or growth.ratio is None or growth.mark is not Mark.RATIO:
        return None
    return (growth.ratio - benchmark) * _POINTS
