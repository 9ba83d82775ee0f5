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


def grow(value: int, base: int, coverage: Coverage = Coverage.FULL) -> Growth:
    """The change from `base` to `value`, both in the same unit; it never invents a ratio.

    A base of zero that is not wholly stored says nothing: what is missing may not be zero, so that is NO_BASE, not NEW.
    """
    if coverage is Coverage.NONE:
        return Growth(None, Mark.NO_BASE)
    if base < 0:
        return Growth(None, Mark.NEGATIVE_BASE)
    if base == 0:
        if coverage is Coverage.PARTIAL:
            return Growth(None, Mark.NO_BASE)
        return Growth(None, Mark.BOTH_ZERO if value == 0 else Mark.NEW)
    return Growth((value - base) / base, Mark.RATIO if coverage is Coverage.FULL else Mark.PARTIAL_BASE)


def excess_points(growth: Growth, benchmark: float | None) -> float | None:
    """Our growth less the benchmark's, in percentage points; None unless both are plain ratios."""
    if benchmark is None or growth.ratio is None or growth.mark is not Mark.RATIO:
        return None
    return (growth.ratio - benchmark) * _POINTS
