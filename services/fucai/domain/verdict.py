"""The verdict words beside a benchmark: against the trend (逆势), ahead, level, behind, unknown. Assumes none."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from fucai.domain.benchmarks import Match
from fucai.domain.growth import Growth, excess_points
from fucai.domain.labels import Label

LEVEL_POINTS = 0.05
_ROUNDING = 1e-9  # of a difference between two ratios, in points


class Verdict(enum.IntEnum):
    """How our growth stands to a benchmark's; the numbers are those of fucai.v1.Verdict."""

    UNKNOWN = 0
    AGAINST_TREND = 1
    AHEAD = 2
    LEVEL = 3
    BEHIND = 4


VERDICTS: Mapping[Verdict, Label] = {
    Verdict.UNKNOWN: Label("无可比", "not comparable"),
    Verdict.AGAINST_TREND: Label("逆势", "against the trend"),
    Verdict.AHEAD: Label("领先", "ahead"),
    Verdict.LEVEL: Label("持平", "level"),
    Verdict.BEHIND: Label("落后", "behind"),
}


def verdict(ours: Growth, benchmark: Match, level_points: float = LEVEL_POINTS) -> Verdict:
    """The word for our growth beside a benchmark.

    UNKNOWN unless ours is a plain ratio and the benchmark is published for the very period. LEVEL where they are apart
    by at most `level_points` percentage points; else AGAINST_TREND where the benchmark falls and we rise; else AHEAD or
    BEHIND.
    """
    excess = excess_points(ours, benchmark.growth) if benchmark.published else None
    if excess is None or ours.ratio is None or benchmark.growth is None:
        return Verdict.UNKNOWN
    if abs(excess) <= level_points + _ROUNDING:
        return Verdict.LEVEL
    if benchmark.growth < 0 < ours.ratio:
        return Verdict.AGAINST_TREND
    return Verdict.AHEAD if excess > 0 else Verdict.BEHIND
