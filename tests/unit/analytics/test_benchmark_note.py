"""What is said of the benchmark: growth and excess where published, else the newest, its label and the reason."""

from __future__ import annotations

from datetime import date

import pytest

from fucai.analytics.benchmark import compare
from fucai.domain.benchmarks import Match
from fucai.domain.periods import DayRange
from fucai.v1 import analytics_pb2 as pb

DAYS = DayRange(date(2025, 1, 1), date(2025, 12, 31))
UP = pb.Growth(ratio=0.05, mark=pb.GROWTH_MARK_RATIO)


def test_a_published_period_gives_the_excess_even_when_negative() -> None:
    """5 % against 7 % is two points behind, and said so."""
    shown = compare("own", Match(published=True, period="2025", growth=0.07), DAYS, UP)
    assert shown.excess_points == pytest.approx(-2.0)
    assert "2025" in shown.note_zh


@pytest.mark.parametrize(
    ("published", "benchmark", "word"),
    [
        (True, -0.03, pb.VERDICT_AGAINST_TREND),
        (True, 0.03, pb.VERDICT_AHEAD),
        (True, 0.0504, pb.VERDICT_LEVEL),
        (True, 0.07, pb.VERDICT_BEHIND),
        (False, -0.03, pb.VERDICT_UNSPECIFIED),
    ],
)
def test_the_verdict_needs_the_very_period(
    published: bool,  # noqa: FBT001  one column of the table
    benchmark: float,
    word: pb.Verdict.ValueType,
) -> None:
    """5 % has its word beside what is published for the very period, and none beside another period's growth."""
    found = Match(published=published, period="2025", growth=benchmark)
    assert compare("own", found, DAYS, UP).verdict == word


@pytest.mark.parametrize("mark", [pb.GROWTH_MARK_NEW, pb.GROWTH_MARK_PARTIAL_BASE, pb.GROWTH_MARK_NO_BASE])
def test_a_growth_that_misleads_has_no_excess(mark: pb.GrowthMark.ValueType) -> None:
    """Only a plain ratio is compared."""
    shown = compare("own", Match(published=True, period="2025", growth=0.07), DAYS, pb.Growth(ratio=0.5, mark=mark))
    assert shown.HasField("growth")
    assert not shown.HasField("excess_points")
    assert shown.verdict == pb.VERDICT_UNSPECIFIED


def test_missing_values_are_named_up_to_six() -> None:
    """A note lists what the series lacks, and the newest figure's own period."""
    missing = tuple(f"2025-{month:02}" for month in range(1, 10))
    shown = compare("own", Match(published=False, period="2024", growth=0.07, missing=missing), DAYS, UP)
    assert "lacks 2025-01, 2025-02, 2025-03, 2025-04, 2025-05, 2025-06 …; shown is the newest, 2024" in shown.note_en
    assert "缺 2025-01" in shown.note_zh
    assert not shown.HasField("excess_points")


def test_an_empty_series_shows_nothing() -> None:
    """No growth, and the note says that there is none."""
    shown = compare("own", Match(published=False, period="", growth=None, missing=("2025",)), DAYS, UP)
    assert not shown.HasField("growth")
    assert "no growth to show" in shown.note_en
